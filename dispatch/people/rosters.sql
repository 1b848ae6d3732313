-- name: vacant
-- Of the posts ($1 unit, $2 roles as a JSON array) those that somebody should stand at $3 and nobody does.
SELECT unit, roles FROM unnest($1::text[], $2::text[]) AS p (unit, roles)
    CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(roles::jsonb)) AS named) AS n
WHERE is_manned(unit, named) AND NOT EXISTS (SELECT FROM on_duty(unit, named, $3::timestamptz));

-- name: duty
-- Each role that somebody holds in the unit $1 or that is on its roster, with who is on duty for it at $2 and whether a shift says so.
SELECT role, ARRAY(SELECT d FROM on_duty($1, ARRAY[role], $2::timestamptz) AS d ORDER BY d) AS accounts, EXISTS (
    SELECT FROM shifts s JOIN accounts a ON a.username = s.account AND a.retired_at IS NULL
    WHERE s.unit = $1 AND s.role = r.role AND s.starts_at <= $2 AND $2 < s.ends_at AND s.removed_at IS NULL) AS by_shift
FROM (SELECT unnest(roles) AS role FROM accounts WHERE unit = $1 AND retired_at IS NULL
    UNION SELECT unnest(roles) FROM accounts WHERE $1 = '*' AND retired_at IS NULL
    UNION SELECT role FROM shifts WHERE unit = $1 AND removed_at IS NULL) AS r
WHERE $3::text[] IS NULL OR role = ANY ($3) ORDER BY role;

-- name: insert_shift
-- A shift; nothing if there is the very same.
INSERT INTO shifts (unit, role, account, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING id;

-- name: shift
-- One that stands.
SELECT id, unit, role, account, starts_at, ends_at, made_by, made_at FROM shifts WHERE id = $1 AND removed_at IS NULL;

-- name: remove_shift
-- Takes a shift off the roster.
UPDATE shifts SET removed_by = $2, removed_at = $3 WHERE id = $1 AND removed_at IS NULL RETURNING true;

-- name: shifts
-- At most $4 shifts that are not over at $1, in order, behind ($2, $3), of the units $5 (null: all) and of one unit ($6) and account ($7).
SELECT id, unit, role, account, starts_at, ends_at, made_by, made_at FROM shifts
WHERE removed_at IS NULL AND ends_at > $1 AND (starts_at, id) > ($2, $3) AND ($5::text[] IS NULL OR unit = ANY ($5) OR unit = '*')
    AND ($6::text IS NULL OR unit = $6) AND ($7::text IS NULL OR account = $7)
ORDER BY starts_at, id LIMIT $4;

-- name: insert_leave
-- A leave.
INSERT INTO leaves (account, starts_at, ends_at, stand_in, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id;

-- name: leave
-- One that stands, with the unit of who takes it.
SELECT l.id, l.account, a.unit, l.starts_at, l.ends_at, l.stand_in, l.made_by, l.made_at FROM leaves l JOIN accounts a ON a.username = l.account
WHERE l.id = $1 AND l.removed_at IS NULL;

-- name: remove_leave
-- Takes a leave back.
UPDATE leaves SET removed_by = $2, removed_at = $3 WHERE id = $1 AND removed_at IS NULL RETURNING true;

-- name: leaves
-- At most $4 leaves that are not over at $1, in order, behind ($2, $3), of people of the units $5 (null: all) and of one account ($6).
SELECT l.id, l.account, a.unit, l.starts_at, l.ends_at, l.stand_in, l.made_by, l.made_at FROM leaves l JOIN accounts a ON a.username = l.account
WHERE l.removed_at IS NULL AND l.ends_at > $1 AND (l.starts_at, l.id) > ($2, $3) AND ($5::text[] IS NULL OR a.unit = ANY ($5))
    AND ($6::text IS NULL OR l.account = $6)
ORDER BY l.starts_at, l.id LIMIT $4;

-- name: accounts_named
-- Which of these accounts exist and have not left, with their units.
SELECT username, unit FROM accounts WHERE username = ANY ($1::text[]) AND retired_at IS NULL;

-- name: standing
-- Which of these shifts stand already.
SELECT s.unit, s.role, s.account, s.starts_at, s.ends_at FROM shifts s
    JOIN unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS w (unit, role, account, starts_at, ends_at)
    USING (unit, role, account, starts_at, ends_at)
WHERE s.removed_at IS NULL;
