"""Two commands that feed a running service through its front door: a city's own history, and invented reports.

Both end with a table that adds up, and with an exit code other than 0 where it does not.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, TypeVar

import click
from aiohttp import ClientSession
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from connectors.errors import ConnectorError
from connectors.generator.matters import Generated
from connectors.history.account import Account, Answer, problem_of
from connectors.history.http import HttpReplayPort
from connectors.history.mapping import read_mapping
from connectors.history.replay import Pace, replay
from connectors.history.rows import read_history
from dispatch import demo

T = TypeVar("T")
BATCH: Final = 200
ACCEPTED: Final = range(200, 300)
TO_SERVICE: Final = (
    click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Address of the service."),
    click.option("--key", envvar="DISPATCH_API_KEY", required=True, help="API key; or in DISPATCH_API_KEY."),
)
screen = Console(stderr=True)


def to_service(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say which service is fed, and as whom."""
    for option in reversed(TO_SERVICE):
        command = option(command)
    return command


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the columns mean (TOML); examples are in config/mappings.",
)
@click.option("--fast", is_flag=True, help="As quick as the service answers, instead of at the recorded pace.")
@to_service
def replay_command(file: Path, mapping: Path, fast: bool, url: str, key: str) -> None:
    """Feed a city's own history from FILE through the front door, in time order (历史回放).

    The key needs the role `replayer` and the channel that the mapping names. Every report is judged as of the time it
    was received, and closings are replayed. Running it again changes nothing: what was taken in is found again.

    \b
    export DISPATCH_API_KEY=cdk_…
    dispatch replay cases.csv.gz --mapping config/mappings/boston.toml --fast
    dispatch replay 工单.xlsx --mapping 工单.toml --fast --url https://dispatch.example
    """
    account = told(replay_file(file, mapping, url, key, fast=fast))
    Console().print(account_table(account))


async def replay_file(file: Path, mapping: Path, url: str, key: str, *, fast: bool) -> Account:
    """Replays a file; a progress bar goes to stderr. Raises ConnectorError, Unbalanced among them, and OSError."""
    rows = await asyncio.to_thread(read_history, file, read_mapping(mapping))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    async with ClientSession() as client:
        with Progress(*columns, console=screen) as progress:
            task = progress.add_task(file.name, total=len(rows))
            port = HttpReplayPort(client, url, key)
            pace = None if fast else Pace(1.0)
            return await replay(rows, port, advance=lambda done: progress.advance(task, done), pace=pace)


def account_table(account: Account) -> Table:
    """The closing account (结算): what was read, and under which heading each row is found."""
    table = Table("", "rows", title="Closing account 结算")
    table.columns[1].justify = "right"
    table.add_row("read", str(account.read))
    table.add_section()
    headings = {
        "": account.outcomes,
        "quarantined: ": account.quarantined,
        "not sent, without ": account.unmapped,
        "refused: ": account.refused,
    }
    counted = {"already there": account.already} | {
        p + n: c for p, counts in headings.items() for n, c in sorted(counts.items())
    }
    for name, count in counted.items():
        table.add_row(name, str(count))
    table.add_row("sum", str(sum(counted.values())))
    table.add_section()
    table.add_row("of these suggested to a person", str(account.suggested))
    table.add_row("of these without a unit by rule", str(account.unrouted))
    table.add_section()
    table.add_row("with a closing time", str(account.closed_rows))
    for name, count in sorted(account.closings.items()):
        table.add_row(CLOSINGS.get(name, f"closing refused: {name}"), str(count))
    return table


CLOSINGS: Final = {"closed": "closed", "not_own": "part of another row's case"}


