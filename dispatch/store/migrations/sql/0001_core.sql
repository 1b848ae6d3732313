-- The main job: keys, reports, cases, assignments, deadlines, events, outbox. Invariants stand here as constraints wherever a
-- schema can hold them; the code that relies on them is short because of it.

-- The role under which the service works. It owns nothing: events and logs are append-only for it.
DO $$
BEGIN
    CREATE ROLE dispatch_service NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- roles belong to the whole server; another database of it has made this one already
END
$$;
GRANT dispatch_service TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO dispatch_service;

-- ---------------------------------------------------------------------------------------------------------------- city

CREATE TABLE city_versions (
    version    integer     PRIMARY KEY CHECK (version > 0),
    name       text        NOT NULL,
    digest     bytea       NOT NULL,
    archive    bytea       NOT NULL,
    valid_from timestamptz NOT NULL,
    loaded_by  text        NOT NULL
);

CREATE TABLE units (
    code       text PRIMARY KEY,
    name       text NOT NULL,
    parent     text REFERENCES units,
    retired_at timestamptz,
    successor  text REFERENCES units,
    CHECK (parent <> code),
    CHECK (retired_at IS NULL OR successor IS NOT NULL)
);

-- ------------------------------------------------------------------------------------------------------------- callers

-- One row a person: keyed hash over number and name. A number alone is not a person.
CREATE TABLE callers (
    id        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    person    bytea  NOT NULL UNIQUE CHECK (octet_length(person) = 32),
    phone     bytea  CHECK (octet_length(phone) = 32),
    match_key text   NOT NULL,
    key_id    text   NOT NULL,
    nonce     bytea  NOT NULL,
    sealed    bytea  NOT NULL
);
CREATE INDEX callers_phone ON callers (phone) WHERE phone IS NOT NULL;

-- --------------------------------------------------------------------------------------------------------------- cases

CREATE SEQUENCE case_ids;
CREATE SEQUENCE report_ids;
CREATE SEQUENCE assignment_ids;
CREATE SEQUENCE text_ids;

