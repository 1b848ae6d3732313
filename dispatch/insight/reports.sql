-- name: by_key
-- A report by its sender's key.
SELECT channel, receipt_no, answer, case_id, recorded_at FROM report_keys WHERE channel = $1 AND external_id = $2;

-- name: by_receipt
-- A report by its receipt.
SELECT channel, receipt_no, answer, case_id, recorded_at FROM report_keys WHERE receipt_no = $1;

-- name: state_of
-- Where a report's case stands, and until when it is to be answered.
SELECT c.case_no, c.state, d.due_at AS expected_by FROM cases c
LEFT JOIN LATERAL (SELECT max(due_at) AS due_at FROM deadlines WHERE case_id = c.id AND clock IN ('close', 'rectify') AND stopped_at IS NULL)
    AS d ON true WHERE c.id = $1;
