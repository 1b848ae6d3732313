-- name: listed
-- Orders behind ($1, $2), newest first, in scope ($3 units, $4 areas; null: all), of unit $8 and colour $9, open ($10), unread ($11).
SELECT o.id, c.case_no, o.kind, o.colour, o.unit, o.issued_by, o.issued_at, o.post, l.clock, o.level, o.said, o.needs_reply, o.state, d.due_at,
    d.status, o.ended_at, order_receipts(o.id) AS reads, order_rounds(o.id) AS answers
FROM orders o JOIN cases c ON c.id = o.case_id LEFT JOIN deadlines l ON l.id = o.deadline_id
    LEFT JOIN deadlines d ON d.case_id = o.case_id AND d.clock = 'order' AND d.round = o.round
WHERE (o.issued_at, o.id) < ($1, $2) AND ($3::text[] IS NULL OR o.unit = ANY ($3) OR c.owner_unit = ANY ($3) OR c.area = ANY ($4::text[]))
    AND (NOT c.restricted OR $5 OR EXISTS (SELECT FROM assignments a WHERE a.id = c.lead_assignment_id AND a.unit = $7))
    AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($6::text[]))
    AND ($8::text IS NULL OR o.unit = $8) AND ($9::text IS NULL OR o.colour = $9) AND ($10::boolean IS NULL OR (o.state <> 'done') = $10)
    AND ($11::boolean IS NULL OR NOT EXISTS (SELECT FROM order_reads r WHERE r.order_id = o.id) = $11)
ORDER BY o.issued_at DESC, o.id DESC LIMIT $12;

-- name: of_case
-- Orders about a case.
SELECT o.id, o.kind, o.colour, o.unit, o.issued_by, o.issued_at, o.post, l.clock, o.level, o.said, o.needs_reply, o.state, d.due_at, d.status,
    o.ended_at, order_receipts(o.id) AS reads, order_rounds(o.id) AS answers
FROM orders o LEFT JOIN deadlines l ON l.id = o.deadline_id
    LEFT JOIN deadlines d ON d.case_id = o.case_id AND d.clock = 'order' AND d.round = o.round
WHERE o.case_id = $1 ORDER BY o.id LIMIT 200;

-- name: urges_of
-- Reminders about a case, in order.
SELECT nth, unit, post, urged_by, urged_at, merged_into FROM urges WHERE case_id = $1 ORDER BY nth LIMIT 200;

-- name: units_of
-- Units that got an order about a case.
SELECT DISTINCT unit FROM orders WHERE case_id = $1;
