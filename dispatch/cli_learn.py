"""`dispatch learn`: models from a city's own history, measured, versioned, and never a worse one in service (学习)."""

from typing import Final

import asyncpg
import click
import msgspec
from rich.console import Console
from rich.table import Table

from dispatch.cli_learn_addresses import addresses
from dispatch.cli_learn_duty import duty
from dispatch.cli_learn_history import history_
from dispatch.cli_learn_located import located
from dispatch.cli_learn_pairs import pairs
from dispatch.cli_learn_subjects import subjects
from dispatch.cli_learn_units import units
from dispatch.cli_roster import database
from dispatch.cli_training import Connected, told
from dispatch.learning import register
from dispatch.store.clock import SystemClock

KINDS: Final = ("subjects", "pairs", "units", "located", "addresses")


@click.group("learn")
def learn() -> None:
    """Models from a city's own history (从历史学习).

    Each is kept with the hash of its data and its figures. It comes into service at once, without a restart, unless it
    is worse than the one it would replace. 比在用模型差的不会启用。
    """


for command in (history_, subjects, pairs, units, located, addresses, duty):
    learn.add_command(command)


@learn.command("list")
@database
def list_(database: str) -> None:
    """All models with their data and figures, and which of them serve (模型清单).

    \b
    dispatch learn list
    """
    table = Table("kind 类别", "version 版本", "rows, data 数据", "figure 指标", "made 训练", "serves 在用")
    for column in table.columns[:2]:
        column.no_wrap = True
    for row in told(_listed(database)):
        name, (value, low, high) = next(iter(msgspec.json.decode(row["figures"], type=register.Figures).items()))
        table.add_row(
            row["kind"], row["version"], f"{row['rows']}\n{row['data_hash'][:12]}", f"{name} {value:.3f}\n{low:.3f} to {high:.3f}",
            f"{row['made_at']:%Y-%m-%d}\n{row['made_at']:%H:%M} UTC", f"{row['since']:%Y-%m-%d}" if row["serves"] else "",
        )  # fmt: skip
    Console().print(table if table.row_count else "No models. 暂无模型")


@learn.command("restore")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("version")
@database
def restore(kind: str, version: str, database: str) -> None:
    """Put an earlier model into service again, whatever its figures (恢复旧模型).

    \b
    dispatch learn restore subjects 3f9a
    """
    whole = told(_restore(database, kind, version))
    click.echo(f"{kind} {whole} is in service 已启用")


async def _restore(url: str, kind: str, version: str) -> str:
    async with Connected(url) as connection:
        now = await SystemClock().now(connection)
        return await register.restore(connection, kind, version, by="learn restore", now=now)


async def _listed(url: str) -> list[asyncpg.Record]:
    async with Connected(url) as connection:
        return list(await connection.fetch(register.SQL.listed))
