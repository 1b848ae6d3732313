-- name: returned_lately
-- How many cases of one kind ($3) and area ($4) these units led and gave back since $2; what was handed up ($5) is no return.
SELECT a.unit, count(DISTINCT a.case_id) AS cases FROM assignments a JOIN cases c ON c.id = a.case_id
WHERE a.state = 'returned' AND a.unit = ANY ($1::text[]) AND a.ended_at >= $2 AND a.role = 'lead' AND a.return_reason <> $5
    AND c.category IS NOT DISTINCT FROM $3 AND c.area IS NOT DISTINCT FROM $4
GROUP BY a.unit;
