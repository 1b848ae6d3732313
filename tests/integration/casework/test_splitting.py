"""A report that is about something else becomes a case of its own, and goes back; nothing of it is lost on the way."""

from datetime import timedelta
from typing import Any

import asyncpg

from tests.harness.town import Town, report
from tests.integration.casework.always import examine
from tests.integration.casework.looking import clocks_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER
from tests.integration.casework.walks import elsewhere, opened

OTHER = {"name": "李四", "phone": "13912345678"}


async def joined(town: Town) -> tuple[str, str]:
    """A case of two citizens, and the second one's receipt."""
    place = elsewhere()
    number = await opened(town, caller=CITIZEN, location=place)
    _, second = await town.send(report(caller=OTHER, location=place))
    assert (second["outcome"], second["case_no"]) == ("attached", number)
    return number, second["receipt_no"]


async def true_of(town: Town, clocks: dict[int, Any]) -> dict[int, Any]:
    """What must always be true is."""
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        return await examine(connection, clocks)
    finally:
        await connection.close()


async def detached(town: Town, number: str, receipt: str) -> str:
    status, answer = await town.act(number, "detach", DISPATCHER, receipt_no=receipt, note="另一处地点")
    assert status == 200, answer
    own: str = await town.value(
        "SELECT c.case_no FROM report_keys k JOIN cases c ON c.id = k.case_id WHERE k.receipt_no = $1", receipt
    )
    return own


async def test_a_detached_report_is_a_case_at_the_desk_whose_limit_runs_from_its_receipt(a_town: Town) -> None:
    number, receipt = await joined(a_town)
    clocks = await true_of(a_town, {})
    a_town.clock.travel(timedelta(hours=1))
    own = await detached(a_town, number, receipt)
    _, seen = await a_town.get(f"/cases/{own}", DISPATCHER)
    assert (seen["state"], [r["receipt_no"] for r in seen["reports"]]) == ("triage", [receipt])
    assert [t["kind"] for t in seen["texts"]] == ["report"]
    (close,), (dispatch,) = await clocks_of(a_town, own, "close"), await clocks_of(a_town, own, "dispatch")
    assert close["started_at"] < dispatch["started_at"]
    assert await a_town.value("SELECT people FROM cases WHERE case_no = $1", number) == 1
    ways = "SELECT count(*) FROM case_runs r JOIN cases c ON c.id = r.case_id WHERE c.case_no = $1"
    assert await a_town.value(ways, own) > 0
    await true_of(a_town, clocks)


async def test_attaching_takes_a_detachment_back(a_town: Town) -> None:
    number, receipt = await joined(a_town)
    own = await detached(a_town, number, receipt)
    status, answer = await a_town.act(number, "attach", DISPATCHER, receipt_no=receipt)
    assert status == 200, answer
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", own) == "merged"
    assert await a_town.value("SELECT undone_by FROM report_moves WHERE kind = 'detach'") == DISPATCHER.name
    assert await a_town.value("SELECT undone_by FROM report_moves WHERE kind = 'detach'") == DISPATCHER.name
    assert await a_town.value("SELECT people FROM cases WHERE case_no = $1", number) == 2
    await true_of(a_town, {})


async def test_the_only_report_of_a_case_is_not_detached(a_town: Town) -> None:
    number = await opened(a_town, location=elsewhere())
    status, problem = await a_town.act(
        number, "detach", DISPATCHER, receipt_no=await receipt_of(a_town, number), note="另一处地点"
    )
    assert (status, problem.get("field")) == (409, "receipt_no"), problem
