-- name: newest
-- The version in force, and how often an emergency began or ended.
SELECT version, name, digest, valid_from, loaded_by, (SELECT count(*) + count(ended_at) FROM emergencies) AS changes FROM city_versions ORDER BY version DESC LIMIT 1;

-- name: archive
-- The files of one version.
SELECT archive FROM city_versions WHERE version = $1;

-- name: insert_version
-- A new version, dated.
INSERT INTO city_versions (version, name, digest, archive, valid_from, loaded_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: upsert_units
-- Units of the new version, superiors first.
INSERT INTO units (code, name, parent) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (code) DO UPDATE SET name = excluded.name, parent = excluded.parent, retired_at = NULL, successor = NULL;

-- name: retire_units
-- Units that the new version no longer has, with who takes over.
UPDATE units SET retired_at = $3, successor = u.successor FROM unnest($1::text[], $2::text[]) AS u(code, successor) WHERE units.code = u.code;

-- name: move_complaints
-- A complaint about a unit that is gone is one about its successor, in open and closed cases alike.
UPDATE cases SET about_unit = u.successor FROM units u WHERE u.code = ANY ($1::text[]) AND cases.about_unit = u.code;

-- name: cases_of_units
-- Open cases that a change of these units touches, and cases with a clock of theirs: of a closed one, an order.
SELECT c.id FROM cases c LEFT JOIN assignments a ON a.case_id = c.id AND a.state IN ('to_sign', 'handling', 'replied')
WHERE c.is_open AND (c.owner_unit = ANY ($1::text[]) OR a.unit = ANY ($1::text[]))
UNION SELECT d.case_id FROM deadlines d WHERE d.stopped_at IS NULL AND d.unit = ANY ($1::text[]) ORDER BY id;

-- name: cases_of_cells
-- Open cases in these cells.
SELECT id FROM cases WHERE is_open AND cell = ANY ($1::text[]) ORDER BY id;

-- name: lock_loading
-- One load at a time.
SELECT pg_advisory_xact_lock(hashtext('dispatch.city.load'));

-- name: versions
-- Every version, newest first.
SELECT version, name, encode(digest, 'hex') AS digest, valid_from, loaded_by FROM city_versions ORDER BY version DESC LIMIT 100;

-- name: announce
-- Tells connected screens.
INSERT INTO outbox (case_id, case_seq, message) VALUES (0, 0, $1);

-- name: emergencies
-- Emergencies in force, the oldest first.
SELECT id, categories, areas, urgency, limits::text AS limits FROM emergencies WHERE ended_at IS NULL ORDER BY id;
