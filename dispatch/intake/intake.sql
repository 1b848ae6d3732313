-- name: take_keys
-- The first lock: the keys of a batch, sorted. What is not returned was taken before, or is being taken: this waits for it.
INSERT INTO report_keys (channel, external_id, fingerprint, receipt_no, report_id, recorded_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (channel, external_id) DO NOTHING
RETURNING receipt_no;

-- name: known_keys
-- What stands behind keys that were taken before; held, so that a quarantined one is replaced once.
SELECT channel, external_id, fingerprint, receipt_no, report_id, quarantined, answer FROM report_keys
WHERE (channel, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY channel, external_id FOR UPDATE;

-- name: lock_neighbourhoods
-- The second lock: neighbourhoods from a fixed space of 4,096, sorted by the caller, in a statement of its own: the search that
-- follows must see what the transactions waited for have committed.
SELECT pg_advisory_xact_lock(1179537, n) FROM unnest($1::integer[]) AS n;

-- name: hold_city
-- Nobody puts another version of the city in force until this transaction ends. Its statements are planned once, also while their tables
-- are still empty: they must use their indexes however stale the statistics are.
SELECT pg_advisory_xact_lock_shared(hashtext('dispatch.city.load')), set_config('enable_seqscan', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);

-- name: newest_city
-- The version in force, and how often an emergency began or ended.
SELECT (SELECT max(version) FROM city_versions) AS version, (SELECT count(*) + count(ended_at) FROM emergencies) AS changes;

-- name: candidates
-- Open cases opened after $15: of a family in a tile ($1, $2) and a box ($3 to $6: west, south, east, north), of any family in a tile and
-- box where the report's kind is not known ($7 to $11), without place in an area ($13, $14); those that share the rarest runs ($17, so
-- rare: $18, together $26 at least) with a report of the batch ($16); whatever these people ($12) reported, closed or not; and closed
-- ones of a family in a tile and box ($19 to $24) that were closed after $25. With each comes who of them is among its people, and which
-- reports its words led from, with how rare the runs are together.
WITH mine AS MATERIALIZED (
    SELECT id, person FROM callers WHERE person = ANY ($12::bytea[])
), told AS MATERIALIZED (
    SELECT likely.case_id, likely.report, likely.together FROM (
        SELECT named.case_id, w.report, sum(w.weight) AS together,
            row_number() OVER (PARTITION BY w.report ORDER BY sum(w.weight) DESC, named.case_id DESC) AS place
        FROM unnest($16::integer[], $17::integer[], $18::real[]) AS w(report, run, weight) CROSS JOIN LATERAL (
            SELECT r.case_id FROM case_runs r WHERE r.run = w.run ORDER BY r.case_id DESC LIMIT 32) AS named
        GROUP BY w.report, named.case_id HAVING sum(w.weight) >= $26
    ) AS likely WHERE likely.place <= 12
), found AS MATERIALIZED (
    SELECT near.id FROM unnest($1::bigint[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::float8[])
        AS t(tile, kin, west, south, east, north) CROSS JOIN LATERAL (
        SELECT c.id FROM cases c WHERE c.tile = t.tile AND c.kin = t.kin AND c.tile IS NOT NULL AND c.is_open AND NOT c.restricted
            AND c.opened_at > $15 AND c.lon BETWEEN t.west AND t.east AND c.lat BETWEEN t.south AND t.north
        ORDER BY c.opened_at DESC LIMIT 32) AS near
    UNION
    SELECT near.id FROM unnest($7::bigint[], $8::float8[], $9::float8[], $10::float8[], $11::float8[])
        AS t(tile, west, south, east, north) CROSS JOIN LATERAL (
        SELECT c.id FROM cases c WHERE c.tile = t.tile AND c.tile IS NOT NULL AND c.is_open AND NOT c.restricted AND c.opened_at > $15
            AND c.lon BETWEEN t.west AND t.east AND c.lat BETWEEN t.south AND t.north
        ORDER BY c.opened_at DESC LIMIT 32) AS near
    UNION
    SELECT theirs.case_id FROM mine CROSS JOIN LATERAL (
        SELECT cp.case_id FROM case_people cp WHERE cp.caller_id = mine.id ORDER BY cp.case_id DESC LIMIT 32) AS theirs
    UNION
    SELECT akin.id FROM unnest($13::text[], $14::text[]) AS a(area, kin) CROSS JOIN LATERAL (
        SELECT c.id FROM cases c WHERE c.area = a.area AND c.kin = a.kin AND c.tile IS NULL AND c.is_open AND NOT c.restricted
            AND c.opened_at > $15 ORDER BY c.opened_at DESC LIMIT 32) AS akin
    UNION
    SELECT told.case_id FROM told
    UNION
    SELECT near.id FROM unnest($19::bigint[], $20::text[], $21::float8[], $22::float8[], $23::float8[], $24::float8[], $25::timestamptz[])
        AS t(tile, kin, west, south, east, north, since) CROSS JOIN LATERAL (
        SELECT c.id FROM cases c WHERE c.tile = t.tile AND c.kin = t.kin AND c.tile IS NOT NULL AND c.closed_at > t.since
            AND NOT c.restricted AND c.merged_into IS NULL AND c.opened_at > $15
            AND c.lon BETWEEN t.west AND t.east AND c.lat BETWEEN t.south AND t.north
        ORDER BY c.closed_at DESC LIMIT 32) AS near
), known AS (
    SELECT cp.case_id, array_agg(mine.person) AS persons FROM found JOIN case_people cp ON cp.case_id = found.id
        JOIN mine ON mine.id = cp.caller_id GROUP BY cp.case_id
), led AS (
    SELECT case_id, array_agg(report) AS reports, array_agg(together) AS together FROM told GROUP BY case_id
)
SELECT c.id, c.case_no, c.is_open, c.category, c.kin, c.lon, c.lat, c.area, c.opened_at,
    CASE WHEN c.state IN ('answered', 'rejected', 'referred') THEN c.settled_at ELSE c.closed_at END AS closed_at,
    c.solved, s.words, known.persons, c.about_unit, c.object, c.state IN ('answered', 'rejected', 'referred') AS ended,
    coalesce(led.reports, '{}') AS reports, coalesce(led.together, '{}') AS together, coalesce(s.address, '') AS address, coalesce(s.streets, '{}') AS streets,
    coalesce(s.crowd, 0) AS crowd, coalesce(s.around, 0) AS around
FROM found JOIN cases c USING (id) LEFT JOIN case_signatures s ON s.case_id = c.id LEFT JOIN known ON known.case_id = c.id
    LEFT JOIN led ON led.case_id = c.id
WHERE NOT c.restricted;

-- name: named_candidates
-- Cases that a person named ($1), with who of these people ($2) is among their people; a restricted one takes no call.
SELECT c.id, c.case_no, c.is_open, c.category, c.kin, c.lon, c.lat, c.area, c.opened_at,
    CASE WHEN c.state IN ('answered', 'rejected', 'referred') THEN c.settled_at ELSE c.closed_at END AS closed_at,
    c.solved, s.words,
    ARRAY(SELECT p.person FROM callers p JOIN case_people cp ON cp.caller_id = p.id WHERE cp.case_id = c.id AND p.person = ANY ($2::bytea[]))
        AS persons, c.about_unit, c.object, c.state IN ('answered', 'rejected', 'referred') AS ended
FROM cases c LEFT JOIN case_signatures s ON s.case_id = c.id WHERE c.id = ANY ($1::bigint[]) AND NOT c.restricted;

-- name: insert_callers
-- People not known yet; sorted, so that two batches meet in one order.
INSERT INTO callers (person, phone, match_key, key_id, nonce, sealed)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::bytea[])
ON CONFLICT (person) DO NOTHING;

-- name: caller_ids
-- Rows of these people.
SELECT id, person FROM callers WHERE person = ANY ($1::bytea[]);

-- name: count_people
-- One more report of each of these people about these cases.
INSERT INTO case_people (case_id, caller_id, reports) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[])
ON CONFLICT (case_id, caller_id) DO UPDATE SET reports = case_people.reports + excluded.reports;

