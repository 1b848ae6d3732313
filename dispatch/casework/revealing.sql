-- name: callers
-- The callers of a case who have not taken their report back and left a name or a number, the first report first; those of one receipt where $2 names it.
SELECT r.receipt_no, r.confidential, p.person, p.key_id, p.nonce, p.sealed
FROM reports r JOIN callers p ON p.id = r.caller_id LEFT JOIN case_people cp ON cp.case_id = r.case_id AND cp.caller_id = r.caller_id
WHERE r.case_id = $1 AND ($2::text IS NULL OR r.receipt_no = $2) AND cp.withdrawn_at IS NULL
ORDER BY r.id LIMIT 500;

-- name: looks
-- How often somebody ($1) looked at a number within the hour up to $2.
SELECT count(*) FROM access_log
WHERE actor = $1 AND action = 'caller.reveal' AND recorded_at > $2::timestamptz - interval '1 hour' AND recorded_at <= $2;
