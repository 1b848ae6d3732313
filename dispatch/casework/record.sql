-- name: write
-- Held cases, their tasks and clocks, and the few events and messages of an action. The array that is wrapped in each list hides from
-- the planner how many rows come, so that it plans once and not at every execution.
WITH decided AS (
    UPDATE cases SET state = u.state, round = u.round, version = u.version, seq = u.seq, head = u.head, last_event_at = u.last_event_at,
        category = u.category, category_table = u.category_table, kin = u.kin, urgency = u.urgency, safety = u.safety, people = u.people,
        city_version = u.city_version, owner_unit = u.owner_unit, lead_assignment_id = u.lead_assignment_id, next_due_at = u.next_due_at,
        settled_at = u.settled_at, closed_at = u.closed_at, solved = u.solved, cell = u.cell, area = u.area, ending = u.ending,
        merged_into = u.merged_into, reminders = u.reminders, reminded_at = u.reminded_at, supervised_at = u.supervised_at,
        restricted = u.restricted, danger = u.danger::text[]
    FROM unnest((SELECT $1::bigint[]), $2::text[], $3::smallint[], $4::integer[], $5::integer[], $6::bytea[], $7::timestamptz[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::boolean[], $13::integer[], $14::integer[], $15::text[], $16::bigint[], $17::timestamptz[],
        $18::timestamptz[], $19::timestamptz[], $20::boolean[], $21::text[], $22::text[], $23::text[], $24::bigint[], $25::integer[],
        $26::timestamptz[], $27::timestamptz[], $28::boolean[], $29::text[])
        AS u(id, state, round, version, seq, head, last_event_at, category, category_table, kin, urgency, safety, people, city_version,
            owner_unit, lead_assignment_id, next_due_at, settled_at, closed_at, solved, cell, area, ending, merged_into, reminders,
            reminded_at, supervised_at, restricted, danger)
    WHERE cases.id = u.id
), advanced AS (
    -- Where an event decides nothing, no index of the case and no check of the schema is concerned.
    UPDATE cases SET seq = u.seq, head = u.head, last_event_at = u.last_event_at, people = u.people, reminders = u.reminders,
        reminded_at = u.reminded_at, supervised_at = u.supervised_at
    FROM unnest((SELECT $68::bigint[]), $69::integer[], $70::bytea[], $71::timestamptz[], $72::integer[], $73::integer[], $74::timestamptz[],
        $75::timestamptz[]) AS u(id, seq, head, last_event_at, people, reminders, reminded_at, supervised_at)
    WHERE cases.id = u.id
), worked AS (
    UPDATE assignments SET unit = u.unit, state = u.state, version = u.version, signed_at = u.signed_at, handler = u.handler, replied_at = u.replied_at,
        ended_at = u.ended_at, return_reason = u.return_reason, contact_attempts = u.contact_attempts, return_locked = u.return_locked,
        interim = u.interim
    FROM unnest((SELECT $30::bigint[]), $31::text[], $32::text[], $33::integer[], $34::timestamptz[], $35::text[], $36::timestamptz[], $37::timestamptz[],
        $38::text[], $39::smallint[], $40::boolean[], $41::boolean[])
        AS u(id, unit, state, version, signed_at, handler, replied_at, ended_at, return_reason, contact_attempts, return_locked, interim)
    WHERE assignments.id = u.id
), timed AS (
    UPDATE deadlines SET unit = u.unit, due_at = u.due_at, status = u.status, step = u.step, next_at = u.next_at, attempts = u.attempts,
        stopped_at = u.stopped_at, provisional = u.provisional, plan = u.plan, limit_text = u.limit_text, mode = u.mode, rule = u.rule,
        plan_provisional = u.plan_provisional, adjustments = u.adjustments
    FROM unnest((SELECT $42::bigint[]), $43::text[], $44::timestamptz[], $45::text[], $46::smallint[], $47::timestamptz[], $48::smallint[],
        $49::timestamptz[], $50::boolean[], $51::jsonb[], $52::text[], $53::text[], $54::text[], $55::boolean[], $56::jsonb[])
        AS u(id, unit, due_at, status, step, next_at, attempts, stopped_at, provisional, plan, limit_text, mode, rule, plan_provisional,
            adjustments)
    WHERE deadlines.id = u.id
), recorded AS (
    INSERT INTO case_events (opened_month, case_id, seq, at, type, actor, body, mac)
    SELECT * FROM unnest((SELECT $57::date[]), $58::bigint[], $59::integer[], $60::timestamptz[], $61::text[], $62::text[], $63::bytea[], $64::bytea[])
)
INSERT INTO outbox (case_id, case_seq, message) SELECT * FROM unnest((SELECT $65::bigint[]), $66::integer[], $67::bytea[]);

-- name: insert_escalations
-- Levels that fired; a level fires once a deadline.
INSERT INTO escalations (deadline_id, case_id, level, colour, unit, due_at, planned_at, fired_at, call_demanded)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::boolean[]);

-- name: select_case_keys
-- Wrapped keys of these cases.
SELECT case_id, key_id, nonce, wrapped FROM case_keys WHERE case_id = ANY ((SELECT $1::bigint[])::bigint[]);

-- name: lock_cases
-- Whole rows of these cases, held, in the order in which everybody takes them.
SELECT * FROM cases WHERE id = ANY ((SELECT $1::bigint[])::bigint[]) ORDER BY id FOR UPDATE;

-- name: look_cases
-- The same rows, only looked at.
SELECT * FROM cases WHERE id = ANY ((SELECT $1::bigint[])::bigint[]) ORDER BY id;

-- name: lock_case
-- The whole row of the case with this number, held.
SELECT * FROM cases WHERE case_no = $1 FOR UPDATE;

-- name: hanging
-- Of each of these held cases every task and every clock that still runs or climbs, as records with the
-- columns in the order of `columns.ASSIGNMENT_COLUMNS` and of id and `columns.DEADLINE_COLUMNS`; and the time it is.
SELECT c.id, clock_timestamp() AS told,
    ARRAY(SELECT ROW(a.id, a.case_id, a.role, a.unit, a.state, a.version, a.round, a.dispatched_at, a.dispatched_by, a.signed_at, a.handler,
        a.replied_at, a.ended_at, a.return_reason, a.contact_attempts, a.route, a.parent_id, a.return_locked, a.interim, a.called_by)
        FROM assignments a WHERE a.case_id = c.id ORDER BY a.id) AS tasks,
    ARRAY(SELECT ROW(d.id, d.case_id, d.assignment_id, d.clock, d.round, d.unit, d.started_at, d.due_at, d.limit_text, d.mode, d.rule, d.provisional,
        d.status, d.historic, d.step, d.next_at, d.attempts, d.stopped_at, d.plan, d.plan_provisional, d.adjustments)
        FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL ORDER BY d.id) AS clocks
FROM unnest((SELECT $1::bigint[])) AS c(id);

-- name: last_of_clocks
-- The clocks of these names that a case had last: those that were stopped together.
SELECT * FROM deadlines d WHERE d.case_id = $1 AND d.clock = ANY ($2::text[]) AND d.assignment_id IS NULL AND d.stopped_at = (
    SELECT max(m.stopped_at) FROM deadlines m WHERE m.case_id = $1 AND m.clock = ANY ($2) AND m.assignment_id IS NULL);
