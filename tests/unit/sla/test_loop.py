"""The loop that fires deadlines, against a port that keeps them in a list and a clock that nobody waits for."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from sla.loop import DeadlineLoop

EPOCH = datetime(2026, 3, 9, 8, tzinfo=UTC)


class Travelling(selectors.SelectSelector):
    """Instead of waiting, moves the clock on to where the wait would end."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits and nothing would ever wake it"
        self.now += max(0.0, timeout)
        return super().select(0)


class TravellingEventLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = Travelling()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def seconds() -> float:
    return round(asyncio.get_running_loop().time(), 6)


class ListPort:
    """Deadlines as seconds since the start; a port that can fail, and whose deadlines another loop can hold.

    `attempts` says when the loop asked what is next: every turn of it begins so.
    """

    def __init__(self, *due: float) -> None:
        self.due = sorted(due)
        self.fired: list[tuple[float, float]] = []
        self.batches: list[int] = []
        self.attempts: list[float] = []
        self.broken: set[str] = set()
        self.held = False
        self.on_fire: Callable[[], None] = lambda: None

    def _use(self, method: str) -> None:
        if method in self.broken:
            raise ConnectionError(method)

    async def next_at(self) -> datetime | None:
        self.attempts.append(seconds())
        self._use("next_at")
        return EPOCH + timedelta(seconds=self.due[0]) if self.due else None

    async def now(self) -> datetime:
        self._use("now")
        return EPOCH + timedelta(seconds=seconds())

    async def fire(self, limit: int) -> int:
        self._use("fire")
        batch = [] if self.held else [due for due in self.due if due <= seconds()][:limit]
        await asyncio.sleep(0)
        self.due = self.due[len(batch) :]
        self.fired += [(due, seconds()) for due in batch]
        self.batches.append(len(batch))
        self.on_fire()
        return len(batch)


def run(
    port: ListPort,
    *,
    for_s: float,
    script: Callable[[DeadlineLoop], Coroutine[Any, Any, None]] | None = None,
    poll_s: float = 30.0,
    batch: int = 10,
    per_s: float = 1e9,
) -> float:
    """Let the loop work for so many seconds beside a script; say when it ended."""

    async def main() -> float:
        loop, stop = DeadlineLoop(port, poll_s=poll_s, batch=batch, per_s=per_s), asyncio.Event()
        asyncio.get_running_loop().call_later(for_s, stop.set)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run(stop))
            if script:
                tasks.create_task(script(loop))
        return seconds()

    with asyncio.Runner(loop_factory=TravellingEventLoop) as runner:
        return runner.run(main())


def test_each_deadline_is_fired_when_it_is_due_and_the_loop_sleeps_in_between() -> None:
    port = ListPort(5, 12.5, 12.5, 20)
    run(port, for_s=25)
    assert port.fired == [(5, 5), (12.5, 12.5), (12.5, 12.5), (20, 20)]
    assert set(port.attempts) == {0, 5, 12.5, 20}


def test_what_is_overdue_at_the_start_is_fired_in_batches_until_nothing_is_due() -> None:
    port = ListPort(*[-float(n) for n in range(25)])
    run(port, for_s=1)
    assert port.batches == [10, 10, 5]
    assert {when for _, when in port.fired} == {0}


def test_what_has_piled_up_is_caught_up_in_due_order_and_no_faster_than_allowed() -> None:
    port = ListPort(*[-float(n) for n in range(25)])
    run(port, for_s=10, per_s=10)
    assert [when for _, when in port.fired] == [0.0] * 10 + [1.0] * 10 + [2.0] * 5
    assert [due for due, _ in port.fired] == sorted(due for due, _ in port.fired)


@pytest.mark.parametrize("sleeping_until", [[], [1_000.0]])
def test_without_a_hint_a_new_deadline_is_found_at_the_next_poll(sleeping_until: list[float]) -> None:
    port = ListPort(*sleeping_until)

    async def script(_: DeadlineLoop) -> None:
        await asyncio.sleep(7)
        port.due = [8.0, *sleeping_until]

    run(port, for_s=50, script=script, poll_s=20)
    assert port.fired == [(8, 20)]


