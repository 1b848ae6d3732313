"""What waits is committed together: a guilty one harms no neighbour, nobody's hanging up loses a report, nothing is said before it is sure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientTimeout

from dispatch.domain.errors import RuleBroken
from dispatch.domain.reports import Report
from dispatch.intake import commit as committing
from dispatch.intake import intake as counter
from dispatch.intake import route as routing
from dispatch.intake.candidates import Prepared
from dispatch.intake.commit import Held
from dispatch.intake.directive import NONE, Directive
from dispatch.people.principal import Principal
from tests.harness.town import REPLAYER, Town, principal, report

GUILTY = "这一条有问题"


@asynccontextmanager
async def _key_held(town: Town, made: dict[str, Any]) -> AsyncIterator[None]:
    """Somebody else holds the key of a report, undecided, so that its batch waits."""
    connection = await asyncpg.connect(town.database_url)
    held = connection.transaction()
    await held.start()
    await connection.execute(
        "INSERT INTO report_keys (channel, external_id, fingerprint, receipt_no, report_id, recorded_at) VALUES ($1, $2, $3, 'R', 0, now())",
        made["channel"],
        made["external_id"],
        bytes(32),
    )
    try:
        yield
    finally:
        await held.rollback()
        await connection.close()


async def _until(town: Town, question: str) -> None:
    while not await town.value(question):
        await asyncio.sleep(0.01)


IN_COMMIT = """SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'dispatch' AND wait_event_type = 'Lock')"""
PARTITIONS_MADE = "SELECT EXISTS (SELECT FROM job_runs WHERE job = 'make_partitions')"


def _spoil(town: Town, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Lets reports with the guilty words pass the first half and fail in the second."""
    intake = town.services.intake
    real = intake.prepare

    def prepare(made: Report, by: Principal, directive: Directive = NONE) -> Prepared | Held:
        item = real(made, by, directive)
        if isinstance(item, Prepared) and made.text == GUILTY:
            if fault == "schema":
                item.reading.kind = "nonsense"
            elif fault == "data":
                item.reading.masked, item.reading.tokens = "", ["\x00"]
            else:
                item.place = None  # type: ignore[assignment]
        return item

    monkeypatch.setattr(intake, "prepare", prepare)


@pytest.mark.parametrize(("fault", "status"), [("schema", 400), ("data", 400), ("crash", 503)])
async def test_one_guilty_report_is_refused_and_its_neighbours_live(
    a_town: Town, monkeypatch: pytest.MonkeyPatch, fault: str, status: int
) -> None:
    _spoil(a_town, monkeypatch, fault)
    made = [report(text=GUILTY if n == 23 else f"第{n}处", category="S010101") for n in range(40)]
    answers = await asyncio.gather(*(a_town.send(each) for each in made))
    assert [answer[0] for answer in answers] == [status if n == 23 else 201 for n in range(40)]
    assert await a_town.value("SELECT count(*) FROM reports") == 39
    assert await a_town.value("SELECT count(*) FROM report_keys") == 39


