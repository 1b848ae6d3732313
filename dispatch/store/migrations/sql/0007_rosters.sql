-- Duty rosters (值班表): who is on duty for a post, who is on leave, who stands in. A post is a unit and a role; the unit `*` is that
-- of the roles that stand over all units. Nothing is taken out: a row that was removed says by whom and when.

CREATE TABLE shifts (
    id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    unit       text        NOT NULL,
    role       text        NOT NULL,
    account    text        NOT NULL REFERENCES accounts,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    made_by    text        NOT NULL,
    made_at    timestamptz NOT NULL,
    removed_by text,
    removed_at timestamptz,
    in_unit    text        GENERATED ALWAYS AS (nullif(unit, '*')) STORED REFERENCES units,
    CONSTRAINT shift_ends_after_it_starts CHECK (ends_at > starts_at),
    CONSTRAINT shift_is_of_a_post CHECK ((unit = '*') = (role IN ('supervisor', 'commander'))),
    CONSTRAINT removed_shift_says_who CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE UNIQUE INDEX shifts_post ON shifts (unit, role, ends_at, starts_at, account) WHERE removed_at IS NULL;

CREATE TABLE leaves (
    id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account    text        NOT NULL REFERENCES accounts,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    stand_in   text        REFERENCES accounts,
    made_by    text        NOT NULL,
    made_at    timestamptz NOT NULL,
    removed_by text,
    removed_at timestamptz,
    CONSTRAINT leave_ends_after_it_starts CHECK (ends_at > starts_at),
    CONSTRAINT stand_in_is_somebody_else CHECK (stand_in <> account),
    CONSTRAINT removed_leave_says_who CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE INDEX leaves_account ON leaves (account, ends_at, starts_at) WHERE removed_at IS NULL;

-- Who is told: found by unit on every notice.
CREATE INDEX accounts_unit ON accounts (unit) WHERE retired_at IS NULL;

-- Nobody who left is put on duty, and nobody is on two leaves at once. The accounts are held, so that neither a retirement nor another
-- leave slips in between; an exclusion constraint would need an extension that not every server has.
CREATE FUNCTION check_roster() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text[] := ARRAY[NEW.account];
BEGIN
    IF TG_TABLE_NAME = 'leaves' THEN named := array_remove(named || NEW.stand_in, NULL); END IF;
    PERFORM FROM accounts WHERE username = ANY (named) ORDER BY username FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM accounts WHERE username = ANY (named) AND retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'one of % has left', named
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'roster_names_no_retired_account';
    END IF;
    IF TG_TABLE_NAME = 'leaves' AND EXISTS (SELECT FROM leaves l WHERE l.account = NEW.account AND l.removed_at IS NULL
        AND l.starts_at < NEW.ends_at AND NEW.starts_at < l.ends_at) THEN
        RAISE EXCEPTION '% is on leave then already', NEW.account
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'leaves_do_not_overlap';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER shifts_checked BEFORE INSERT ON shifts FOR EACH ROW EXECUTE FUNCTION check_roster();
CREATE TRIGGER leaves_checked BEFORE INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION check_roster();

-- Who is told of what concerns a post at an instant; shifts and leave are half-open, from their start up to but not at their end.
-- Of each role: those on shift where a shift covers the instant, else all who hold it. Whoever is on leave then gives way to the
-- stand-in, who may be on leave too; in a ring of stand-ins nobody is there.
CREATE FUNCTION on_duty(of_unit text, of_roles text[], at timestamptz) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE on_shift AS (
        SELECT s.role, s.account FROM shifts s JOIN accounts a ON a.username = s.account AND a.retired_at IS NULL
        WHERE s.unit = of_unit AND s.role = ANY (of_roles) AND s.starts_at <= at AND at < s.ends_at AND s.removed_at IS NULL
    ), holders AS (
        SELECT username, roles FROM accounts WHERE unit = of_unit AND retired_at IS NULL AND roles && of_roles
        UNION ALL
        SELECT username, roles FROM accounts WHERE of_unit = '*' AND retired_at IS NULL AND roles && of_roles
    ), chain (account) AS (
        SELECT account FROM on_shift
        UNION
        SELECT h.username FROM holders h
        WHERE EXISTS (SELECT FROM unnest(h.roles) AS r WHERE r = ANY (of_roles) AND NOT EXISTS (SELECT FROM on_shift o WHERE o.role = r))
        UNION
        SELECT l.stand_in FROM chain c JOIN leaves l ON l.account = c.account AND l.starts_at <= at AND at < l.ends_at
            AND l.removed_at IS NULL AND l.stand_in IS NOT NULL
    )
    SELECT c.account FROM chain c JOIN accounts a ON a.username = c.account AND a.retired_at IS NULL
    WHERE NOT EXISTS (SELECT FROM leaves l WHERE l.account = c.account AND l.starts_at <= at AND at < l.ends_at AND l.removed_at IS NULL)
$$;

-- Whether anybody should be there: a unit that has people of its own, or a post that has a roster; of a post over all units, whether
-- anybody holds its role. What has neither works by its common inbox.
CREATE FUNCTION is_manned(of_unit text, of_roles text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM accounts WHERE unit = of_unit AND retired_at IS NULL)
        OR of_unit = '*' AND EXISTS (SELECT FROM accounts WHERE roles && of_roles AND retired_at IS NULL)
        OR EXISTS (SELECT FROM shifts s JOIN accounts a ON a.username = s.account AND a.retired_at IS NULL
            WHERE s.unit = of_unit AND s.role = ANY (of_roles) AND s.removed_at IS NULL)
$$;

-- Levels that demand a logged call. A call: {at, by, to, reached}; `to` is an account or a unit, never a number.
ALTER TABLE escalations
    ADD COLUMN call_demanded boolean NOT NULL DEFAULT false,
    ADD COLUMN calls jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(calls) = 'array'),
    ADD CONSTRAINT demanded_call_reached_somebody CHECK (
        NOT call_demanded OR acked_at IS NULL OR calls @> '[{"reached": true}]');

GRANT SELECT, INSERT, UPDATE (removed_by, removed_at) ON shifts, leaves TO dispatch_service;
GRANT USAGE ON SEQUENCE shifts_id_seq, leaves_id_seq TO dispatch_service;
