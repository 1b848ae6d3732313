-- name: issue
-- An order.
INSERT INTO orders (case_id, kind, colour, unit, issued_by, issued_unit, issued_at, post, deadline_id, level, said, needs_reply, round, unread_round)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id;

-- name: of_case
-- Orders about a held case, in the order in which they were issued.
SELECT * FROM orders WHERE case_id = $1 ORDER BY id;

-- name: one_order
-- One order.
SELECT * FROM orders WHERE id = $1;

-- name: as_grave
-- An order to a unit about a case that is not done and has one of these colours.
SELECT id FROM orders WHERE case_id = $1 AND unit = $2 AND state <> 'done' AND colour = ANY ($3::text[]) ORDER BY id LIMIT 1;

-- name: colour
-- An order gets graver.
UPDATE orders SET colour = $2 WHERE id = $1;

-- name: go_on
-- The next move is somebody else's, with the clock of round $3.
UPDATE orders SET state = $2, round = $3 WHERE id = $1;

-- name: done
-- Nothing more is asked.
UPDATE orders SET state = 'done', ended_at = $2 WHERE id = $1;

-- name: answer
-- What the unit answered in this round.
INSERT INTO order_answers (order_id, round, unit, answered_by, answered_at, said)
SELECT $1, 1 + count(*), $2, $3, $4, $5 FROM order_answers WHERE order_id = $1 RETURNING round;

-- name: last_answer
-- The answer that waits for a decision.
SELECT round, unit, answered_by FROM order_answers WHERE order_id = $1 AND approved IS NULL;

-- name: decide
-- What was decided on an answer.
UPDATE order_answers SET approved = $3, decided_by = $4, decided_unit = $5, decided_at = $6, reason = $7 WHERE order_id = $1 AND round = $2;

-- name: read
-- Somebody opened an order; nothing if they had before.
INSERT INTO order_reads (order_id, account, read_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true;

-- name: read_at
-- When somebody opened an order.
SELECT read_at FROM order_reads WHERE order_id = $1 AND account = $2;

-- name: was_told
-- Whether somebody was told of an order by name: a stand-in may be of another unit.
SELECT EXISTS (SELECT FROM notices WHERE case_id = $1 AND recipient = 'account:' || $2::text AND topic = 'ordered' AND body->>'order' = $3::bigint::text);

-- name: open_notice
-- The notices of an order to somebody and to their unit are read with it.
UPDATE notices SET read_at = $5, read_by = $3 WHERE case_id = $1 AND topic = 'ordered' AND body->>'order' = $2::bigint::text AND medium = 'inbox'
    AND recipient IN ('account:' || $3::text, 'unit:' || $4::text) AND read_at IS NULL;

-- name: follow
-- Orders to units that are gone ($2) about these cases are their successors' ($3).
UPDATE orders SET unit = m.successor FROM unnest($2::text[], $3::text[]) AS m (unit, successor)
WHERE orders.case_id = ANY ($1::bigint[]) AND orders.unit = m.unit AND orders.state <> 'done';
