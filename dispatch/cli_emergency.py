"""`dispatch emergency`: declare an emergency, end it, see how far its sweep is (应急状态)."""

import asyncio
import os
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch.casework import emergencies, impacts
from dispatch.casework.actions import Workplace
from dispatch.casework.emergencies import Declared, Declaring, Limits
from dispatch.casework.impacts import Impact
from dispatch.casework.sweeping import Sweeper
from dispatch.city.emergencies import CLOCKS
from dispatch.city.versions import Cities
from dispatch.cli_roster import database
from dispatch.domain.errors import DispatchError
from dispatch.intake.models import Keeper
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.people.principal import Principal
from dispatch.store.clock import SystemClock
from dispatch.store.pool import Sequences, open_pool

T = TypeVar("T")
LOOK_S = 0.3
by_option = click.option("--by", required=True, help="Account of the commander who orders it (值班长账号).")
dry_option = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing (只预演，不写入).")
yes_option = click.option("--yes", is_flag=True, help="Do not ask (不再确认).")


@click.group("emergency")
def emergency() -> None:
    """Emergency mode (应急状态): raise what kinds of cases, where, and by which limits."""


@emergency.command("start")
@click.option(
    "--category", "categories", multiple=True, required=True, help="Code or branch; covers what is below (分类)."
)
@click.option("--area", "areas", multiple=True, help="Code; covers what is below. Without any the whole city (区域).")
@click.option("--urgency", type=click.Choice(["urgent", "critical"]), default="critical", show_default=True)
@click.option("--limit", "limits", multiple=True, help="close=4h, reply=2h or sign=10min (时限).")
@click.option("--reason", required=True, help="Why; stays inside (事由).")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]), help="Expected end, local (预计结束)."
)
@click.option("--incident", type=int, help="Number of a known incident (突发事件编号).")
@by_option
@dry_option
@yes_option
@database
def start(
    categories: tuple[str, ...], areas: tuple[str, ...], urgency: str, limits: tuple[str, ...], reason: str, until: datetime | None,
    incident: int | None, by: str, dry_run: bool, yes: bool, database: str,
) -> None:  # fmt: skip
    """Put an emergency in force at once, then sweep open cases (启动应急状态).

    New reports stand under it from then on. Open cases are raised in chunks, by this command or by the service, whichever
    comes first; broken off, it goes on. 新上报立即生效；在办工单分批提升，中断后自动继续。

    \b
    Examples 示例:
        dispatch emergency start --by commander1 --category E05 --area 990101 --limit close=4h --reason 暴雨红色预警 --dry-run
        dispatch emergency start --by commander1 --category E05 --area 990101 --limit close=4h --reason 暴雨红色预警 --yes
    """
    given = _limits(limits)

    async def work(at: Workplace, who: Principal) -> None:
        local = until.replace(tzinfo=at.cities.current.tz) if until else None
        new = Declaring(list(categories), reason, urgency, list(areas), given, local, incident)  # type: ignore[arg-type]
        _say(await impacts.of_start(at, new, who))
        if not dry_run and (yes or click.confirm("Put it in force? 确认启动？")):
            await _swept(at, await emergencies.start(at, new, who))

    _run(database, by, work)


@emergency.command("end")
@click.argument("id", type=int)
@by_option
@dry_option
@yes_option
@database
def end(id: int, by: str, dry_run: bool, yes: bool, database: str) -> None:
    """End an emergency and take back what it raised (结束应急状态).

    Levels that fired stay on record, and so does what people decided meanwhile. 已触发的升级与人工决定保留。
    """

    async def work(at: Workplace, who: Principal) -> None:
        _say(await impacts.of_end(at, id, who))
        if not dry_run and (yes or click.confirm("End it? 确认结束？")):
            await _swept(at, await emergencies.end(at, id, who))

    _run(database, by, work)


@emergency.command("show")
@click.argument("id", type=int, required=False)
@database
def show(id: int | None, database: str) -> None:
    """Emergencies in force, or one by its number, with progress (查看应急状态)."""

    async def work() -> list[Declared]:
        pool = await open_pool(database, size=1)
        try:
            return [await emergencies.show(pool, id)] if id else await emergencies.listed(pool, active=True)
        finally:
            await pool.close()

    table = Table(
        "id",
        "state 状态",
        "categories 分类",
        "areas 区域",
        "urgency",
        "limits 时限",
        "since 自",
        "swept 进度",
        "reason 事由",
    )
    for each in _told(work()):
        limits = " ".join(f"{clock}={limit}" for clock, limit in each.limits.items())
        table.add_row(
            str(each.id), each.state, " ".join(each.categories), " ".join(each.areas) or "*", each.urgency, limits,
            f"{each.started_at:%Y-%m-%d %H:%M %Z}", f"{each.done}/{each.total}", each.reason,
        )  # fmt: skip
    Console().print(table)


def _limits(given: tuple[str, ...]) -> Limits:
    pairs = dict(each.partition("=")[::2] for each in given)
    if unknown := sorted(set(pairs) - set(CLOCKS)):
        raise click.BadParameter(f"{unknown[0]} is none of {', '.join(CLOCKS)}", param_hint="--limit")
    return Limits(**pairs)


def _run(url: str, by: str, work: Any) -> None:
    async def connected() -> None:
        keyring, clock = Keyring.load(os.environ), SystemClock()
        pool = await open_pool(url, size=4)
        try:
            who = await People(pool, keyring, clock).accounts.principal(by)
            await work(Workplace(pool, await Cities.open(pool), keyring, clock, Sequences(pool), Keeper()), who)
        finally:
            await pool.close()

    _told(connected())


def _told(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command; refusals are told in one line."""
    try:
        return asyncio.run(work)
    except (DispatchError, KeyringMissing) as refusal:
        raise click.ClickException(str(refusal)) from None


def _say(impact: Impact) -> None:
    click.echo(
        f"{impact.cases} open cases would change 在办工单; {impact.earlier} due instants would come earlier 提前,"
        f" {impact.later} later 推后, {impact.overdue} would be past at once 立即超时"
    )
    table = Table("by 维度", "value", "cases 工单")
    for name, counts in (
        ("unit 单位", impact.by_unit),
        ("urgency 紧急程度", impact.by_urgency),
        ("state 状态", impact.by_state),
    ):
        for value, cases in counts.items():
            table.add_row(name, value, str(cases))
    if impact.cases:
        Console().print(table)
        click.echo("the first 前几件: " + " ".join(impact.first))


async def _swept(at: Workplace, declared: Declared) -> None:
    """Sweeps, or watches another process do so, until it is done."""
    click.echo(f"emergency {declared.id} is {declared.state}")
    sweeper, console = Sweeper(at.pool, at.cities, at.keyring, at.clock, lambda: None), Console(stderr=True)
    sweeping = asyncio.ensure_future(_again_and_again(sweeper))
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"sweeping 扫描 {declared.id}", total=declared.total)
            while not (now := await emergencies.show(at.pool, declared.id)).swept:
                progress.update(task, completed=now.done, total=now.total)
                await asyncio.wait([sweeping], timeout=LOOK_S)
                if sweeping.done():
                    sweeping.result()
    finally:
        sweeping.cancel()
    click.echo(f"{now.done} open cases swept")


async def _again_and_again(sweeper: Sweeper) -> None:
    while True:
        await sweeper.run()
        await asyncio.sleep(LOOK_S)
