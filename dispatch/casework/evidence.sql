-- name: of_cases
-- Which of these files belong to these cases.
SELECT id FROM files WHERE case_id = ANY ($1::bigint[]) AND id = ANY ($2::bigint[]);

-- name: shown
-- Pictures of a round: of the place at any time, of the finished work since the lead has its task ($3).
SELECT kind, distance_m FROM files WHERE case_id = $1 AND round = $2 AND type IN ('jpeg', 'png', 'webp')
    AND (kind = 'before' OR (kind = 'after' AND uploaded_at >= $3));