CREATE TABLE cases (
    id                 bigint      PRIMARY KEY,
    case_no            text        NOT NULL UNIQUE,
    -- The instant from which the case clocks run; never changes.
    opened_at          timestamptz NOT NULL,
    -- The month in which the case was recorded: where its events are kept.
    opened_month       date        NOT NULL CHECK (extract(day FROM opened_month) = 1),
    state              text        NOT NULL CHECK (state IN (
        'received', 'need_info', 'triage', 'verifying', 'consulting', 'to_sign', 'returned', 'ruling', 'handling', 'suspended',
        'review', 'followup', 'closed', 'answered', 'rejected', 'merged', 'referred', 'terminated', 'archived')),
    is_open            boolean     NOT NULL GENERATED ALWAYS AS (state NOT IN (
        'closed', 'answered', 'rejected', 'merged', 'referred', 'terminated', 'archived')) STORED,
    round              smallint    NOT NULL DEFAULT 1 CHECK (round >= 1),
    version            integer     NOT NULL DEFAULT 1,
    seq                integer     NOT NULL CHECK (seq >= 1),
    head               bytea       NOT NULL CHECK (octet_length(head) = 32),
    last_event_at      timestamptz NOT NULL,
    kind               text        NOT NULL CHECK (kind IN (
        'consult', 'help', 'complaint', 'tipoff', 'suggest', 'praise', 'other', 'patrol', 'sensor')),
    category           text,
    category_table     text,
    -- Family of kinds within which reports are compared; empty while the category is not known.
    kin                text        NOT NULL DEFAULT '',
    urgency            text        NOT NULL CHECK (urgency IN ('ordinary', 'urgent', 'critical')),
    safety             boolean     NOT NULL DEFAULT false,
    people             integer     NOT NULL DEFAULT 0 CHECK (people >= 0),
    -- (urgency, safety, people band 1 · 2–4 · 5–19 · 20+) as one number; the earliest due instant is the last tie-break.
    rank               smallint    NOT NULL GENERATED ALWAYS AS (
        CASE urgency WHEN 'critical' THEN 16 WHEN 'urgent' THEN 8 ELSE 0 END + CASE WHEN safety THEN 4 ELSE 0 END
        + CASE WHEN people >= 20 THEN 3 WHEN people >= 5 THEN 2 WHEN people >= 2 THEN 1 ELSE 0 END) STORED,
    restricted         boolean     NOT NULL DEFAULT false,
    cell               text,
    area               text,
    lon                double precision CHECK (lon BETWEEN -180 AND 180),
    lat                double precision CHECK (lat BETWEEN -90 AND 90),
    tile               bigint,
    city_version       integer     NOT NULL REFERENCES city_versions,
    owner_unit         text        REFERENCES units,
    lead_assignment_id bigint,
    lead_role          text        NOT NULL GENERATED ALWAYS AS ('lead') STORED,
    about_unit         text        REFERENCES units,
    next_due_at        timestamptz,
    -- Reply approved (办结); follow-up and closing come after.
    settled_at         timestamptz,
    closed_at          timestamptz,
    solved             boolean,
    CONSTRAINT place_has_both_coordinates CHECK ((lon IS NULL) = (lat IS NULL)),
    CONSTRAINT placed_case_has_tile CHECK ((lon IS NULL) = (tile IS NULL)),
    CONSTRAINT open_case_has_owner CHECK (NOT is_open OR owner_unit IS NOT NULL),
    CONSTRAINT open_case_has_deadline CHECK (is_open = (next_due_at IS NOT NULL)),
    CONSTRAINT dispatched_case_has_lead CHECK (
        state NOT IN ('to_sign', 'handling', 'suspended', 'review', 'followup') OR lead_assignment_id IS NOT NULL),
    CONSTRAINT waiting_case_has_no_lead CHECK (
        state NOT IN ('received', 'need_info', 'triage', 'verifying', 'consulting') OR lead_assignment_id IS NULL),
    CONSTRAINT closed_case_says_when CHECK ((state IN ('closed', 'archived')) = (closed_at IS NOT NULL))
);
-- Candidates of matching: live cases by place and by kinship.
CREATE INDEX cases_tile ON cases (tile, kin, opened_at) WHERE tile IS NOT NULL AND is_open AND NOT restricted;
CREATE INDEX cases_area ON cases (area, kin, opened_at) WHERE tile IS NULL AND is_open AND NOT restricted;
-- Lists: newest first, by state and by owner in priority order.
CREATE INDEX cases_newest ON cases (opened_at DESC, id DESC);
CREATE INDEX cases_owner ON cases (owner_unit, rank DESC, next_due_at, id) WHERE is_open;

CREATE TABLE case_people (
    case_id   bigint  NOT NULL REFERENCES cases,
    caller_id bigint  NOT NULL REFERENCES callers,
    reports   integer NOT NULL DEFAULT 1 CHECK (reports >= 1),
    PRIMARY KEY (case_id, caller_id)
);
CREATE INDEX case_people_caller ON case_people (caller_id);

CREATE TABLE case_links (
    case_id  bigint      NOT NULL REFERENCES cases,
    other_id bigint      NOT NULL REFERENCES cases,
    verdict  text        NOT NULL CHECK (verdict IN ('facet', 'topic', 'suggested')),
    score    real        NOT NULL CHECK (score BETWEEN 0 AND 1),
    PRIMARY KEY (case_id, other_id),
    CHECK (case_id <> other_id)
);

-- What search and matching need, made from the masked text; erased with the case's key.
CREATE TABLE case_signatures (
    case_id bigint   PRIMARY KEY REFERENCES cases,
    -- Smallest 128 hashes of the character bigrams (bottom-k sketch), 4 bytes each, ascending.
    bigrams bytea    NOT NULL CHECK (octet_length(bigrams) % 4 = 0 AND octet_length(bigrams) <= 512),
    search  tsvector NOT NULL
);
CREATE INDEX case_signatures_search ON case_signatures USING gin (search);

-- A case's own key, wrapped; destroying the row is erasure of every text of the case.
CREATE TABLE case_keys (
    case_id bigint PRIMARY KEY REFERENCES cases,
    key_id  text   NOT NULL,
    nonce   bytea  NOT NULL,
    wrapped bytea  NOT NULL
);

-- Words of people, sealed under the case's key.
CREATE TABLE texts (
    id         bigint      PRIMARY KEY,
    case_id    bigint      NOT NULL REFERENCES cases,
    report_id  bigint,
    kind       text        NOT NULL CHECK (kind IN ('report', 'supplement', 'note', 'reply', 'reason')),
    author     text        NOT NULL,
    written_at timestamptz NOT NULL,
    nonce      bytea       NOT NULL,
    sealed     bytea       NOT NULL
);
CREATE INDEX texts_case ON texts (case_id, id);

