-- name: quiet
-- Nothing is due for a month.
UPDATE deadlines SET next_at = clock_timestamp() + interval '30 days' WHERE next_at < clock_timestamp() + interval '1 day';

-- name: forget
-- What the run before has left.
TRUNCATE escalations, notices, outbox;

-- name: again
-- Deadlines that have acted stand before their first step again.
UPDATE deadlines d SET step = 0, status = 'running', next_at = clock_timestamp() + interval '30 days' FROM bench_planned p WHERE d.id = p.deadline_id;

-- name: make_planned
-- What is to fire in a run.
CREATE TABLE bench_planned (deadline_id bigint PRIMARY KEY, case_id bigint NOT NULL, opened_month date NOT NULL, seq integer NOT NULL,
    planned_at timestamptz NOT NULL);

-- name: clear_planned
-- Before the next run.
TRUNCATE bench_planned;

-- name: plan
-- One deadline each of as many cases falls due at each of these instants.
INSERT INTO bench_planned SELECT d.id, d.case_id, c.opened_month, c.seq, w.at
FROM (SELECT id, case_id, row_number() OVER (ORDER BY id) AS n FROM deadlines
    WHERE clock = 'close' AND status = 'running' AND step = 0 AND due_at > clock_timestamp() + interval '3 hours'
        AND jsonb_array_length(plan) > 1 ORDER BY id LIMIT cardinality($1::timestamptz[])) AS d
JOIN cases c ON c.id = d.case_id JOIN unnest($1::timestamptz[]) WITH ORDINALITY AS w(at, n) ON w.n = d.n;

-- name: planned
-- Cases and instants of the run.
SELECT case_id, planned_at FROM bench_planned ORDER BY planned_at;

-- name: set_due
-- The deadlines of the run are due when it was planned.
UPDATE deadlines d SET next_at = p.planned_at FROM bench_planned p WHERE d.id = p.deadline_id;

-- name: left
-- How many have not fired yet.
SELECT count(*) FROM bench_planned p JOIN deadlines d ON d.id = p.deadline_id WHERE d.step = 0;

-- name: fired
-- When each deadline's step was committed, by the server's own record, and how many steps there are.
SELECT p.case_id, p.planned_at, min(pg_xact_commit_timestamp(e.xmin)) AS at, count(e.seq) AS steps
FROM bench_planned p LEFT JOIN case_events e
    ON e.opened_month = p.opened_month AND e.case_id = p.case_id AND e.seq > p.seq AND e.actor = 'deadlines'
GROUP BY p.case_id, p.planned_at;

-- name: open_deadlines
-- How many deadlines will act some day.
SELECT count(*) FROM deadlines WHERE next_at IS NOT NULL;

-- name: clone_cases
-- Every open case of the first $1 so many times more, with a number of its own; the last id is that of the copy.
INSERT INTO cases (id, case_no, opened_at, opened_month, state, round, version, seq, head, last_event_at, kind, category, category_table, kin,
    urgency, safety, people, restricted, cell, area, lon, lat, tile, city_version, owner_unit, lead_assignment_id, about_unit, next_due_at)
SELECT c.id + n * 10000000, c.case_no || '-' || n, c.opened_at, c.opened_month, c.state, c.round, c.version, c.seq, c.head, c.last_event_at,
    c.kind, c.category, c.category_table, c.kin, c.urgency, c.safety, c.people, c.restricted, c.cell, c.area, c.lon, c.lat, c.tile,
    c.city_version, c.owner_unit, c.lead_assignment_id + n * 10000000, c.about_unit, c.next_due_at
FROM cases c, generate_series($1::bigint, $2::bigint) AS n WHERE c.is_open AND c.id < 10000000;

-- name: clone_assignments
-- Their tasks.
INSERT INTO assignments SELECT a.id + n * 10000000, a.case_id + n * 10000000, a.role, a.unit, a.state, a.version, a.round, a.dispatched_at,
    a.dispatched_by, a.route, a.signed_at, a.handler, a.replied_at, a.ended_at, a.return_reason, a.contact_attempts
FROM assignments a JOIN cases c ON c.id = a.case_id, generate_series($1::bigint, $2::bigint) AS n WHERE c.is_open AND c.id < 10000000;

-- name: clone_deadlines
-- Their clocks, which act at some time within the thirty days that begin in a day.
INSERT INTO deadlines (case_id, assignment_id, clock, round, unit, started_at, due_at, limit_text, mode, rule, provisional, status, plan,
    step, next_at, attempts, stopped_at)
SELECT d.case_id + n * 10000000, d.assignment_id + n * 10000000, d.clock, d.round, d.unit, d.started_at, d.due_at, d.limit_text, d.mode, d.rule,
    d.provisional, d.status, d.plan, d.step, clock_timestamp() + interval '1 day' + random() * interval '30 days', d.attempts, d.stopped_at
FROM deadlines d JOIN cases c ON c.id = d.case_id, generate_series($1::bigint, $2::bigint) AS n
WHERE c.is_open AND c.id < 10000000 AND d.next_at IS NOT NULL;

-- name: backends
-- The server's processes that work for the service.
SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'dispatch%' AND datname = current_database();
