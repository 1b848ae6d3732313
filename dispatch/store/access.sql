-- name: log_access
-- Who read whose personal data, and why.
INSERT INTO access_log (recorded_at, actor, action, subject, purpose) VALUES ($1, $2, $3, $4, $5);
