"""The command line: `dispatch --help`."""

import asyncio
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch import demo as demonstration
from dispatch import embedded, server
from dispatch.casework import provisional
from dispatch.casework.moves import mover
from dispatch.city import load as loading
from dispatch.city.archive import pack
from dispatch.city.cli import city
from dispatch.city.errors import FaultyCity
from dispatch.city.versions import Cities
from dispatch.cli_addresses import addresses
from dispatch.cli_audit import audit
from dispatch.cli_backtest import backtest_command
from dispatch.cli_calendar import calendar
from dispatch.cli_classify import classify
from dispatch.cli_duplicates import duplicates
from dispatch.cli_duty import duty
from dispatch.cli_embedded import on_embedded
from dispatch.cli_emergency import emergency
from dispatch.cli_feed import demo_command, replay_command
from dispatch.cli_geocode import geocode
from dispatch.cli_indicators import indicators
from dispatch.cli_learn import learn
from dispatch.cli_limits import calendar_diff, reapply
from dispatch.cli_locate import locate
from dispatch.cli_match import match
from dispatch.cli_retention import group as retention
from dispatch.cli_roster import roster
from dispatch.cli_route import route
from dispatch.cli_sla import sla
from dispatch.domain.errors import DispatchError
from dispatch.embedded import folder as data_folder
from dispatch.logs import configure_logs
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.settings import Settings, from_environment
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import open_pool

console = Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="city-dispatch")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Work on the embedded servers of this folder, whether a service runs on them or not (内置数据库所在目录).",
)
@click.pass_context
def main(context: click.Context, data: Path | None) -> None:
    """City-operations dispatch (一网统管): every report one case, one responsible unit, one clock.

    \b
    dispatch serve --demo --data data
    dispatch --data data audit verify
    """
    configure_logs("warning")
    if data is not None:
        on_embedded(context, data)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a command; refusals are told in one line."""
    try:
        return asyncio.run(work)
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None
    except KeyError as missing:
        raise click.ClickException(f"{missing.args[0]} is not set; it says where PostgreSQL is") from None


@main.command("migrate")
def migrate_() -> None:
    """Bring the database (DISPATCH_DATABASE_OWNER_URL or DISPATCH_DATABASE_URL) to the newest revision."""
    run(migrate(owner_url()))


@main.group()
def keys() -> None:
    """Keys of the service (密钥)."""


@keys.command("generate")
def generate() -> None:
    """Print a new keyring; keep it in a file of mode 0600 and name it in DISPATCH_KEYRING_FILE."""
    click.echo(Keyring.generate().to_json())


@main.group("accounts")
def accounts() -> None:
    """Accounts of people (账号)."""


@accounts.command("load")
def load_accounts() -> None:
    """Make the accounts of the city in force that do not exist yet; first passwords are printed once."""
    made = run(_load_accounts(owner_url(), keyring()))
    for name, secret in sorted(made.items()):
        click.echo(f"{name}\t{secret}")


async def _load_accounts(
    url: str, keys_: Keyring, given: dict[str, str] | None = None, *, must_change: bool = True
) -> dict[str, str]:
    pool = await open_pool(url, size=2)
    try:
        cities = await Cities.open(pool)
        return await People(pool, keys_, SystemClock()).load(
            cities.current.demo_accounts, given, must_change=must_change
        )
    finally:
        await pool.close()


@city.command("load")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def load_city(folder: Path, dry_run: bool, yes: bool) -> None:
    """Put the city in FOLDER in force as a new version (装载城市).

    \b
    dispatch city load config/city/demo --dry-run
    dispatch city load config/city/demo --yes
    """
    run(_load_city(owner_url(), keyring(), folder, dry_run=dry_run, yes=yes))


async def _load_city(
    url: str, keys_: Keyring, folder: Path, *, dry_run: bool = False, yes: bool = False, by: str = "city load"
) -> None:
    try:
        archive = pack(folder)
    except FaultyCity as faulty:
        raise click.ClickException(f"{faulty}\nrun: dispatch city check {folder}") from None
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    try:
        what = await loading.plan(connection, archive)
        _show(what)
        settled = [each async for each in provisional.moved_by(connection, what.city.calendars)]
        console.print(f"provisional deadlines (暂定) that its calendar moves: {len(settled)}")
        if dry_run or not (what.same or yes or click.confirm("Put it in force?")):
            return
        if not what.same:
            async with connection.transaction():
                now = await SystemClock().now(connection)
                moved = await loading.apply(connection, what, by=by, now=now, move=mover(keys_))
            console.print(f"version {what.city.version} of {what.city.name} is in force; {moved} open cases moved")
        await _settle_provisional(url, keys_, by)
    finally:
        await connection.close()


async def _settle_provisional(url: str, keys_: Keyring, by: str) -> None:
    """The sweep behind a load: what was broken off goes on with the next load, also of the same city."""
    pool = await open_pool(url, size=2)
    try:
        cities = await Cities.open(pool)
        cases = await pool.fetchval(provisional.SQL.how_many_provisional)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("settling 核定", total=cases)
            settled = await provisional.settle(
                pool, cities, keys_, SystemClock(), by=by, done=lambda n: progress.advance(task, n)
            )
        if settled:
            console.print(f"{settled} provisional deadlines settled")
    finally:
        await pool.close()


def _show(what: loading.Plan) -> None:
    if what.same:
        console.print("nothing changed: this city is in force already")
        return
    if what.difference is None:
        console.print(
            f"first city: {what.city.name}, {len(what.city.map.cells)} cells, {len(what.city.units.units)} units"
        )
        return
    table = Table("", "added", "removed", "changed", title=f"{what.city.name}, version {what.city.version}")
    for kind in what.difference.__slots__:
        change = getattr(what.difference, kind)
        if change:
            table.add_row(
                kind,
                *(
                    f"{len(codes)} {', '.join(codes[:4])}" if codes else ""
                    for codes in (change.added, change.removed, change.changed)
                ),
            )
    console.print(table)
    console.print(f"open cases that move to a successor: {what.touched}")
    for kind, code in what.orphans[:20]:
        console.print(f"[red]{kind} {code} is removed and has no successor")


city.add_command(reapply)
calendar.add_command(calendar_diff)
for each in (addresses, classify, duplicates, geocode, locate, match, route):
    backtest_command.add_command(each)
for command in (
    audit, city, duty, indicators, sla, calendar, roster, emergency, retention, backtest_command, learn, replay_command,
    demo_command,
):  # fmt: skip
    main.add_command(command)


def owner_url() -> str:
    """The database with the owner's rights."""
    url = os.environ.get("DISPATCH_DATABASE_OWNER_URL") or os.environ.get("DISPATCH_DATABASE_URL")
    if url is None:
        raise click.ClickException("DISPATCH_DATABASE_URL is not set; it says where PostgreSQL is")
    return url


