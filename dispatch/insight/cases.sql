-- name: list_cases
-- Newest first after the cursor ($1, $2), in scope ($3 units, $4 areas; null: all), with optional filters.
SELECT c.*, a.unit AS lead_unit FROM cases c LEFT JOIN assignments a ON a.id = c.lead_assignment_id
WHERE (c.opened_at, c.id) < ($1, $2)
    AND ($3::text[] IS NULL OR c.owner_unit = ANY ($3) OR c.area = ANY ($4::text[])
        OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($3)))
    AND (NOT c.restricted OR $5 OR a.unit = $14) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($6::text[]))
    AND ($7::text[] IS NULL OR c.state = ANY ($7)) AND ($8::text IS NULL OR c.category = $8) AND ($9::text IS NULL OR c.owner_unit = $9)
    AND ($10::text[] IS NULL OR c.area = ANY ($10)) AND ($11::boolean IS NULL OR (c.is_open AND (c.next_due_at < $12) = $11))
ORDER BY c.opened_at DESC, c.id DESC LIMIT $13;

-- name: list_found
-- The same of the cases $13 that were searched for: they lead, however many others are newer. Its parameters come as a row, so that
-- it is planned once: there are few cases, whatever the filters.
SELECT c.*, a.unit AS lead_unit FROM (
    SELECT $1::timestamptz AS opened_before, $2::bigint AS id_before, $3::text[] AS units, $4::text[] AS areas, $5::boolean AS restricted,
        $6::text[] AS above, $7::text[] AS states, $8::text AS category, $9::text AS owner, $10::text[] AS inside, $11::boolean AS overdue,
        $12::timestamptz AS now, $13::bigint[] AS found, $15::text AS head_of OFFSET 0) AS p
CROSS JOIN unnest(p.found) AS f(id) JOIN cases c USING (id) LEFT JOIN assignments a ON a.id = c.lead_assignment_id
WHERE (c.opened_at, c.id) < (p.opened_before, p.id_before)
    AND (p.units IS NULL OR c.owner_unit = ANY (p.units) OR c.area = ANY (p.areas)
        OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY (p.units)))
    AND (NOT c.restricted OR p.restricted OR a.unit = p.head_of) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY (p.above))
    AND (p.states IS NULL OR c.state = ANY (p.states)) AND (p.category IS NULL OR c.category = p.category)
    AND (p.owner IS NULL OR c.owner_unit = p.owner) AND (p.inside IS NULL OR c.area = ANY (p.inside))
    AND (p.overdue IS NULL OR (c.is_open AND (c.next_due_at < p.now) = p.overdue))
ORDER BY c.opened_at DESC, c.id DESC LIMIT (SELECT $14::bigint);

-- name: found_by_words
-- Cases whose words have all these bigrams, newest first.
SELECT case_id FROM case_signatures WHERE search @@ $1::text::tsquery ORDER BY case_id DESC LIMIT 500;

-- name: found_by_number
-- The case of a case or receipt number.
SELECT id AS case_id FROM cases WHERE case_no = $1 UNION SELECT case_id FROM report_keys WHERE receipt_no = $1 AND case_id IS NOT NULL;

-- name: found_by_phone
-- Cases of the people who have this number.
SELECT cp.case_id FROM callers p JOIN case_people cp ON cp.caller_id = p.id WHERE p.phone = $1 ORDER BY cp.case_id DESC LIMIT 500;

-- name: one_case
-- A case with the unit of its lead.
SELECT c.*, a.unit AS lead_unit FROM cases c LEFT JOIN assignments a ON a.id = c.lead_assignment_id WHERE c.case_no = $1;

-- name: assignments
-- Tasks of a case.
SELECT * FROM assignments WHERE case_id = $1 ORDER BY id;

-- name: deadlines
-- Every clock of a case.
SELECT * FROM deadlines WHERE case_id = $1 ORDER BY id;

-- name: escalations_of
-- Levels that fired on a case, in order.
SELECT e.id, d.clock, e.level, e.colour, e.unit, e.planned_at, e.fired_at, e.acked_by, e.acked_at, e.call_demanded, e.calls,
    level_receipts(e.case_id, e.deadline_id, e.level) AS told
FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE e.case_id = $1 ORDER BY e.id LIMIT 500;

-- name: reports
-- The reports of a case; callers by row only.
SELECT id, receipt_no, channel, kind, received_at, outcome, verdict, explanation, caller_id, confidential FROM reports
WHERE case_id = $1 ORDER BY id LIMIT 500;

-- name: links
-- Cases linked with this one, from either side.
SELECT c.case_no, l.verdict, l.score FROM case_links l JOIN cases c ON c.id = l.other_id WHERE l.case_id = $1
UNION ALL SELECT c.case_no, l.verdict, l.score FROM case_links l JOIN cases c ON c.id = l.case_id WHERE l.other_id = $1;

-- name: merged_into
-- The number that leads on from a merged case.
SELECT t.case_no FROM cases c JOIN cases t ON t.id = c.merged_into WHERE c.id = $1;

-- name: merged
-- Numbers that lead to this case.
SELECT case_no FROM cases WHERE merged_into = $1 ORDER BY id LIMIT 500;

-- name: texts
-- Sealed words of a case.
SELECT id, report_id, kind, author, written_at, nonce, sealed FROM texts WHERE case_id = $1 ORDER BY id LIMIT 500;

-- name: first_texts
-- The first report's sealed words of each case, with the wrapped key of those that were not erased.
SELECT DISTINCT ON (case_id) case_id, t.id, t.nonce, t.sealed, k.key_id, k.nonce AS key_nonce, k.wrapped FROM texts t JOIN case_keys k USING (case_id)
WHERE case_id = ANY ((SELECT $1::bigint[])::bigint[]) AND t.kind = 'report' ORDER BY case_id, t.id;

