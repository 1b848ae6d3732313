"""`dispatch learn located`: which cases without words say an earlier one again, learned from pairs that a city's people named."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from dispatch.cli_backtest import FILE, mapping_option
from dispatch.cli_roster import database
from dispatch.cli_training import conclude, dry_option
from dispatch.intake.allowance import Share
from dispatch.intake.located import Located, packed
from dispatch.learning import comparing, measures, tables
from dispatch.learning.located import Judged, Named, read_cases, read_named
from dispatch.learning.located_blocks import BLOCKS, figures, flagged, named_of, unseen
from dispatch.learning.located_fit import NothingNamed, train
from dispatch.learning.pairs import Pair, groups
from dispatch.learning.register import FEWEST_NEW, Figures, Model, hashed, numbered
from dispatch.learning.stripping import masked

# Older ones say little of what is named today, and time is what they cost.
MOST: Final = 40_000
# As many cases are flagged as in service.
SHARE: Final = Share()


@click.command("located")
@click.option("--cases", "cases_", type=FILE, required=True, help="CSV, also .csv.gz, in time order (历史工单).")
@click.option("--pairs", type=FILE, required=True, help="CSV: dup_case,ref_case; distance_m where known (已知重复对).")
@mapping_option
@dry_option
@database
def located(cases_: Path, pairs: Path, mapping: tables.Names, dry_run: bool, database: str) -> None:
    """Learn which cases with a place and no words say an earlier one again (学习位置查重).

    Columns: case_enquiry_id open_dt closed_dt type location latitude longitude, and reason where there is one. What is kept are weights of
    distance, time and kinds; no case and no address. 模型不含工单与地址。

    \b
    dispatch learn located --cases cases.csv.gz --pairs duplicate_pairs.csv --dry-run
    dispatch learn located --cases old.csv --pairs named.csv --mapping ours.toml
    """
    shown = Console(stderr=True)
    try:
        before = read_cases(cases_, mapping)
        cases = _without_numbers(before[-MOST:])
        named = read_named(pairs, cases, mapping)
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    if len(cases) < len(before):
        shown.print(f"learning from the newest {MOST} of {len(before)} cases 仅用最新工单")
    if len(named) < FEWEST_NEW:
        raise click.ClickException(
            f"{pairs.name}: {len(named)} pairs of these cases are too few to learn from; {FEWEST_NEW} at least"
        )
    try:
        model, judged = _learned(cases, named, shown)
    except NothingNamed:
        raise click.ClickException(
            f"{pairs.name}: without one of {BLOCKS} blocks of time no pair lies within reach, or nothing but pairs does"
        ) from None
    Console().print(
        f"named pairs, in groups 已知重复对，组数: {len(named)}, {len(set(_grouped(named)))}", highlight=False
    )
    conclude(
        database, model, lambda serving: comparing.of_located(model, judged, serving, SHARE), dry_run=dry_run
    )  # fmt: skip


def _learned(cases: Sequence[Located], named: Sequence[Named], shown: Console) -> tuple[Model, comparing.JudgedLocated]:
    """The model of all cases, and how models of other times did on each block of time."""
    told = unseen(cases, named, SHARE)
    found = list(track(told, "measuring 评估", len(cases), console=shown, disable=not shown.is_terminal))
    with shown.status(f"learning from {len(cases)} cases 学习"):
        served = train(cases, named)
    rows = [_row(case) for case in cases]
    place = {case.key: str(n) for n, case in enumerate(cases)}
    data_hash = hashed([*map(_whole, cases), *([place[pair.later], place[pair.earlier]] for pair in named)])
    model = Model("located", packed(served), numbered(rows), data_hash, _figures(found, named))
    return model, comparing.JudgedLocated(cases, named, flagged(named_of(found), named))


def _figures(judged: Sequence[Judged], named: Sequence[Named]) -> Figures:
    """Of the pairs that people named, by groups that hang together; and how many of all cases were flagged."""
    flags = np.array([float(each.flagged) for each in judged])
    return {
        **measures.measured(_grouped(named), figures(named_of(judged), named)),
        **measures.measured(range(len(flags)), {"flagged of all 标记占比": lambda at: float(flags[at].mean())}),
    }


def _grouped(named: Sequence[Named]) -> list[int]:
    return groups([Pair(*pair) for pair in named])


def _without_numbers(cases: Sequence[Located]) -> list[Located]:
    """Kinds are kept in the model: without numbers of people, should a column hold any."""
    clean = cache(masked)
    return [replace(case, kind=clean(case.kind), kin=clean(case.kin)) for case in cases]


def _row(case: Located) -> list[str]:
    """What a case is known by when another training meets it again, whatever became of it."""
    return [case.opened_at.isoformat(), case.kind, str(case.lon), str(case.lat)]


def _whole(case: Located) -> list[str]:
    """All that is learned from of a case."""
    return [*_row(case), case.kin, str(case.closed_at), case.address.whole, *sorted(case.address.streets)]