def keyring() -> Keyring:
    """The keyring of the environment."""
    try:
        return Keyring.load(os.environ)
    except KeyringMissing as missing:
        raise click.ClickException(f"{missing} (make one: dispatch keys generate)") from None


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Processes on one socket.")
@click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="Folder of the embedded PostgreSQL and Redis."
)
@click.option("--demo", is_flag=True, help="Demo city, demo accounts and a gentle stream of reports.")
@click.option("--log-level", default="info", show_default=True)
def serve(host: str, port: int, workers: int, data: Path | None, demo: bool, log_level: str) -> None:
    """Serve. With --data on embedded servers, else on DISPATCH_DATABASE_URL and DISPATCH_REDIS_URL.

    \b
    dispatch serve --demo --data data
    DISPATCH_DATABASE_URL=postgresql://… DISPATCH_KEYRING_FILE=keys.json dispatch serve --workers 2
    """
    configure_logs(log_level)
    if data is None:
        if demo:
            raise click.ClickException("--demo needs --data")
        owner_url()
        keys_ = keyring()
        listening = server.bind(host, port)
        settings = _settings(from_environment(), host, listening.getsockname()[1], workers, log_level)
        _serve(settings, keys_, listening)
        return
    listening = server.bind(host, port)
    with data_folder.locked(data):
        try:
            found = embedded.start(data)
            keys_ = demonstration.keyring_of(data)
            run(migrate(found.database_url))
            files_url = os.environ.get("DISPATCH_FILES_URL") or (data.resolve() / "files").as_uri()
            settings = from_environment(
                {}, database_url=found.database_url, redis_url=found.redis_url, files_url=files_url
            )
            settings = _settings(settings, host, listening.getsockname()[1], workers, log_level)
            started = (
                run(demonstration.prepare(found.database_url, keys_, data, f"http://{host}:{settings.port}"))
                if demo
                else None
            )
            _serve(settings, keys_, listening, started)
        finally:
            embedded.stop(data)


def _serve(settings: Settings, keys_: Keyring, listening: socket.socket, started: server.Beside | None = None) -> None:
    try:
        server.run(settings, keys_, listening, started)
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None


def _settings(settings: Settings, host: str, port: int, workers: int, log_level: str) -> Settings:
    return replace(settings, host=host, port=port, workers=workers, log_level=log_level)


if __name__ == "__main__":
    sys.exit(main())
