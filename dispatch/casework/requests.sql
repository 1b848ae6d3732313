-- name: waiting
-- Requests of a held case that wait for a decision: the clock of the step that is due runs or climbs.
SELECT r.round, r.kind, r.unit, r.until, r.limit_text, r.reason_code, r.asked_by, r.asked_at, r.with_head, r.head_approved, r.head_by, r.desk_round
FROM requests r
    JOIN deadlines d ON d.case_id = r.case_id AND d.clock = 'approval' AND d.round = coalesce(r.desk_round, r.round) AND d.stopped_at IS NULL
WHERE r.case_id = $1 AND r.approved IS NULL ORDER BY r.round;

-- name: ask
-- A request.
INSERT INTO requests (case_id, round, kind, unit, until, limit_text, asked_by, asked_at, reason_code, with_head)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: endorse
-- What the head of the unit decided; where that was yes, the round of the desk's clock.
UPDATE requests SET head_approved = $3, head_by = $4, head_at = $5, desk_round = $6 WHERE case_id = $1 AND round = $2;

-- name: decide
-- What was decided, by somebody else.
UPDATE requests SET approved = $3, decided_by = $4, decided_at = $5 WHERE case_id = $1 AND round = $2;
