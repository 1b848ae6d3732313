"""Two cases about one matter become one; numbers, receipts, words, people and the earlier promise are kept, and it can be undone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.harness.town import Town, principal, report
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, SUPERVISOR
from tests.integration.casework.walks import elsewhere, opened

OTHER = {"name": "李四", "phone": "13912345678"}


async def pair(town: Town) -> tuple[str, str]:
    """A case that is due early, and one that is due later, each of its own citizen."""
    early = await opened(town, caller=CITIZEN, location=elsewhere())
    late = await opened(town, caller=OTHER, location=elsewhere(), category="S090401", text="路灯不亮")
    return early, late


async def merged(town: Town, number: str, other: str) -> None:
    status, answer = await town.act(number, "merge", DISPATCHER, other=other, note="同一处")
    assert (status, answer.get("state")) == (200, "merged"), answer


async def true_of(town: Town, clocks: dict[int, Any]) -> dict[int, Any]:
    """What must always be true is."""
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        return await examine(connection, clocks)
    finally:
        await connection.close()


async def test_a_merge_moves_reports_words_and_people_and_keeps_the_earlier_deadline(a_town: Town) -> None:
    early, late = await pair(a_town)
    clocks = await true_of(a_town, {})
    receipt, (due,) = await receipt_of(a_town, early), await clocks_of(a_town, early, "close")
    assert due["due_at"] < (await clocks_of(a_town, late, "close"))[0]["due_at"]
    await merged(a_town, early, late)
    _, seen = await a_town.get(f"/cases/{late}", DISPATCHER)
    assert receipt in [r["receipt_no"] for r in seen["reports"]]
    assert sum(t["kind"] == "report" for t in seen["texts"]) == 2
    assert await a_town.value("SELECT people FROM cases WHERE case_no = $1", late) == 2
    assert (await clocks_of(a_town, late, "close"))[0]["due_at"] == due["due_at"]
    assert "merged_in" in await events_of(a_town, late)
    await true_of(a_town, clocks)


async def test_an_undone_merge_leaves_both_as_they_were(a_town: Town) -> None:
    early, late = await pair(a_town)
    clocks = await true_of(a_town, {})
    before = [(await clocks_of(a_town, n, "close"))[0] for n in (early, late)]
    await merged(a_town, early, late)
    status, answer = await a_town.act(early, "unmerge", SUPERVISOR, note="查明是两处")
    assert (status, answer.get("state")) == (200, "triage"), answer
    after = [(await clocks_of(a_town, n, "close"))[0] for n in (early, late)]
    assert [(c["id"], c["due_at"], c["status"]) for c in after] == [(c["id"], c["due_at"], c["status"]) for c in before]
    assert await receipt_of(a_town, early) != await receipt_of(a_town, late)
    await true_of(a_town, clocks)


@pytest.mark.parametrize("which", ["itself", "merged"])
async def test_a_case_is_merged_into_another_open_one_only(a_town: Town, which: str) -> None:
    early, late = await pair(a_town)
    number = early
    if which == "merged":
        await merged(a_town, early, late)
        number = await opened(a_town, location=elsewhere())
    status, problem = await a_town.act(number, "merge", DISPATCHER, other=early, note="同一处")
    assert (status, problem.get("field")) == (409, "other"), problem


@pytest.mark.parametrize("change", ["restricted = true", "about_unit = 'gas'"])
async def test_what_must_not_be_read_together_is_not_merged(a_town: Town, change: str) -> None:
    early, late = await pair(a_town)
    await a_town.rows(f"UPDATE cases SET {change} WHERE case_no = $1", late)
    everything = principal("dispatcher", "dispatch")
    named = replace(everything, permissions=everything.permissions | {"restricted.read"})
    status, problem = await a_town.act(early, "merge", named, other=late, note="同一处")
    assert (status, problem.get("field")) == (409, "other"), problem
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", early) == "to_sign"


async def test_a_merged_case_kept_no_promise_yet(a_town: Town) -> None:
    early, late = await pair(a_town)
    await merged(a_town, early, late)
    assert [c["status"] for c in await clocks_of(a_town, early, "close")] == ["cancelled"]


async def test_the_earlier_deadline_holds_even_one_that_a_superior_set(a_town: Town) -> None:
    early = await opened(a_town, caller=CITIZEN, location=elsewhere())
    given = {"source_ref": {"system": "province", "number": "P-78"}, "due_at": "2026-12-20T18:00:00+08:00"}
    above = await opened(a_town, caller=None, location=elsewhere(), **given)
    (promised,), (set_above,) = await clocks_of(a_town, early, "close"), await clocks_of(a_town, above, "close")
    assert promised["due_at"] < set_above["due_at"]
    await merged(a_town, early, above)
    assert [c["due_at"] for c in await clocks_of(a_town, above, "close")] == [promised["due_at"]]
    assert (await a_town.act(early, "unmerge", SUPERVISOR, note="查明是两处"))[0] == 200
    assert [c["due_at"] for c in await clocks_of(a_town, above, "close")] == [set_above["due_at"]]


async def test_the_earlier_deadline_stands_still_while_the_case_does(a_town: Town) -> None:
    early, late = await pair(a_town)
    unit = await a_town.value("SELECT owner_unit FROM cases WHERE case_no = $1", late)
    assert (await a_town.act(late, "sign", principal("handler", unit)))[0] == 200
    await merged(a_town, early, late)
    until = a_town.clock.at + timedelta(days=60)
    assert (await a_town.act(late, "suspend", SUPERVISOR, **BODY["suspend"] | {"until": until.isoformat()}))[0] == 200
    (clock,) = await clocks_of(a_town, late, "close")
    (promised,) = await clocks_of(a_town, early, "close")
    assert promised["due_at"] < until < clock["due_at"]
    # What was left of the promise is left afterwards, to the second.
    calendar = a_town.services.cities.current.calendar
    left = calendar.run(a_town.clock.at, promised["due_at"], natural=False)
    assert calendar.run(until, clock["due_at"], natural=False) == left


async def test_who_called_about_the_merged_case_reaches_the_other_by_either_number(a_town: Town) -> None:
    early, late = await pair(a_town)
    receipt = await receipt_of(a_town, early)
    await merged(a_town, early, late)
    _, seen = await a_town.get(f"/cases/{early}", DISPATCHER)
    assert (seen["state"], seen["merged_into"]) == ("merged", late)
    _, seen = await a_town.get(f"/cases/{late}", DISPATCHER)
    assert seen["merged"] == [early]
    leads_to = "SELECT c.case_no FROM report_keys k JOIN cases c ON c.id = k.case_id WHERE k.receipt_no = $1"
    assert await a_town.value(leads_to, receipt) == late


async def test_a_replayed_key_and_a_merge_at_once_do_not_wait_for_each_other(a_town: Town) -> None:
    for _ in range(5):
        first = report(caller=CITIZEN, location=elsewhere())
        _, early = await a_town.send(first)
        late = await opened(a_town, caller=OTHER, location=elsewhere())
        again = report(caller=CITIZEN, location=first["location"])
        outcomes = await asyncio.gather(
            a_town.send(first),
            a_town.act(early["case_no"], "merge", DISPATCHER, other=late, note="同一处"),
            a_town.send(again),
            a_town.send(first),
        )
        assert [status for status, _ in outcomes][0::3] == [200, 200]
        # A call that comes in between is either moved along or the merge is refused; it is never lost.
        assert outcomes[1][0] in (200, 409)
        await true_of(a_town, {})
