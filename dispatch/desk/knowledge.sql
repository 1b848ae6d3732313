-- name: articles
-- Current articles, newest first after the id $1: valid at $2 or else stale ($3), for a category path ($4), an area path ($5), of units
-- ($6), with these words ($7); null narrows nothing, and an article for no category or area is for every one.
SELECT id, version, title, left(text, 200) AS excerpt, category, area, unit, valid_until, written_at, valid_until <= $2 AS stale,
    flagged_at FROM articles
WHERE is_current AND id < $1 AND (valid_until <= $2) = $3 AND ($4::text[] IS NULL OR category IS NULL OR category = ANY ($4))
    AND ($5::text[] IS NULL OR area IS NULL OR area = ANY ($5)) AND ($6::text[] IS NULL OR unit = ANY ($6))
    AND ($7::text IS NULL OR search @@ $7::text::tsquery)
ORDER BY id DESC LIMIT $8;

-- name: offered
-- The $6 current articles valid at $1 that fit best: those for the category path $2 and the area path $3 (null: not known, any) that share
-- at least three of the bigrams $4, or any ($5: the same as a tsquery) with their category named.
WITH fitting AS MATERIALIZED (
    SELECT *, length(search) - length(ts_delete(search, $4::text[])) AS shared, coalesce(category = ANY ($2::text[]), false) AS of_kind,
        coalesce(area = ANY ($3::text[]), false) AS of_place
    FROM articles WHERE is_current AND valid_until > $1 AND ($2::text[] IS NULL OR category IS NULL OR category = ANY ($2))
        AND ($3::text[] IS NULL OR area IS NULL OR area = ANY ($3))
        AND (category = ANY ($2) OR search @@ $5::text::tsquery)
)
SELECT id, version, title, left(text, 200) AS excerpt, category, area, unit, valid_until, written_at, false AS stale, flagged_at
FROM fitting WHERE of_kind OR shared >= 3
ORDER BY shared::float8 / greatest(cardinality($4::text[]), 1) + CASE WHEN of_kind THEN 0.3 ELSE 0 END
    + CASE WHEN of_place THEN 0.1 ELSE 0 END DESC, id DESC LIMIT $6;

-- name: article
-- One article: the version $2, or without one the current.
SELECT id, version, title, text, category, area, unit, valid_until, written_by, written_at, is_current, valid_until <= $3 AS stale,
    flagged_at FROM articles WHERE id = $1 AND CASE WHEN $2::integer IS NULL THEN is_current ELSE version = $2 END;

-- name: hold_article
-- Who changes an article waits at its first version, whichever is the newest.
SELECT id FROM articles WHERE id = $1 AND version = 1 FOR UPDATE;

-- name: current
-- The version that is in use, and whose it is.
SELECT version, unit FROM articles WHERE id = $1 AND is_current;

-- name: retire
-- The version in use is so no more; it stays readable.
UPDATE articles SET is_current = false WHERE id = $1 AND is_current;

-- name: next_id
-- The number of a new article.
SELECT nextval('article_ids');

-- name: write
-- One version of an article.
INSERT INTO articles (id, version, title, text, category, area, unit, valid_until, search, written_by, written_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, array_to_tsvector($9::text[]), $10, $11);

-- name: flag
-- Articles that ran out and whose owner was not told yet, each once.
UPDATE articles SET flagged_at = $1 WHERE is_current AND valid_until <= $1 AND flagged_at IS NULL
RETURNING id, version, unit, valid_until;
