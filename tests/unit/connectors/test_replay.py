"""A replay keeps the order of time and its account adds up."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.history.account import Account, Answer, Unbalanced
from connectors.history.replay import AnswersMissing, Pace, replay
from connectors.history.rows import HistoryRow
from connectors.history.steps import NotInTimeOrder

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def row(number: int, opened_s: float, closed_s: float | None = None) -> HistoryRow:
    at = START + timedelta(seconds=opened_s)
    closed = None if closed_s is None else START + timedelta(seconds=closed_s)
    report = {"channel": "h", "external_id": str(number), "received_at": at.isoformat(), "text": "x"}
    return HistoryRow(number, report, at, closed)


class FakeService:
    """Answers as told by external id, 201 opened otherwise, 200 the second time; remembers the order of everything."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.first: dict[str, Any] = {}
        self.acts: list[tuple[str, str]] = []
        self.batches: list[int] = []

    async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
        self.batches.append(len(reports))
        return [self._answer(index, report["external_id"]) for index, report in enumerate(reports)]

    def _answer(self, index: int, number: str) -> Answer:
        self.acts.append(("open", number))
        if number in self.first:
            return {"index": index, "status": 200, "body": self.first[number]}
        answer = self.answers.get(number) or accepted()
        if answer["status"] == 201:
            self.first[number] = answer["body"]
        return {"index": index, **answer}

    async def close(self, items: Sequence[tuple[str, str, datetime]]) -> Sequence[Answer]:
        self.acts += [("close", number) for _, number, _ in items]
        return [{"index": index, "status": 200, "body": {}} for index in range(len(items))]


def accepted(outcome: str = "opened", **body: Any) -> Answer:
    return {"status": 201, "body": {"outcome": outcome, "lead_unit": "U1", **body}}


def ignore(_: int) -> None:
    return


async def test_a_closing_comes_after_every_earlier_and_before_every_later_opening() -> None:
    service = FakeService()
    await replay([row(1, 0, 20), row(2, 10, 10), row(3, 20), row(4, 30)], service, advance=ignore)
    assert service.acts == [
        ("open", "1"),
        ("open", "2"),
        ("close", "2"),
        ("open", "3"),
        ("close", "1"),
        ("open", "4"),
    ]


async def test_any_history_is_replayed_in_its_order_of_time() -> None:
    rng = random.Random(5)
    opened = sorted(rng.randrange(500) for _ in range(300))
    rows = [row(number, at, at + rng.randrange(-20, 200)) for number, at in enumerate(opened)]
    service = FakeService()
    account = await replay(rows, service, advance=ignore)
    times = {str(one.line): one for one in rows}
    moments = [times[number].received_at if act == "open" else times[number].settled_at for act, number in service.acts]
    assert moments == sorted(moment for moment in moments if moment is not None)
    assert account.closings == {"closed": 300}


async def test_a_run_of_openings_goes_in_batches_of_at_most_500() -> None:
    service = FakeService()
    done: list[int] = []
    await replay([row(number, number) for number in range(1201)], service, advance=done.append)
    assert service.batches == [500, 500, 201]
    assert sum(done) == 1201


async def test_every_row_is_found_under_one_heading() -> None:
    service = FakeService(
        **{
            "2": accepted("attached"),
            "3": accepted("linked", match={"suggested": True}),
            "4": accepted("reopened", route={"rule": "fallback"}),
            "5": accepted("triage", lead_unit=None),
            "6": accepted("quarantined", warnings=[{"field": "location", "code": "outside"}]),
            "7": {"status": 422, "body": {"type": "https://city.example/problems/nothing-to-act-on"}},
            "8": {"status": 400, "body": {"type": "bad-field", "field": "text"}},
        }
    )
    lost = HistoryRow(9, {"channel": "h", "text": "x"}, None, None)
    rows = [row(number, number, 100) for number in range(1, 9)] + [lost]
    account = await replay(rows, service, advance=ignore)
    assert (account.read, account.already) == (9, 0)
    assert account.outcomes == {"opened": 1, "attached": 1, "linked": 1, "reopened": 1, "triage": 1}
    assert account.unmapped == {"external_id": 1}
    assert account.quarantined == {"location outside": 1}
    assert account.refused == {"422 nothing-to-act-on": 1, "400 bad-field text": 1}
    assert (account.suggested, account.unrouted) == (1, 2)
    assert account.closings == {"closed": 4, "not_own": 4}
    assert [number for act, number in service.acts if act == "close"] == ["1", "3", "4", "5"]


async def test_a_second_replay_finds_everything_already_there() -> None:
    service = FakeService()
    rows = [row(number, number) for number in range(20)]
    await replay(rows, service, advance=ignore)
    again = await replay(rows, service, advance=ignore)
    assert (again.read, again.already, again.outcomes.total()) == (20, 20, 0)


async def test_rows_out_of_time_order_are_refused() -> None:
    with pytest.raises(NotInTimeOrder, match="Line 2"):
        await replay([row(1, 10), row(2, 5)], FakeService(), advance=ignore)


async def test_a_missing_answer_is_an_error() -> None:
    class Forgetful(FakeService):
        async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
            return (await super().submit(reports))[1:]

    with pytest.raises(AnswersMissing, match="1 answers to 2 items"):
        await replay([row(1, 0), row(2, 1)], Forgetful(), advance=ignore)


def test_an_account_that_does_not_add_up_is_an_error() -> None:
    with pytest.raises(Unbalanced, match="1 rows read, 0 found again"):
        Account(read=1).balance()
    with pytest.raises(Unbalanced, match="2 closed rows"):
        Account(closed_rows=2).balance()


async def test_a_paced_replay_waits_for_the_recorded_time() -> None:
    now = 100.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    service = FakeService()
    pace = Pace(60.0, clock=lambda: now, sleep=sleep)
    await replay([row(1, 0), row(2, 30), row(3, 60), row(4, 600)], service, advance=ignore, pace=pace)
    assert slept == [1.0, 9.0]
    assert service.batches == [2, 1, 1]
