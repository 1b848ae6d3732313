-- name: hold
-- True for the one relay that may work until the end of this transaction.
SELECT pg_try_advisory_xact_lock(hashtext('dispatch.live.relay'));

-- name: number!
-- Gives every committed message without a position the next one; a statement of its own, so that it sees what the lock protects.
WITH waiting AS (
    SELECT id, row_number() OVER (ORDER BY id) AS nth FROM outbox WHERE position IS NULL
), numbered AS (
    UPDATE outbox o SET position = p."offset" + w.nth FROM waiting w, live_position p WHERE o.id = w.id RETURNING 1
), counted AS (
    SELECT count(*) AS made FROM numbered
)
UPDATE live_position SET "offset" = "offset" + made FROM counted WHERE made > 0;

-- name: standing
-- The position given last, and the first one that has not left the outbox.
SELECT epoch, "offset", (SELECT min(position) FROM outbox) AS first FROM live_position;

-- name: numbered
-- The next $1 messages on their way, in order.
SELECT id, position, message FROM outbox WHERE position IS NOT NULL ORDER BY position LIMIT $1;

-- name: sent!
-- Messages that stand on the stream need the outbox no more.
DELETE FROM outbox WHERE id = ANY($1::bigint[]);

-- name: new_epoch
-- History is lost: numbered messages are dropped and counting starts again; clients are told to load a snapshot.
WITH dropped AS (
    DELETE FROM outbox WHERE position IS NOT NULL
)
UPDATE live_position SET epoch = replace(gen_random_uuid()::text, '-', ''), "offset" = 0 RETURNING epoch;

-- name: position
-- The position given last.
SELECT epoch, "offset" FROM live_position;
