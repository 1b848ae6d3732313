-- name: post!
-- Rows for every addressee: whoever is on duty in the unit (* over all) for one of the roles, else the unit's inbox; or
-- one account by its name (account:*); and webhooks.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
        $9::text[], $10::integer[]) WITH ORDINALITY AS g (case_id, event_seq, subject, topic, body, unit, roles, created_at, media, most, nth)
), asked AS MATERIALIZED (
    SELECT DISTINCT unit, roles, created_at FROM given
), people AS MATERIALIZED (
    SELECT unit, roles, created_at, 'account:' || d.account AS recipient FROM asked
        CROSS JOIN LATERAL on_duty(unit, ARRAY(SELECT jsonb_array_elements_text(roles::jsonb)), created_at) AS d (account)
), addressed AS (
    SELECT nth, CASE WHEN g.unit LIKE 'account:%' THEN g.unit ELSE coalesce(p.recipient, 'unit:' || g.unit) END AS recipient, 'inbox' AS medium
    FROM given g LEFT JOIN people p USING (unit, roles, created_at) WHERE g.media::jsonb ? 'inbox'
    UNION ALL
    SELECT nth, 'webhook:' || w.id, 'webhook' FROM given g
        LEFT JOIN cases c ON c.id = g.case_id
        JOIN webhooks w ON w.disabled_at IS NULL AND (w.units = '{}' OR g.unit = ANY(w.units))
        WHERE (g.case_id IS NULL OR NOT c.restricted) AND g.media::jsonb ? 'webhook'
), once AS MATERIALIZED (
    -- Of several posts about one event the first counts, also towards the most an hour.
    SELECT DISTINCT ON (case_id, event_seq, subject, recipient, medium) nth, recipient, medium, most, date_trunc('hour', created_at) AS hour
    FROM addressed JOIN given USING (nth) ORDER BY case_id, event_seq, subject, recipient, medium, nth
), before AS MATERIALIZED (
    SELECT recipient, medium, hour, (SELECT count(*) FROM notices n WHERE n.recipient = o.recipient AND n.medium = o.medium AND n.reminder
        AND n.created_at >= o.hour AND n.created_at < o.hour + interval '1 hour') AS reminders
    FROM (SELECT DISTINCT recipient, medium, hour FROM once WHERE most IS NOT NULL) AS o
), judged AS (
    SELECT nth, recipient, medium, most IS NOT NULL AS reminder, most IS NOT NULL AND b.reminders
        + row_number() OVER (PARTITION BY recipient, medium, hour, most IS NOT NULL ORDER BY nth) > most AS held
    FROM once LEFT JOIN before b USING (recipient, medium, hour)
), posted AS (
    INSERT INTO notices (case_id, event_seq, subject, recipient, medium, topic, body, created_at, next_at, reminder, held)
    SELECT case_id, event_seq, subject, recipient, medium, topic, body::jsonb, created_at,
        CASE WHEN medium = 'webhook' AND NOT held THEN created_at END, reminder, held
    FROM judged JOIN given USING (nth) ORDER BY nth, recipient
    ON CONFLICT DO NOTHING RETURNING case_id, event_seq, subject, recipient, medium, topic, held
), announced AS (
    -- An open inbox hears at once of what is not held: that there is something, and about which case or subject.
    INSERT INTO outbox (case_id, case_seq, message)
    SELECT p.case_id, p.event_seq, convert_to(json_strip_nulls(json_build_object('type', 'notice', 'case_no', c.case_no,
        'seq', p.event_seq, 'subject', p.subject, 'recipient', p.recipient, 'topic', p.topic))::text, 'UTF8')
    FROM posted p LEFT JOIN cases c ON c.id = p.case_id WHERE p.medium = 'inbox' AND NOT p.held
)
SELECT count(*) FROM posted;

-- name: unread
-- How many notices the inboxes $1 hold unread.
SELECT count(*) FROM notices WHERE recipient = ANY($1::text[]) AND medium = 'inbox' AND read_at IS NULL;

-- name: newest
-- At most $2 notices of the inboxes $1, newest first, from behind ($3, $4) on where these are given.
SELECT n.id, c.case_no, n.event_seq, n.recipient, n.topic, n.body::text AS body, n.created_at, n.read_at, n.subject
FROM notices n LEFT JOIN cases c ON c.id = n.case_id
WHERE n.recipient = ANY($1::text[]) AND n.medium = 'inbox'
    AND ($3::timestamptz IS NULL OR n.created_at < $3 OR (n.created_at = $3 AND n.id > $4::uuid))
ORDER BY n.created_at DESC, n.id LIMIT $2;

-- name: mark_read
-- Notices $2 of the inboxes $1 are read at $3 by $4; those read before keep their time and their reader.
WITH marked AS (
    UPDATE notices SET read_at = $3, read_by = $4 WHERE id IN (
        SELECT id FROM notices
        WHERE id = ANY($2::uuid[]) AND recipient = ANY($1::text[]) AND medium = 'inbox' AND read_at IS NULL
        ORDER BY id FOR UPDATE)
    RETURNING 1
)
SELECT count(*) FROM marked;

-- name: add_webhook!
-- A new webhook with its sealed secret; nothing where there is one of this name.
INSERT INTO webhooks (id, url, units, key_id, nonce, sealed) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: webhooks
-- Every webhook, without its secret.
SELECT id, url, units, disabled_at FROM webhooks ORDER BY id;

-- name: claim
-- At most $2 notices due at $1, leased until $3: who crashes meanwhile loses nothing, the next attempt begins then.
WITH due AS MATERIALIZED (
    SELECT id FROM notices WHERE medium = 'webhook' AND next_at <= $1 ORDER BY next_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notices n SET next_at = $3, attempts = attempts + 1 FROM due WHERE n.id = due.id RETURNING n.*
)
SELECT c.id, c.recipient, c.topic, c.body::text AS body, c.created_at, c.attempts, w.id AS webhook, w.url, w.key_id, w.nonce,
    w.sealed
FROM claimed c LEFT JOIN webhooks w ON 'webhook:' || w.id = c.recipient AND w.disabled_at IS NULL
ORDER BY c.created_at, c.id;

-- name: next_at
-- When the next attempt is due.
SELECT min(next_at) FROM notices WHERE next_at IS NOT NULL AND medium = 'webhook';

-- name: sent!
-- The receiver took the notice.
UPDATE notices SET sent_at = $2, next_at = NULL WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL;

-- name: retry!
-- The notice is tried again at $2.
UPDATE notices SET next_at = $2 WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL;

-- name: failed!
-- The notice is given up.
UPDATE notices SET failed_at = $2, next_at = NULL WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL;

-- name: hold_back!
-- Whatever else waits for the recipient $1 waits until $2 too, without counting as an attempt.
WITH waiting AS MATERIALIZED (
    SELECT id FROM notices WHERE recipient = $1 AND medium = 'webhook' AND next_at < $2 ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE notices n SET next_at = $2 FROM waiting WHERE n.id = waiting.id;

-- name: disable!
-- The receiver is gone for good: nothing more is sent to the webhook $1.
UPDATE webhooks SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL;

-- name: give_up!
-- Everything that waits for the recipient $1 is given up.
WITH waiting AS MATERIALIZED (
    SELECT id FROM notices WHERE recipient = $1 AND medium = 'webhook' AND next_at IS NOT NULL ORDER BY id FOR UPDATE
)
UPDATE notices n SET failed_at = $2, next_at = NULL FROM waiting WHERE n.id = waiting.id;
