-- name: cases
-- Cases opened from $1 on and before $2, in that order after ($3, $4): who led last, and whether a person, or who reported, said what kind
-- it is.
SELECT c.id, c.case_no, c.opened_at, c.closed_at, c.category, c.category_table, c.kin, c.kind, c.channel, c.urgency, c.area, c.lon, c.lat,
    (SELECT a.unit FROM assignments a WHERE a.case_id = c.id AND a.role = 'lead' AND a.state IN ('replied', 'done')
        ORDER BY a.id DESC LIMIT 1) AS unit,
    EXISTS (SELECT FROM reports r WHERE r.case_id = c.id AND r.explanation->'classify'->>'by' = 'given')
        OR EXISTS (SELECT FROM case_events e WHERE e.case_id = c.id AND e.type = 'classified') AS told
FROM cases c
WHERE (c.opened_at, c.id) > ($3, $4) AND c.opened_at >= $1 AND c.opened_at < $2 AND NOT c.restricted ORDER BY c.opened_at, c.id LIMIT 500;

-- name: words
-- What was reported in these cases, sealed under their keys; nothing that was said in confidence.
SELECT t.id, t.case_id, r.receipt_no, t.nonce, t.sealed FROM reports r JOIN texts t ON t.case_id = r.case_id AND t.report_id = r.id
WHERE r.case_id = ANY ($1::bigint[]) AND t.kind = 'report' AND NOT r.confidential ORDER BY t.case_id, t.id;

-- name: judged
-- What people said of two reports ($1 on, before $2): a suggestion turned down, reports put together, reports taken apart. What was said last
-- of the two counts; of several that were moved at once the first stands for all.
WITH said AS (
    SELECT a.receipt_no AS one, b.receipt_no AS other, 'different' AS verdict, l.decided_at AS at FROM case_links l
        CROSS JOIN LATERAL (SELECT receipt_no FROM reports WHERE case_id = l.case_id AND NOT confidential ORDER BY id LIMIT 1) AS a
        CROSS JOIN LATERAL (SELECT receipt_no FROM reports WHERE case_id = l.other_id AND NOT confidential ORDER BY id LIMIT 1) AS b
    WHERE l.decision = 'different'
    UNION ALL
    SELECT m.receipts[1], b.receipt_no, CASE m.kind WHEN 'detach' THEN 'different' ELSE 'same' END, m.moved_at FROM report_moves m
        CROSS JOIN LATERAL (SELECT receipt_no FROM reports
            WHERE case_id = CASE m.kind WHEN 'detach' THEN m.from_case ELSE m.to_case END AND receipt_no <> ALL (m.receipts)
                AND NOT confidential ORDER BY id LIMIT 1) AS b
    WHERE m.undone_at IS NULL
)
SELECT DISTINCT ON (least(one, other), greatest(one, other)) one, other, verdict FROM said WHERE at >= $1 AND at < $2
ORDER BY least(one, other), greatest(one, other), at DESC;

-- name: put_together
-- Cases that people put together: the later one, and the one before it.
SELECT later.case_no AS later, earlier.case_no AS earlier FROM report_moves m
    JOIN cases a ON a.id = m.from_case JOIN cases b ON b.id = m.to_case
    JOIN cases later ON later.id = CASE WHEN (a.opened_at, a.id) > (b.opened_at, b.id) THEN a.id ELSE b.id END
    JOIN cases earlier ON earlier.id = CASE WHEN later.id = a.id THEN b.id ELSE a.id END
WHERE m.kind = 'merge' AND m.undone_at IS NULL AND NOT a.restricted AND NOT b.restricted
    AND a.opened_at >= $1 AND a.opened_at < $2 AND b.opened_at >= $1 AND b.opened_at < $2
ORDER BY later.id, earlier.id;
