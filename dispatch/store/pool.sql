-- name: take_ids
-- $2 ids of the sequence $1.
SELECT nextval($1::regclass) AS id FROM generate_series(1, $2::integer);

-- name: may_bend_the_record
-- Whether this role could change or delete events, which are append-only for the service; false before the first migration.
SELECT coalesce(has_table_privilege(to_regclass('case_events'), 'UPDATE, DELETE, TRUNCATE'), false);
