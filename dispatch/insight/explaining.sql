-- name: decisions
-- What was decided of a case, in order.
SELECT at, type, actor, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND type = ANY ($3::text[]) ORDER BY seq;
