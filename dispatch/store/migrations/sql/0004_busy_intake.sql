-- What a busy intake does often, done with less.

-- Nine in ten open cases of a tile lie outside the box around a report: they are told apart in the index, without reading the cases.
CREATE INDEX cases_near ON cases (tile, kin, lat, lon, opened_at) WHERE tile IS NOT NULL AND is_open AND NOT restricted;
DROP INDEX cases_tile;

-- New words wait in the index's pending list, and whoever fills it up works it off, in the middle of a transaction: 150 ms for which
-- everybody in the neighbourhood waits. The list may grow further, and the service works it off every few seconds beside the intake.
ALTER INDEX case_signatures_search SET (gin_pending_list_limit = 65536);
CREATE FUNCTION settle_words() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_try_advisory_xact_lock(hashtext('dispatch.settle_words')) THEN
        PERFORM gin_clean_pending_list('case_signatures_search');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION settle_words() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_words() TO dispatch_service;

-- The same rules as before, with one look at a case and all that hangs on it instead of three.
CREATE OR REPLACE FUNCTION check_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_case bigint;
    c       record;
BEGIN
    IF TG_TABLE_NAME = 'cases' THEN of_case := NEW.id; ELSE of_case := NEW.case_id; END IF;
    SELECT cases.state, cases.is_open, cases.next_due_at, live.due_at, live.will_act, a.state AS lead INTO c
        FROM cases
        CROSS JOIN LATERAL (SELECT min(d.due_at) AS due_at, bool_or(d.next_at IS NOT NULL) AS will_act
            FROM deadlines d WHERE d.case_id = cases.id AND d.stopped_at IS NULL) AS live
        LEFT JOIN assignments a ON a.id = cases.lead_assignment_id
        WHERE cases.id = of_case;
    IF c.next_due_at IS DISTINCT FROM c.due_at THEN
        RAISE EXCEPTION 'case % says next due %, its live deadlines %', of_case, c.next_due_at, c.due_at
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'next_due_at_is_earliest_live_deadline';
    END IF;
    IF c.is_open AND NOT coalesce(c.will_act, false) THEN
        RAISE EXCEPTION 'case % is open and nothing will act on it', of_case
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'open_case_will_be_acted_on';
    END IF;
    IF c.state IN ('to_sign', 'handling', 'suspended', 'review', 'followup') AND c.lead IS DISTINCT FROM (CASE c.state
        WHEN 'to_sign' THEN 'to_sign' WHEN 'review' THEN 'replied' WHEN 'followup' THEN 'done' ELSE 'handling' END) THEN
        RAISE EXCEPTION 'case % is %, its lead is not', of_case, c.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'case_follows_its_lead';
    END IF;
    RETURN NULL;
END
$$;
