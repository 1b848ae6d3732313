-- Requests (申请) of the unit that leads a case: for a suspension (挂账) or an extension (延期). The round is that of the clock `approval`
-- that each starts; a request whose clock stopped without a decision has lapsed with the task it was about.
CREATE TABLE requests (
    case_id    bigint      NOT NULL REFERENCES cases,
    round      smallint    NOT NULL CHECK (round >= 1),
    kind       text        NOT NULL CHECK (kind IN ('suspend', 'extend')),
    unit       text        NOT NULL REFERENCES units,
    until      timestamptz,
    limit_text text,
    asked_by   text        NOT NULL,
    asked_at   timestamptz NOT NULL,
    approved   boolean,
    decided_by text,
    decided_at timestamptz,
    PRIMARY KEY (case_id, round),
    CONSTRAINT suspension_promises_a_day CHECK ((kind = 'suspend') = (until IS NOT NULL)),
    CONSTRAINT decision_is_whole CHECK ((approved IS NULL) = (decided_by IS NULL) AND (approved IS NULL) = (decided_at IS NULL)),
    CONSTRAINT nobody_decides_what_they_asked CHECK (decided_by <> asked_by)
);
GRANT SELECT, INSERT, UPDATE (approved, decided_by, decided_at) ON requests TO dispatch_service;
