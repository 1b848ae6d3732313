-- name: hold
-- Whoever gets this row counts until the end of its transaction; for how many seconds it had better wait; how many cases were named
-- to be counted since the last time, and in how many seconds.
SELECT extract(epoch FROM not_before - clock_timestamp())::float8 AS wait, (SELECT last_value FROM figures_due_id_seq) AS named,
    (SELECT last_value FROM figures_due_id_seq) - seen AS fresh, extract(epoch FROM clock_timestamp() - seen_at)::float8 AS seconds
FROM figures_upkeep FOR UPDATE SKIP LOCKED;

-- name: hold_waiting
-- The same row, waited for.
SELECT one FROM figures_upkeep FOR UPDATE;

-- name: rest
-- Nobody counts for so many seconds; how many cases had been named.
UPDATE figures_upkeep SET not_before = clock_timestamp() + $1 * interval '1 second', seen = $2, seen_at = clock_timestamp();

-- name: take_due
-- The next cases to look at, taken from the list.
DELETE FROM figures_due WHERE id IN (SELECT id FROM figures_due ORDER BY id LIMIT $1) RETURNING case_id;

-- name: unsent
-- Cases whose messages wait for the relay, which names them when it sends; while it cannot send, they are counted from here.
SELECT DISTINCT o.case_id FROM outbox o LEFT JOIN case_figures f ON f.case_id = o.case_id
WHERE o.case_id > 0 AND o.case_seq > coalesce(f.seq, 0) LIMIT $1;

-- name: changed
-- Of these cases those that have events which were not counted yet, with what was.
SELECT c.id, c.opened_month, f.contribution FROM cases c LEFT JOIN case_figures f ON f.case_id = c.id
WHERE c.id = ANY ($1::bigint[]) AND c.seq > coalesce(f.seq, 0) ORDER BY c.id;

-- name: bodies_of
-- The events of these cases in their order, bytes alone.
SELECT e.case_id, e.body FROM unnest((SELECT $1::bigint[]), $2::date[]) AS c(id, opened_month)
    JOIN case_events e ON e.opened_month = c.opened_month AND e.case_id = c.id ORDER BY e.case_id, e.seq;

-- name: keep_cases
-- What these cases add now, and as of which event.
INSERT INTO case_figures (case_id, seq, contribution) SELECT * FROM unnest((SELECT $1::bigint[]), $2::integer[], $3::bytea[])
ON CONFLICT (case_id) DO UPDATE SET seq = excluded.seq, contribution = excluded.contribution;

-- name: add
-- Adds to figures. Whoever does holds the row of the upkeep, so nobody else makes one of the same name in between.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest((SELECT $1::text[]), $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
        AS g(indicator, day, dimension, key, numerator, denominator, excluded, excluded_numerator)
), there AS (
    UPDATE figures f SET numerator = f.numerator + g.numerator, denominator = f.denominator + g.denominator,
        excluded = f.excluded + g.excluded, excluded_numerator = f.excluded_numerator + g.excluded_numerator
    FROM given g WHERE (f.dimension, f.indicator, f.day, f.key) = (g.dimension, g.indicator, g.day, g.key)
    RETURNING f.dimension, f.indicator, f.day, f.key
)
INSERT INTO figures (indicator, day, dimension, key, numerator, denominator, excluded, excluded_numerator)
SELECT g.* FROM given g LEFT JOIN there t USING (dimension, indicator, day, key) WHERE t.key IS NULL;

-- name: name_forgotten
-- Names every case that has events which were not counted, however that came about: a relay of former code sends without naming.
INSERT INTO figures_due (case_id)
SELECT c.id FROM cases c LEFT JOIN case_figures f ON f.case_id = c.id WHERE c.seq > coalesce(f.seq, 0) ORDER BY c.id;

-- name: count_cases
-- How many cases there are, for the progress bar.
SELECT count(*) FROM cases;

-- name: cases_after
-- The next cases by id, with what was kept of them.
SELECT c.id, c.opened_month, f.seq, f.contribution FROM cases c LEFT JOIN case_figures f ON f.case_id = c.id
WHERE c.id > $1 ORDER BY c.id LIMIT $2;

-- name: make_fresh
-- Room for everything made anew, until the end of the transaction: parts of figures, summed up in the end.
CREATE TEMPORARY TABLE fresh_figures (LIKE figures) ON COMMIT DROP;

-- name: make_fresh_cases
-- The same for what cases add.
CREATE TEMPORARY TABLE fresh_cases (LIKE case_figures) ON COMMIT DROP;

-- name: differing
-- Figures that are not what was made anew; nothing and a row of noughts are the same.
WITH fresh AS (
    SELECT dimension, indicator, day, key, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator,
        sum(excluded)::bigint AS excluded, sum(excluded_numerator)::bigint AS excluded_numerator
    FROM fresh_figures GROUP BY dimension, indicator, day, key
)
SELECT dimension, indicator, day, key, ARRAY[f.numerator, f.denominator, f.excluded, f.excluded_numerator] AS stands,
    ARRAY[n.numerator, n.denominator, n.excluded, n.excluded_numerator] AS made
FROM figures f FULL JOIN fresh n USING (dimension, indicator, day, key)
WHERE (coalesce(f.numerator, 0), coalesce(f.denominator, 0), coalesce(f.excluded, 0), coalesce(f.excluded_numerator, 0))
    <> (coalesce(n.numerator, 0), coalesce(n.denominator, 0), coalesce(n.excluded, 0), coalesce(n.excluded_numerator, 0))
ORDER BY dimension, indicator, day, key LIMIT $1;

-- name: drop_figures
-- Makes room for what was made anew; readers see the former figures until it is committed.
DELETE FROM figures;

-- name: drop_cases
-- The same for what cases added.
DELETE FROM case_figures;

-- name: put_figures
-- The figures made anew.
INSERT INTO figures (dimension, indicator, day, key, numerator, denominator, excluded, excluded_numerator)
SELECT dimension, indicator, day, key, sum(numerator), sum(denominator), sum(excluded), sum(excluded_numerator)
FROM fresh_figures GROUP BY dimension, indicator, day, key;

-- name: put_cases
-- What cases add, made anew.
INSERT INTO case_figures (case_id, seq, contribution) SELECT case_id, seq, contribution FROM fresh_cases;
