-- name: pairs
-- Rulings of a period by category, unit it was taken from and unit it went to, with the time from dispute to ruling in seconds.
SELECT p.category, f.unit AS from_unit, p.to_unit, count(*) AS count,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.ruled_at - p.disputed_at))::float8 AS median_seconds,
    max(extract(epoch FROM p.ruled_at - p.disputed_at))::float8 AS max_seconds
FROM duty_proposals p CROSS JOIN LATERAL unnest(CASE WHEN p.from_units = '{}' THEN ARRAY[NULL::text] ELSE p.from_units END) AS f(unit)
WHERE p.ruled_at >= $1 AND p.ruled_at < $2
GROUP BY p.category, f.unit, p.to_unit ORDER BY count(*) DESC, p.category, f.unit, p.to_unit LIMIT 500;

-- name: open_disputes
-- Cases that wait for a ruling now.
SELECT count(DISTINCT d.case_id) FROM deadlines d JOIN cases c ON c.id = d.case_id AND c.is_open WHERE d.clock = 'ruling' AND d.stopped_at IS NULL;

-- name: proposals
-- What rulings propose, newest first behind ($2, $3), of one status or of all.
SELECT p.id, c.case_no, p.category, p.area, p.from_units, p.to_unit, p.disputed_at, p.ruled_by, p.ruled_at, p.status, p.decided_by, p.decided_at
FROM duty_proposals p JOIN cases c ON c.id = p.case_id AND NOT c.restricted
WHERE ($1::text IS NULL OR p.status = $1) AND (p.ruled_at, p.id) < ($2, $3) ORDER BY p.ruled_at DESC, p.id DESC LIMIT $4;

-- name: proposal
-- One of them.
SELECT p.id, c.case_no, p.category, p.area, p.from_units, p.to_unit, p.disputed_at, p.ruled_by, p.ruled_at, p.status, p.decided_by, p.decided_at
FROM duty_proposals p JOIN cases c ON c.id = p.case_id AND NOT c.restricted WHERE p.id = $1;

-- name: decide
-- The first decision stands.
UPDATE duty_proposals SET status = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND status = 'open';
