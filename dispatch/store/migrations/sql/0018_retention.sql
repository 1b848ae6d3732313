-- The role under which what is past its period is erased. It may what the service may, and a little more; the service may none of that.
DO $$
BEGIN
    CREATE ROLE dispatch_retention NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- roles belong to the whole server; another database of it has made this one already
END
$$;
GRANT dispatch_service TO dispatch_retention;
GRANT dispatch_retention TO CURRENT_USER;

-- Cases whose words must not be erased, whatever their age (法律保全): a lawsuit, an inquiry. Why is sealed with the case.
CREATE TABLE legal_holds (
    id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id     bigint      NOT NULL REFERENCES cases,
    text_id     bigint      NOT NULL REFERENCES texts,
    placed_by   text        NOT NULL,
    placed_at   timestamptz NOT NULL,
    released_by text,
    released_at timestamptz,
    CONSTRAINT released_hold_says_who CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE UNIQUE INDEX legal_holds_one_a_case ON legal_holds (case_id) WHERE released_at IS NULL;

-- What was erased, a line for each transaction that did: of which kind, how much, under which period.
CREATE TABLE retention_runs (
    id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at      timestamptz NOT NULL,
    what    text        NOT NULL CHECK (what IN ('words', 'quarantine', 'notices', 'action_keys', 'access_log')),
    subject text        NOT NULL DEFAULT '',
    erased  bigint      NOT NULL CHECK (erased >= 0),
    months  smallint    NOT NULL CHECK (months >= 1)
);

-- Whoever destroys the words of a case: the service those of an open one (涉密), the retention role those of one that is over, that
-- nothing waits about and that is not held.
CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    open boolean := (SELECT is_open FROM cases WHERE id = OLD.case_id);
BEGIN
    IF current_user = 'dispatch_retention' THEN
        IF open OR EXISTS (SELECT FROM deadlines WHERE case_id = OLD.case_id AND stopped_at IS NULL)
            OR EXISTS (SELECT FROM legal_holds WHERE case_id = OLD.case_id AND released_at IS NULL) THEN
            RAISE EXCEPTION 'the words of case % are still needed', OLD.case_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'words_are_kept_while_needed';
        END IF;
    ELSIF NOT open AND NOT pg_has_role(current_user, 'dispatch_retention', 'USAGE') THEN
        RAISE EXCEPTION 'the words of case %, which is over, are erased by the retention role alone', OLD.case_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER case_keys_kept BEFORE DELETE ON case_keys FOR EACH ROW EXECUTE FUNCTION keep_words();
CREATE TRIGGER case_signatures_kept BEFORE DELETE ON case_signatures FOR EACH ROW EXECUTE FUNCTION keep_words();

-- Drops the partition of one month of the access log, once the whole of it is older than `months`; how many rows went with it, null if
-- there is none. Whoever calls it: never what is younger than six months (CSL Art. 21(3)), and no record of handing personal data to
-- others (`provide.…`) that is younger than three years (NDSR Art. 12). By the server's own clock, which no caller sets.
CREATE FUNCTION drop_access_log(of_month date, months integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    part    text := 'access_log' || to_char(of_month, '_YYYY_MM');
    ends_at timestamptz := (date_trunc('month', of_month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    counted bigint;
    handed  bigint;
BEGIN
    IF ends_at > clock_timestamp() - make_interval(months => greatest(months, 6)) THEN
        RAISE EXCEPTION '% is younger than % months', part, greatest(months, 6)
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'access_log_is_kept_six_months';
    END IF;
    IF to_regclass(format('%I', part)) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE action LIKE ''provide.%%'') FROM %I', part) INTO counted, handed;
    IF handed > 0 AND ends_at > clock_timestamp() - interval '36 months' THEN
        RAISE EXCEPTION '% has % records of handing over personal data', part, handed
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'records_of_handing_over_are_kept_three_years';
    END IF;
    EXECUTE format('DROP TABLE %I', part);
    INSERT INTO retention_runs (at, what, subject, erased, months) VALUES (clock_timestamp(), 'access_log', part, counted, greatest(months, 6));
    RETURN counted;
END
$$;
REVOKE ALL ON FUNCTION drop_access_log(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_access_log(date, integer) TO dispatch_retention;

-- Cases that were opened and closed long ago are found by their keys: what was erased has none.
GRANT SELECT, INSERT, UPDATE (released_by, released_at) ON legal_holds TO dispatch_retention;
GRANT SELECT, INSERT ON retention_runs TO dispatch_retention;
GRANT DELETE ON quarantine, notices TO dispatch_retention;
GRANT UPDATE (caller_id) ON reports TO dispatch_retention;
GRANT USAGE ON SEQUENCE legal_holds_id_seq, retention_runs_id_seq TO dispatch_retention;
