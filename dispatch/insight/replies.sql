-- name: of_case
-- Every reply of a case, in the order in which they were written; what waited when its task ended has lapsed.
SELECT r.assignment_id AS assignment, r.unit, r.role, r.round, r.nth, r.finding, r.outcome, r.reason_code, r.text_id AS text, r.written_by,
    r.written_at, r.ended_at, CASE WHEN r.status = 'waiting' AND a.state <> 'handling' THEN 'lapsed' ELSE r.status END AS status,
    (SELECT coalesce(json_agg(json_build_object('unit', s.unit, 'role', s.role, 'signed_by', s.signed_by, 'signed_at', s.signed_at,
        'approved', s.approved, 'text', s.text_id) ORDER BY s.step), '[]')
     FROM reply_steps s WHERE s.assignment_id = r.assignment_id AND s.nth = r.nth)::text AS steps
FROM replies r JOIN assignments a ON a.id = r.assignment_id WHERE r.case_id = $1 ORDER BY r.written_at, r.assignment_id, r.nth;

-- name: at_hand
-- Of these cases the drafts that wait, with the unit and role of the next signature, and the reply of the lead that is being reviewed.
SELECT r.case_id, CASE r.status WHEN 'waiting' THEN r.assignment_id END AS assignment, r.finding, r.outcome, r.reason_code, s.unit, s.role
FROM replies r JOIN cases c ON c.id = r.case_id LEFT JOIN LATERAL (
    SELECT unit, role FROM reply_steps s WHERE s.assignment_id = r.assignment_id AND s.nth = r.nth AND s.signed_by IS NULL ORDER BY step LIMIT 1) AS s
    ON r.status = 'waiting'
WHERE r.case_id = ANY ($1::bigint[])
    AND (r.status = 'waiting' OR (r.status = 'confirmed' AND c.state = 'review' AND r.assignment_id = c.lead_assignment_id))
ORDER BY r.case_id, r.nth;
