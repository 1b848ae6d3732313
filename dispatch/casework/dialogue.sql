-- name: receipt_of_case
-- Whether a receipt belongs to a case.
SELECT EXISTS (SELECT FROM reports WHERE case_id = $1 AND receipt_no = $2);

-- name: asked_and_added
-- What the citizens of a case were told or asked, and what they added, in order.
SELECT type, body FROM case_events WHERE opened_month = $1 AND case_id = $2 AND type IN ('told', 'supplemented') ORDER BY seq;
