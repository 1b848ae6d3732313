-- name: case_id
-- The case behind a number people read out.
SELECT id FROM cases WHERE case_no = $1;

-- name: one_at_a_time
-- Twins of one request go one after the other; taken before any case, in a statement of its own.
SELECT pg_advisory_xact_lock(hashtextextended($1::text || chr(1) || $2::text, 1179538));

-- name: first_answer
-- What this actor was told the first time.
SELECT fingerprint, status, answer FROM action_keys WHERE actor = $1 AND key = $2;

-- name: keep_answer
-- Remembers the answer for a retry.
INSERT INTO action_keys (actor, key, fingerprint, status, answer, recorded_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: forget_answers
-- Answers older than the time in which a retry can come.
DELETE FROM action_keys WHERE recorded_at < $1;

-- name: about_case
-- Whether any of the case's people left a number, and the last round of each of its clocks as JSON.
SELECT EXISTS (SELECT FROM case_people cp JOIN callers p ON p.id = cp.caller_id WHERE cp.case_id = $1 AND p.phone IS NOT NULL) AS reachable,
    (SELECT coalesce(jsonb_object_agg(clock, round), '{}') FROM (
        SELECT clock, max(round) AS round FROM deadlines WHERE case_id = $1 GROUP BY clock) AS d)::text AS rounds;

-- name: pull
-- The next $2 tasks of these units in priority order, held; what somebody else is taking is passed over. The task is held with
-- its case: one that was signed between the search and the lock is judged as it is now.
SELECT a.case_id, a.id FROM assignments a JOIN cases c ON c.id = a.case_id
WHERE a.unit = ANY ($1::text[]) AND a.state = 'to_sign' AND c.state <> 'suspended' AND (NOT c.restricted OR $3 OR (a.role = 'lead' AND a.unit = $5))
    AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($4::text[]))
ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT $2 FOR UPDATE OF c, a SKIP LOCKED;

-- name: case_of_receipt
-- The case a report belongs to now.
SELECT case_id FROM report_keys WHERE receipt_no = $1;

-- name: case_of_key
-- The case that a sender's key led to.
SELECT case_id FROM report_keys WHERE channel = $1 AND external_id = $2;

-- name: account_is_there
-- Whether somebody has this account and has not left.
SELECT EXISTS (SELECT FROM accounts WHERE username = $1 AND retired_at IS NULL);
