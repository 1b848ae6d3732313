"""What must always be true of the database (DESIGN §1), as statements that find what breaks it."""

from typing import Any

import asyncpg

from dispatch.audit.rebuild import rebuild
from dispatch.city.versions import Cities
from dispatch.indicators.keeping import SQL as COUNTING
from dispatch.indicators.keeping import count_changed
from dispatch.indicators.rebuilding import compare
from dispatch.indicators.rules import Rulebook
from tests.harness.town import KEYRING

BROKEN = {
    "a key without its answer, or a report without its case": """
        SELECT k.receipt_no FROM report_keys k LEFT JOIN reports r USING (receipt_no)
        WHERE k.answer IS NULL OR k.case_id IS NULL OR r.case_id IS DISTINCT FROM k.case_id""",
    "an open case without owner or anything that will act on it": """
        SELECT c.case_no FROM cases c WHERE c.is_open AND (c.owner_unit IS NULL OR NOT EXISTS (
            SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL AND d.next_at IS NOT NULL))""",
    "a dispatched case without exactly one live lead, or another with one": """
        SELECT c.case_no FROM cases c WHERE (c.state IN ('to_sign', 'handling', 'suspended', 'review'))::int <> (
            SELECT count(*) FROM assignments a WHERE a.case_id = c.id AND a.role = 'lead' AND a.ended_at IS NULL)""",
    "a unit that got back as lead what it had returned, and no ruling bound it": """
        SELECT a.case_id FROM assignments a JOIN assignments b ON b.case_id = a.case_id AND b.unit = a.unit AND b.id > a.id AND b.round = a.round
        WHERE a.state = 'returned' AND a.role = 'lead' AND b.role = 'lead' AND NOT b.return_locked""",
    "a task whose parent has ended before it": """
        SELECT a.case_id FROM assignments a JOIN assignments p ON p.id = a.parent_id WHERE a.ended_at IS NULL AND p.ended_at IS NOT NULL""",
    "a closed case with a live task, or a live clock that is not of an appeal or an order": """
        SELECT c.case_no FROM cases c WHERE NOT c.is_open AND (
            EXISTS (SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL AND d.clock NOT IN ('appeal', 'order', 'unread'))
            OR EXISTS (SELECT FROM assignments a WHERE a.case_id = c.id AND a.ended_at IS NULL))""",
    "a case clock that did not start at intake": """
        SELECT c.case_no FROM cases c JOIN deadlines d ON d.case_id = c.id AND d.clock = 'close' AND d.round = 1 WHERE d.started_at <> c.opened_at""",
    "a round of a case without its one limit": """
        SELECT c.case_no FROM cases c WHERE c.round <> (
            SELECT count(*) FROM deadlines d WHERE d.case_id = c.id AND d.clock IN ('close', 'rectify'))""",
    "a level that fired early or unplanned": """
        SELECT e.id FROM escalations e JOIN deadlines d ON d.id = e.deadline_id
        WHERE e.fired_at < e.planned_at OR NOT EXISTS (
            SELECT FROM jsonb_array_elements(d.plan) p WHERE (p->>'at')::timestamptz = e.planned_at AND (p->>'level')::int = e.level)""",
    "steps on record that differ from the levels that fired": """
        SELECT d.id FROM deadlines d WHERE d.step <> (SELECT count(*) FROM escalations e WHERE e.deadline_id = d.id)""",
    "a task that was answered without a reply, or by one that is not signed": """
        SELECT a.case_id FROM assignments a WHERE a.state = 'replied' AND a.role <> 'consult' AND NOT EXISTS (
            SELECT FROM replies r WHERE r.assignment_id = a.id AND r.status = 'confirmed' AND r.ended_at = a.replied_at AND NOT EXISTS (
                SELECT FROM reply_steps s WHERE s.assignment_id = r.assignment_id AND s.nth = r.nth AND s.approved IS NOT TRUE))""",
    "a reply that its own writer signed, or one person twice": """
        SELECT s.assignment_id FROM reply_steps s WHERE s.signed_by IS NOT NULL GROUP BY s.assignment_id, s.nth
        HAVING bool_or(s.signed_by = s.written_by) OR count(*) > count(DISTINCT s.signed_by)""",
    "words for the citizen of a reply that the unit has not confirmed": """
        SELECT t.case_id FROM texts t WHERE t.kind = 'answer' GROUP BY t.case_id
        HAVING count(*) > (SELECT count(*) FROM replies r JOIN assignments a ON a.id = r.assignment_id
            WHERE r.case_id = t.case_id AND r.role = 'lead' AND r.status = 'confirmed')""",
    "people counted wrongly": """
        SELECT c.case_no FROM cases c WHERE c.state <> 'merged'
            AND c.people <> greatest(1, (SELECT count(*) FROM case_people p WHERE p.case_id = c.id))
            AND NOT EXISTS (SELECT FROM reports r WHERE r.case_id = c.id AND r.caller_id IS NULL)""",
    "a merged case that keeps reports or people, or is merged into one that does not lead on": """
        SELECT c.case_no FROM cases c WHERE c.state = 'merged' AND (
            EXISTS (SELECT FROM reports r WHERE r.case_id = c.id) OR EXISTS (SELECT FROM case_people p WHERE p.case_id = c.id)
            OR c.restricted <> (SELECT t.restricted FROM cases t WHERE t.id = c.merged_into))""",
    "an open case without a report": """
        SELECT c.case_no FROM cases c WHERE c.is_open AND NOT EXISTS (SELECT FROM reports r WHERE r.case_id = c.id)""",
    "words of a report that stayed behind in another case": """
        SELECT t.id FROM texts t JOIN reports r ON r.id = t.report_id WHERE t.case_id <> r.case_id
            AND EXISTS (SELECT FROM case_keys k WHERE k.case_id = r.case_id)
            AND EXISTS (SELECT FROM case_keys k WHERE k.case_id = t.case_id)""",
    "words left of a case whose key was destroyed, where search finds them": """
        SELECT c.case_no FROM cases c WHERE c.ending = 'secret' AND c.state = 'rejected' AND (
            EXISTS (SELECT FROM case_keys k WHERE k.case_id = c.id) OR EXISTS (SELECT FROM case_signatures s WHERE s.case_id = c.id))""",
    "ways to find a case by its words that are not those kept of it": """
        SELECT coalesce(r.case_id, s.case_id) FROM case_runs r
        FULL JOIN (SELECT case_id, run FROM case_signatures CROSS JOIN LATERAL unnest(runs) AS run) AS s USING (case_id, run)
        WHERE r.case_id IS NULL OR s.case_id IS NULL""",
    "an order that nobody has the next move in, or whose clock is not that of its present round": """
        SELECT o.id FROM orders o WHERE o.needs_reply AND (o.state <> 'done') <> EXISTS (
            SELECT FROM deadlines d WHERE d.case_id = o.case_id AND d.clock = 'order' AND d.round = o.round AND d.stopped_at IS NULL
                AND (d.unit = o.unit OR o.state = 'answered'))
        UNION ALL SELECT o.id FROM orders o WHERE EXISTS (SELECT FROM order_reads r WHERE r.order_id = o.id) = EXISTS (
            SELECT FROM deadlines d WHERE d.case_id = o.case_id AND d.clock = 'unread' AND d.round = o.unread_round AND d.stopped_at IS NULL)""",
    "an answer to an order that nobody decides on": """
        SELECT o.id FROM orders o WHERE (o.state = 'answered') <> EXISTS (
            SELECT FROM order_answers a WHERE a.order_id = o.id AND a.approved IS NULL)""",
    "a record with a gap or an event before the one it follows": """
        SELECT e.case_id FROM (SELECT case_id, seq, at, row_number() OVER w AS nth, lag(at) OVER w AS before FROM case_events
            WINDOW w AS (PARTITION BY case_id ORDER BY seq)) AS e WHERE e.seq <> e.nth OR e.at < e.before""",
    "an event without its message": """
        SELECT c.case_no FROM cases c WHERE c.seq <> (SELECT max(seq) FROM case_events e WHERE e.case_id = c.id)""",
    "a receipt that was lost": """
        SELECT k.receipt_no FROM report_keys k FULL JOIN reports r USING (receipt_no) WHERE k.receipt_no IS NULL OR r.receipt_no IS NULL""",
}
# Once every clock that is due has acted: nobody waits for a lead longer than a ruling may take.
BEYOND_THE_BOUND = """
    SELECT c.case_no FROM cases c JOIN deadlines d ON d.case_id = c.id AND d.clock = 'ruling' AND d.stopped_at IS NULL
    WHERE c.is_open AND c.lead_assignment_id IS NULL AND d.due_at <= $1
    UNION ALL
    SELECT c.case_no FROM cases c WHERE c.is_open AND c.lead_assignment_id IS NULL AND NOT EXISTS (
        SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL AND d.due_at > $1
            AND d.clock IN ('dispatch', 'need_info', 'ruling'))"""
