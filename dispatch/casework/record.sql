-- name: update_cases
-- Cases whose rows are held.
UPDATE cases SET state = u.state, round = u.round, version = u.version, seq = u.seq, head = u.head, last_event_at = u.last_event_at,
    category = u.category, category_table = u.category_table, kin = u.kin, urgency = u.urgency, safety = u.safety, people = u.people,
    city_version = u.city_version, owner_unit = u.owner_unit, lead_assignment_id = u.lead_assignment_id, next_due_at = u.next_due_at,
    settled_at = u.settled_at, closed_at = u.closed_at, solved = u.solved, cell = u.cell, area = u.area,
    ending = u.ending, merged_into = u.merged_into, reminders = u.reminders, reminded_at = u.reminded_at, supervised_at = u.supervised_at,
    restricted = u.restricted, danger = u.danger::text[]
FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::integer[], $5::integer[], $6::bytea[], $7::timestamptz[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::boolean[], $13::integer[], $14::integer[], $15::text[], $16::bigint[], $17::timestamptz[],
    $18::timestamptz[], $19::timestamptz[], $20::boolean[], $21::text[], $22::text[], $23::text[], $24::bigint[], $25::integer[], $26::timestamptz[],
    $27::timestamptz[], $28::boolean[], $29::text[])
    AS u(id, state, round, version, seq, head, last_event_at, category, category_table, kin, urgency, safety, people, city_version,
        owner_unit, lead_assignment_id, next_due_at, settled_at, closed_at, solved, cell, area, ending, merged_into,
        reminders, reminded_at, supervised_at, restricted, danger)
WHERE cases.id = u.id;

-- name: advance_cases
-- Held cases on which an event happened that decides nothing: no index of theirs and no check of the schema is concerned.
UPDATE cases SET seq = u.seq, head = u.head, last_event_at = u.last_event_at, people = u.people, reminders = u.reminders,
    reminded_at = u.reminded_at, supervised_at = u.supervised_at
FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::timestamptz[], $5::integer[], $6::integer[], $7::timestamptz[], $8::timestamptz[])
    AS u(id, seq, head, last_event_at, people, reminders, reminded_at, supervised_at)
WHERE cases.id = u.id;

-- name: update_assignments
-- Tasks of held cases.
UPDATE assignments SET unit = u.unit, state = u.state, version = u.version, signed_at = u.signed_at, handler = u.handler, replied_at = u.replied_at,
    ended_at = u.ended_at, return_reason = u.return_reason, contact_attempts = u.contact_attempts, return_locked = u.return_locked,
    interim = u.interim
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::text[], $7::timestamptz[], $8::timestamptz[],
    $9::text[], $10::smallint[], $11::boolean[], $12::boolean[])
    AS u(id, unit, state, version, signed_at, handler, replied_at, ended_at, return_reason, contact_attempts, return_locked, interim)
WHERE assignments.id = u.id;

-- name: update_deadlines
-- Clocks of held cases.
UPDATE deadlines SET unit = u.unit, due_at = u.due_at, status = u.status, step = u.step, next_at = u.next_at, attempts = u.attempts,
    stopped_at = u.stopped_at, provisional = u.provisional, plan = u.plan, limit_text = u.limit_text, mode = u.mode, rule = u.rule,
    plan_provisional = u.plan_provisional, adjustments = u.adjustments
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::smallint[], $6::timestamptz[], $7::smallint[], $8::timestamptz[],
    $9::boolean[], $10::jsonb[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::jsonb[])
    AS u(id, unit, due_at, status, step, next_at, attempts, stopped_at, provisional, plan, limit_text, mode, rule, plan_provisional,
        adjustments)
WHERE deadlines.id = u.id;

-- name: insert_escalations
-- Levels that fired; a level fires once a deadline.
INSERT INTO escalations (deadline_id, case_id, level, colour, unit, due_at, planned_at, fired_at, call_demanded)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::boolean[]);

-- name: select_case_keys
-- Wrapped keys of these cases.
SELECT case_id, key_id, nonce, wrapped FROM case_keys WHERE case_id = ANY ($1::bigint[]);

-- name: lock_cases
-- Whole rows of these cases, held, in the order in which everybody takes them.
SELECT * FROM cases WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE;

-- name: assignments_of
-- Every task of these cases.
SELECT * FROM assignments WHERE case_id = ANY ($1::bigint[]) ORDER BY id;

-- name: live_deadlines_of
-- Clocks of these cases that still run or climb.
SELECT * FROM deadlines WHERE case_id = ANY ($1::bigint[]) AND stopped_at IS NULL ORDER BY id;

-- name: last_of_clock
-- The clock of this name that a case had last.
SELECT * FROM deadlines WHERE case_id = $1 AND clock = $2 AND assignment_id IS NULL AND stopped_at IS NOT NULL ORDER BY round DESC LIMIT 1;
