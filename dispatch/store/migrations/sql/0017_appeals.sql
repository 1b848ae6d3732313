-- Appeals (考核申诉) of units about cases that are closed: decided in two steps by two people, neither of whom appealed. What an appeal is
-- about stays as it was; an approved one exempts it from figures. `first_clock` and `second_clock` are the rounds of the clock `appeal`.
ALTER TABLE deadlines DROP CONSTRAINT deadlines_clock_check;
ALTER TABLE deadlines ADD CONSTRAINT deadlines_clock_check CHECK (clock IN (
    'dispatch', 'close', 'sign', 'contact', 'reply', 'need_info', 'ruling', 'approval', 'rectify', 'resume', 'order', 'unread', 'followup',
    'review', 'danger', 'verify', 'consult', 'whistle', 'report_back', 'appeal')) NOT VALID;
ALTER TABLE deadlines VALIDATE CONSTRAINT deadlines_clock_check;

CREATE TABLE appeals (
    id              bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id         bigint      NOT NULL REFERENCES cases,
    unit            text        NOT NULL REFERENCES units,
    kind            text        NOT NULL CHECK (kind IN ('lateness', 'rating', 'exclusion')),
    -- The task as lead that it is about, and the round of the case.
    assignment_id   bigint      NOT NULL,
    round           smallint    NOT NULL CHECK (round >= 1),
    asked_by        text        NOT NULL,
    asked_at        timestamptz NOT NULL,
    first_clock     smallint    NOT NULL CHECK (first_clock >= 1),
    first_approved  boolean,
    first_by        text,
    first_at        timestamptz,
    second_clock    smallint    CHECK (second_clock > first_clock),
    second_approved boolean,
    second_by       text,
    second_at       timestamptz,
    -- Where it stands: `first` and `second` are the steps at which it waits.
    status          text        NOT NULL GENERATED ALWAYS AS (CASE
        WHEN second_approved THEN 'approved' WHEN NOT first_approved OR NOT second_approved THEN 'refused'
        WHEN first_approved THEN 'second' ELSE 'first' END) STORED,
    CONSTRAINT one_appeal_of_a_kind UNIQUE (case_id, unit, kind),
    CONSTRAINT appeal_is_about_a_task_of_the_case FOREIGN KEY (case_id, assignment_id) REFERENCES assignments (case_id, id),
    CONSTRAINT first_step_is_whole CHECK ((first_approved IS NULL) = (first_by IS NULL) AND (first_approved IS NULL) = (first_at IS NULL)),
    CONSTRAINT second_step_is_whole CHECK (
        (second_approved IS NULL) = (second_by IS NULL) AND (second_approved IS NULL) = (second_at IS NULL)),
    CONSTRAINT second_step_follows_an_approval CHECK (coalesce(first_approved, false) = (second_clock IS NOT NULL)),
    CONSTRAINT no_decision_without_its_step CHECK (second_approved IS NULL OR second_clock IS NOT NULL),
    CONSTRAINT who_appeals_does_not_decide CHECK (first_by <> asked_by AND second_by <> asked_by),
    CONSTRAINT two_steps_two_people CHECK (first_by <> second_by)
);
CREATE INDEX appeals_waiting ON appeals (id) WHERE status IN ('first', 'second');
GRANT SELECT, INSERT, UPDATE (first_approved, first_by, first_at, second_clock, second_approved, second_by, second_at)
    ON appeals TO dispatch_service;
GRANT USAGE ON SEQUENCE appeals_id_seq TO dispatch_service;

-- Requests (申请) in two steps, where a city asks for that: first the head of the unit (`head_*`), then the desk, whose clock is another
-- round (`desk_round`). What the head refuses is refused. A suspension says why, as a code of the city's table.
ALTER TABLE requests
    ADD COLUMN reason_code   text,
    ADD COLUMN with_head     boolean NOT NULL DEFAULT false,
    ADD COLUMN head_approved boolean,
    ADD COLUMN head_by       text,
    ADD COLUMN head_at       timestamptz,
    ADD COLUMN desk_round    smallint,
    ADD CONSTRAINT reason_is_of_a_suspension CHECK (reason_code IS NULL OR kind = 'suspend'),
    ADD CONSTRAINT head_step_is_whole CHECK ((head_approved IS NULL) = (head_by IS NULL) AND (head_approved IS NULL) = (head_at IS NULL)),
    ADD CONSTRAINT head_decides_where_asked CHECK (with_head OR head_approved IS NULL),
    ADD CONSTRAINT desk_step_follows_the_heads CHECK (coalesce(head_approved, false) = (desk_round IS NOT NULL)),
    ADD CONSTRAINT desk_does_not_pass_over_the_head CHECK (NOT with_head OR approved IS NULL OR head_approved IS NOT NULL),
    ADD CONSTRAINT what_the_head_refuses_is_refused CHECK (head_approved OR head_approved IS NULL OR (NOT approved AND decided_by = head_by)),
    ADD CONSTRAINT head_does_not_decide_what_they_asked CHECK (head_by <> asked_by),
    ADD CONSTRAINT nobody_decides_twice CHECK (NOT head_approved OR decided_by <> head_by);
GRANT UPDATE (head_approved, head_by, head_at, desk_round) ON requests TO dispatch_service;
