-- name: next_id
-- The id that a file's content is sealed with, before there is a row.
SELECT nextval('file_ids');

-- name: same
-- The same bytes in a held case.
SELECT id, kind, type, bytes, sha256, round, taken_at, placed_by, distance_m FROM files WHERE case_id = $1 AND sha256 = $2;

-- name: how_many
-- How many files a held case has.
SELECT count(*) FROM files WHERE case_id = $1;

-- name: visit
-- The visit that this collector, or nobody in particular, is still to make for the case.
SELECT k.id, k.kind FROM site_checks k JOIN site_check_cases s ON s.check_id = k.id
WHERE s.case_id = $1 AND k.result IS NULL AND (k.account = $2 OR k.account IS NULL) ORDER BY k.account NULLS LAST, k.id DESC LIMIT 1;

-- name: insert
-- A file whose content is in the storage.
INSERT INTO files (id, case_id, assignment_id, check_id, round, kind, type, bytes, sha256, storage_key, nonce, taken_at, placed_by,
    place_nonce, place_sealed, distance_m, uploaded_by, uploaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
RETURNING id, kind, type, bytes, sha256, round, taken_at, placed_by, distance_m;

-- name: without_row
-- Which of these keys of the storage no file has.
SELECT key FROM unnest($1::text[]) AS key WHERE NOT EXISTS (SELECT FROM files f WHERE f.storage_key = key);
