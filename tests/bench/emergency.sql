-- name: cases
-- $1 open cases about litter ($2 its table) of the last ten minutes, spread over the units $3; intake meets none of them. Older ones
-- would be overdue by the limits of an emergency, and their ladders be measured instead.
INSERT INTO cases (id, case_no, opened_at, opened_month, state, seq, head, last_event_at, kind, category, category_table, kin, urgency, people,
    area, city_version, owner_unit, lead_assignment_id, next_due_at, channel)
SELECT i, 'B' || i, t, date_trunc('month', now())::date, 'handling', 1, decode(repeat('00', 32), 'hex'), t, 'complaint', 'E0110', $2, 'bench',
    'ordinary', 1, '990101001001', 1, ($3::text[])[1 + i % cardinality($3)], i, t + interval '20 days', 'bench'
FROM generate_series(1, $1::bigint) AS i CROSS JOIN LATERAL (SELECT now() - i % 600 * interval '1 second' AS t) AS at;

-- name: tasks
-- A lead at work for each.
INSERT INTO assignments (id, case_id, role, unit, state, dispatched_at, dispatched_by, route, signed_at, handler)
SELECT id, id, 'lead', owner_unit, 'handling', opened_at, 'bench', '{}', opened_at, 'somebody' FROM cases;

-- name: clocks
-- Its case clock and its reply clock, which an emergency shortens.
INSERT INTO deadlines (case_id, assignment_id, clock, unit, started_at, due_at, limit_text, mode, rule, provisional, status, plan, next_at)
SELECT c.id, CASE k WHEN 'reply' THEN c.id END, k, c.owner_unit, c.opened_at, c.next_due_at, '20d', 'hours8', 'bench', false, 'running', '[]', c.next_due_at
FROM cases c CROSS JOIN unnest(ARRAY['close', 'reply']) AS k;

-- name: swept
-- What the sweep left behind: cases raised, events, levels that fired meanwhile.
SELECT (SELECT count(*) FROM cases WHERE urgency = 'critical' AND kin = 'bench') AS raised,
    (SELECT count(*) FROM case_events WHERE type = 'emergency_raised') AS events,
    (SELECT count(*) FROM escalations) AS levels;
