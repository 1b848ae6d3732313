-- name: of_case
-- Visits to the place of a case, the oldest first, and whether a supervisor did without one before closing.
SELECT k.id, k.kind, k.round, s.reused, k.account, k.asked_by, k.asked_at, k.due_at, k.result, k.evidence, k.done_by, k.done_at,
    w.reason AS waived, w.waived_by
FROM site_check_cases s JOIN site_checks k ON k.id = s.check_id
    LEFT JOIN check_waivers w ON w.case_id = s.case_id AND w.round = k.round AND k.kind = 'verify_done'
WHERE s.case_id = $1 ORDER BY k.id;
