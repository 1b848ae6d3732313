-- name: take_ids
-- $2 ids of the sequence $1.
SELECT nextval($1::regclass) AS id FROM generate_series(1, $2::integer);
