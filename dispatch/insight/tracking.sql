-- name: words
-- Sealed words of a case that are for its citizens, from $2 on.
SELECT id, kind, author, written_at, nonce, sealed FROM texts
WHERE case_id = $1 AND kind IN ('told', 'answer', 'progress', 'question', 'supplement') AND written_at >= $2 ORDER BY id LIMIT 200;

-- name: case
-- What the public view needs of a case.
SELECT id, opened_month, state, closed_at, restricted, about_unit, round FROM cases WHERE id = $1;

-- name: steps
-- Events of a case that a citizen is told of ($3), from $4 on.
SELECT seq, at, type, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND type = ANY ($3::text[]) AND at >= $4 ORDER BY seq LIMIT 200;

-- name: evaluations
-- What the holder of a receipt said about the result, the last first.
SELECT at, round, contacted, solved, satisfied FROM followups WHERE case_id = $1 AND receipt_no = $2 AND medium = 'track' ORDER BY nth DESC;