@pytest.mark.parametrize("sleeping_until", [[], [1_000.0]])
def test_a_hint_wakes_the_loop_at_once(sleeping_until: list[float]) -> None:
    port = ListPort(*sleeping_until)

    async def script(loop: DeadlineLoop) -> None:
        await asyncio.sleep(7)
        port.due = [6.0, *sleeping_until]
        loop.hint()

    run(port, for_s=50, script=script, poll_s=500)
    assert port.fired == [(6, 7)]


def test_a_hint_that_comes_after_the_port_was_asked_and_before_the_sleep_is_not_lost() -> None:
    class LatePort(ListPort):
        loop: DeadlineLoop

        async def next_at(self) -> datetime | None:
            found = await super().next_at()
            if len(self.attempts) == 2:
                self.due = [0.0]
                self.loop.hint()
            return found

    async def script(loop: DeadlineLoop) -> None:
        port.loop = loop

    port = LatePort()
    run(port, for_s=50, script=script, poll_s=20)
    assert port.fired == [(0, 20)]


@pytest.mark.parametrize("method", ["fire", "next_at", "now"])
def test_an_error_of_the_port_is_logged_and_tried_again_with_growing_pauses(method: str) -> None:
    port = ListPort(0, 40)
    port.broken = {method}

    async def script(_: DeadlineLoop) -> None:
        await asyncio.sleep(30)
        port.broken = set()

    with capture_logs() as logs:
        run(port, for_s=60, script=script, poll_s=8)
    assert [due for due, _ in port.fired] == [0, 40]
    assert port.fired[1][1] == 40
    failures = [entry["attempts"] for entry in logs if entry["event"] == "deadlines.failed"]
    assert failures == list(range(1, len(failures) + 1))
    tries = [when for when in port.attempts if when <= 30]
    pauses = [round(later - earlier, 6) for earlier, later in pairwise(tries) if later > earlier]
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8, 8]


def test_the_pauses_begin_small_again_after_a_success() -> None:
    port = ListPort()
    port.broken = {"next_at"}

    async def script(_: DeadlineLoop) -> None:
        await asyncio.sleep(10)
        port.broken = set()
        await asyncio.sleep(20)
        port.broken = {"next_at"}

    with capture_logs() as logs:
        run(port, for_s=60, script=script, poll_s=8)
    attempts = [entry["attempts"] for entry in logs if entry["event"] == "deadlines.failed"]
    assert attempts.count(1) == 2


def test_errors_for_a_very_long_time_do_not_end_the_loop() -> None:
    port = ListPort(0)
    port.broken = {"fire"}

    async def script(_: DeadlineLoop) -> None:
        await asyncio.sleep(2_500)
        port.broken = set()

    with capture_logs():
        run(port, for_s=2_600, script=script, poll_s=1)
    assert len(port.attempts) > 2_000
    assert len(port.fired) == 1


def test_deadlines_that_another_loop_holds_are_not_asked_for_without_pause() -> None:
    port = ListPort(0)
    port.held = True

    async def script(_: DeadlineLoop) -> None:
        await asyncio.sleep(20)
        port.held = False

    run(port, for_s=40, script=script, poll_s=5)
    assert len(port.attempts) < 20
    assert len(port.fired) == 1
    assert 20 <= port.fired[0][1] <= 25


def test_a_sleeping_loop_stops_at_once() -> None:
    assert run(ListPort(), for_s=3, poll_s=500) == 3


def test_a_stop_during_a_batch_lets_it_finish_and_starts_no_other() -> None:
    port = ListPort(*[0.0] * 30)

    async def main() -> None:
        stop = asyncio.Event()
        port.on_fire = stop.set
        await DeadlineLoop(port, poll_s=5, batch=10, per_s=1e9).run(stop)

    with asyncio.Runner(loop_factory=TravellingEventLoop) as runner:
        runner.run(main())
    assert port.batches == [10]


def test_a_cancelled_loop_ends() -> None:
    async def main() -> None:
        task = asyncio.create_task(DeadlineLoop(ListPort(), poll_s=5, batch=10, per_s=1e9).run(asyncio.Event()))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    with asyncio.Runner(loop_factory=TravellingEventLoop) as runner:
        runner.run(main())
