-- name: by_key
-- A report by its sender's key.
SELECT channel, receipt_no, answer, case_id, recorded_at FROM report_keys WHERE channel = $1 AND external_id = $2;

-- name: by_receipt
-- A report by its receipt.
SELECT channel, receipt_no, answer, case_id, recorded_at FROM report_keys WHERE receipt_no = $1;

-- name: state_of
-- Where a report's case stands, and until when it is to be answered.
SELECT c.case_no, c.state, d.due_at AS expected_by FROM cases c
LEFT JOIN deadlines d ON d.case_id = c.id AND d.clock = 'close' AND d.round = c.round AND d.stopped_at IS NULL WHERE c.id = $1;

-- name: told
-- Sealed words told to people of a case from $2 on.
SELECT id, written_at, nonce, sealed FROM texts WHERE case_id = $1 AND kind = 'told' AND written_at >= $2 ORDER BY id LIMIT 50;
