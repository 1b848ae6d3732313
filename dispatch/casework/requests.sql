-- name: waiting
-- Requests of a held case that wait for a decision: their clock runs or climbs.
SELECT r.round, r.kind, r.unit, r.until, r.limit_text, r.asked_by, r.asked_at FROM requests r
    JOIN deadlines d ON d.case_id = r.case_id AND d.clock = 'approval' AND d.round = r.round AND d.stopped_at IS NULL
WHERE r.case_id = $1 AND r.approved IS NULL ORDER BY r.round;

-- name: ask
-- A request.
INSERT INTO requests (case_id, round, kind, unit, until, limit_text, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: decide
-- What was decided, by somebody else.
UPDATE requests SET approved = $3, decided_by = $4, decided_at = $5 WHERE case_id = $1 AND round = $2;
