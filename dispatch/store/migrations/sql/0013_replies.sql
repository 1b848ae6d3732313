-- Replies (答复) of units, as they were written: the form, not the words, which are texts. One that waits for signatures (签批) has steps;
-- without any it is the unit's at once. What waits while its task ends has lapsed with it.
CREATE TABLE replies (
    case_id       bigint      NOT NULL REFERENCES cases,
    assignment_id bigint      NOT NULL,
    -- Which one of its task it is, in which round of the case.
    nth           smallint    NOT NULL CHECK (nth >= 1),
    round         smallint    NOT NULL CHECK (round >= 1),
    role          text        NOT NULL CHECK (role <> 'consult'),
    unit          text        NOT NULL REFERENCES units,
    finding       text        CHECK (finding IN ('founded', 'partly_founded', 'unfounded', 'beyond_duty')),
    outcome       text        CHECK (outcome IN ('solved', 'partly', 'unsolved')),
    -- Code of the city's table of reasons why a matter is not solved.
    reason_code   text,
    text_id       bigint      NOT NULL,
    written_by    text        NOT NULL,
    written_at    timestamptz NOT NULL,
    status        text        NOT NULL CHECK (status IN ('waiting', 'confirmed', 'refused', 'lapsed')),
    ended_at      timestamptz,
    PRIMARY KEY (assignment_id, nth),
    UNIQUE (assignment_id, nth, written_by),
    FOREIGN KEY (case_id, assignment_id, role) REFERENCES assignments (case_id, id, role),
    CONSTRAINT lead_says_what_it_found CHECK ((role = 'lead') = (finding IS NOT NULL) AND (role = 'lead') = (outcome IS NOT NULL)),
    CONSTRAINT unsolved_says_why CHECK (coalesce(outcome IN ('partly', 'unsolved'), false) = (reason_code IS NOT NULL)),
    CONSTRAINT ended_reply_says_when CHECK ((status = 'waiting') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX replies_one_waits ON replies (assignment_id) WHERE status = 'waiting';
CREATE INDEX replies_case ON replies (case_id);

-- The steps by which a reply is signed, fixed when it is written, and each signature. The writer stands in every row, so that nobody
-- signs what they wrote, and a person signs a reply once.
CREATE TABLE reply_steps (
    assignment_id bigint      NOT NULL,
    nth           smallint    NOT NULL,
    step          smallint    NOT NULL CHECK (step >= 1),
    unit          text        NOT NULL REFERENCES units,
    role          text        NOT NULL,
    written_by    text        NOT NULL,
    signed_by     text,
    signed_at     timestamptz,
    approved      boolean,
    -- Why it was refused, or what was said with it.
    text_id       bigint,
    PRIMARY KEY (assignment_id, nth, step),
    UNIQUE (assignment_id, nth, signed_by),
    FOREIGN KEY (assignment_id, nth, written_by) REFERENCES replies (assignment_id, nth, written_by),
    CONSTRAINT signature_is_whole CHECK ((signed_by IS NULL) = (signed_at IS NULL) AND (signed_by IS NULL) = (approved IS NULL)),
    CONSTRAINT nobody_signs_what_they_wrote CHECK (signed_by <> written_by)
);

-- A reply is the unit's once every step approved it. Steps come after their reply, so this is looked at when the transaction ends.
CREATE FUNCTION check_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reply_steps s WHERE s.assignment_id = NEW.assignment_id AND s.nth = NEW.nth AND s.approved IS NOT TRUE) THEN
        RAISE EXCEPTION 'reply % of task % is not signed', NEW.nth, NEW.assignment_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'confirmed_reply_is_signed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER replies_signed AFTER INSERT OR UPDATE OF status ON replies DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status = 'confirmed') EXECUTE FUNCTION check_signed();

GRANT SELECT, INSERT, UPDATE (status, ended_at) ON replies TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (signed_by, signed_at, approved, text_id) ON reply_steps TO dispatch_service;
