-- name: open_up
-- What the schema checks row by row is not what is measured here.
SET session_replication_role = replica;

-- name: cases
-- $1 times the sampled cases, the first fifth of them open, a second apart.
INSERT INTO cases (id, case_no, opened_at, opened_month, state, seq, head, last_event_at, kind, category, category_table, kin, urgency, people,
    area, city_version, owner_unit, lead_assignment_id, next_due_at, closed_at, solved, channel, lon, lat, tile)
SELECT s.n + copy * $2::bigint, 'M' || s.n + copy * $2::bigint, t, date_trunc('month', now())::date,
    CASE WHEN copy < $1 / 5 THEN 'handling' ELSE 'closed' END, 1, decode(repeat('00', 32), 'hex'), t, 'complaint', s.category, '2013', s.kin,
    'ordinary', 1, s.area, 1, 'city', CASE WHEN copy < $1 / 5 THEN s.n END, CASE WHEN copy < $1 / 5 THEN t + interval '30 days' END,
    CASE WHEN copy >= $1 / 5 THEN t END, CASE WHEN copy >= $1 / 5 THEN true END, 'bench', s.lon, s.lat, s.tile
FROM sampled s CROSS JOIN generate_series(0, $1::integer - 1) AS copy
    CROSS JOIN LATERAL (SELECT now() - (s.n + copy * $2::bigint) * interval '1 second' AS t) AS at;

-- name: signatures
-- Words and ways of each.
INSERT INTO case_signatures (case_id, words, search, runs)
SELECT s.n + copy * $2::bigint, s.words, '', s.runs FROM sampled s CROSS JOIN generate_series(0, $1::integer - 1) AS copy;

-- name: runs
-- In each copy half of the runs are others: words come and go. The last bit of a run is always set, the one before tells the halves.
INSERT INTO case_runs (run, case_id)
SELECT DISTINCT CASE WHEN u.run & 2 = 0 THEN u.run ELSE hashint8(u.run * 1000::bigint + copy) END, s.n + copy * $2::bigint
FROM sampled s CROSS JOIN LATERAL unnest(s.runs) AS u(run) CROSS JOIN generate_series(0, $1::integer - 1) AS copy;

-- name: sampled
-- Cases to be made many of.
CREATE UNLOGGED TABLE sampled (n bigint, category text, kin text, area text, lon float8, lat float8, tile bigint, words bytea, runs integer[]);

-- name: trigrams
-- Messages as the peer searches them.
CREATE TABLE told (n integer PRIMARY KEY, words text NOT NULL);

-- name: trigram_index
-- Its index.
CREATE INDEX told_words ON told USING gin (words gin_trgm_ops);

-- name: near
-- Its likeliest earlier ones.
SELECT n FROM told WHERE words % $1 AND n < $2 ORDER BY similarity(words, $1) DESC LIMIT $3;

-- name: told_runs
-- Messages as the service finds them again.
INSERT INTO case_runs (run, case_id) SELECT DISTINCT run, u.n FROM unnest($1::bigint[], $2::text[]) AS u(n, runs)
    CROSS JOIN LATERAL unnest(string_to_array(u.runs, ',')::integer[]) AS run;

-- name: likely
-- The part of the service's search that goes by words, among earlier ones.
SELECT named.case_id FROM unnest($1::integer[], $2::real[]) AS w(run, weight) CROSS JOIN LATERAL (
    SELECT r.case_id FROM case_runs r WHERE r.run = w.run AND r.case_id < $3 ORDER BY r.case_id DESC LIMIT 32) AS named
GROUP BY named.case_id ORDER BY sum(w.weight) DESC, named.case_id DESC LIMIT $4;
