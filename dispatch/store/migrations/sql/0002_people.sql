-- Who may use the service: accounts of people with their sessions, keys of machines. Nothing here opens anything by itself: of
-- passwords, refresh tokens and keys there are only hashes.

CREATE TABLE accounts (
    username      text        PRIMARY KEY CHECK (username ~ '^[a-z][a-z0-9._-]{1,31}$'),
    unit          text        NOT NULL REFERENCES units,
    roles         text[]      NOT NULL,
    title         text        NOT NULL DEFAULT '',
    password_hash text        NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    must_change   boolean     NOT NULL DEFAULT true,
    -- Attempts since the last success; counted before the password is looked at, so that guessing in parallel gains nothing.
    attempts      smallint    NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    locked_until  timestamptz,
    -- Tokens of an earlier epoch are void.
    token_epoch   integer     NOT NULL DEFAULT 1,
    retired_at    timestamptz,
    CONSTRAINT account_has_role CHECK (cardinality(roles) > 0),
    CONSTRAINT administrator_is_nothing_else CHECK (
        NOT roles && ARRAY['sysadmin', 'secadmin', 'auditor'] OR cardinality(roles) = 1)
);

CREATE TABLE sessions (
    id         text        PRIMARY KEY,
    username   text        NOT NULL REFERENCES accounts,
    -- Of the one refresh token that is good; an earlier one shown again ends the session.
    refresh    bytea       NOT NULL CHECK (octet_length(refresh) = 32),
    opened_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > opened_at),
    ended_at   timestamptz
);
CREATE INDEX sessions_username ON sessions (username);

CREATE TABLE api_keys (
    id         text        PRIMARY KEY CHECK (id ~ '^[a-z0-9]{12}$'),
    secret     bytea       NOT NULL CHECK (octet_length(secret) = 32),
    name       text        NOT NULL CHECK (name <> ''),
    unit       text        NOT NULL REFERENCES units,
    channels   text[]      NOT NULL,
    roles      text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    retired_at timestamptz,
    CONSTRAINT key_is_bound_to_channels CHECK (cardinality(channels) > 0),
    CONSTRAINT key_has_role CHECK (cardinality(roles) > 0),
    CONSTRAINT key_administers_nothing CHECK (NOT roles && ARRAY['sysadmin', 'secadmin', 'auditor'])
);

-- Who left does not come back under the same name: the log would not tell one from the other.
CREATE TRIGGER accounts_retirement_kept BEFORE UPDATE OF retired_at ON accounts FOR EACH ROW
    WHEN (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    EXECUTE FUNCTION refuse_change('retirement');
CREATE TRIGGER api_keys_retirement_kept BEFORE UPDATE OF retired_at ON api_keys FOR EACH ROW
    WHEN (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    EXECUTE FUNCTION refuse_change('retirement');

GRANT SELECT, INSERT, UPDATE (unit, roles, title, password_hash, must_change, attempts, locked_until, token_epoch, retired_at)
    ON accounts TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (refresh, ended_at), DELETE ON sessions TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (retired_at) ON api_keys TO dispatch_service;
