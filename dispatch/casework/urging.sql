-- name: count
-- How often a case was urged.
SELECT count(*) FROM urges WHERE case_id = $1;

-- name: last_told
-- The last reminder that was sent about a case to a post of a unit.
SELECT nth, urged_at FROM urges WHERE case_id = $1 AND unit = $2 AND post = $3 AND merged_into IS NULL ORDER BY nth DESC LIMIT 1;

-- name: urge
-- One more reminder, or one that was only counted.
INSERT INTO urges (case_id, nth, unit, post, urged_by, urged_at, merged_into) VALUES ($1, $2, $3, $4, $5, $6, $7);
