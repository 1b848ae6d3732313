-- name: thread
-- Sealed words of a case of the kinds $4 after the cursor ($2, $3), in the order in which they were said.
SELECT id, kind, author, written_at, nonce, sealed FROM texts
WHERE case_id = $1 AND (written_at, id) > ($2, $3) AND kind = ANY ($4::text[]) ORDER BY written_at, id LIMIT $5;

-- name: additions
-- What the citizens of a case added, and when.
SELECT at, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND type = 'supplemented' ORDER BY seq;
