"""`dispatch duty`: what rulings propose for the duty book (权责清单), fit to be pasted into it."""

import asyncio
import csv
import sys
from datetime import datetime

import asyncpg
import click
from rich.console import Console
from rich.table import Table

from dispatch.cli_roster import database
from dispatch.insight.disputes import SQL

FAR = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@click.group()
def duty() -> None:
    """The duty book and what rulings propose for it. 权责清单"""


@duty.command("proposals")
@click.option("--status", type=click.Choice(["open", "accepted", "declined"]), default="open", show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Lines for duty.csv instead of a table.")
@database
def proposals(database: str, status: str, as_csv: bool) -> None:
    """List what settled disputes propose; changes nothing.

    \b
    dispatch duty proposals
    dispatch duty proposals --status accepted --csv >> config/city/mine/duty.csv
    """
    rows = asyncio.run(_rows(database, status))
    if as_csv:
        lines = csv.writer(sys.stdout, lineterminator="\n")
        for row in rows:
            lines.writerow([f"P{row['id']}", row["category"] or "", row["area"] or "", "", "", "", row["to_unit"], ""])
        return
    table = Table("id", "case", "category", "area", "from", "to", "ruled by", "status")
    for row in rows:
        table.add_row(
            str(row["id"]), row["case_no"], row["category"] or "-", row["area"] or "-", " ".join(row["from_units"]),
            row["to_unit"], row["ruled_by"], row["status"],
        )  # fmt: skip
    Console().print(table if rows else "No proposals. 暂无建议")


async def _rows(url: str, status: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(SQL.proposals, status, FAR, 0, 1000))
    finally:
        await connection.close()