@click.command("demo")
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same stories.")
@click.option("--count", default=200, show_default=True, help="Reports of the daily mix.")
@click.option("--burst", default=0, show_default=True, help="Reports of one burst main, after the mix.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Reports a second; without it as quick as possible."
)
@to_service
def demo_command(seed: int, count: int, burst: int, rate: float | None, url: str, key: str) -> None:
    """Feed invented reports over the demo city, and say how they were judged against what is true of them (演示数据).

    The service must have the demo city; the key needs the channel `demo`. Every run has external ids of its own.

    \b
    export DISPATCH_API_KEY=cdk_…
    dispatch demo --count 1000 --rate 5
    dispatch demo --seed 7 --count 0 --burst 500
    """
    judged = told(feed_demo(seed, count, burst, rate, url, key))
    Console().print(judged.table())
    if judged.lost:
        raise click.ClickException(f"{judged.lost} reports got neither a receipt nor a refusal that they deserve")


async def feed_demo(seed: int, count: int, burst: int, rate: float | None, url: str, key: str) -> "Judged":
    """Feeds `count` reports of the daily mix, then a burst, over the demo city. Raises ConnectorError."""
    stories = await asyncio.to_thread(demo.generator, seed, token_hex(4))
    return await feed([*stories.reports(count), *(stories.burst(burst) if burst else ())], rate, url, key)


async def feed(reports: Sequence[Generated], rate: float | None, url: str, key: str) -> "Judged":
    """Feeds generated reports in their order, `rate` a second where it is given; a progress bar goes to stderr."""
    judged, began = Judged(), time.monotonic()
    async with ClientSession() as client:
        port = HttpReplayPort(client, url, key)
        with Progress(console=screen) as progress:
            task = progress.add_task("demo", total=len(reports))
            for number, batch in enumerate(batches(reports, BATCH if rate is None else 1)):
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                judged.enter(batch, await port.submit([generated.report for generated in batch]))
                progress.advance(task, len(batch))
    return judged


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


@dataclass(slots=True)
class Judged:
    """What the service made of reports whose truth is known.

    `confusion` counts (true verdict, what became of it). A report attached to a case that another matter opened is a
    false merge; one that should have been attached and opened a case of its own is a missed one. `lost` were refused
    although nothing was spoiled in them.
    """

    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    false_merges: int = 0
    missed: int = 0
    missed_suggested: int = 0
    lost: int = 0
    founders: dict[str, str] = field(default_factory=dict)

    @property
    def attached(self) -> int:
        """Reports that joined a case."""
        return sum(count for (_, became), count in self.confusion.items() if became == "attached")

    def enter(self, reports: Sequence[Generated], answers: Sequence[Answer]) -> None:
        """Enters answers beside the reports they belong to, in their order."""
        for generated, answer in zip(reports, answers, strict=True):
            became = self._became(generated, answer)
            self.confusion[generated.truth.verdict, became] += 1

    def _became(self, generated: Generated, answer: Answer) -> str:
        body, truth = answer["body"], generated.truth
        if answer["status"] not in ACCEPTED:
            self.lost += generated.spoiled is None
            return f"refused {problem_of(answer)}"
        outcome, case_no = str(body["outcome"]), body.get("case_no")
        suggested = bool((body.get("match") or {}).get("suggested"))
        if case_no is not None:
            founder = self.founders.setdefault(case_no, truth.matter)
            attached = outcome in ("attached", "reopened")
            self.false_merges += attached and founder != truth.matter
            if truth.verdict in ("repeat", "joined") and not attached:
                self.missed += 1
                self.missed_suggested += suggested
        return "suggested" if suggested else outcome

    def table(self) -> Table:
        """True verdicts down, what became of them across."""
        became = sorted({one for _, one in self.confusion})
        table = Table("truth 真实", *became, "sum", title="Judged against the truth 判定对照")
        for verdict in sorted({verdict for verdict, _ in self.confusion}):
            row = [self.confusion[verdict, one] for one in became]
            table.add_row(verdict, *map(str, row), str(sum(row)))
        table.caption = "; ".join(
            (
                f"{self.confusion.total()} reports, {len(self.founders)} cases",
                f"{self.false_merges} of {self.attached} attached to another matter's case",
                f"{self.missed} merges missed, {self.missed_suggested} of them suggested",
                f"{self.lost} lost",
            )
        )
        return table


def told(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command; what goes wrong outside is told in one line."""
    try:
        return asyncio.run(work)
    except (ConnectorError, OSError) as problem:
        raise click.ClickException(str(problem)) from None
