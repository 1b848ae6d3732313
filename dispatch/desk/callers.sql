-- name: persons
-- At most $5 people who have the number $1 and said openly at least one thing that is in scope ($2 units, $3 areas; null: all), is not
-- restricted and does not complain about a unit above the reader ($4).
SELECT p.person, p.key_id, p.nonce, p.sealed FROM callers p WHERE p.phone = $1 AND EXISTS (
    SELECT FROM case_people cp JOIN cases c ON c.id = cp.case_id WHERE cp.caller_id = p.id AND NOT c.restricted
        AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($4::text[]))
        AND ($2::text[] IS NULL OR c.owner_unit = ANY ($2) OR c.area = ANY ($3::text[])
            OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($2)))
        AND EXISTS (SELECT FROM reports r WHERE r.case_id = c.id AND r.caller_id = p.id AND NOT r.confidential))
ORDER BY p.id LIMIT $5;

-- name: history
-- The newest $5 of what one person ($1) said openly, within the same bounds.
SELECT c.id, c.case_no, c.state, c.category, c.opened_at, c.opened_month
FROM callers p JOIN case_people cp ON cp.caller_id = p.id JOIN cases c ON c.id = cp.case_id
WHERE p.person = $1 AND NOT c.restricted AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($4::text[]))
    AND ($2::text[] IS NULL OR c.owner_unit = ANY ($2) OR c.area = ANY ($3::text[])
        OR EXISTS (SELECT FROM assignments t WHERE t.case_id = c.id AND t.unit = ANY ($2)))
    AND EXISTS (SELECT FROM reports r WHERE r.case_id = c.id AND r.caller_id = p.id AND NOT r.confidential)
ORDER BY c.opened_at DESC, c.id DESC LIMIT $5;

-- name: last_steps
-- Of each of these cases ($1, opened in the months $2) the last event of the kinds $3.
SELECT u.case_id, e.type, e.at FROM unnest($1::bigint[], $2::date[]) AS u(case_id, opened_month) CROSS JOIN LATERAL (
    SELECT type, at FROM case_events WHERE opened_month = u.opened_month AND case_id = u.case_id AND type = ANY ($3::text[])
    ORDER BY seq DESC LIMIT 1) AS e;
