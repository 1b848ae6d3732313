-- name: lock
-- One change of what serves at a time.
SELECT pg_advisory_xact_lock(hashtext('dispatch.models'));

-- name: in_service
-- The model of a kind that serves.
SELECT m.version, m.figures::text AS figures, m.seen, m.body FROM model_services s JOIN models m ON m.id = s.model_id
WHERE s.kind = $1 AND s.until IS NULL;

-- name: put
-- A new model; one that stands already stays as it is.
INSERT INTO models (kind, version, data_hash, rows, seen, figures, body, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9)
ON CONFLICT (kind, version) DO NOTHING;

-- name: find
-- A model by its version, or by how that begins.
SELECT id, version FROM models WHERE kind = $1 AND starts_with(version, $2) ORDER BY version LIMIT 2;

-- name: end_service
-- What serves serves no more.
UPDATE model_services SET until = greatest($2, since), ended_by = $3 WHERE kind = $1 AND until IS NULL;

-- name: begin_service
-- A model serves from now on.
INSERT INTO model_services (model_id, kind, since, put_by) VALUES ($1, $2, $3, $4);

-- name: listed
-- All models, the newest first, with when they served.
SELECT m.kind, m.version, m.rows, encode(m.data_hash, 'hex') AS data_hash, m.figures::text AS figures, m.made_at, m.made_by,
    octet_length(m.body) AS bytes, max(s.since) AS since, bool_or(s.id IS NOT NULL AND s.until IS NULL) AS serves
FROM models m LEFT JOIN model_services s ON s.model_id = m.id GROUP BY m.id ORDER BY m.kind, m.made_at DESC, m.id DESC LIMIT 200;