-- name: insert_signatures
-- What search and matching compare of new cases, and the runs by which each is found again.
INSERT INTO case_signatures (case_id, words, search, runs, address, streets, crowd, around)
SELECT u.case_id, u.words, array_to_tsvector(string_to_array(u.tokens, chr(1))), string_to_array(u.runs, ',')::integer[], u.address,
    string_to_array(u.streets, ','), u.crowd, u.around
FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::smallint[])
    AS u(case_id, words, tokens, runs, address, streets, crowd, around);

-- name: insert_emergency_cases
-- New cases that are as urgent as they are because of an emergency.
INSERT INTO emergency_cases (emergency_id, case_id, base, seq, raised_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::timestamptz[]);

-- name: insert_links
-- Cases that belong together without being one.
INSERT INTO case_links (case_id, other_id, verdict, score) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::real[]);

-- name: answer_keys
-- The first answer, beside the key it belongs to.
UPDATE report_keys SET fingerprint = u.fingerprint, recorded_at = u.recorded_at, case_id = u.case_id, answer = u.answer,
    quarantined = u.quarantined
FROM unnest($1::text[], $2::bytea[], $3::timestamptz[], $4::bigint[], $5::bytea[], $6::boolean[])
    AS u(receipt_no, fingerprint, recorded_at, case_id, answer, quarantined)
WHERE report_keys.receipt_no = u.receipt_no;

-- name: insert_quarantine
-- What cannot be taken in, with its owner and its deadline; these stay where what replaces an entry cannot be taken in either.
INSERT INTO quarantine (receipt_no, channel, external_id, reason, field, owner_unit, entered_at, due_at, next_at, key_id, nonce, sealed)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
    $8::timestamptz[], $9::text[], $10::bytea[], $11::bytea[])
ON CONFLICT (receipt_no) DO UPDATE SET reason = excluded.reason, field = excluded.field, key_id = excluded.key_id, nonce = excluded.nonce,
    sealed = excluded.sealed;

-- name: end_quarantine
-- An entry that was replaced by its sender or released at the desk.
UPDATE quarantine SET status = $3, ended_at = $4, ended_by = $5, next_at = NULL
WHERE channel = $1 AND external_id = $2 AND status = 'open';

-- name: quarantine_list
-- Open entries, oldest first, after the cursor.
SELECT id, receipt_no, channel, external_id, reason, field, owner_unit, entered_at, due_at, level FROM quarantine
WHERE status = 'open' AND (entered_at, id) > ($1, $2) ORDER BY entered_at, id LIMIT $3;

-- name: quarantine_entry
-- One open entry with its sealed words.
SELECT * FROM quarantine WHERE id = $1 AND status = 'open';

-- name: quarantine_waiting
-- How many entries wait for a person.
SELECT count(*) FROM quarantine WHERE status = 'open';

-- name: lessons
-- How often people found pairs of kinds to be one matter, and how often two.
SELECT kind_a, kind_b, same, different FROM match_lessons;