CLOCKS = """
    SELECT d.*, (SELECT count(*) FROM case_events e WHERE e.case_id = d.case_id AND e.type = 'deadline_recomputed') AS recomputed
    FROM deadlines d"""


async def examine(connection: "asyncpg.Connection[Any]", clocks: dict[int, Any]) -> dict[int, Any]:
    """Raises AssertionError with the name of what is broken; `clocks` are those of the last time. Returns the present ones."""
    for name, statement in BROKEN.items():
        found = await connection.fetch(statement)
        assert not found, (name, [tuple(row) for row in found])
    now = {row["id"]: row for row in await connection.fetch(CLOCKS)}
    for key, before in clocks.items():
        assert (now[key]["started_at"], now[key]["clock"]) == (before["started_at"], before["clock"])
        # An approved change is on record; nothing else moves a due instant.
        assert now[key]["due_at"] == before["due_at"] or now[key]["recomputed"] > before["recomputed"], dict(now[key])
    heads: dict[int, bytes] = {}
    for event in await connection.fetch("SELECT case_id, body, mac FROM case_events ORDER BY case_id, seq"):
        assert KEYRING.event_mac_valid(heads.get(event["case_id"], bytes(32)), event["body"], event["mac"])
        heads[event["case_id"]] = event["mac"]
    assert {r["id"]: r["head"] for r in await connection.fetch("SELECT id, head FROM cases")} == heads
    # Events alone make every row again.
    again = await rebuild(connection)
    assert (again.differences, again.incomplete) == ([], 0)
    await _figures(connection)
    return now


async def _figures(connection: "asyncpg.Connection[Any]") -> None:
    """Counted now, figures are what the events say."""
    book = Rulebook(await Cities.open(connection))
    async with connection.transaction():
        await connection.execute(COUNTING.hold_waiting)
        while await count_changed(connection, book, 1_000):
            pass
    async with connection.transaction(isolation="repeatable_read"):
        assert (await compare(connection, book)).differences == []