async def test_a_guilty_report_of_a_replay_is_quarantined(a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    _spoil(a_town, monkeypatch, "schema")
    made = [report(channel="history", text=GUILTY if n == 3 else f"第{n}处", category="S010101") for n in range(8)]
    answers = await asyncio.gather(*(a_town.send(each, REPLAYER) for each in made))
    assert [body["outcome"] for _, body in answers] == ["quarantined" if n == 3 else "opened" for n in range(8)]
    assert await a_town.value("SELECT reason FROM quarantine") == "refused-by-schema"


async def test_a_rule_that_one_report_breaks_stops_no_other(a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def route(item: Prepared, *rest: Any) -> Any:
        if item.reading.report.text == GUILTY:
            raise RuleBroken(problem="no policy gives a limit")
        return routing.route(item, *rest)

    monkeypatch.setattr(committing, "route", route)
    made = [report(text=GUILTY if n == 5 else f"第{n}处", category="S010101") for n in range(10)]
    answers = await asyncio.gather(*(a_town.send(each) for each in made))
    assert [answer[0] for answer in answers] == [409 if n == 5 else 201 for n in range(10)]


async def test_a_missing_partition_is_nobodys_fault(a_town: Town) -> None:
    await _until(a_town, PARTITIONS_MADE)
    a_town.clock.at = a_town.clock.at.replace(year=2031)
    answers = await asyncio.gather(*(a_town.send(report()) for _ in range(4)))
    assert {status for status, _ in answers} == {503}
    assert await a_town.value("SELECT count(*) FROM report_keys") == 0


async def test_who_hangs_up_cancels_nothing(a_town: Town) -> None:
    made = report()
    headers = a_town.acts_as(principal("operator", "hotline"))
    async with _key_held(a_town, made):
        with pytest.raises(asyncio.TimeoutError):
            await a_town.http.post(
                f"{a_town.url}/api/v1/reports", json=made, headers=headers, timeout=ClientTimeout(total=0.2)
            )
        await _until(a_town, IN_COMMIT)
    status, answer = await a_town.send(made)
    assert (status, answer["outcome"]) == (200, "opened")
    assert await a_town.value("SELECT count(*) FROM reports") == 1


async def test_beyond_its_queue_it_says_so_and_when_to_come_back(a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "QUEUE", 3)
    made = [report() for _ in range(5)]
    headers = a_town.acts_as(principal("operator", "hotline"))
    async with _key_held(a_town, made[0]):
        taken = [asyncio.create_task(a_town.send(made[0]))]
        await _until(a_town, IN_COMMIT)
        taken += [asyncio.create_task(a_town.send(each)) for each in made[1:4]]
        while a_town.services.intake.depth < 3:
            await asyncio.sleep(0.01)
        async with a_town.http.post(f"{a_town.url}/api/v1/reports", json=made[4], headers=headers) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert {status for status, _ in await asyncio.gather(*taken)} == {201}
    assert await a_town.value("SELECT count(*) FROM reports") == 4


async def test_a_connection_that_dies_in_the_middle_costs_a_retry(a_town: Town) -> None:
    made = report()
    async with _key_held(a_town, made):
        sending = asyncio.create_task(a_town.send(made))
        await _until(a_town, IN_COMMIT)
        await a_town.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dispatch'"
            " AND wait_event_type = 'Lock'"
        )
    status, answer = await sending
    assert (status, answer["outcome"]) == (201, "opened")
    assert await a_town.value("SELECT count(*) FROM cases") == 1


async def test_after_a_commit_of_unknown_outcome_the_ledger_is_asked_first(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = a_town.services.intake
    real, attempts = intake._attempt, []

    async def attempt(batch: Any) -> None:
        attempts.append(len(batch))
        await real(batch)
        if len(attempts) == 1:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    _, before = await a_town.send(old := report(category="S010101", text="以前的"))
    monkeypatch.setattr(intake, "_attempt", attempt)
    made = report(category="S010101")
    (status, answer), (replayed, again) = await asyncio.gather(a_town.send(made), a_town.send(old))
    assert len(attempts) >= 2
    assert (status, replayed, again) == (201, 200, before)
    assert await a_town.send(made) == (200, answer)
    assert await a_town.value("SELECT count(*) FROM reports") == 2


async def test_without_a_database_the_outcome_is_said_to_be_unknown(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def attempt(batch: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(counter, "RETRIES", (0, 0))
    monkeypatch.setattr(a_town.services.intake, "_attempt", attempt)
    status, problem = await a_town.send(made := report())
    assert (status, problem["type"]) == (503, "/problems/outcome-unknown")
    monkeypatch.undo()
    assert (await a_town.send(made))[0] == 201


FAR = {"lon": 116.23, "lat": 33.15}
CALLERS = [{"name": f"来电人{n}", "phone": f"1380000{n:04}"} for n in range(9)]


async def test_a_matter_elsewhere_does_not_wait_for_one_that_is_held_up(a_town: Town) -> None:
    held_up = report()
    async with _key_held(a_town, held_up):
        first = asyncio.create_task(a_town.send(held_up))
        await _until(a_town, IN_COMMIT)
        async with asyncio.timeout(20):
            status, elsewhere = await a_town.send(report(location=FAR))
        assert (status, elsewhere["outcome"]) == (201, "opened")
        assert not first.done()
    assert (await first)[0] == 201


async def test_reports_of_one_matter_are_decided_in_the_order_in_which_they_came(a_town: Town) -> None:
    held_up = report(caller=CALLERS[0])
    # The second shares its caller with the first, the third its place with the second; nothing joins the third to the first.
    then = [report(location=FAR, caller=CALLERS[0]), report(location=FAR, caller=CALLERS[1])]
    async with _key_held(a_town, held_up):
        sent = [asyncio.create_task(a_town.send(held_up))]
        await _until(a_town, IN_COMMIT)
        for made in then:
            sent.append(asyncio.create_task(a_town.send(made)))
            async with asyncio.timeout(20):  # it was taken at once, past what came before it
                while a_town.services.intake.depth < len(sent) - 1:
                    await asyncio.sleep(0.01)
        await a_town.send(report(location={"lon": 116.12, "lat": 33.11}, caller=CALLERS[2]))
        assert a_town.services.intake.depth == 2
    answers = [answer for _, answer in await asyncio.gather(*sent)]
    assert [answer["outcome"] for answer in answers] == ["opened", "opened", "attached"]
    assert answers[2]["case_no"] == answers[1]["case_no"]
