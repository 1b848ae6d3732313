-- name: case_by_number
-- The case that a body names by its number.
SELECT id FROM cases WHERE case_no = $1;

-- name: case_of_receipt
-- The case that a report belongs to now.
SELECT case_id FROM report_keys WHERE receipt_no = $1;

-- name: hold_keys
-- First in the order of locks: the keys of all reports of these cases, sorted as intake sorts them.
SELECT k.receipt_no FROM report_keys k WHERE k.receipt_no IN (SELECT receipt_no FROM reports WHERE case_id = ANY ($1::bigint[]))
ORDER BY k.channel, k.external_id FOR UPDATE;

-- name: people_of
-- Second in the order of locks is asked for by person: whoever reported about these cases.
SELECT DISTINCT p.person FROM reports r JOIN callers p ON p.id = r.caller_id WHERE r.case_id = ANY ($1::bigint[]);

-- name: lock_neighbourhoods
-- Calls of these people wait: whom a case has is not counted while it changes. Sorted by the caller.
SELECT pg_advisory_xact_lock(1179537, n) FROM unnest($1::integer[]) AS n;

-- name: reports_of
-- Reports of a held case, the oldest first.
SELECT receipt_no FROM reports WHERE case_id = $1 ORDER BY id;

-- name: keys_held
-- Keys of these reports that are ours or nobody's: waiting here, with cases held, would be against the order of locks.
SELECT receipt_no FROM report_keys WHERE receipt_no = ANY ($1::text[]) FOR UPDATE SKIP LOCKED;

-- name: move_reports
-- These reports belong to another case now.
UPDATE reports SET case_id = $1 WHERE receipt_no = ANY ($2::text[]) AND case_id = $3 RETURNING id;

-- name: move_keys
-- Their receipts lead there too.
UPDATE report_keys SET case_id = $1 WHERE receipt_no = ANY ($2::text[]);

-- name: texts_of
-- Words that may be about a report: its own, and those of the kinds $2 that name its receipt.
SELECT id, report_id, kind, nonce, sealed FROM texts WHERE case_id = $1 AND (kind = 'report' OR kind = ANY ($2::text[])) ORDER BY id;

-- name: move_texts
-- Words that were sealed anew under the key of the case they belong to now.
UPDATE texts SET case_id = $1, nonce = u.nonce, sealed = u.sealed
FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) AS u(id, nonce, sealed) WHERE texts.id = u.id;

-- name: forget_people
-- Who reported about these cases is counted anew.
DELETE FROM case_people WHERE case_id = ANY ($1::bigint[]);

-- name: count_people
-- One row for each person of these cases, from their reports.
INSERT INTO case_people (case_id, caller_id, reports)
SELECT case_id, caller_id, count(*) FROM reports WHERE case_id = ANY ($1::bigint[]) AND caller_id IS NOT NULL
GROUP BY case_id, caller_id;

-- name: people
-- How many people a case has, as intake counts them: those with a number, and whoever came first without one; $2: kinds of citizens.
SELECT count(DISTINCT p.id) FILTER (WHERE p.phone IS NOT NULL)
    + coalesce((array_agg(p.phone IS NULL ORDER BY r.id))[1], false)::int AS people
FROM reports r LEFT JOIN callers p ON p.id = r.caller_id WHERE r.case_id = $1 AND r.kind = ANY ($2::text[]);

-- name: keep_move
-- What was moved, so that it can be undone.
INSERT INTO report_moves (kind, from_case, to_case, receipts, moved_by, moved_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: last_merge
-- The merge that stands.
SELECT id, to_case, receipts FROM report_moves WHERE from_case = $1 AND kind = 'merge' AND undone_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: undo_move
-- It was taken back.
UPDATE report_moves SET undone_by = $2, undone_at = $3 WHERE id = $1;

-- name: undo_detach
-- A report that came back to the case from which it had been taken: that was taken back.
UPDATE report_moves SET undone_by = $4, undone_at = $5
WHERE kind = 'detach' AND from_case = $1 AND to_case = $2 AND receipts @> ARRAY[$3::text] AND undone_at IS NULL;

-- name: case_clocks
-- The clocks of a case that ended with it: that from intake, and that of a round with a limit of its own.
SELECT * FROM deadlines d WHERE d.case_id = $1 AND d.clock IN ('close', 'rectify') AND d.stopped_at = (
    SELECT max(m.stopped_at) FROM deadlines m WHERE m.case_id = $1 AND m.clock IN ('close', 'rectify'));

-- name: decide_link
-- What a person said about a suggested pair; $3: same or different.
UPDATE case_links SET decision = $3, decided_by = $4, decided_at = $5
WHERE verdict = 'suggested' AND decision IS NULL AND ((case_id = $1 AND other_id = $2) OR (case_id = $2 AND other_id = $1))
RETURNING case_id;

-- name: learn
-- How often two kinds of things were one matter ($3) or not ($4).
INSERT INTO match_lessons (kind_a, kind_b, same, different) VALUES (least($1, $2), greatest($1, $2), $3, $4)
ON CONFLICT (kind_a, kind_b) DO UPDATE SET same = match_lessons.same + excluded.same,
    different = match_lessons.different + excluded.different;
