-- name: of_case
-- Everything that was tried and said in follow-ups of a case, in order.
SELECT nth, round, medium, by, at, receipt_no, reached, counted, next_at, valid, contacted, solved, satisfied FROM followups
WHERE case_id = $1 ORDER BY nth;

-- name: add
-- One try, or one result.
INSERT INTO followups (case_id, nth, round, medium, by, at, receipt_no, reached, counted, next_at, valid, contacted, solved, satisfied)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: belongs
-- Whether a receipt is one of the case's.
SELECT EXISTS (SELECT FROM reports WHERE case_id = $1 AND receipt_no = $2);
