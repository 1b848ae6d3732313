-- name: hold
-- True for the one relay that may work until the end of this transaction.
SELECT pg_try_advisory_xact_lock(hashtext('dispatch.live.relay'));

-- name: waiting
-- The first $1 messages on their way, in order of id; a statement of its own, so that it sees what the lock protects.
SELECT id, message FROM outbox ORDER BY id LIMIT $1;

-- name: how_many
-- How many messages are on their way.
SELECT count(*) FROM outbox;

-- name: sent!
-- Messages that stand on the stream need the outbox no more; $2 is the position given last. Their cases are to be counted again.
WITH gone AS (
    DELETE FROM outbox WHERE id = ANY($1::bigint[]) RETURNING case_id
), counted AS (
    INSERT INTO figures_due (case_id) SELECT DISTINCT case_id FROM gone WHERE case_id > 0
)
UPDATE live_position SET "offset" = $2;

-- name: sent_before
-- How many of these entries of the stream are messages that still stand in the outbox, word for word.
SELECT count(*) FROM outbox o JOIN unnest($1::bigint[], $2::bytea[]) AS u(id, message) USING (id) WHERE o.message = u.message;

-- name: new_epoch
-- History is lost: what waits is dropped and counting starts again; clients are told to load a snapshot. No figure is lost with it.
WITH dropped AS (
    DELETE FROM outbox RETURNING case_id
), counted AS (
    INSERT INTO figures_due (case_id) SELECT DISTINCT case_id FROM dropped WHERE case_id > 0
)
UPDATE live_position SET epoch = replace(gen_random_uuid()::text, '-', ''), "offset" = 0 RETURNING epoch;

-- name: position
-- The position given last.
SELECT epoch, "offset" FROM live_position;
