-- name: in_service
-- Which version of each of these kinds serves.
SELECT m.kind, m.version, m.id FROM model_services s JOIN models m ON m.id = s.model_id WHERE s.until IS NULL AND s.kind = ANY ($1::text[]);

-- name: body
-- A model as it is kept.
SELECT body FROM models WHERE id = $1;
