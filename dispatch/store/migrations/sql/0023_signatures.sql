-- `case_runs` repeats `case_signatures.runs`, a row for each: kept here, so that no statement can forget it. Former code, which may still
-- run beside this, writes the rows itself.
CREATE FUNCTION keep_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM case_runs r USING gone g CROSS JOIN LATERAL unnest(g.runs) AS u(run) WHERE r.run = u.run AND r.case_id = g.case_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO case_runs (run, case_id) SELECT u.run, m.case_id FROM made m CROSS JOIN LATERAL unnest(m.runs) AS u(run)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER case_runs_made AFTER INSERT ON case_signatures REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION keep_runs();
CREATE TRIGGER case_runs_gone AFTER DELETE ON case_signatures REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_runs();
CREATE TRIGGER case_runs_changed AFTER UPDATE ON case_signatures REFERENCING OLD TABLE AS gone NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION keep_runs();

-- What repeats without words are judged by: the address by keyed hashes, of the whole of it and of its streets, and how many open cases
-- of its kind a case had close by, and around, when it was opened.
ALTER TABLE case_signatures
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN streets text[] NOT NULL DEFAULT '{}',
    ADD COLUMN crowd smallint NOT NULL DEFAULT 0 CHECK (crowd >= 0),
    ADD COLUMN around smallint NOT NULL DEFAULT 0 CHECK (around >= 0);

-- Closed cases near a report, newest first: what was closed of late may be meant too.
CREATE INDEX cases_closed_near ON cases (tile, kin, closed_at DESC) WHERE tile IS NOT NULL AND closed_at IS NOT NULL;
