-- name: undecided
-- Suggested pairs of open cases that nobody has decided, in scope ($3 units, $4 areas; null: all), newest first.
SELECT l.case_id, l.other_id, c.case_no, o.case_no AS other_no, l.score, c.category, o.category AS other_category, c.opened_at,
    o.opened_at AS other_opened_at, c.lon, c.lat, o.lon AS other_lon, o.lat AS other_lat
FROM case_links l JOIN cases c ON c.id = l.case_id AND c.is_open AND NOT c.restricted
    JOIN cases o ON o.id = l.other_id AND o.state <> 'merged' AND NOT o.restricted
WHERE l.verdict = 'suggested' AND l.decision IS NULL AND (l.case_id, l.other_id) < ($1, $2)
    AND ($3::text[] IS NULL OR c.owner_unit = ANY ($3) OR c.area = ANY ($4::text[]))
    AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($5::text[])) AND (o.about_unit IS NULL OR NOT o.about_unit = ANY ($5::text[]))
ORDER BY l.case_id DESC, l.other_id DESC LIMIT $6;

-- name: by_score
-- What persons said of suggested matches, by tenths of the score.
SELECT floor(score * 10) / 10 AS score_from, count(*) FILTER (WHERE decision = 'same') AS same,
    count(*) FILTER (WHERE decision = 'different') AS different
FROM case_links WHERE decision IS NOT NULL GROUP BY 1 ORDER BY 1;
