-- name: triggers_off
-- What the schema checks row by row is not what is measured here.
SET session_replication_role = replica;

-- name: words_off
-- The index over words is built at once afterwards.
DROP INDEX case_signatures_search;

-- name: cases
-- $1 cases of the last weeks, one in five open, spread over the units $2.
INSERT INTO cases (id, case_no, opened_at, opened_month, state, seq, head, last_event_at, kind, category, category_table, kin, urgency, people,
    area, city_version, owner_unit, lead_assignment_id, next_due_at, settled_at, closed_at, solved, channel)
SELECT i, 'B' || i, t, date_trunc('month', now())::date, CASE WHEN i % 5 = 0 THEN 'handling' ELSE 'closed' END, 1, decode(repeat('00', 32), 'hex'),
    t, 'complaint', 'E0110', '2013', 'sanitation', CASE WHEN i % 50 = 0 THEN 'urgent' ELSE 'ordinary' END, 1 + i % 7, '990101001001', 1,
    ($2::text[])[1 + i / 5 % cardinality($2)], CASE WHEN i % 5 = 0 THEN i END, CASE WHEN i % 5 = 0 THEN t + interval '30 days' END,
    CASE WHEN i % 5 > 0 THEN t END, CASE WHEN i % 5 > 0 THEN t END, CASE WHEN i % 5 > 0 THEN true END, 'bench'
FROM generate_series(1, $1::bigint) AS i CROSS JOIN LATERAL (SELECT now() - i * interval '2 seconds' AS t) AS at;

-- name: tasks
-- A lead at work for every open case.
INSERT INTO assignments (id, case_id, role, unit, state, dispatched_at, dispatched_by, route, signed_at, handler)
SELECT id, id, 'lead', owner_unit, 'handling', opened_at, 'bench', '{}', opened_at, 'somebody' FROM cases WHERE state = 'handling';

-- name: clocks
-- Its case clock and its contact clock.
INSERT INTO deadlines (case_id, assignment_id, clock, unit, started_at, due_at, limit_text, mode, rule, provisional, status, plan, next_at)
SELECT c.id, CASE k WHEN 'contact' THEN c.id END, k, c.owner_unit, c.opened_at, c.next_due_at, '30d', 'hours8', 'bench', false, 'running', '[]', c.next_due_at
FROM cases c CROSS JOIN unnest(ARRAY['close', 'contact']) AS k WHERE c.state = 'handling';

-- name: words
-- Thirty pairs of characters a case, out of 600: common ones at the front.
INSERT INTO case_signatures (case_id, bigrams, search)
SELECT i, '', array_to_tsvector(ARRAY(SELECT DISTINCT chr(19968 + (random() ^ 2 * 600)::int) || chr(19968 + (random() ^ 2 * 600)::int + 0 * i::int)
    FROM generate_series(1, 30)))
FROM generate_series(1, $1::bigint) AS i;

-- name: words_on
-- The index over words as the service has it.
CREATE INDEX case_signatures_search ON case_signatures USING gin (search) WITH (gin_pending_list_limit = 65536);

-- name: sequences
-- Ids of new rows come after those made here.
SELECT setval('case_ids', $1::bigint + 1000), setval('assignment_ids', $1::bigint + 1000);

-- name: signed_today
-- The day's checkpoint, a row for each of these cases, is not what is measured here.
INSERT INTO job_runs (job, scheduled_for) SELECT 'checkpoint', date_trunc('day', now(), 'UTC') + d * interval '1 day' FROM generate_series(0, 1) AS d;

-- name: bare_hold
-- The peer's lock.
SELECT * FROM cases WHERE case_no = $1 FOR UPDATE;

-- name: bare_update
-- The peer's first write.
UPDATE cases SET seq = seq + 1 WHERE id = $1;

-- name: bare_insert
-- The peer's second write.
INSERT INTO bare (body) VALUES ($1::jsonb);

-- name: bare_queue
-- The peer's page: a bare indexed read.
SELECT case_no, state, category, urgency, next_due_at, version FROM cases WHERE owner_unit = $1 AND is_open
ORDER BY rank DESC, next_due_at, id LIMIT 50;

-- name: bare_search
-- The peer's search: a bare read of the index over words.
SELECT case_id FROM case_signatures WHERE search @@ $1::text::tsquery ORDER BY case_id DESC LIMIT 500;

-- name: written
-- What the actions left behind.
SELECT (SELECT count(*) FROM case_events WHERE type = 'contacted') AS events, (SELECT count(*) FROM outbox) AS outbox;
