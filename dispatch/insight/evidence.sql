-- name: files
-- Files of a case, the oldest first.
SELECT id, kind, type, bytes, sha256, round, assignment_id AS assignment, check_id AS check, taken_at, placed_by, place_nonce, place_sealed,
    distance_m, uploaded_by, uploaded_at
FROM files WHERE case_id = $1 ORDER BY id;

-- name: file
-- One of them, and where its content is.
SELECT type, storage_key, nonce FROM files WHERE case_id = $1 AND id = $2;
