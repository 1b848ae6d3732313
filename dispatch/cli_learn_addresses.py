"""`dispatch learn addresses`: whether two address texts name one place, learned from pairs that people judged."""

from pathlib import Path

import click
from rich.console import Console

from dispatch.cli_backtest import FILE, mapping_option
from dispatch.cli_roster import database
from dispatch.cli_training import conclude, dry_option
from dispatch.intake.addresses import packed
from dispatch.learning import comparing, measures, tables
from dispatch.learning.addresses import FOLDS, TooFewPairs, figures, read, train, unseen
from dispatch.learning.pairs import Pair, groups
from dispatch.learning.register import Model, hashed, numbered
from dispatch.learning.stripping import masked
from gridmap.address_pairs import LABELS


@click.command("addresses")
@click.option("--pairs", type=FILE, required=True, help="CSV: a,b,label (已判定的地址对).")
@mapping_option
@dry_option
@database
def addresses(pairs: Path, mapping: tables.Names, dry_run: bool, database: str) -> None:
    """Learn whether two address texts name one place (学习地址比对).

    Labels are same, partial, different. Column a is what was said, b what it is held against. What is kept are trees over signs and how rare
    characters are; no text can be read from it. Ten thousand pairs take some minutes. 一万对需数分钟。

    \b
    dispatch learn addresses --pairs judged.csv --dry-run
    dispatch learn addresses --pairs judged.csv --mapping ours.toml
    """
    shown = Console(stderr=True)
    try:
        judged = [Pair(masked(pair.one), masked(pair.other), pair.label) for pair in read(pairs, mapping, judged=True)]
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    try:
        with shown.status(f"measuring in {FOLDS} folds 评估"):
            said, score = unseen(judged)
        with shown.status(f"learning from {len(judged)} pairs 学习"):
            body = packed(train(judged))
    except TooFewPairs:
        raise click.ClickException(
            f"{pairs.name}: pairs of each of {', '.join(LABELS)} are needed, of {FOLDS} addresses at least"
        ) from None
    rows = [[pair.one, pair.other, pair.label or ""] for pair in judged]
    grouped = groups(judged)
    found = measures.measured(grouped, figures([row[2] for row in rows], said, score))
    model = Model("addresses", body, numbered(row[:2] for row in rows), hashed(rows), found)
    Console().print(f"in groups 组数: {len(set(grouped))}", highlight=False)
    of = comparing.JudgedAddresses(judged, said)
    conclude(database, model, lambda serving: comparing.of_addresses(model, of, serving), dry_run=dry_run)
