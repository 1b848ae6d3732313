-- name: waiting
-- Requests that wait for a decision after the cursor ($1, $2, $3), the most urgent deadline first, in scope ($4 units, $5 areas; null: all).
SELECT c.id, c.case_no, c.version, c.category, c.urgency, c.next_due_at, r.round, r.kind AS request, r.unit, r.until, r.limit_text AS "limit",
    r.reason_code, r.asked_by, r.asked_at, CASE WHEN r.with_head AND r.head_approved IS NULL THEN 'unit_head' ELSE 'dispatch' END AS step,
    d.due_at, d.status
FROM deadlines d JOIN requests r ON r.case_id = d.case_id AND coalesce(r.desk_round, r.round) = d.round JOIN cases c ON c.id = d.case_id
    LEFT JOIN assignments a ON a.id = c.lead_assignment_id
WHERE d.clock = 'approval' AND d.stopped_at IS NULL AND r.approved IS NULL AND (d.due_at, c.id, r.round) > ($1, $2, $3)
    AND ($4::text[] IS NULL OR c.owner_unit = ANY ($4) OR c.area = ANY ($5::text[]) OR r.unit = ANY ($4))
    AND (NOT c.restricted OR $6) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($7::text[]))
ORDER BY d.due_at, c.id, r.round LIMIT $8;

-- name: of_case
-- Every request of a case, in the order in which they came, and whether it waits, was decided or lapsed.
SELECT r.kind AS request, r.unit, r.until, r.limit_text AS "limit", r.reason_code, r.asked_by, r.asked_at, r.head_approved, r.head_by, r.head_at,
    r.decided_by, r.decided_at,
    CASE WHEN r.approved THEN 'approved' WHEN NOT r.approved THEN 'refused' WHEN d.stopped_at IS NULL THEN 'waiting' ELSE 'lapsed' END AS status
FROM requests r JOIN deadlines d ON d.case_id = r.case_id AND d.clock = 'approval' AND d.round = coalesce(r.desk_round, r.round)
WHERE r.case_id = $1 ORDER BY r.round;
