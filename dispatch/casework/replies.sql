-- name: next_nth
-- Which reply of a held task the next one is.
SELECT coalesce(max(nth), 0)::smallint + 1 FROM replies WHERE assignment_id = $1;

-- name: lapse
-- The reply of a task that waits, if there is one, gives way to another.
UPDATE replies SET status = 'lapsed', ended_at = $2 WHERE assignment_id = $1 AND status = 'waiting';

-- name: write
-- A reply, with the steps ($14 units, $15 roles, in order) by which it is signed.
WITH written AS (
    INSERT INTO replies (case_id, assignment_id, nth, round, role, unit, finding, outcome, reason_code, text_id, written_by, written_at, status, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE $13 WHEN 'confirmed' THEN $12::timestamptz END)
    RETURNING assignment_id, nth, written_by
)
INSERT INTO reply_steps (assignment_id, nth, step, unit, role, written_by)
SELECT w.assignment_id, w.nth, s.step, s.unit, s.role, w.written_by
FROM written w CROSS JOIN unnest($14::text[], $15::text[]) WITH ORDINALITY AS s (unit, role, step);

-- name: waiting
-- The reply of a held task that waits for signatures.
SELECT nth, finding, outcome, reason_code, text_id, written_by FROM replies WHERE assignment_id = $1 AND status = 'waiting';

-- name: steps
-- The steps of a reply, in order.
SELECT step, unit, role, signed_by FROM reply_steps WHERE assignment_id = $1 AND nth = $2 ORDER BY step;

-- name: is_there
-- Whether somebody ($4) is on duty for a post: also who stands in for one on leave.
SELECT EXISTS (SELECT FROM on_duty($1, ARRAY[$2::text], $3) AS d (account) WHERE d.account = $4);

-- name: sign
-- A signature, or its refusal.
UPDATE reply_steps SET signed_by = $4, signed_at = $5, approved = $6, text_id = $7
WHERE assignment_id = $1 AND nth = $2 AND step = $3 AND signed_by IS NULL;

-- name: end
-- What became of a reply that waited.
UPDATE replies SET status = $3, ended_at = $4 WHERE assignment_id = $1 AND nth = $2 AND status = 'waiting';

-- name: words
-- Sealed words of a reply.
SELECT id, nonce, sealed FROM texts WHERE id = $2 AND case_id = $1;
