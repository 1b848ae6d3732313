-- Desk and dispatch: why a case ended, what it was merged into, tasks within tasks, rulings, site checks, knowledge, incidents,
-- proposals for the duty book, and what people decided about suggested matches.

ALTER TABLE cases
    -- Code of the city's table of endings (不予受理, 转办, 一键结束) that ended it.
    ADD COLUMN ending        text,
    -- What is dangerous in its words, as codes of the city's table; starts the fixed procedure.
    ADD COLUMN danger        text[]      NOT NULL DEFAULT '{}',
    -- Areas whose border is so near that the matter may be theirs.
    ADD COLUMN border        text[]      NOT NULL DEFAULT '{}',
    -- The superior's system and number, to whom the result is owed back.
    ADD COLUMN source_ref    jsonb,
    -- Keyed hash of the named party or object that it is about.
    ADD COLUMN object        bytea       CHECK (octet_length(object) = 32),
    ADD COLUMN merged_into   bigint      REFERENCES cases,
    -- Repeats since the unit was last reminded, when that was, and whether this round is under supervision already.
    ADD COLUMN reminders     integer     NOT NULL DEFAULT 0 CHECK (reminders >= 0),
    ADD COLUMN reminded_at   timestamptz,
    ADD COLUMN supervised_at timestamptz,
    ADD CONSTRAINT merged_case_says_into_which CHECK ((state = 'merged') = (merged_into IS NOT NULL) AND merged_into <> id);
-- A queue walks the cases that its unit leads; the other tasks of the unit are few.
CREATE INDEX assignments_beside ON assignments (unit) WHERE role <> 'lead' AND state IN ('to_sign', 'handling');
-- Where the desk that owns a case has the next move.
CREATE INDEX cases_desk ON cases (owner_unit, rank DESC, next_due_at, id) WHERE state IN ('received', 'triage', 'returned', 'review', 'followup');
CREATE INDEX cases_merged_into ON cases (merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE case_people ADD COLUMN withdrawn_at timestamptz;

-- A task within a task (子任务), a consultation (会商), one that a whistle called (吹哨), one that a ruling bound.
ALTER TABLE assignments
    ADD COLUMN parent_id     bigint,
    ADD COLUMN return_locked boolean NOT NULL DEFAULT false,
    ADD COLUMN interim       boolean NOT NULL DEFAULT false,
    ADD COLUMN called_by     text    REFERENCES units,
    DROP CONSTRAINT assignments_role_check,
    ADD CONSTRAINT assignments_role_check CHECK (role IN ('lead', 'assist', 'consult', 'child')),
    ADD CONSTRAINT child_has_a_parent CHECK ((role = 'child') = (parent_id IS NOT NULL) AND parent_id <> id),
    ADD CONSTRAINT parent_is_of_the_case FOREIGN KEY (case_id, parent_id) REFERENCES assignments (case_id, id),
    ADD CONSTRAINT interim_is_a_lead CHECK (NOT interim OR role = 'lead'),
    ADD CONSTRAINT locked_task_is_never_returned CHECK (NOT (return_locked AND state = 'returned'));

ALTER TABLE deadlines
    DROP CONSTRAINT deadlines_clock_check,
    ADD CONSTRAINT deadlines_clock_check CHECK (clock IN (
        'dispatch', 'close', 'sign', 'contact', 'reply', 'need_info', 'ruling', 'approval', 'rectify', 'resume', 'order', 'followup',
        'review', 'danger', 'verify', 'consult', 'whistle', 'report_back'));

-- As before, and: a suspended case has its promised day, and no open case is without a lead unless a clock runs that gives it one.
CREATE OR REPLACE FUNCTION check_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_case bigint;
    c       record;
BEGIN
    IF TG_TABLE_NAME = 'cases' THEN of_case := NEW.id; ELSE of_case := NEW.case_id; END IF;
    SELECT cases.state, cases.is_open, cases.next_due_at, cases.lead_assignment_id, live.due_at, live.will_act, live.promised, live.led,
        a.state AS lead INTO c
        FROM cases
        CROSS JOIN LATERAL (SELECT min(d.due_at) AS due_at, bool_or(d.next_at IS NOT NULL) AS will_act,
                bool_or(d.clock = 'resume') AS promised, bool_or(d.clock IN ('dispatch', 'need_info', 'ruling', 'review')) AS led
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
    IF c.state = 'suspended' AND NOT coalesce(c.promised, false) THEN
        RAISE EXCEPTION 'case % is suspended without a promised day', of_case
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'suspended_case_has_its_promise';
    END IF;
    IF c.is_open AND c.lead_assignment_id IS NULL AND NOT coalesce(c.led, false) THEN
        RAISE EXCEPTION 'case % has no lead and no clock that gives it one', of_case
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'case_without_lead_will_get_one';
    END IF;
    IF c.state IN ('to_sign', 'handling', 'suspended', 'review', 'followup') AND c.lead IS DISTINCT FROM (CASE c.state
        WHEN 'to_sign' THEN 'to_sign' WHEN 'review' THEN 'replied' WHEN 'followup' THEN 'done' ELSE 'handling' END) THEN
        RAISE EXCEPTION 'case % is %, its lead is not', of_case, c.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'case_follows_its_lead';
    END IF;
    RETURN NULL;
END
$$;

-- ------------------------------------------------------------------------------------------------ merging and splitting

-- What was joined or taken apart by a person, so that it can be undone: which receipts moved from which case to which.
CREATE TABLE report_moves (
    id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind       text        NOT NULL CHECK (kind IN ('merge', 'attach', 'detach')),
    from_case  bigint      NOT NULL REFERENCES cases,
    to_case    bigint      NOT NULL REFERENCES cases CHECK (to_case <> from_case),
    receipts   text[]      NOT NULL CHECK (cardinality(receipts) > 0),
    moved_by   text        NOT NULL,
    moved_at   timestamptz NOT NULL,
    undone_by  text,
    undone_at  timestamptz,
    CHECK ((undone_by IS NULL) = (undone_at IS NULL))
);
CREATE INDEX report_moves_from ON report_moves (from_case);
CREATE INDEX report_moves_to ON report_moves (to_case);

-- What a person said about a suggested match.
ALTER TABLE case_links
    ADD COLUMN decision   text CHECK (decision IN ('same', 'different')),
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz,
    ADD CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL));
