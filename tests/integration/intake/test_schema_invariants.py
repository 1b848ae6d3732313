"""What the schema itself refuses, whatever the code above it does."""

import asyncpg
import pytest

from tests.harness.town import Town, report

# what somebody tries · the constraint that refuses it
BROKEN: list[tuple[str, str]] = [
    ("UPDATE cases SET next_due_at = next_due_at + interval '1 hour'", "next_due_at_is_earliest_live_deadline"),
    ("UPDATE deadlines SET due_at = due_at - interval '1 minute' WHERE clock = 'sign'", "next_due_at_is_earliest_live_deadline"),
    ("UPDATE cases SET next_due_at = NULL", "open_case_has_deadline"),
    ("UPDATE deadlines SET next_at = NULL, status = 'missed'", "open_case_will_be_acted_on"),
    ("UPDATE deadlines SET next_at = NULL WHERE clock = 'sign'", "running_deadline_will_act"),
    ("UPDATE deadlines SET stopped_at = now(), status = 'met'", "stopped_deadline_never_acts"),
    ("UPDATE cases SET state = 'handling'", "case_follows_its_lead"),
    ("UPDATE assignments SET state = 'handling' WHERE role = 'lead'", "case_follows_its_lead"),
    ("UPDATE cases SET owner_unit = NULL", "open_case_has_owner"),
    ("UPDATE cases SET lead_assignment_id = NULL", "dispatched_case_has_lead"),
    ("UPDATE cases SET state = 'triage'", "waiting_case_has_no_lead"),
    ("UPDATE cases SET lead_assignment_id = (SELECT id FROM assignments WHERE role = 'assist' LIMIT 1)", "lead_belongs_to_case"),
    ("UPDATE cases SET state = 'closed', next_due_at = NULL", "closed_case_says_when"),
    ("UPDATE cases SET opened_at = opened_at - interval '1 day'", "opening_never_changes"),
    ("UPDATE cases SET case_no = '0'", "opening_never_changes"),
    ("UPDATE cases SET opened_month = '2020-01-01'", "opening_never_changes"),
    ("UPDATE deadlines SET started_at = started_at - interval '1 day'", "start_never_changes"),
    ("UPDATE assignments SET role = 'lead', unit = 'gas' WHERE role = 'assist'", "assignments_one_live_lead"),
    ("UPDATE assignments SET unit = 'gas'", "assignments_one_live_task_per_unit"),
    ("UPDATE assignments SET state = 'returned', ended_at = now() WHERE role = 'assist'", "return_has_reason"),
    ("UPDATE cases SET lat = NULL", "place_has_both_coordinates"),
    ("UPDATE cases SET people = -1", "cases_people_check"),
    ("UPDATE cases SET state = 'nonsense'", "cases_state_check"),
    ("INSERT INTO report_keys SELECT * FROM report_keys", "report_keys_pkey"),
    ("INSERT INTO quarantine (receipt_no, channel, external_id, reason, field, owner_unit, entered_at, due_at, key_id, nonce, sealed)"
     " SELECT 'R', channel, external_id, '', '', 'dispatch', now(), now(), '', '', '' FROM report_keys", "open_entry_will_be_acted_on"),
]  # fmt: skip

FORBIDDEN = [
    f"{deed} {table}{rest}"
    for table in ("case_events", "access_log", "reports", "job_runs")
    for deed, rest in (("DELETE FROM", ""), ("TRUNCATE", ""))
] + [
    "UPDATE case_events SET actor = ''",
    "UPDATE access_log SET actor = ''",
    "UPDATE reports SET kind = ''",
    "DELETE FROM cases",
    "DELETE FROM report_keys",
]


@pytest.fixture
async def one_case(a_town: Town) -> Town:
    """A town with one dispatched case with assists."""
    status, _ = await a_town.send(report())
    assert status == 201
    return a_town


async def test_each_invariant_is_held_by_a_constraint(one_case: Town) -> None:
    refused = []
    for statement, _ in BROKEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
            await one_case.rows(statement)
        refused.append((statement, refusal.value.constraint_name))
    assert refused == BROKEN


async def test_the_service_may_not_change_what_is_on_record(one_case: Town) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await one_case.services.pool.execute(statement)


async def test_a_second_event_with_the_same_number_is_refused(one_case: Town) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await one_case.services.pool.execute("INSERT INTO case_events SELECT * FROM case_events LIMIT 1")


async def test_ways_to_find_a_case_follow_what_is_kept_of_its_words(one_case: Town) -> None:
    ways = "SELECT array_agg(run ORDER BY run) FROM case_runs"
    kept = "SELECT array_agg(run ORDER BY run) FROM case_signatures CROSS JOIN LATERAL unnest(runs) AS run"
    assert await one_case.value(ways)
    assert await one_case.value(ways) == await one_case.value(kept)
    await one_case.rows("UPDATE case_signatures SET runs = runs[2:] || 5")
    assert 5 in await one_case.value(ways)
    assert await one_case.value(ways) == await one_case.value(kept)
    await one_case.rows("UPDATE case_signatures SET runs = '{}'")
    assert await one_case.value(ways) is None
