"""`dispatch learn units`: whose a case is, learned from cases that were handled, for proposals where the duty book is silent."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from dispatch.cli_backtest import FILE, mapping_option
from dispatch.cli_roster import database
from dispatch.cli_route import FEWEST
from dispatch.cli_training import conclude, dry_option
from dispatch.intake.known import FIELDS
from dispatch.intake.shares import Row
from dispatch.learning import comparing, measures, tables
from dispatch.learning.register import Figures, Model, Rows, hashed, numbered
from dispatch.learning.routing import ORIGINS, fit, rolling
from dispatch.learning.stripping import masked

# Older ones say little of who does what today, and memory is what they cost.
MOST = 40_000


@click.command("units")
@click.option("--cases", type=FILE, required=True, help="CSV, also .csv.gz: cases that were handled (历史工单).")
@click.option(
    "--target", required=True, metavar="COLUMN", help="Who handled a case: code or name of the unit (承办单位列)."
)
@click.option(
    "--features", required=True, metavar="A,B,…", help=f"What is known of a case (特征列); served: {', '.join(FIELDS)}."
)
@click.option("--time", required=True, metavar="COLUMN", help="When it came in, beginning YYYY-MM-DD (时间列).")
@mapping_option
@dry_option
@database
def units(
    cases: Path, target: str, features: str, time: str, mapping: tables.Names, dry_run: bool, database: str
) -> None:
    """Learn who handles what, where (学习派单).

    Its figures are those of the last fifth of the time, each part judged by what came before it. It only proposes, at the
    dispatch desk, where the duty book is silent or falls back; nothing is dispatched by it. 仅供派单台参考。

    \b
    dispatch learn units --cases old.csv.gz --target unit --features category,area,district --time opened_at
    dispatch learn units --cases old.csv --target unit --features category,area_name --time time --mapping ours.toml
    """
    shown = Console(stderr=True)
    columns = list(dict.fromkeys(column.strip() for column in features.split(",") if column.strip()))
    try:
        before = tables.handled(cases, columns, target, time, mapping)
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    if len(before) < FEWEST:
        raise click.ClickException(
            f"{cases.name}: {len(before)} cases with {target} are too few to learn from; {FEWEST} at least"
        )
    rows = sorted(before, key=lambda row: row[time])[-MOST:]
    if len(rows) < len(before):
        shown.print(f"learning from the newest {MOST} of {len(before)} cases 仅用最新工单")
    rows = [{column: masked(value) for column, value in row.items()} for row in rows]
    if unserved := [column for column in columns if column not in FIELDS]:
        shown.print(f"a case of this service has no {', '.join(unserved)}: proposals go without 本系统工单无此项")
    model, judged = _learned(rows, columns, target, time, shown)
    conclude(database, model, lambda serving: comparing.of_units(model, judged, serving), dry_run=dry_run)


def _learned(
    rows: Sequence[Row], columns: Sequence[str], target: str, time: str, shown: Console
) -> tuple[Model, comparing.JudgedUnits]:
    """The model of all cases, and how models of the cases before them did on the last."""
    steps = rolling(rows, columns, target, time)
    parts = list(track(steps, "measuring 评估", total=len(ORIGINS) - 1, console=shown, disable=not shown.is_terminal))
    with shown.status(f"learning from {len(rows)} cases 学习"):
        served = fit(rows, columns, target, time)
    held = [row for part in parts for row in part.rows]
    hits = np.array([[unit == row[target] for unit, _ in best] for part in parts for row, best in part.judged])
    every = (*sorted(columns), target, time)
    data_hash = hashed([row[column] for column in every] for row in rows)
    model = Model("units", served.packed(), _numbered(rows, every), data_hash, _figures(hits))
    return model, comparing.JudgedUnits(held, _numbered(held, every), hits[:, 0], columns, target)


def _numbered(rows: Sequence[Row], every: Sequence[str]) -> Rows:
    return numbered([row[column] for column in every] for row in rows)


def _figures(hits: npt.NDArray[np.bool_]) -> Figures:
    figures: dict[str, measures.Figure] = {
        comparing.FIRST: lambda at: float(hits[at, 0].mean()),
        "in the first 3 前三": lambda at: float(hits[at].any(1).mean()),
    }
    return measures.measured(range(len(hits)), figures)
