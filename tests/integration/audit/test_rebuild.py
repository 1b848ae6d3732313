"""Events alone make every case, task and clock again; whatever was done to the tables beside them shows."""

from datetime import timedelta

import pytest

from dispatch.audit.rebuild import Comparison, rebuild
from tests.harness.town import Town
from tests.integration.audit.test_audit_command import audit
from tests.integration.audit.test_record import with_every_right
from tests.integration.casework.bodies import BODY
from tests.integration.casework.people import DISPATCHER, HANDLER, OPERATOR, WHO
from tests.integration.casework.walks import brought, elsewhere, held

STATES = (
    "triage",
    "consulting",
    "verifying",
    "returned",
    "ruling",
    "suspended",
    "review",
    "closed",
    "terminated",
    "merged",
    "answered",
    "need_info",
)
CHANGED = {
    "the lead's unit": ("UPDATE assignments SET unit = 'gas' WHERE role = 'lead'", "assignments", "unit"),
    "a reason": ("UPDATE assignments SET route = '{\"rule\": \"none\"}'", "assignments", "route"),
    "a due instant": ("UPDATE deadlines SET due_at = due_at + interval '1 day' WHERE clock = 'close'", "deadlines", "due_at"),
    "a limit's words": ("UPDATE deadlines SET limit_text = '99wd' WHERE clock = 'close'", "deadlines", "limit_text"),
    "a ladder": ("UPDATE deadlines SET plan = '[]' WHERE clock = 'close'", "deadlines", "plan"),
    "a clock taken out": ("DELETE FROM deadlines WHERE clock = 'contact'", "deadlines", None),
    "the urgency": ("UPDATE cases SET urgency = 'ordinary'", "cases", "urgency"),
    "how many people": ("UPDATE cases SET people = 99", "cases", "people"),
    "a danger": ("UPDATE cases SET danger = '{gas}'", "cases", "danger"),
}  # fmt: skip


async def rebuilt(town: Town) -> Comparison:
    async with town.services.pool.acquire() as connection:
        return await rebuild(connection)


async def test_cases_in_every_state_are_made_again_from_their_events(a_town: Town) -> None:
    for state in STATES:
        await brought(a_town, state, location=elsewhere())
    a_town.clock.travel(timedelta(days=40))
    await a_town.fire()  # ladders climb, suspended cases go on, rulings are missed
    found = await rebuilt(a_town)
    assert found.differences == []
    assert (found.incomplete, found.redacted) == (0, 0)
    assert found.cases == await a_town.value("SELECT count(*) FROM cases") >= len(STATES)
    assert found.tasks == await a_town.value("SELECT count(*) FROM assignments")
    assert found.clocks == await a_town.value("SELECT count(*) FROM deadlines")


@pytest.mark.parametrize("what", CHANGED)
async def test_what_was_changed_beside_the_events_shows(a_town: Town, what: str) -> None:
    statement, table, column = CHANGED[what]
    await brought(a_town, "to_sign")
    assert (await rebuilt(a_town)).differences == []
    await with_every_right(a_town, statement)
    assert {(each.table, each.column) for each in (await rebuilt(a_town)).differences} == {(table, column)}


async def test_a_case_whose_words_were_destroyed_is_made_again_all_the_same(a_town: Town) -> None:
    number = await held(a_town)
    assert (await a_town.act(number, "expunge", WHO["expunge"], **BODY["expunge"]))[0] == 200
    found = await rebuilt(a_town)
    assert (found.differences, found.redacted) == ([], 1)


async def test_the_command_says_what_differs_and_ends_with_an_error(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    clean = await audit(a_town, "rebuild")
    assert (clean.exit_code, "differences 0" in clean.output) == (0, True), clean.output
    await a_town.rows("UPDATE assignments SET handler = 'nobody' WHERE role = 'lead'")
    bent = await audit(a_town, "rebuild", "--case", number)
    assert (bent.exit_code, "handler" in bent.output, "nobody" in bent.output) == (1, True, True), bent.output


async def test_what_was_written_is_for_the_rebuild_and_not_for_readers(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, page = await a_town.get(f"/cases/{number}/events", HANDLER)
    assert page["items"]
    assert not any("wrote" in line["data"] for line in page["items"])
    raw = await a_town.value("SELECT string_agg(convert_from(body, 'UTF8'), ' ') FROM case_events")
    assert '"wrote"' in raw
    for told in ("张三丰", "13812345678", "116.2", "33.1"):  # neither who called nor where
        assert told not in raw, told
    for who in (DISPATCHER, OPERATOR):
        assert (await a_town.get(f"/cases/{number}/events", who))[0] == 200
