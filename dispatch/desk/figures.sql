-- name: desk
-- Cases received in a period with what the desk made of them, and refusals of the period with whether they were taken back since.
WITH mine AS (
    SELECT case_id, bool_or(type = 'received' AND at >= $1 AND at < $2) AS received, bool_or(type = 'answered') AS answered,
        bool_or(type = 'ended') AS ended, bool_or(type = 'rejected' AND at >= $1 AND at < $2) AS rejected,
        bool_or(type = 'restored' AND convert_from(body, 'UTF8')::jsonb->>'before' = 'rejected') AS reversed
    FROM case_events WHERE type IN ('received', 'answered', 'ended', 'rejected', 'restored') GROUP BY case_id
)
SELECT count(*) FILTER (WHERE received) AS received, count(*) FILTER (WHERE received AND answered AND NOT ended) AS answered,
    count(*) FILTER (WHERE received AND ended) AS ended, count(*) FILTER (WHERE rejected) AS rejected,
    count(*) FILTER (WHERE rejected AND reversed) AS reversed FROM mine;

-- name: unsuited
-- Cases received in a period for which an ending was suggested, with whether a person decided ($3), as was suggested, and whether that was
-- taken back.
WITH suggested AS (
    SELECT opened_month, case_id, convert_from(body, 'UTF8')::jsonb -> 'unsuited' AS codes FROM case_events
    WHERE type = 'received' AND at >= $1 AND at < $2 AND position('"unsuited"'::bytea IN body) > 0
), judged AS (
    SELECT s.case_id, bool_or(e.type <> 'restored') AS decided, bool_or(e.type = 'restored') AS restored,
        bool_or(e.type IN ('rejected', 'referred') AND s.codes ? (convert_from(e.body, 'UTF8')::jsonb ->> 'ending')) AS agreed
    FROM suggested s LEFT JOIN case_events e ON e.opened_month = s.opened_month AND e.case_id = s.case_id
        AND e.type = ANY ($3::text[])
    GROUP BY s.case_id
)
SELECT count(*) AS suggested, count(*) FILTER (WHERE decided) AS decided, count(*) FILTER (WHERE agreed) AS agreed,
    count(*) FILTER (WHERE agreed AND restored) AS reversed FROM judged;