-- --------------------------------------------------------------------------------------------------------- assignments

CREATE TABLE assignments (
    id            bigint      PRIMARY KEY,
    case_id       bigint      NOT NULL REFERENCES cases,
    role          text        NOT NULL CHECK (role IN ('lead', 'assist')),
    unit          text        NOT NULL REFERENCES units,
    state         text        NOT NULL CHECK (state IN ('to_sign', 'handling', 'replied', 'returned', 'withdrawn', 'done')),
    version       integer     NOT NULL DEFAULT 1,
    round         smallint    NOT NULL DEFAULT 1 CHECK (round >= 1),
    dispatched_at timestamptz NOT NULL,
    dispatched_by text        NOT NULL,
    route         jsonb       NOT NULL,
    signed_at     timestamptz,
    handler       text,
    replied_at    timestamptz,
    ended_at      timestamptz,
    return_reason text,
    contact_attempts smallint NOT NULL DEFAULT 0,
    UNIQUE (case_id, id),
    UNIQUE (case_id, id, role),
    CONSTRAINT ended_assignment_says_when CHECK ((state IN ('returned', 'withdrawn', 'done')) = (ended_at IS NOT NULL)),
    CONSTRAINT return_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL))
);
CREATE UNIQUE INDEX assignments_one_live_lead ON assignments (case_id)
    WHERE role = 'lead' AND state IN ('to_sign', 'handling', 'replied');
CREATE UNIQUE INDEX assignments_one_live_task_per_unit ON assignments (case_id, unit)
    WHERE state IN ('to_sign', 'handling', 'replied');
CREATE INDEX assignments_queue ON assignments (unit, state, case_id) WHERE state IN ('to_sign', 'handling', 'replied');

ALTER TABLE cases ADD CONSTRAINT lead_belongs_to_case
    FOREIGN KEY (id, lead_assignment_id, lead_role) REFERENCES assignments (case_id, id, role) DEFERRABLE INITIALLY DEFERRED;

-- ----------------------------------------------------------------------------------------------------------- deadlines

CREATE TABLE deadlines (
    id            bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id       bigint      NOT NULL REFERENCES cases,
    assignment_id bigint,
    clock         text        NOT NULL CHECK (clock IN (
        'dispatch', 'close', 'sign', 'contact', 'reply', 'need_info', 'ruling', 'approval', 'rectify', 'resume', 'order', 'followup', 'review')),
    round         smallint    NOT NULL DEFAULT 1 CHECK (round >= 1),
    unit          text        NOT NULL REFERENCES units,
    started_at    timestamptz NOT NULL,
    due_at        timestamptz NOT NULL CHECK (due_at >= started_at),
    limit_text    text        NOT NULL,
    mode          text        NOT NULL CHECK (mode IN ('hours8', 'day_end')),
    rule          text        NOT NULL,
    provisional   boolean     NOT NULL,
    status        text        NOT NULL CHECK (status IN ('running', 'met', 'missed', 'cancelled')),
    -- Past already when it was recorded (backfill): on record, without escalation or notice.
    historic      boolean     NOT NULL DEFAULT false,
    -- The ladder as it was at opening: [{level, at, colour, who}], in time order; `step` is the next of it to act.
    plan          jsonb       NOT NULL,
    step          smallint    NOT NULL DEFAULT 0 CHECK (step >= 0),
    next_at       timestamptz,
    attempts      smallint    NOT NULL DEFAULT 0,
    stopped_at    timestamptz,
    FOREIGN KEY (case_id, assignment_id) REFERENCES assignments (case_id, id),
    UNIQUE NULLS NOT DISTINCT (case_id, clock, assignment_id, round),
    CONSTRAINT stopped_deadline_never_acts CHECK (stopped_at IS NULL OR next_at IS NULL),
    CONSTRAINT running_deadline_will_act CHECK (status <> 'running' OR (stopped_at IS NULL AND next_at IS NOT NULL)),
    CONSTRAINT ended_deadline_says_when CHECK (status NOT IN ('met', 'cancelled') OR stopped_at IS NOT NULL)
);
-- Claiming and sleeping: the next instants at which anything acts.
CREATE INDEX deadlines_next ON deadlines (next_at) INCLUDE (case_id) WHERE next_at IS NOT NULL;
CREATE INDEX deadlines_live ON deadlines (case_id) INCLUDE (due_at, next_at) WHERE stopped_at IS NULL;

