-- name: article_exists
-- Whether an article of the knowledge base has this version.
SELECT EXISTS (SELECT FROM articles WHERE id = $1 AND version = $2);

-- name: cite
-- What a case was answered with, by version.
INSERT INTO citations (case_id, event_seq, article, version) VALUES ($1, $2, $3, $4);

-- name: withdraw_person
-- The person of a receipt takes their report back; nothing where they left no name.
UPDATE case_people SET withdrawn_at = $3 WHERE case_id = $1 AND caller_id = (SELECT caller_id FROM reports WHERE receipt_no = $2 AND case_id = $1)
    AND withdrawn_at IS NULL;

-- name: receipt_of_case
-- Whether a receipt belongs to a case.
SELECT EXISTS (SELECT FROM reports WHERE case_id = $1 AND receipt_no = $2);

-- name: remaining
-- Reports of a case whose sender has not taken them back, but for the one named; those of nobody in particular remain.
SELECT count(*) FROM reports r LEFT JOIN case_people p ON p.case_id = r.case_id AND p.caller_id = r.caller_id
WHERE r.case_id = $1 AND r.receipt_no <> $2 AND (r.caller_id IS NULL OR p.withdrawn_at IS NULL);

-- name: destroy_key
-- Erases every word of a case.
DELETE FROM case_keys WHERE case_id = $1;

-- name: destroy_signature
-- Erases what search and matching keep of the words of a case.
DELETE FROM case_signatures WHERE case_id = $1;
