-- name: incidents
-- At most $9 incidents, the newest first: open or not ($1), in any of these areas ($2), about one of these categories or about none ($3;
-- null narrows nothing). The master case is named to those only who have it in scope ($4 units, $5 areas; null: all) and are not under
-- a unit it complains about ($6); with $7 only that one ($8).
SELECT i.id, i.kind, i.title, i.areas, i.categories, i.starts_at, i.expected_end, i.spoken, i.closed_at, i.made_at,
    CASE WHEN NOT c.restricted AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($6::text[]))
        AND ($4::text[] IS NULL OR c.owner_unit = ANY ($4) OR c.area = ANY ($5::text[])
            OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($4))) THEN c.case_no END AS case_no
FROM incidents i JOIN cases c ON c.id = i.case_id
WHERE CASE WHEN $7::boolean THEN i.id = $8::bigint ELSE (i.closed_at IS NULL) = $1
    AND ($2::text[] IS NULL OR i.areas && $2) AND ($3::text[] IS NULL OR i.categories = '{}' OR i.categories && $3) END
ORDER BY i.starts_at DESC, i.id DESC LIMIT $9;

-- name: add
-- A new one.
INSERT INTO incidents (kind, title, areas, categories, starts_at, expected_end, spoken, case_id, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id;

-- name: hold
-- One of them, held; who also changes its case holds that first.
SELECT id, starts_at, expected_end, spoken, closed_at FROM incidents WHERE id = $1 FOR UPDATE;

-- name: change
-- What is expected and said from now on.
UPDATE incidents SET expected_end = $2, spoken = $3 WHERE id = $1;

-- name: close
-- It is over.
UPDATE incidents SET closed_by = $2, closed_at = $3 WHERE id = $1;

-- name: master
-- The case that an incident's callers are on: its own, or the one that this was merged into.
WITH RECURSIVE way AS (
    SELECT c.id, c.merged_into FROM incidents i JOIN cases c ON c.id = i.case_id WHERE i.id = $1
    UNION SELECT c.id, c.merged_into FROM way JOIN cases c ON c.id = way.merged_into
)
SELECT c.id, c.case_no FROM way JOIN cases c USING (id) WHERE way.merged_into IS NULL;

-- name: receipts
-- How many receipts a case has.
SELECT count(*) FROM reports WHERE case_id = $1;

-- name: answered
-- How many receipts were answered when an incident was closed, on whichever case they were then.
WITH RECURSIVE way AS (
    SELECT c.id, c.opened_month, c.merged_into FROM incidents i JOIN cases c ON c.id = i.case_id WHERE i.id = $1
    UNION SELECT c.id, c.opened_month, c.merged_into FROM way JOIN cases c ON c.id = way.merged_into
)
SELECT (convert_from(e.body, 'UTF8')::jsonb ->> 'receipts')::integer
FROM way JOIN case_events e ON e.case_id = way.id AND e.opened_month = way.opened_month
WHERE e.type = 'all_answered' AND convert_from(e.body, 'UTF8')::jsonb -> 'incident' = to_jsonb($1::bigint);
