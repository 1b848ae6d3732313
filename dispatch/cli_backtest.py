"""`dispatch backtest`: what the rules of this service say of a city's past, beside what the city said itself (回测)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from connectors.errors import ConnectorError
from connectors.history.lateness import Backtest, backtest, clocked_rows
from connectors.history.mapping import read_mapping
from dispatch.learning import tables
from dispatch.learning.measures import Figure, measured

SHOWN: Final = 15
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT: Final = click.Path(dir_okay=False, writable=True, path_type=Path)


def _names(_: click.Context, __: click.Parameter, path: Path | None) -> tables.Names:
    try:
        return tables.names(path) if path else tables.NO_NAMES
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None


mapping_option = click.option(
    "--mapping", type=FILE, callback=_names, help="TOML whose [columns] says what the columns are called (列名对照)."
)


@click.group("backtest")
def backtest_command() -> None:
    """Rules against a city's own history (回测); changes nothing and needs no service."""


@backtest_command.command()
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, required=True, help="What the columns mean (TOML), with a table [deadline].")
def deadlines(file: Path, mapping: Path) -> None:
    """Who was late, computed anew, and how far the city's own flags agree (时限回测).

    \b
    dispatch backtest deadlines cases.csv.gz --mapping config/mappings/boston.toml
    """
    shown = Console(stderr=True)
    try:
        rows = clocked_rows(file, read_mapping(mapping))
        found = backtest(list(track(rows, file.name, console=shown, disable=not shown.is_terminal)))
    except ConnectorError as error:
        raise click.ClickException(str(error)) from None
    console = Console()
    console.print(_account(found))
    console.print(_units(found))


def add_figures(table: Table, groups: Sequence[int], figures: Mapping[str, Figure]) -> None:
    """A row for each figure over all items, with its interval over groups of items."""
    for name, (value, low, high) in measured(groups, figures).items():
        table.add_row(name, f"{value:.3f}", f"{low:.3f} to {high:.3f}")


def _account(found: Backtest) -> Table:
    table = Table("", "rows", title="Backtest of deadlines 时限回测")
    table.columns[1].justify = "right"
    table.add_row("read 读入", str(found.read))
    for reason, count in found.left_out.most_common():
        table.add_row(f"left out 不计: {reason}", str(count))
    table.add_row("judged 评判", str(found.judged))
    table.add_row("of these late 超期", f"{found.late} ({_share(found.late, found.judged)})")
    table.add_section()
    table.add_row("with the city's own flag 有原标记", str(found.flagged))
    table.add_row("agreeing 一致", f"{found.agreeing} ({_share(found.agreeing, found.flagged)})")
    return table


def _units(found: Backtest) -> Table:
    table = Table("unit 单位", "judged 评判", "late 超期", "share 占比", title="Most late 超期最多")
    for unit, figures in sorted(found.units.items(), key=lambda each: (-each[1].late, each[0]))[:SHOWN]:
        table.add_row(unit or "–", str(figures.judged), str(figures.late), _share(figures.late, figures.judged))
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
