"""Hot statements run on the index that was made for them, on tables of some thousand rows."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.casework.actions import SQL as ACTIONS
from dispatch.casework.deadlines import SQL as DEADLINES
from dispatch.casework.record import SQL as RECORD
from dispatch.indicators.keeping import SQL as COUNTING
from dispatch.insight.cases import FAR_FUTURE
from dispatch.insight.cases import SQL as READING
from dispatch.insight.indicators import SQL as FIGURES
from dispatch.insight.lights import SQL as LIGHTS
from dispatch.insight.proposals import SQL as PROPOSALS
from dispatch.insight.replies import SQL as REPLIES
from dispatch.intake.commit import SQL as INTAKE
from dispatch.notices.load import SQL as LOADS

NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
# A box around two points: west, south, east, north.
BOX = ([116.0] * 2, [33.0] * 2, [117.0] * 2, [34.0] * 2)
NEAR = ([3, 4], ["water"] * 2, *BOX, [6, 9], *BOX)
# Nobody's, without a place, of the last nine days.
OTHERWISE: tuple[Any, ...] = ([], [], [], NOW - timedelta(days=9))
# 6,000 cases of 60 units in 400 tiles, one in three still open; each with a task and three clocks. Triggers are off, which
# matters to no plan.
SEED = """
SET session_replication_role = replica;
INSERT INTO city_versions VALUES (1, 'c', '\\x00', '\\x00', now(), 't');
INSERT INTO units (code, name) SELECT 'u' || i, 'u' || i FROM generate_series(0, 59) AS i;
INSERT INTO cases (id, case_no, opened_at, opened_month, state, seq, head, last_event_at, kind, category, kin, urgency, cell, area, lon, lat, tile,
    city_version, owner_unit, lead_assignment_id, next_due_at, closed_at)
SELECT i, 'n' || i, '2026-11-18T02:00Z'::timestamptz - i * interval '5 min', '2026-11-01', CASE WHEN i % 3 = 0 THEN 'to_sign' ELSE 'closed' END, 1,
    decode(repeat('00', 32), 'hex'), now(), 'complaint', 'E0506', 'water', 'ordinary', 'c' || i % 900, 'a' || i % 40, 116 + i % 20 * 0.01,
    33 + i % 17 * 0.01, i % 400, 1, 'u' || i % 60, i, CASE WHEN i % 3 = 0 THEN '2026-11-18T02:00Z'::timestamptz + i * interval '1 s' END,
    CASE WHEN i % 3 <> 0 THEN now() END
FROM generate_series(1, 6000) AS i;
INSERT INTO accounts (username, unit, roles, password_hash)
SELECT 'p' || i, 'u' || i % 60, '{handler}', '$argon2id$' FROM generate_series(0, 2999) AS i;
INSERT INTO notices (case_id, event_seq, recipient, medium, topic, body, created_at)
SELECT i, 1, 'account:p' || i % 3000, 'inbox', 'task', '{}', '2026-11-18T02:00Z'::timestamptz - i * interval '5 min'
FROM generate_series(1, 6000) AS i;
INSERT INTO assignments (id, case_id, role, unit, state, handler, dispatched_at, dispatched_by, route, ended_at, return_reason)
SELECT i, i, 'lead', 'u' || i % 60, CASE WHEN i % 3 = 0 THEN 'to_sign' WHEN i % 30 = 1 THEN 'returned' ELSE 'done' END, 'p' || i % 3000, now(),
    't', '{}', CASE WHEN i % 3 <> 0 THEN now() END, CASE WHEN i % 30 = 1 THEN 'need_info' END
