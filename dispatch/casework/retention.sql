-- name: due
-- How much is past its period at $1: cases and entries after $2 months, notices after $3, first answers after $4.
SELECT
    (SELECT count(*) FROM case_keys k JOIN cases c ON c.id = k.case_id
        WHERE NOT c.is_open AND coalesce(c.closed_at, c.settled_at) < $1::timestamptz - make_interval(months => $2::integer)
            AND NOT EXISTS (SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL)
            AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.case_id = c.id AND h.released_at IS NULL)) AS words,
    (SELECT count(*) FROM quarantine WHERE status <> 'open' AND ended_at < $1 - make_interval(months => $2)) AS quarantine,
    (SELECT count(*) FROM notices WHERE created_at < $1 - make_interval(months => $3::integer) AND next_at IS NULL) AS notices,
    (SELECT count(*) FROM action_keys WHERE recorded_at < $1 - make_interval(months => $4::integer)) AS action_keys;

-- name: cases_due
-- The next $4 cases behind $3 that ended more than $2 months before $1, keep their words, and that nobody waits about or holds.
SELECT c.id FROM case_keys k JOIN cases c ON c.id = k.case_id
WHERE k.case_id > $3 AND NOT c.is_open AND coalesce(c.closed_at, c.settled_at) < $1::timestamptz - make_interval(months => $2::integer)
    AND NOT EXISTS (SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL)
    AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.case_id = c.id AND h.released_at IS NULL)
ORDER BY k.case_id LIMIT $4;

-- name: still_due
-- Which of these held cases are that still: one may have been opened anew, appealed about or held meanwhile.
SELECT c.id FROM case_keys k JOIN cases c ON c.id = k.case_id
WHERE c.id = ANY ($3::bigint[]) AND NOT c.is_open AND coalesce(c.closed_at, c.settled_at) < $1::timestamptz - make_interval(months => $2::integer)
    AND NOT EXISTS (SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL)
    AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.case_id = c.id AND h.released_at IS NULL)
ORDER BY c.id;

-- name: callers_of
-- Everybody who reported about these cases, held so that nobody is found by them meanwhile.
SELECT p.id AS caller_id FROM callers p WHERE p.id IN (
    SELECT caller_id FROM reports WHERE case_id = ANY ($1::bigint[]) UNION SELECT caller_id FROM case_people WHERE case_id = ANY ($1))
ORDER BY p.id FOR UPDATE;

-- name: destroy_signatures
-- What search and matching keep of the words of these cases.
DELETE FROM case_signatures WHERE case_id = ANY ($1::bigint[]);

-- name: destroy_keys
-- Erases every word of these cases.
DELETE FROM case_keys WHERE case_id = ANY ($1::bigint[]);

-- name: detach_people
-- Nobody is counted as having reported about them any more; how many there were stays.
DELETE FROM case_people WHERE case_id = ANY ($1::bigint[]);

-- name: detach_reports
-- Nor does a report say whose it was.
UPDATE reports SET caller_id = NULL WHERE case_id = ANY ($1::bigint[]) AND caller_id IS NOT NULL;

-- name: forget_object
-- The hash of the party or object that they named.
UPDATE cases SET object = NULL WHERE id = ANY ($1::bigint[]) AND object IS NOT NULL;

-- name: erase_callers
-- Of these people those of whom no case is left: name and number, and the hashes by which they would be found. The empty row stays, so that
-- the reports of all time need not be searched for it.
UPDATE callers SET person = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), phone = NULL, match_key = '', key_id = '',
    nonce = '', sealed = ''
WHERE id = ANY ($1::bigint[]) AND NOT EXISTS (SELECT FROM case_people p WHERE p.caller_id = callers.id) RETURNING id;

-- name: erase_quarantine
-- At most $3 entries that ended more than $2 months before $1.
DELETE FROM quarantine WHERE id IN (
    SELECT id FROM quarantine WHERE status <> 'open' AND ended_at < $1::timestamptz - make_interval(months => $2::integer) LIMIT $3) RETURNING 1;

-- name: erase_notices
-- At most $3 notices that are older than $2 months at $1; one that has to be sent yet stays.
DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE created_at < $1::timestamptz - make_interval(months => $2::integer) AND next_at IS NULL LIMIT $3) RETURNING 1;

-- name: erase_action_keys
-- At most $3 first answers that are older than $2 months at $1; the service itself forgets them after days.
DELETE FROM action_keys WHERE (actor, key) IN (
    SELECT actor, key FROM action_keys WHERE recorded_at < $1::timestamptz - make_interval(months => $2::integer) LIMIT $3) RETURNING 1;

-- name: months_due
-- Months of the access log that ended more than $2 months before $1, the oldest first.
SELECT p.month FROM (SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'access_log'::regclass) AS p
WHERE (p.month::timestamp + interval '1 month') AT TIME ZONE 'UTC' <= $1::timestamptz - make_interval(months => $2::integer) ORDER BY p.month;

-- name: drop_access_log
-- Drops one month of the access log, and puts that on record.
SELECT drop_access_log($1, $2);

-- name: keep_run
-- What was erased.
INSERT INTO retention_runs (at, what, subject, erased, months) VALUES ($1, $2, $3, $4, $5);

-- name: runs
-- What was erased last, the newest first.
SELECT at, what, subject, erased, months FROM retention_runs ORDER BY id DESC LIMIT $1;

-- name: held
-- Whether a case is held.
SELECT EXISTS (SELECT FROM legal_holds WHERE case_id = $1 AND released_at IS NULL);

-- name: place
-- A hold, with the words that say why.
INSERT INTO legal_holds (case_id, text_id, placed_by, placed_at) VALUES ($1, $2, $3, $4);

-- name: release
-- The hold of a case is over.
UPDATE legal_holds SET released_by = $2, released_at = $3 WHERE case_id = $1 AND released_at IS NULL RETURNING id;

-- name: holds
-- Cases that are held, the oldest hold first, with the sealed reason.
SELECT h.case_id, c.case_no, h.placed_by, h.placed_at, t.id AS text_id, t.nonce, t.sealed
FROM legal_holds h JOIN cases c ON c.id = h.case_id JOIN texts t ON t.id = h.text_id WHERE h.released_at IS NULL ORDER BY h.id;
