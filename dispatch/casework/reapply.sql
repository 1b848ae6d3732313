-- name: cases_before
-- Open cases behind case $1 that keep the limits of a version before $2, of these categories or of all, at most $4.
SELECT id FROM cases WHERE id > $1 AND is_open AND city_version < $2 AND ($3::text[] IS NULL OR category = ANY ($3))
ORDER BY id LIMIT $4;

-- name: how_many_before
-- How many cases that are.
SELECT count(*) FROM cases WHERE is_open AND city_version < $1 AND ($2::text[] IS NULL OR category = ANY ($2));
