-- name: make_partitions
-- Monthly partitions from the month of $1 up to $2 months ahead.
SELECT make_partitions($1::date, $2::integer);

-- name: database_time
-- The one clock of everything that is decided; read after the rows are held.
SELECT clock_timestamp();

-- name: missing_partition
-- Whether the partition of the month after $1 is missing in any partitioned table.
SELECT EXISTS (
    SELECT FROM unnest(ARRAY['reports', 'case_events', 'access_log']) AS parent
    WHERE to_regclass(parent || to_char($1::timestamptz AT TIME ZONE 'UTC' + interval '1 month', '_YYYY_MM')) IS NULL);

-- name: settle_words
-- Works off the words that were added to the search index since the last time; one process at a time.
SELECT settle_words();

-- name: claim_job
-- True for the one process that may run a city-wide tick.
INSERT INTO job_runs (job, scheduled_for) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true;

-- name: notify
-- Wakes who listens; a hint, never the truth.
SELECT pg_notify($1, $2);

-- name: revision
-- The revision that the database is at; there is no such table before the first.
SELECT version_num FROM alembic_version;
