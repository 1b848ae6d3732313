-- name: report
-- One report of a case.
SELECT * FROM reports WHERE case_id = $1 AND receipt_no = $2;

-- name: words_of
-- The words of one report, sealed under the key of its case.
SELECT id, nonce, sealed FROM texts WHERE case_id = $1 AND report_id = $2 AND kind = 'report';

-- name: keep_key
-- The key of a new case, wrapped.
INSERT INTO case_keys (case_id, key_id, nonce, wrapped) VALUES ($1, $2, $3, $4);

-- name: insert_signatures
-- What search and matching compare of the new case, and the runs by which it is found again.
INSERT INTO case_signatures (case_id, words, search, runs) VALUES ($1, $2, array_to_tsvector($3::text[]), $4);

-- name: link
-- The two belong together without being one: a person said so, no score did.
INSERT INTO case_links (case_id, other_id, verdict, score) VALUES ($1, $2, 'topic', 0);
