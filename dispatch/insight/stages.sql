-- name: record
-- The whole record of a case, in order.
SELECT at, body FROM case_events WHERE opened_month = $1 AND case_id = $2 ORDER BY seq;