CREATE TABLE escalations (
    id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    deadline_id bigint      NOT NULL REFERENCES deadlines,
    case_id     bigint      NOT NULL REFERENCES cases,
    level       smallint    NOT NULL CHECK (level >= 0),
    colour      text        NOT NULL,
    unit        text        NOT NULL REFERENCES units,
    due_at      timestamptz NOT NULL,
    planned_at  timestamptz NOT NULL,
    fired_at    timestamptz NOT NULL,
    acked_by    text,
    acked_at    timestamptz,
    UNIQUE (deadline_id, level),
    CHECK ((acked_by IS NULL) = (acked_at IS NULL))
);
CREATE INDEX escalations_open ON escalations (fired_at DESC, id DESC) WHERE acked_at IS NULL;
CREATE INDEX escalations_case ON escalations (case_id);

-- A case's next_due_at is the earliest due instant of its unstopped deadlines, an open case has one that will act, and a
-- dispatched case is where its lead is. Checked once everything of the transaction is in place.
CREATE FUNCTION check_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_case bigint;
    c       record;
    live    record;
BEGIN
    IF TG_TABLE_NAME = 'cases' THEN of_case := NEW.id; ELSE of_case := NEW.case_id; END IF;
    SELECT state, is_open, next_due_at, lead_assignment_id INTO c FROM cases WHERE id = of_case;
    SELECT min(due_at) AS due_at, bool_or(next_at IS NOT NULL) AS will_act INTO live
        FROM deadlines WHERE case_id = of_case AND stopped_at IS NULL;
    IF c.next_due_at IS DISTINCT FROM live.due_at THEN
        RAISE EXCEPTION 'case % says next due %, its live deadlines %', of_case, c.next_due_at, live.due_at
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'next_due_at_is_earliest_live_deadline';
    END IF;
    IF c.is_open AND NOT coalesce(live.will_act, false) THEN
        RAISE EXCEPTION 'case % is open and nothing will act on it', of_case
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'open_case_will_be_acted_on';
    END IF;
    IF c.state IN ('to_sign', 'handling', 'suspended', 'review', 'followup') AND NOT EXISTS (
        SELECT FROM assignments a WHERE a.id = c.lead_assignment_id AND a.state = CASE c.state
            WHEN 'to_sign' THEN 'to_sign' WHEN 'review' THEN 'replied' WHEN 'followup' THEN 'done' ELSE 'handling' END) THEN
        RAISE EXCEPTION 'case % is %, its lead is not', of_case, c.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'case_follows_its_lead';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER cases_checked AFTER INSERT OR UPDATE OF state, next_due_at, lead_assignment_id ON cases
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_case();
CREATE CONSTRAINT TRIGGER deadlines_checked AFTER UPDATE OF due_at, next_at, stopped_at ON deadlines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_case();

