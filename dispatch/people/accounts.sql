-- name: claim_attempt
-- Counts one attempt of $1 at $2, before its password is looked at, and locks at the $3-th until $4; nothing while locked or retired.
UPDATE accounts SET
    attempts = CASE WHEN locked_until IS NULL THEN attempts + 1 ELSE 1 END,
    locked_until = CASE WHEN locked_until IS NULL AND attempts + 1 >= $3::integer THEN $4::timestamptz END
WHERE username = $1 AND retired_at IS NULL AND (locked_until IS NULL OR locked_until <= $2::timestamptz)
RETURNING password_hash, must_change, token_epoch, locked_until;

-- name: locked_until
-- Until when $1 is locked.
SELECT locked_until FROM accounts WHERE username = $1 AND retired_at IS NULL;

-- name: forgive_attempts
-- The right password was given; nothing if the account changed since (epoch $2).
UPDATE accounts SET attempts = 0, locked_until = NULL
WHERE username = $1 AND token_epoch = $2 AND retired_at IS NULL RETURNING true;

-- name: set_password
-- Another password ($2), to be changed at once or not ($3); every token so far is void. Returns the new epoch.
UPDATE accounts SET password_hash = $2, must_change = $3, attempts = 0, locked_until = NULL, token_epoch = token_epoch + 1
WHERE username = $1 AND retired_at IS NULL RETURNING token_epoch;

-- name: insert_account
-- A new account; nothing if the name is taken.
INSERT INTO accounts (username, unit, roles, title, password_hash, must_change) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true;

-- name: known_accounts
-- Which of the names $1 exist, retired or not.
SELECT username FROM accounts WHERE username = ANY($1::text[]);

-- name: update_account
-- Unit, roles and title of an account as the city's files have them; its password stays.
UPDATE accounts SET unit = $2, roles = $3, title = $4
WHERE username = $1 AND retired_at IS NULL AND (unit, roles, title) IS DISTINCT FROM ($2, $3, $4);

-- name: retire_account
-- Ends an account for good and voids its tokens.
UPDATE accounts SET retired_at = $2, token_epoch = token_epoch + 1 WHERE username = $1 AND retired_at IS NULL RETURNING true;

-- name: select_account
-- An account that works here.
SELECT username, unit, roles FROM accounts WHERE username = $1 AND retired_at IS NULL;

-- name: list_accounts
-- The next $2 accounts after the name $1.
SELECT username, unit, roles, title, must_change, locked_until, retired_at FROM accounts
WHERE username > $1 ORDER BY username LIMIT $2;

-- name: insert_session
-- A new session of $2.
INSERT INTO sessions (id, username, refresh, opened_at, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: forget_sessions
-- Sessions of $1 that were over before $2.
DELETE FROM sessions WHERE username = $1 AND expires_at < $2;

-- name: hold_session
-- A session with its account, held for rotating its refresh token.
SELECT s.username, s.refresh, s.expires_at, s.ended_at, a.token_epoch, a.must_change, a.retired_at
FROM sessions s JOIN accounts a USING (username) WHERE s.id = $1 FOR UPDATE OF s;

-- name: rotate_session
-- The refresh token of a session is now another.
UPDATE sessions SET refresh = $2 WHERE id = $1;

-- name: end_session
-- Logged out, or a refresh token was shown twice.
UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL;

-- name: end_sessions
-- Every session of an account.
UPDATE sessions SET ended_at = $2 WHERE username = $1 AND ended_at IS NULL;

-- name: select_session
-- A session with the account behind it, for an access token.
SELECT a.username, a.unit, a.roles, a.must_change, a.token_epoch FROM sessions s JOIN accounts a USING (username)
WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND a.retired_at IS NULL;

-- name: insert_key
-- A new key of a machine.
INSERT INTO api_keys (id, secret, name, unit, channels, roles, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: select_key
-- A key that is in use.
SELECT secret, unit, channels, roles FROM api_keys WHERE id = $1 AND retired_at IS NULL;

-- name: retire_key
-- Ends a key for good.
UPDATE api_keys SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL RETURNING true;

-- name: list_keys
-- The next $2 keys after the id $1.
SELECT id, name, unit, channels, roles, created_at, created_by, retired_at FROM api_keys
WHERE id > $1 ORDER BY id LIMIT $2;

-- name: key_names
-- Names of the keys in use.
SELECT name FROM api_keys WHERE retired_at IS NULL;

-- name: insert_access
-- Who did what to whom, for the auditor.
INSERT INTO access_log (recorded_at, actor, action, subject) VALUES ($1, $2, $3, $4);

-- name: open_tasks
-- How many live tasks are in a person's hands.
SELECT count(*) FROM assignments WHERE handler = $1 AND ended_at IS NULL;
