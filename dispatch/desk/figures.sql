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