FROM generate_series(1, 6000) AS i;
INSERT INTO deadlines (case_id, clock, unit, started_at, due_at, limit_text, mode, rule, provisional, status, plan, next_at, stopped_at)
SELECT i, clock, 'u' || i % 60, '2026-01-01Z', '2026-11-18T02:00Z'::timestamptz + i * interval '1 s', '5wd', 'day_end', 'r', false,
    CASE WHEN i % 3 = 0 THEN 'running' ELSE 'met' END, '[]', CASE WHEN i % 3 = 0 THEN '2026-11-18T02:00Z'::timestamptz + i * interval '1 s' END,
    CASE WHEN i % 3 <> 0 THEN now() END
FROM generate_series(1, 6000) AS i, unnest(ARRAY['close', 'sign', 'reply']) AS clock;
INSERT INTO case_signatures (case_id, words, search) SELECT i, '', array_to_tsvector(ARRAY['w' || i % 700, 'v' || i % 900])
FROM generate_series(1, 6000) AS i;
INSERT INTO case_runs SELECT i * 7 % 900 + w, i FROM generate_series(1, 6000) AS i, generate_series(0, 9) AS w;
INSERT INTO replies (case_id, assignment_id, nth, round, role, unit, finding, outcome, text_id, written_by, written_at, status, ended_at)
SELECT i, i, 1, 1, 'lead', 'u' || i % 60, 'founded', 'solved', i, 'w', now(), 'confirmed', now() FROM generate_series(1, 6000) AS i;
INSERT INTO figures (dimension, indicator, day, key, numerator, denominator, excluded, excluded_numerator)
SELECT 'unit', 'i' || i, '2026-10-01'::date + d, 'u' || u, 1, 1, 0, 0
FROM generate_series(0, 9) AS i, generate_series(0, 60) AS d, generate_series(0, 59) AS u;
INSERT INTO case_figures SELECT i, 1, '' FROM generate_series(1, 6000) AS i;
SET session_replication_role = DEFAULT;
"""
SEEDED = (
    "figures",
    "case_figures",
    "city_versions",
    "units",
    "accounts",
    "notices",
    "cases",
    "assignments",
    "deadlines",
    "case_signatures",
    "case_runs",
    "callers",
    "case_people",
    "replies",
)
LISTED = (FAR_FUTURE, 0)
UNIT = ["u3"]
MONTH = (date(2026, 11, 1), date(2026, 11, 30))
NO_FILTER = (None,) * 5
STATEMENTS: dict[str, tuple[str, tuple[Any, ...], str, frozenset[str]]] = {
    # statement, its values, the index it must use, the tables it must not read from end to end
    "claim_due": (DEADLINES.claim_due, (NOW + timedelta(minutes=5), 100), "deadlines_next", frozenset({"deadlines", "cases"})),
    "late": (DEADLINES.late, (NOW + timedelta(minutes=5),), "deadlines_next", frozenset({"deadlines"})),
    "next_at": (DEADLINES.next_at, (), "deadlines_next", frozenset({"deadlines"})),
    "candidates": (INTAKE.candidates, (*NEAR, *OTHERWISE, *[[]] * 10, 9.0), "cases_near", frozenset({"cases"})),
    "candidates by words": (
        INTAKE.candidates, (*[[]] * 11, *OTHERWISE, [1, 1], [7, 9], [4.0, 5.0], *[[]] * 7, 9.0), "case_runs_pkey",
        frozenset({"case_runs", "case_signatures"}),
    ),
    "candidates among closed ones": (
        INTAKE.candidates, (*[[]] * 11, *OTHERWISE, *[[]] * 3, [3, 4], ["water"] * 2, *BOX, [NOW - timedelta(days=9)] * 2, 9.0),
        "cases_closed_near", frozenset({"cases"}),
    ),
    "queue": (READING.queue, (UNIT, False, ["u3"], 50, None), "assignments_beside", frozenset({"cases", "assignments"})),
    "pull": (ACTIONS.pull, (UNIT, 3, False, ["u3"], None), "assignments_queue", frozenset({"cases", "assignments"})),
    "desk_queue": (READING.desk_queue, ("u3", False, ["u3"], 50), "cases_desk", frozenset({"cases"})),
    "list": (READING.list_cases, (*LISTED, None, [], False, [], *NO_FILTER, NOW, 50, None), "cases_newest", frozenset({"cases"})),
    "next page": (
        READING.list_cases,
        (NOW - timedelta(days=3), 900, UNIT, [], False, [], *NO_FILTER, NOW, 50, None),
        "cases_newest",
        frozenset({"cases"}),
    ),
    "found": (
        READING.list_found, (*LISTED, None, [], False, [], *NO_FILTER, NOW, [3, 6, 9], 50, None), "cases_pkey", frozenset({"cases"}),
    ),
    "words": (READING.found_by_words, ("'w3' & 'v3'",), "case_signatures_search", frozenset({"case_signatures"})),
    "lights": (LIGHTS.due_first, ([3, 6, 9],), "deadlines_live", frozenset({"deadlines"})),
    "replies at hand": (REPLIES.at_hand, ([3, 6, 9],), "replies_case", frozenset({"replies", "cases"})),
    "lock": (RECORD.lock_cases, ([3, 6, 9],), "cases_pkey", frozenset({"cases"})),
    "hanging": (RECORD.hanging, ([3, 6, 9],), "deadlines_live", frozenset({"deadlines", "assignments"})),
    "page of units": (FIGURES.by_key, ("unit", ["i3"], *MONTH, None), "figures_pkey", frozenset({"figures"})),
    "one unit": (FIGURES.of_keys, ("unit", ["u3"], *MONTH, ["i3"]), "figures_of_key", frozenset({"figures"})),
    "changed": (COUNTING.changed, ([3, 6, 9],), "case_figures_pkey", frozenset({"cases", "case_figures"})),
    "load": (
        LOADS.loads, (None, NOW - timedelta(days=30), NOW, "Asia/Shanghai", date(1, 1, 1), "", 200), "assignments_at_hand",
        frozenset({"assignments", "notices"}),
    ),
    "returned lately": (
        PROPOSALS.returned_lately, (["u1"], NOW - timedelta(days=30), "E0506", "a1", "handed_up"), "assignments_returned",
        frozenset({"assignments", "cases"}),
    ),
    "write": (RECORD.write, (None,) * 75, "cases_pkey", frozenset({"cases", "deadlines", "assignments"})),
}  # fmt: skip


@pytest.fixture
async def seeded(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    # Vacuum marks only what is known to be committed: with asynchronous commits no page would be.
    given = {"timezone": "UTC", "jit": "off", "synchronous_commit": "on"}
    connection = await asyncpg.connect(database_url, server_settings=given)
    try:
        await connection.execute(SEED)
        for table in SEEDED:
            await connection.execute(f"VACUUM ANALYZE {table}")
        yield connection
    finally:
        await connection.close()


async def test_hot_statements_use_their_indexes_whether_planned_once_or_each_time(seeded: asyncpg.Connection) -> None:
    problems = []
    for mode in ("force_custom_plan", "force_generic_plan"):
        await seeded.execute(f"SET plan_cache_mode = {mode}")
        for name, (statement, values, index, tables) in STATEMENTS.items():
            plan = "\n".join(row[0] for row in await seeded.fetch(f"EXPLAIN {statement.rstrip().rstrip(';')}", *values))
            scanned = [table for table in tables if f"Seq Scan on {table}" in plan]
            if f" {index}" not in plan or scanned:
                problems.append(f"{name} ({mode}): no {index} or reads all of {scanned}\n{plan}")
    assert not problems, "\n\n".join(problems)


async def test_the_auditor_and_the_loop_look_into_the_index_alone(seeded: asyncpg.Connection) -> None:
    for statement, values in ((DEADLINES.late, (NOW + timedelta(minutes=5),)), (DEADLINES.next_at, ())):
        plan = "\n".join(row[0] for row in await seeded.fetch(f"EXPLAIN {statement.rstrip().rstrip(';')}", *values))
        assert "Index Only Scan using deadlines_next" in plan, plan