-- New deadlines come many at a time and after their cases were written: one look for the whole statement, at once.
CREATE FUNCTION check_new_deadlines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT c.id, c.next_due_at INTO wrong FROM (SELECT DISTINCT case_id FROM fresh) AS f JOIN cases c ON c.id = f.case_id
    WHERE c.next_due_at IS DISTINCT FROM (SELECT min(d.due_at) FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'case % says next due %, its live deadlines do not', wrong.id, wrong.next_due_at
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'next_due_at_is_earliest_live_deadline';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER new_deadlines_checked AFTER INSERT ON deadlines REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_deadlines();
CREATE CONSTRAINT TRIGGER assignments_checked AFTER UPDATE OF state ON assignments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_case();

-- Clocks of a case are started once: its opening instant and number never change.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % never changes', TG_ARGV[0], TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_ARGV[0] || '_never_changes';
END
$$;
CREATE TRIGGER cases_opening_kept BEFORE UPDATE OF opened_at, opened_month, case_no ON cases FOR EACH ROW
    WHEN ((OLD.opened_at, OLD.opened_month, OLD.case_no) IS DISTINCT FROM (NEW.opened_at, NEW.opened_month, NEW.case_no))
    EXECUTE FUNCTION refuse_change('opening');
CREATE TRIGGER deadlines_start_kept BEFORE UPDATE OF started_at, clock, round ON deadlines FOR EACH ROW
    WHEN ((OLD.started_at, OLD.clock, OLD.round) IS DISTINCT FROM (NEW.started_at, NEW.clock, NEW.round))
    EXECUTE FUNCTION refuse_change('start');

-- ------------------------------------------------------------------------------------------------------------- reports

-- The ledger of everything ever taken in: written first, never partitioned, so that a key is unique for all time.
CREATE TABLE report_keys (
    channel     text        NOT NULL CHECK (channel <> ''),
    external_id text        NOT NULL CHECK (external_id <> ''),
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    receipt_no  text        NOT NULL UNIQUE,
    report_id   bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    quarantined boolean     NOT NULL DEFAULT false,
    case_id     bigint      REFERENCES cases,
    -- The first answer as JSON; empty only inside the transaction that takes the report in.
    answer      bytea,
    PRIMARY KEY (channel, external_id)
) WITH (fillfactor = 60);

CREATE TABLE reports (
    id           bigint      NOT NULL,
    recorded_at  timestamptz NOT NULL,
    receipt_no   text        NOT NULL,
    case_id      bigint      NOT NULL REFERENCES cases,
    channel      text        NOT NULL,
    kind         text        NOT NULL,
    category     text,
    urgency      text        NOT NULL,
    received_at  timestamptz NOT NULL,
    occurred_at  timestamptz,
    caller_id    bigint      REFERENCES callers,
    confidential boolean     NOT NULL DEFAULT false,
    lon          double precision,
    lat          double precision,
    cell         text,
    outcome      text        NOT NULL CHECK (outcome IN (
        'opened', 'attached', 'linked', 'reopened', 'triage', 'answered', 'rejected')),
    verdict      text        NOT NULL CHECK (verdict IN ('repeat', 'joined', 'facet', 'topic', 'new')),
    explanation  jsonb       NOT NULL,
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX reports_case ON reports (case_id);

-- What could not be taken in, with an owner and a deadline; the words are sealed.
CREATE TABLE quarantine (
    id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    receipt_no  text        NOT NULL UNIQUE,
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    reason      text        NOT NULL,
    field       text        NOT NULL,
    owner_unit  text        NOT NULL REFERENCES units,
    entered_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    next_at     timestamptz,
    level       smallint    NOT NULL DEFAULT 0,
    status      text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'released', 'replaced')),
    ended_at    timestamptz,
    ended_by    text,
    key_id      text        NOT NULL,
    nonce       bytea       NOT NULL,
    sealed      bytea       NOT NULL,
    FOREIGN KEY (channel, external_id) REFERENCES report_keys,
    CONSTRAINT open_entry_will_be_acted_on CHECK ((status = 'open') = (next_at IS NOT NULL)),
    CONSTRAINT ended_entry_says_who CHECK ((status = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX quarantine_one_open_per_key ON quarantine (channel, external_id) WHERE status = 'open';
CREATE INDEX quarantine_next ON quarantine (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX quarantine_open ON quarantine (entered_at, id) WHERE status = 'open';

-- One alarm state a device; an open alarm is one case.
CREATE TABLE devices (
    source     text   NOT NULL,
    device     text   NOT NULL,
    alarm      text   NOT NULL,
    state      jsonb  NOT NULL,
    case_id    bigint REFERENCES cases,
    hold_until timestamptz,
    PRIMARY KEY (source, device, alarm)
);
CREATE INDEX devices_held ON devices (hold_until) WHERE hold_until IS NOT NULL;

-- -------------------------------------------------------------------------------------------------------------- events

-- Append-only: ids, codes, times and digests; `mac` chains a case's events under a key kept outside the database.
CREATE TABLE case_events (
    opened_month date        NOT NULL,
    case_id      bigint      NOT NULL REFERENCES cases,
    seq          integer     NOT NULL CHECK (seq >= 1),
    at           timestamptz NOT NULL,
    type         text        NOT NULL,
    actor        text        NOT NULL,
    body         bytea       NOT NULL,
    mac          bytea       NOT NULL CHECK (octet_length(mac) = 32),
    PRIMARY KEY (opened_month, case_id, seq)
) PARTITION BY RANGE (opened_month);

-- Who looked at personal data, for what purpose.
CREATE TABLE access_log (
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamptz NOT NULL,
    actor       text        NOT NULL,
    action      text        NOT NULL,
    subject     text        NOT NULL,
    purpose     text        NOT NULL DEFAULT '',
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);

-- ------------------------------------------------------------------------------------------------------ live, notices

-- Messages of committed transactions on their way to the stream; `position` is given once and never changes.
CREATE TABLE outbox (
    id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id  bigint  NOT NULL,
    case_seq integer NOT NULL,
    message  bytea   NOT NULL,
    position bigint  UNIQUE
);
CREATE INDEX outbox_unnumbered ON outbox (id) WHERE position IS NULL;

CREATE TABLE live_position (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    text    NOT NULL,
    "offset" bigint  NOT NULL CHECK ("offset" >= 0)
);
INSERT INTO live_position (epoch, "offset") VALUES (replace(gen_random_uuid()::text, '-', ''), 0);

CREATE TABLE webhooks (
    id        text    PRIMARY KEY,
    url       text    NOT NULL,
    -- Units whose notices go there; empty: of every unit.
    units     text[]  NOT NULL DEFAULT '{}',
    key_id    text    NOT NULL,
    nonce     bytea   NOT NULL,
    sealed    bytea   NOT NULL,
    disabled_at timestamptz
);

-- One message to one recipient by one medium about one event.
CREATE TABLE notices (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    case_id    bigint      NOT NULL REFERENCES cases,
    event_seq  integer     NOT NULL,
    recipient  text        NOT NULL,
    medium     text        NOT NULL CHECK (medium IN ('inbox', 'webhook')),
    topic      text        NOT NULL,
    body       jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the sender tries next; inbox notices are there at once.
    next_at    timestamptz,
    attempts   smallint    NOT NULL DEFAULT 0,
    sent_at    timestamptz,
    failed_at  timestamptz,
    read_at    timestamptz,
    UNIQUE (case_id, event_seq, recipient, medium),
    CHECK (medium = 'inbox' OR (next_at IS NOT NULL) <> (sent_at IS NOT NULL OR failed_at IS NOT NULL))
);
CREATE INDEX notices_inbox ON notices (recipient, created_at DESC, id) WHERE medium = 'inbox';
CREATE INDEX notices_to_send ON notices (next_at) WHERE next_at IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------------- house-keeping

-- The first answer to an action, so that a retry of it acts once.
CREATE TABLE action_keys (
    actor       text        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    status      smallint    NOT NULL,
    answer      bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX action_keys_age ON action_keys (recorded_at);

CREATE TABLE job_runs (
    job           text        NOT NULL,
    scheduled_for timestamptz NOT NULL,
    PRIMARY KEY (job, scheduled_for)
);

-- Makes the monthly partitions from the month of `since` up to `months` ahead of it; the service calls it daily.
CREATE FUNCTION make_partitions(since date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    month  date;
    made   integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_partitions'));
    FOREACH parent IN ARRAY ARRAY['reports', 'case_events', 'access_log'] LOOP
        FOR i IN 0..months LOOP
            month := (date_trunc('month', since) + make_interval(months => i))::date;
            IF to_regclass(format('%I', parent || to_char(month, '_YYYY_MM'))) IS NULL THEN
                -- Bounds of instants are months of UTC, whatever the session's time zone.
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', parent || to_char(month, '_YYYY_MM'), parent,
                    month || CASE parent WHEN 'case_events' THEN '' ELSE ' 00:00+00' END,
                    (month + interval '1 month')::date || CASE parent WHEN 'case_events' THEN '' ELSE ' 00:00+00' END);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

GRANT SELECT, INSERT, UPDATE ON city_versions, units, callers, cases, case_people, case_links, case_signatures, texts, assignments, deadlines,
    escalations, report_keys, quarantine, devices, live_position, webhooks, notices TO dispatch_service;
GRANT SELECT, INSERT, DELETE ON case_keys, action_keys TO dispatch_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO dispatch_service;
GRANT SELECT, INSERT ON reports, case_events, access_log, job_runs TO dispatch_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dispatch_service;
REVOKE ALL ON FUNCTION make_partitions(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partitions(date, integer) TO dispatch_service;
