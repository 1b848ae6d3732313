"""`dispatch backtest addresses`: whether two address texts name one place, beside what people judged."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.intake.addresses import shipped
from dispatch.learning import tables
from dispatch.learning.addresses import FOLDS, TooFewPairs, figures, read, train
from dispatch.learning.pairs import Pair, groups
from gridmap.address_pairs import LABELS


@click.command("addresses")
@click.option("--pairs", type=FILE, required=True, help="CSV: a,b; label for the figures (待判对).")
@click.option("--train", "taught", type=FILE, help="CSV: a,b,label; without it the shipped model (训练对).")
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: row,verdict,score (结果).")
def addresses(pairs: Path, taught: Path | None, mapping: tables.Names, out: Path) -> None:
    """Say of each pair of address texts whether it is one place: same, partial or different (地址比对回测).

    The score is how far `same` is believed. Each pair is judged alone; labels of --pairs are used for the figures only. Column a is what was
    said, b what it is held against.

    \b
    dispatch backtest addresses --pairs p.csv --out verdicts.csv
    dispatch backtest addresses --pairs p.csv --train judged.csv --out verdicts.csv
    """
    shown = Console(stderr=True)
    try:
        asked = read(pairs, mapping, judged=False)
        lessons = read(taught, mapping, judged=True) if taught else None
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    try:
        with shown.status("learning 学习"):
            model = train(lessons) if lessons is not None else shipped()
    except TooFewPairs:
        raise click.ClickException(
            f"--train needs pairs of each of {', '.join(LABELS)}, of {FOLDS} addresses at least"
        ) from None
    bar = track(asked, "judged 判定", console=shown, disable=not shown.is_terminal)
    found = [model.judge(model.sketch(pair.one), model.sketch(pair.other)) for pair in bar]
    with tables.written(out, ("row", "verdict", "score")) as writer:
        for number, (verdict, score) in enumerate(found):
            writer.writerow((number, verdict, f"{score:.6f}"))
    Console().print(_figures(asked, found))


def _figures(asked: Sequence[Pair], found: Sequence[tuple[str, float]]) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of addresses 地址比对回测")
    table.add_row("pairs 对", str(len(found)), "")
    places = [place for place, pair in enumerate(asked) if pair.label]
    if not places:
        table.add_row("with a label 有标签", "0", "")
        return table
    labels, verdicts = [asked[place].label or "" for place in places], [found[place][0] for place in places]
    score = np.array([found[place][1] for place in places])
    grouped = groups([asked[place] for place in places])
    table.add_row("with a label, in groups 有标签，组数", f"{len(places)}, {len(set(grouped))}", "")
    add_figures(table, grouped, figures(labels, verdicts, score))
    return table