-- name: callers
-- Sealed identities.
SELECT id, person, key_id, nonce, sealed FROM callers WHERE id = ANY ($1::bigint[]);

-- name: events
-- The record of a case after a sequence number.
SELECT seq, at, type, actor, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND seq > $3 ORDER BY seq LIMIT $4;

-- name: returns
-- What units gave back of a case, in order.
SELECT at, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND type = 'returned' ORDER BY seq;

-- name: queue
-- Tasks of units in priority order: the first of the cases that each unit leads, in the order of their index, and what else it has.
WITH led AS MATERIALIZED (
    SELECT first.id FROM unnest((SELECT $1::text[])) AS u(unit) CROSS JOIN LATERAL (
        SELECT c.id FROM cases c WHERE c.owner_unit = u.unit AND c.is_open AND c.state IN ('to_sign', 'handling', 'suspended')
            AND (NOT c.restricted OR $2 OR u.unit = $5) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($3::text[]))
        ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT (SELECT $4::bigint)) AS first
), mine AS (
    SELECT a.* FROM led JOIN assignments a ON a.case_id = led.id
    WHERE a.role = 'lead' AND a.unit = ANY ((SELECT $1::text[])::text[]) AND a.state IN ('to_sign', 'handling')
    UNION ALL SELECT a.* FROM assignments a
    WHERE a.role <> 'lead' AND a.unit = ANY ((SELECT $1::text[])::text[]) AND a.state IN ('to_sign', 'handling')
)
SELECT a.id AS assignment, a.version, a.role, a.unit, a.state, a.dispatched_at, c.id AS case_id, c.case_no, c.category, c.urgency, c.safety,
    c.people, c.rank, c.area, c.next_due_at FROM mine a JOIN cases c ON c.id = a.case_id
WHERE (NOT c.restricted OR $2 OR (a.role = 'lead' AND a.unit = $5)) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($3::text[]))
ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT (SELECT $4::bigint);

-- name: desk_queue
-- Cases that a desk owns and has the next move in, in priority order.
SELECT NULL::bigint AS assignment, c.version, 'owner' AS role, c.owner_unit AS unit, c.state, c.opened_at AS dispatched_at, c.id AS case_id,
    c.case_no, c.category, c.urgency, c.safety, c.people, c.rank, c.area, c.next_due_at FROM cases c
WHERE c.owner_unit = $1 AND c.state IN ('received', 'triage', 'returned', 'review', 'followup') AND (NOT c.restricted OR $2)
    AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($3::text[]))
ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT (SELECT $4::bigint);

-- name: escalations
-- Levels that fired, newest first, in scope.
SELECT e.id, c.case_no, c.restricted, d.clock, e.level, e.colour, e.unit, e.due_at, e.planned_at, e.fired_at, e.acked_by, e.acked_at,
    e.call_demanded, e.calls, level_receipts(e.case_id, e.deadline_id, e.level) AS told
FROM escalations e JOIN cases c ON c.id = e.case_id JOIN deadlines d ON d.id = e.deadline_id
WHERE (e.fired_at, e.id) < ($1, $2) AND e.level >= $3 AND (NOT $4 OR e.acked_at IS NULL)
    AND ($5::text[] IS NULL OR e.unit = ANY ($5) OR c.area = ANY ($6::text[]))
    AND (NOT c.restricted OR $7 OR EXISTS (SELECT FROM assignments l WHERE l.id = c.lead_assignment_id AND l.unit = $10))
    AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($8::text[]))
ORDER BY e.fired_at DESC, e.id DESC LIMIT $9;

-- name: snapshot_counts
-- Open cases by state, urgency and owner, in scope.
SELECT c.state, c.urgency, c.owner_unit, count(*) AS cases, count(*) FILTER (WHERE c.next_due_at < $1) AS overdue FROM cases c
LEFT JOIN assignments a ON a.id = c.lead_assignment_id
WHERE c.is_open
    AND ($2::text[] IS NULL OR c.owner_unit = ANY ($2) OR c.area = ANY ($3::text[])
        OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($2)))
    AND (NOT c.restricted OR $4 OR a.unit = $6) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($5::text[]))
GROUP BY 1, 2, 3;

-- name: snapshot_cases
-- The open cases that come first.
SELECT c.*, a.unit AS lead_unit FROM cases c LEFT JOIN assignments a ON a.id = c.lead_assignment_id
WHERE c.is_open
    AND ($1::text[] IS NULL OR c.owner_unit = ANY ($1) OR c.area = ANY ($2::text[])
        OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($1)))
    AND (NOT c.restricted OR $3 OR a.unit = $6) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($4::text[]))
ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT $5;

-- name: overview
-- Figures of a period with their denominators.
SELECT count(*) AS opened, count(*) FILTER (WHERE is_open) AS still_open, count(*) FILTER (WHERE solved) AS solved,
    count(*) FILTER (WHERE solved IS NOT NULL) AS asked, count(*) FILTER (WHERE state = 'closed') AS closed
FROM cases WHERE opened_at >= $1 AND opened_at < $2;

-- name: overview_reports
-- Reports of a period by outcome.
SELECT outcome, count(*) AS reports FROM reports WHERE recorded_at >= $1 AND recorded_at < $2 GROUP BY outcome;

-- name: overview_deadlines
-- Stopped clocks of a period: met and missed.
SELECT clock, count(*) FILTER (WHERE status = 'met') AS met, count(*) FILTER (WHERE status = 'missed') AS missed FROM deadlines
WHERE started_at >= $1 AND started_at < $2 AND status IN ('met', 'missed') GROUP BY clock;
