"""What the commands that train share: figures shown, the comparison with what serves, and the register."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg
import click
from rich.console import Console
from rich.table import Table

from dispatch.city.versions import Cities
from dispatch.domain.errors import DispatchError, Unavailable
from dispatch.intake.packing import BadModel
from dispatch.learning import register
from dispatch.learning.register import Comparison, Model, Serving
from dispatch.learning.shipped import shipped
from dispatch.store.clock import SystemClock

T = TypeVar("T")
dry_option = click.option("--dry-run", is_flag=True, help="Train and measure, keep nothing (只训练评估，不保存).")


def conclude(url: str, model: Model, compare: Callable[[Serving], Comparison | None], *, dry_run: bool) -> None:
    """Shows the figures of a trained model, compares it with the one in service, keeps it, and puts it into service if it may be."""
    console = Console()
    table = Table("figure 指标", "value 值", "95 %", title=f"{model.kind} {model.version}")
    table.add_row("rows 样本", str(len(model.trained_on)), "")
    for name, (value, low, high) in model.figures.items():
        table.add_row(name, f"{value:.3f}", f"{low:.3f} to {high:.3f}")
    console.print(table)
    console.print(told(_conclude(url, model, compare, dry_run=dry_run)), highlight=False)


async def _conclude(url: str, model: Model, compare: Callable[[Serving], Comparison | None], *, dry_run: bool) -> str:
    async with Connected(url) as connection:
        own = await register.serving(connection, model.kind)
        serving = own or shipped(model.kind)
        if serving is not None and serving.version == model.version:
            return f"{model.version} serves already 已在用: the same data make the same model"
        comparison, lines = None, []
        if serving is not None:
            try:
                comparison = compare(serving)
                lines.append(_compared(comparison, serving.version))
            except BadModel as fault:
                lines.append(f"{serving.version}, which serves, cannot be read: {fault}")
        serves = comparison is None or not comparison.worse
        if dry_run:
            lines.append("nothing was kept 未保存" + ("" if serves else "; it would not come into service 不会启用"))
            return "\n".join(lines)
        await register.put(
            connection, model, replaces=own.version if own else None, serve=serves, by=f"learn {model.kind}",
            now=await SystemClock().now(connection),
        )  # fmt: skip
    lines.append(
        f"{model.version} is in service 已启用"
        if serves
        else f"kept, but not in service 已保存，未启用: {model.version} is worse than {serving.version if serving else ''}"
    )
    return "\n".join(lines)


def _compared(comparison: Comparison | None, version: str) -> str:
    if comparison is None:
        return f"nothing to compare with {version} by"
    said = f"{comparison.figure}: {comparison.new:.3f}, of {version} in service {comparison.old:.3f}, each by its own training"
    if comparison.fresh is None:
        return f"{said} (too few rows new to both)"
    new, old, least = comparison.fresh
    return f"{said}\n{new:.3f} and {old:.3f} on {comparison.rows} rows new to both, {least:+.3f} at least"


async def no_codes(url: str, labels: Sequence[str]) -> list[str]:
    """Those of the labels that are no codes of the current tables; none where no city is in force."""
    async with Connected(url) as connection:
        try:
            city = (await Cities.open(connection)).current
        except Unavailable:
            return []
    return [label for label in labels if city.categories.get(label) is None]


def told(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command; refusals are told in one line."""
    try:
        return asyncio.run(work)
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None


class Connected:
    """A connection with the owner's rights, for as long as it is used."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> "asyncpg.Connection[asyncpg.Record]":
        self._connection = await asyncpg.connect(self._url, server_settings={"timezone": "UTC"})
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