CREATE INDEX case_links_undecided ON case_links (case_id) WHERE verdict = 'suggested' AND decision IS NULL;
CREATE INDEX case_links_other ON case_links (other_id);

-- What matching learns from it: how often two kinds of things were one matter when it had only been suggested.
CREATE TABLE match_lessons (
    kind_a    text    NOT NULL,
    kind_b    text    NOT NULL CHECK (kind_b >= kind_a),
    same      integer NOT NULL DEFAULT 0 CHECK (same >= 0),
    different integer NOT NULL DEFAULT 0 CHECK (different >= 0),
    PRIMARY KEY (kind_a, kind_b)
);

-- ------------------------------------------------------------------------------------------------------- rulings

-- Each settled dispute proposes a change to the duty book (权责清单); a person decides.
CREATE TABLE duty_proposals (
    id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id     bigint      NOT NULL REFERENCES cases,
    event_seq   integer     NOT NULL,
    category    text,
    area        text,
    -- Units that the case was taken from or that gave it back, in order.
    from_units  text[]      NOT NULL,
    to_unit     text        NOT NULL REFERENCES units,
    disputed_at timestamptz NOT NULL,
    ruled_by    text        NOT NULL,
    ruled_at    timestamptz NOT NULL,
    status      text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'declined')),
    decided_by  text,
    decided_at  timestamptz,
    UNIQUE (case_id, event_seq),
    CHECK ((status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX duty_proposals_open ON duty_proposals (ruled_at DESC, id DESC) WHERE status = 'open';

-- ---------------------------------------------------------------------------------------------------- site checks

-- Where a collector was seen last, by their own device: movement data, kept as one row a person and not as a track.
CREATE TABLE collector_positions (
    account text             PRIMARY KEY REFERENCES accounts,
    lon     double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    lat     double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    seen_at timestamptz      NOT NULL
);

-- One visit to one place about one kind of matter, for one or more cases.
CREATE TABLE site_checks (
    id       bigint           PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kin      text             NOT NULL,
    category text,
    lon      double precision NOT NULL,
    lat      double precision NOT NULL,
    tile     bigint           NOT NULL,
    account  text             REFERENCES accounts,
    asked_by text             NOT NULL,
    asked_at timestamptz      NOT NULL,
    due_at   timestamptz      NOT NULL,
    result   text             CHECK (result IN ('found', 'not_found', 'unclear')),
    evidence text[]           NOT NULL DEFAULT '{}',
    done_by  text,
    done_at  timestamptz,
    CHECK ((result IS NULL) = (done_at IS NULL) AND (result IS NULL) = (done_by IS NULL))
);
CREATE INDEX site_checks_place ON site_checks (tile, kin, asked_at DESC);
CREATE INDEX site_checks_account ON site_checks (account, asked_at) WHERE result IS NULL;

CREATE TABLE site_check_cases (
    check_id bigint NOT NULL REFERENCES site_checks,
    case_id  bigint NOT NULL REFERENCES cases,
    -- An earlier visit answered for this case too: nobody went there again.
    reused   boolean NOT NULL,
    PRIMARY KEY (check_id, case_id)
);
CREATE INDEX site_check_cases_case ON site_check_cases (case_id);

-- ------------------------------------------------------------------------------------------------------ knowledge

-- Answers that operators give at once, by version; a version never changes once it is written.
CREATE TABLE articles (
    id          bigint      NOT NULL,
    version     integer     NOT NULL CHECK (version >= 1),
    title       text        NOT NULL CHECK (title <> ''),
    text        text        NOT NULL CHECK (text <> ''),
    category    text,
    area        text,
    unit        text        NOT NULL REFERENCES units,
    valid_until timestamptz NOT NULL,
    search      tsvector    NOT NULL,
    written_by  text        NOT NULL,
    written_at  timestamptz NOT NULL,
    -- Only the newest version that was not taken back is found.
    is_current  boolean     NOT NULL DEFAULT true,
    flagged_at  timestamptz,
    PRIMARY KEY (id, version)
);
CREATE SEQUENCE article_ids OWNED BY articles.id;
CREATE UNIQUE INDEX articles_current ON articles (id) WHERE is_current;
CREATE INDEX articles_search ON articles USING gin (search);
CREATE INDEX articles_stale ON articles (valid_until) WHERE is_current;

-- Which case was answered with which version.
CREATE TABLE citations (
    case_id   bigint  NOT NULL REFERENCES cases,
    event_seq integer NOT NULL,
    article   bigint  NOT NULL,
    version   integer NOT NULL,
    PRIMARY KEY (case_id, event_seq, article),
    FOREIGN KEY (article, version) REFERENCES articles (id, version)
);

-- ------------------------------------------------------------------------------------------------------ incidents

-- Known incidents (突发事件) and planned stoppages (计划停水停电): what operators say to everybody who calls about it.
CREATE TABLE incidents (
    id           bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind         text        NOT NULL CHECK (kind IN ('incident', 'stoppage')),
    title        text        NOT NULL CHECK (title <> ''),
    areas        text[]      NOT NULL CHECK (cardinality(areas) > 0),
    categories   text[]      NOT NULL DEFAULT '{}',
    starts_at    timestamptz NOT NULL,
    expected_end timestamptz NOT NULL CHECK (expected_end > starts_at),
    spoken       text        NOT NULL CHECK (spoken <> ''),
    case_id      bigint      NOT NULL REFERENCES cases,
    made_by      text        NOT NULL,
    made_at      timestamptz NOT NULL,
    closed_by    text,
    closed_at    timestamptz,
    CHECK ((closed_by IS NULL) = (closed_at IS NULL))
);
CREATE INDEX incidents_open ON incidents (starts_at DESC, id DESC) WHERE closed_at IS NULL;
CREATE INDEX incidents_case ON incidents (case_id);

-- Notices that are about no case: a stale answer, work handed over.
ALTER TABLE notices
    ALTER COLUMN case_id DROP NOT NULL,
    ALTER COLUMN event_seq DROP NOT NULL,
    ADD COLUMN subject text,
    ADD CONSTRAINT notice_is_about_a_case_or_a_subject CHECK (
        (case_id IS NULL) = (event_seq IS NULL) AND (case_id IS NULL) = (subject IS NOT NULL));
-- What is told of them stands in the outbox without a case, too.
ALTER TABLE outbox
    ALTER COLUMN case_id DROP NOT NULL,
    ALTER COLUMN case_seq DROP NOT NULL,
    ADD CONSTRAINT message_of_a_case_has_its_place CHECK ((case_id IS NULL) = (case_seq IS NULL));
CREATE UNIQUE INDEX notices_subject ON notices (subject, recipient, medium) WHERE subject IS NOT NULL;

ALTER TABLE texts
    DROP CONSTRAINT texts_kind_check,
    ADD CONSTRAINT texts_kind_check CHECK (kind IN ('report', 'supplement', 'note', 'reply', 'reason', 'told', 'opinion'));

-- A secret that was typed by mistake is destroyed with the key; what search keeps of the words goes too. A report that moves to another
-- case takes its words along.
GRANT DELETE ON case_signatures, case_people TO dispatch_service;
GRANT UPDATE (case_id) ON reports TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (undone_by, undone_at) ON report_moves TO dispatch_service;
GRANT SELECT, INSERT, UPDATE ON match_lessons, collector_positions TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (status, decided_by, decided_at) ON duty_proposals TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (account, result, evidence, done_by, done_at) ON site_checks TO dispatch_service;
GRANT SELECT, INSERT ON site_check_cases, citations TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (is_current, flagged_at) ON articles TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (expected_end, spoken, closed_by, closed_at) ON incidents TO dispatch_service;
GRANT USAGE ON SEQUENCE report_moves_id_seq, duty_proposals_id_seq, site_checks_id_seq, article_ids, incidents_id_seq TO dispatch_service;
