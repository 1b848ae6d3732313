-- name: waiting
-- Cases without a lead in priority order behind ($6 rank, $7 due, $8 id), in scope ($2 units, $3 areas; null: all).
SELECT c.*, EXISTS (SELECT FROM case_people cp JOIN callers p ON p.id = cp.caller_id WHERE cp.case_id = c.id AND p.phone IS NOT NULL) AS reachable
FROM cases c
WHERE c.is_open AND c.state = ANY ($1::text[]) AND ($2::text[] IS NULL OR c.owner_unit = ANY ($2) OR c.area = ANY ($3::text[]))
    AND (NOT c.restricted OR $4) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($5::text[]))
    AND ($7::timestamptz IS NULL OR (-c.rank, c.next_due_at, c.id) > (-$6::int, $7, $8::bigint))
ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT $9;

-- name: returned
-- Units that returned these cases, in order.
SELECT case_id, unit, return_reason, ended_at FROM assignments WHERE case_id = ANY ($1::bigint[]) AND state = 'returned' ORDER BY id;

-- name: suspected
-- Open cases that these were suggested to repeat, undecided, most likely first.
SELECT l.case_id, o.case_no AS other_no, l.score FROM case_links l JOIN cases o ON o.id = l.other_id AND o.is_open AND NOT o.restricted
WHERE l.case_id = ANY ($1::bigint[]) AND l.verdict = 'suggested' AND l.decision IS NULL ORDER BY l.score DESC;

-- name: reachable
-- Whether anybody of a case left a number.
SELECT EXISTS (SELECT FROM case_people cp JOIN callers p ON p.id = cp.caller_id WHERE cp.case_id = $1 AND p.phone IS NOT NULL);

-- name: suggested
-- Categories that were suggested for the first report of a case, as JSON.
SELECT explanation #>> '{classify,suggestions}' FROM reports WHERE case_id = $1 ORDER BY id LIMIT 1;

-- name: unsuited
-- Endings that were suggested for the first report of each of these cases, as JSON, where there are any.
SELECT case_id, kept FROM (
    SELECT DISTINCT ON (case_id) case_id, explanation ->> 'unsuited' AS kept FROM reports WHERE case_id = ANY ($1::bigint[]) ORDER BY case_id, id
) AS opening WHERE kept <> '[]';
