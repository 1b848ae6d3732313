-- name: one_at_a_place
-- Two dispatchers who ask about one place and matter do it one after the other, so that only one visit is made.
SELECT pg_advisory_xact_lock(hashtextextended('site_check' || $1::bigint::text || $2::text, 1179539));

-- name: visits
-- Visits within some 60 m of a point about a family of kinds, or where none is known about the same category, newest first.
SELECT id, lon, lat, result, done_at FROM site_checks
WHERE lon BETWEEN $1::float8 - 0.001 AND $1::float8 + 0.001 AND lat BETWEEN $2::float8 - 0.0006 AND $2::float8 + 0.0006
    AND kind = 'verify' AND kin = $3 AND ($3 <> '' OR category IS NOT DISTINCT FROM $4) ORDER BY asked_at DESC LIMIT 50;

-- name: collectors
-- Where collectors were seen since $1; those on leave at $2, and those of the units $3, are left out.
SELECT p.account, p.lon, p.lat FROM collector_positions p JOIN accounts a ON a.username = p.account AND a.retired_at IS NULL
    AND 'collector' = ANY (a.roles)
WHERE p.seen_at >= $1 AND NOT a.unit = ANY ($3::text[]) AND NOT EXISTS (
    SELECT FROM leaves l WHERE l.account = p.account AND l.starts_at <= $2 AND $2 < l.ends_at AND l.removed_at IS NULL);

-- name: ask_check
-- A visit that somebody is asked to make.
INSERT INTO site_checks (kin, category, lon, lat, tile, account, asked_by, asked_at, due_at, kind, round)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id;

-- name: join_check
-- A case that a visit answers for; `reused` where nobody goes there for it alone.
INSERT INTO site_check_cases (check_id, case_id, reused) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: place_collector
-- Where a collector is now; only the last place is kept.
INSERT INTO collector_positions (account, lon, lat, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account) DO UPDATE SET lon = excluded.lon, lat = excluded.lat, seen_at = excluded.seen_at;

-- name: pending
-- Visits to be made, most pressing first: of one collector and of nobody in particular, or of all. None about restricted cases or about
-- the reader's own unit and those above it ($3); whether work was done, only while that is asked, and never by who did it.
SELECT k.id, k.kind, k.category, k.lon, k.lat, k.account, k.asked_at, k.due_at, array_agg(c.case_no ORDER BY c.id) AS cases
FROM site_checks k JOIN site_check_cases s ON s.check_id = k.id
    JOIN cases c ON c.id = s.case_id AND NOT c.restricted AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($3::text[]))
WHERE k.result IS NULL AND ($1::text IS NULL OR k.account = $1 OR k.account IS NULL)
    AND (k.kind = 'verify' OR (c.state = 'review' AND c.round = k.round
        AND NOT EXISTS (SELECT FROM check_waivers w WHERE w.case_id = c.id AND w.round = k.round)
        AND ($1::text IS NULL OR NOT EXISTS (SELECT FROM assignments a WHERE a.case_id = c.id AND a.unit = ANY ($3::text[])))))
GROUP BY k.id ORDER BY k.due_at, k.id LIMIT $2;

-- name: check_of
-- A visit, with the cases that it answers for.
SELECT k.account, k.result, k.kind, k.round, ARRAY(SELECT s.case_id FROM site_check_cases s WHERE s.check_id = k.id ORDER BY s.case_id) AS cases
FROM site_checks k WHERE k.id = $1;

-- name: lock_check
-- Two who report one visit do it one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('site_check_result' || $1::bigint::text, 1179539));

-- name: finish_check
-- What was found.
UPDATE site_checks SET result = $2, evidence = $3, done_by = $4, done_at = $5 WHERE id = $1 AND result IS NULL;

-- name: repeated
-- Visits made in a period, and those to a place and matter that a visit had answered for within a day before.
SELECT count(*) AS visits, count(*) FILTER (WHERE EXISTS (
    SELECT FROM site_checks b WHERE b.id <> a.id AND b.done_at IS NOT NULL AND b.done_at < a.asked_at AND b.done_at > a.asked_at - interval '24 hours'
        AND b.kind = a.kind AND b.kin = a.kin AND b.lon BETWEEN a.lon - 0.0005 AND a.lon + 0.0005 AND b.lat BETWEEN a.lat - 0.0004 AND a.lat + 0.0004)) AS again
FROM site_checks a WHERE a.done_at >= $1 AND a.done_at < $2;

-- name: looked
-- The last visit that looks whether the work of a case was done in this round, made or not, and who did without one.
SELECT w.waived_by, k.id, k.result FROM (VALUES ($1::bigint, $2::smallint)) AS c(id, round)
    LEFT JOIN check_waivers w ON w.case_id = c.id AND w.round = c.round
    LEFT JOIN LATERAL (
        SELECT v.id, v.result FROM site_checks v JOIN site_check_cases s ON s.check_id = v.id
        WHERE s.case_id = c.id AND v.kind = 'verify_done' AND v.round = c.round ORDER BY v.id DESC LIMIT 1) k ON true;

-- name: keep_waiver
-- A supervisor does without the visit.
INSERT INTO check_waivers (case_id, round, reason, waived_by, waived_at) VALUES ($1, $2, $3, $4, $5);
