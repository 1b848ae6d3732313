"""`dispatch learn duty`: a duty book drafted from history, for people to read, correct and put in force."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.cli_route import FEWEST, renames_table
from dispatch.intake.shares import Row
from dispatch.learning import tables
from dispatch.learning.duty import Columns, Line, draft, judged, newest, renamed

SHOWN = 15
BOOK = ("rule", "category", "area", "condition", "valid_from", "valid_to", "lead", "assists")
SUPPORT = ("rule", "category", "area", "lead", "cases", "share", "least", "second", "second_share")


@click.command("duty")
@click.option("--cases", type=FILE, required=True, help="CSV, also .csv.gz: cases that were handled (历史工单).")
@click.option("--target", required=True, metavar="COLUMN", help="Who handled a case: code of the unit (承办单位列).")
@click.option("--category", required=True, metavar="COLUMN", help="Code of its category (分类列).")
@click.option("--area", required=True, metavar="COLUMN", help="Code of its area (区域列).")
@click.option("--time", required=True, metavar="COLUMN", help="When it came in, beginning YYYY-MM-DD (时间列).")
@mapping_option
@click.option(
    "--out", type=OUT, required=True, help="duty.csv as a city's folder has it; its support goes beside it (清单草稿)."
)
def duty(cases: Path, target: str, category: str, area: str, time: str, mapping: tables.Names, out: Path) -> None:
    """Draft a duty book from what was handled (起草权责清单).

    A line is drafted where one unit nearly always had such cases; OUT.support.csv says on how many cases each rests, with
    which share, and who came second. Units that go by another name since some day are joined under the newest.
    Nothing comes into force: people read it and add its lines to the city's duty.csv, `dispatch city check` checks that,
    `dispatch city load` loads it. 仅为草稿。

    \b
    dispatch learn duty --cases old.csv.gz --target unit --category category --area area --time opened_at --out duty.csv
    """
    at = Columns(category, area, target, time)
    try:
        rows = tables.handled(cases, (category, area), target, time, mapping)
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    if len(rows) < FEWEST:
        raise click.ClickException(f"{cases.name}: {len(rows)} cases with {target} are too few; {FEWEST} at least")
    with Console(stderr=True).status("drafting 起草"):
        found = renamed(rows, at)
        names = newest(found)
        lines = draft(rows, at, names)
    _write(out, lines)
    console = Console()
    console.print(_figures(lines, sorted(rows, key=lambda row: row[time]), at, names))
    if found:
        console.print(renames_table(found[:SHOWN]))
    console.print(f"{len(lines)} lines drafted 起草 → {out}", highlight=False)


def support_of(out: Path) -> Path:
    """The file beside a drafted book that says on what each line rests."""
    return out.with_name(f"{out.stem}.support.csv")


def _write(out: Path, lines: Sequence[Line]) -> None:
    with tables.written(support_of(out), SUPPORT) as support:
        for rule, line in enumerate(lines, 1):
            support.writerow(
                (f"L{rule:04}", line.category, line.area, line.unit, line.cases, f"{line.share:.3f}", f"{line.least:.3f}", line.second,
                 f"{line.second_share:.3f}")
            )  # fmt: skip
    with tables.written(out, BOOK) as book:
        for rule, line in enumerate(lines, 1):
            given = {"rule": f"L{rule:04}", "category": line.category, "area": line.area, "lead": line.unit}
            book.writerow([given.get(field, "") for field in BOOK])


def _figures(lines: Sequence[Line], rows: Sequence[Row], at: Columns, names: dict[str, str]) -> Table:
    """What a book drafted from the first four fifths of the time would have said of the last."""
    cut = int(len(rows) * 0.8)
    said = judged(draft(rows[:cut], at, names), rows[cut:], at, names)
    answered = np.array([each is not None for each in said], np.float64)
    right = np.array([bool(each) for each in said if each is not None], np.float64)
    table = Table(
        "figure 指标", "value 值", "95 %", title="A book of the first four fifths, on the last 前四起草，后一检验"
    )
    table.add_row("cases 工单", str(len(rows)), "")
    table.add_row("lines 条", str(len(lines)), "")
    add_figures(table, range(len(said)), {"answered 有答案": lambda places: float(answered[places].mean())})
    if len(right):
        add_figures(table, range(len(right)), {"of these right 正确": lambda places: float(right[places].mean())})
    return table
