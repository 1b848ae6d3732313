-- name: words
-- What was reported in a case, first report first, sealed under its key.
SELECT id, nonce, sealed FROM texts WHERE case_id = $1 AND kind = 'report' ORDER BY id LIMIT 8;
