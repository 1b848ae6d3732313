-- name: one_at_a_time
-- One makes digests at a time; whoever comes later finds nothing left.
SELECT pg_advisory_xact_lock(hashtextextended('dispatch.notices.digests', 1179540));

-- name: make
-- One notice for each recipient, medium and hour that is over at $1, and for every $2 cases of it, naming all that was held.
WITH waiting AS MATERIALIZED (
    SELECT n.id, n.recipient, n.medium, n.topic, c.case_no, date_trunc('hour', n.created_at) AS hour,
        (dense_rank() OVER (PARTITION BY n.recipient, n.medium, date_trunc('hour', n.created_at) ORDER BY c.case_no) - 1) / $2 AS part
    FROM notices n JOIN cases c ON c.id = n.case_id
    WHERE n.held AND n.digest IS NULL AND n.created_at < date_trunc('hour', $1::timestamptz)
), digests AS MATERIALIZED (
    SELECT recipient, medium, hour, part, 'digest:' || to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"Z"') || ':' || part + (
            SELECT count(*) FROM notices d WHERE d.recipient = w.recipient AND d.medium = w.medium
                AND d.subject LIKE 'digest:' || to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"Z"') || ':%') AS subject,
        count(*) AS notices, jsonb_agg(DISTINCT case_no) AS cases
    FROM waiting w GROUP BY recipient, medium, hour, part
), topics AS (
    SELECT recipient, medium, hour, part, jsonb_object_agg(topic, n) AS topics FROM (
        SELECT recipient, medium, hour, part, topic, count(*) AS n FROM waiting GROUP BY recipient, medium, hour, part, topic) AS t
    GROUP BY recipient, medium, hour, part
), made AS (
    INSERT INTO notices (subject, recipient, medium, topic, body, created_at, next_at)
    SELECT subject, recipient, medium, 'digest', jsonb_build_object('subject', subject, 'since', hour, 'until', hour + interval '1 hour',
            'notices', notices, 'topics', topics, 'cases', cases), $1, CASE medium WHEN 'webhook' THEN $1 END
    FROM digests JOIN topics USING (recipient, medium, hour, part) ORDER BY recipient, medium, subject
    RETURNING id, subject, recipient, medium
), named AS (
    UPDATE notices n SET digest = m.id FROM waiting w JOIN digests d USING (recipient, medium, hour, part)
        JOIN made m USING (subject, recipient, medium) WHERE n.id = w.id
), announced AS (
    INSERT INTO outbox (case_id, case_seq, message)
    SELECT NULL, NULL, convert_to(json_build_object('type', 'notice', 'subject', subject, 'recipient', recipient, 'topic', 'digest')::text, 'UTF8')
    FROM made WHERE medium = 'inbox'
)
SELECT count(*) FROM made;
