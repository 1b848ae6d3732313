-- name: due_first
-- Of each of these cases the live clock that is due first.
SELECT DISTINCT ON (case_id) case_id, clock, unit, started_at, due_at, limit_text, adjustments, stopped_at FROM deadlines
WHERE case_id = ANY ($1::bigint[]) AND stopped_at IS NULL ORDER BY case_id, due_at, id;
