-- name: next_at
-- When anything acts next: a case's deadline or an entry in quarantine.
SELECT least((SELECT min(next_at) FROM deadlines WHERE next_at IS NOT NULL), (SELECT min(next_at) FROM quarantine WHERE next_at IS NOT NULL));

-- name: claim_due
-- The cases of $2 deadlines due by $1, earliest first, held; a case that somebody else works on is passed over and left to the
-- next turn. A case comes once for each of its deadlines.
SELECT c.id FROM deadlines d JOIN cases c ON c.id = d.case_id WHERE d.next_at <= $1 ORDER BY d.next_at LIMIT $2 FOR UPDATE OF c SKIP LOCKED;

-- name: postpone
-- A deadline whose effect failed is tried again later, ever more rarely, up to an hour; what was planned stays in its plan.
UPDATE deadlines SET attempts = least(attempts + 1, 30000), next_at = $2 + least(interval '5 s' * 2 ^ least(attempts, 12), interval '1 h')
WHERE case_id = $1 AND next_at <= $2 RETURNING attempts;

-- name: check_now
-- What the schema checks at commit is checked at once, and after every statement from here on.
SET CONSTRAINTS ALL IMMEDIATE;

-- name: check_later
-- Checks wait for the end again.
SET CONSTRAINTS ALL DEFERRED;

-- name: last_round
-- How often the case has had the clock $2.
SELECT coalesce(max(round), 0) FROM deadlines WHERE case_id = $1 AND clock = $2;

-- name: claim_quarantine
-- Entries nobody looked at in time: one level up, again at $2.
UPDATE quarantine SET level = level + 1, next_at = $2 WHERE id IN (
    SELECT id FROM quarantine WHERE next_at <= $1 ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING id, receipt_no, reason, owner_unit, due_at, level;

-- name: announce_quarantine
-- Tells the dispatch desk's screens.
INSERT INTO outbox (case_id, case_seq, message) SELECT 0, 0, m FROM unnest($1::bytea[]) AS m;

-- name: late
-- The auditor: how many deadlines should have acted more than a second ago, and since when the oldest waits. Index only.
SELECT count(*) AS late, min(next_at) AS oldest FROM deadlines WHERE next_at < $1::timestamptz - interval '1 second';

-- name: acknowledge
-- A person has seen a level of the ladder; only the first counts.
UPDATE escalations SET acked_by = $2, acked_at = $3 WHERE id = $1 AND acked_at IS NULL;

-- name: log_call
-- One call about a level: {at, by, to, reached}.
UPDATE escalations SET calls = calls || $2::jsonb WHERE id = $1;

-- name: escalation
-- One level that fired.
SELECT id, case_id, deadline_id, level, call_demanded, calls, acked_by, acked_at FROM escalations WHERE id = $1;

-- name: account_exists
-- Whether somebody of this name works here.
SELECT EXISTS (SELECT FROM accounts WHERE username = $1 AND retired_at IS NULL);
