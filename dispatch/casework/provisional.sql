-- name: provisional_deadlines
-- Live clocks of cases behind case $1 that count time of a year without notice, of at most $2 cases.
SELECT c.case_no, d.case_id, d.clock, d.unit, d.started_at, d.due_at, d.limit_text, d.mode, d.adjustments, d.provisional
FROM deadlines d JOIN cases c ON c.id = d.case_id
WHERE d.case_id IN (SELECT DISTINCT p.case_id FROM deadlines p
    WHERE p.stopped_at IS NULL AND (p.plan_provisional OR (p.provisional AND p.status = 'running')) AND p.case_id > $1
    ORDER BY p.case_id LIMIT $2)
    AND d.stopped_at IS NULL AND (d.plan_provisional OR (d.provisional AND d.status = 'running'))
ORDER BY d.case_id, d.due_at, d.id;

-- name: how_many_provisional
-- Cases with such a clock.
SELECT count(DISTINCT case_id) FROM deadlines WHERE stopped_at IS NULL AND (plan_provisional OR (provisional AND status = 'running'));
