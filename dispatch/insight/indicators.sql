-- name: by_key
-- What was kept under these names in a period, by key: of all keys of a dimension, or of some.
SELECT indicator, key, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator, sum(excluded)::bigint AS excluded,
    sum(excluded_numerator)::bigint AS excluded_numerator
FROM figures WHERE dimension = $1 AND indicator = ANY ($2::text[]) AND day BETWEEN $3 AND $4 AND ($5::text[] IS NULL OR key = ANY ($5))
GROUP BY indicator, key ORDER BY key, indicator;

-- name: of_keys
-- Everything that was kept of these keys in a period; and, under names that say so, what was kept of $5 since the beginning.
SELECT indicator, key, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator, sum(excluded)::bigint AS excluded,
    sum(excluded_numerator)::bigint AS excluded_numerator
FROM figures WHERE dimension = $1 AND key = ANY ($2::text[]) AND day BETWEEN $3 AND $4 GROUP BY indicator, key
UNION ALL
SELECT 'total_' || indicator, key, sum(numerator)::bigint, 0, 0, 0
FROM figures WHERE dimension = $1 AND key = ANY ($2::text[]) AND indicator = ANY ($5::text[]) AND day <= $4 GROUP BY indicator, key;

-- name: by_day
-- What was kept of the whole city in a period, by day.
SELECT indicator, day::text AS key, numerator, denominator, excluded, excluded_numerator
FROM figures WHERE dimension = 'all' AND indicator = ANY ($1::text[]) AND day BETWEEN $2 AND $3 ORDER BY day, indicator;

-- name: before
-- What was kept of the whole city before a period, for balances by day.
SELECT indicator, sum(numerator)::bigint AS numerator FROM figures WHERE dimension = 'all' AND indicator = ANY ($1::text[]) AND day < $2
GROUP BY indicator;
