-- name: due_first
-- Of each of these cases the live clock that is due first, and the time it is; those of orders and appeals say nothing about the matter.
SELECT DISTINCT ON (case_id) case_id, clock, unit, started_at, due_at, limit_text, adjustments, stopped_at, clock_timestamp() AS told
FROM deadlines WHERE case_id = ANY ((SELECT $1::bigint[])::bigint[]) AND stopped_at IS NULL AND clock <> ALL ('{order,unread,appeal}')
ORDER BY case_id, due_at, id;
