-- name: loads
-- What reached the inbox of each person of the units $1 (null: all) from $2 up to but not at $3, by day of the zone $4, behind ($5, $6).
SELECT day, account, unit, notices, reminders, held, digests, read, matters,
    (SELECT count(DISTINCT t.case_id) FROM assignments t WHERE t.handler = account AND t.ended_at IS NULL) AS open_tasks
FROM (
    SELECT (n.created_at AT TIME ZONE $4)::date AS day, a.username AS account, a.unit, count(*) FILTER (WHERE n.topic <> 'digest') AS notices,
        count(*) FILTER (WHERE n.reminder) AS reminders, count(*) FILTER (WHERE n.held) AS held, count(*) FILTER (WHERE n.topic = 'digest') AS digests,
        count(*) FILTER (WHERE n.read_at IS NOT NULL AND n.topic <> 'digest') AS read, count(DISTINCT coalesce(c.merged_into, c.id)) AS matters
    FROM accounts a JOIN notices n ON n.recipient = 'account:' || a.username AND n.medium = 'inbox' AND n.created_at >= $2 AND n.created_at < $3
        LEFT JOIN cases c ON c.id = n.case_id
    WHERE $1::text[] IS NULL OR a.unit = ANY ($1)
    GROUP BY 1, 2, 3
) AS daily
WHERE (day, account) > ($5::date, $6::text) ORDER BY day, account LIMIT $7;
