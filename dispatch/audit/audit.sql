-- name: one_at_a_time
-- Whoever takes a checkpoint waits for whoever is taking one.
SELECT pg_advisory_xact_lock(1179539, 0);

-- name: last_checkpoint
-- The newest checkpoint.
SELECT number, taken_at, cases, events, moved, digest, mac FROM checkpoints ORDER BY number DESC LIMIT 1;

-- name: checkpoints
-- Checkpoints from a number on, in their order.
SELECT number, taken_at, cases, events, moved, digest, mac FROM checkpoints WHERE number > $1 ORDER BY number LIMIT $2;

-- name: newest_checkpoints
-- Checkpoints below a number, the newest first.
SELECT number, taken_at, cases, events, moved, digest FROM checkpoints WHERE number < $1 ORDER BY number DESC LIMIT $2;

-- name: keep_heads
-- The heads that moved since the last checkpoint; how many there are, how many of them are new cases, and how many events were added.
WITH moved AS (
    INSERT INTO checkpoint_heads (case_id, number, seq, head)
    SELECT c.id, $1, c.seq, c.head FROM cases c LEFT JOIN LATERAL (
        SELECT seq FROM checkpoint_heads h WHERE h.case_id = c.id ORDER BY number DESC LIMIT 1) AS before ON true
    WHERE c.seq > coalesce(before.seq, 0)
    RETURNING case_id, seq
)
SELECT count(*) AS moved, count(*) FILTER (WHERE b.seq IS NULL) AS opened, coalesce(sum(m.seq - coalesce(b.seq, 0)), 0)::bigint AS added
FROM moved m LEFT JOIN LATERAL (
    SELECT seq FROM checkpoint_heads h WHERE h.case_id = m.case_id AND h.number < $1 ORDER BY number DESC LIMIT 1) AS b ON true;

-- name: heads_of
-- The heads that a checkpoint took, by case.
SELECT case_id, seq, head FROM checkpoint_heads WHERE number = $1 ORDER BY case_id;

-- name: keep_checkpoint
-- The checkpoint itself, signed.
INSERT INTO checkpoints (number, taken_at, cases, events, moved, digest, mac) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: count_cases
-- How many cases there are, for the progress bar.
SELECT count(*) FROM cases WHERE $1::text IS NULL OR case_no = $1;

-- name: cases_after
-- The next cases by id, with the head that their newest checkpoint took.
SELECT c.id, c.case_no, c.opened_month, c.seq, c.head, h.seq AS signed_seq, h.head AS signed_head, h.number FROM cases c LEFT JOIN LATERAL (
    SELECT seq, head, number FROM checkpoint_heads h WHERE h.case_id = c.id ORDER BY number DESC LIMIT 1) AS h ON true
WHERE c.id > $1 AND ($2::text IS NULL OR c.case_no = $2) ORDER BY c.id LIMIT $3;

-- name: events_of
-- The events of these cases in their order.
SELECT e.case_id, e.seq, e.at, e.type, e.actor, e.body, e.mac
FROM unnest($1::bigint[], $2::date[]) AS c(id, opened_month) JOIN case_events e ON e.opened_month = c.opened_month AND e.case_id = c.id
ORDER BY e.case_id, e.seq;

-- name: cases_gone
-- Cases that a checkpoint knows and nobody else.
SELECT DISTINCT h.case_id FROM checkpoint_heads h LEFT JOIN cases c ON c.id = h.case_id WHERE c.id IS NULL ORDER BY h.case_id LIMIT 1000;

-- name: access
-- Looks at personal data before the cursor ($1, $2), newest first; by whom, of which kind, and since when.
SELECT id, recorded_at, actor, action, subject, purpose FROM access_log
WHERE (recorded_at, id) < ($1, $2) AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4)
    AND ($5::timestamptz IS NULL OR recorded_at >= $5)
ORDER BY recorded_at DESC, id DESC LIMIT $6;

-- name: whole_cases
-- The next cases by id, with all that events tell of them, and whether their words were erased.
SELECT c.*, NOT EXISTS (SELECT FROM case_keys k WHERE k.case_id = c.id) AS redacted FROM cases c
WHERE c.id > $1 AND ($2::text IS NULL OR c.case_no = $2) ORDER BY c.id LIMIT $3;

-- name: bodies_of
-- The events of these cases in their order, bytes alone.
SELECT e.case_id, e.body FROM unnest($1::bigint[], $2::date[]) AS c(id, opened_month)
    JOIN case_events e ON e.opened_month = c.opened_month AND e.case_id = c.id ORDER BY e.case_id, e.seq;

-- name: tasks_of
-- Every task of these cases.
SELECT * FROM assignments WHERE case_id = ANY ($1::bigint[]) ORDER BY case_id, id;

-- name: clocks_of
-- Every clock of these cases.
SELECT * FROM deadlines WHERE case_id = ANY ($1::bigint[]) ORDER BY case_id, id;
