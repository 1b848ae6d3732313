-- name: loads
-- What reached the inbox of each person of the units $1 (null: all) from $2 up to but not at $3, by day of the zone $4, behind ($5, $6).
-- Inboxes are looked into one by one, whatever is known of how many there are.
SELECT daily.day, a.username AS account, a.unit, daily.notices, daily.reminders, daily.held, daily.digests, daily.read, daily.matters,
    (SELECT count(DISTINCT t.case_id) FROM assignments t WHERE t.handler = a.username AND t.ended_at IS NULL) AS open_tasks
FROM accounts a CROSS JOIN LATERAL (
    SELECT (n.created_at AT TIME ZONE $4)::date AS day, count(*) FILTER (WHERE n.topic <> 'digest') AS notices,
        count(*) FILTER (WHERE n.reminder) AS reminders, count(*) FILTER (WHERE n.held) AS held, count(*) FILTER (WHERE n.topic = 'digest') AS digests,
        count(*) FILTER (WHERE n.read_at IS NOT NULL AND n.topic <> 'digest') AS read, count(DISTINCT coalesce(c.merged_into, c.id)) AS matters
    FROM notices n LEFT JOIN cases c ON c.id = n.case_id
    WHERE n.recipient = 'account:' || a.username AND n.medium = 'inbox' AND n.created_at >= $2 AND n.created_at < $3
    GROUP BY 1
) AS daily
WHERE ($1::text[] IS NULL OR a.unit = ANY ($1)) AND (daily.day, a.username) > ($5::date, $6::text) ORDER BY daily.day, a.username LIMIT $7;
