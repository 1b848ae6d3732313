-- Follow-up (回访): every try to ask a citizen and every result, by phone, message, visit, their own call, or on /track. Figures of
-- satisfaction count only what is valid; a try in vain counts towards "not reachable" only at an hour at which none was made.
CREATE TABLE followups (
    case_id    bigint      NOT NULL REFERENCES cases,
    nth        smallint    NOT NULL CHECK (nth >= 1),
    round      smallint    NOT NULL CHECK (round >= 1),
    medium     text        NOT NULL CHECK (medium IN ('phone', 'message', 'visit', 'incoming', 'track')),
    by         text        NOT NULL,
    at         timestamptz NOT NULL,
    receipt_no text,
    reached    boolean     NOT NULL,
    counted    boolean     NOT NULL DEFAULT false,
    next_at    timestamptz,
    valid      boolean,
    contacted  boolean,
    solved     boolean,
    satisfied  smallint    CHECK (satisfied BETWEEN 1 AND 5),
    PRIMARY KEY (case_id, nth),
    CONSTRAINT valid_result_is_whole CHECK (
        coalesce(valid, false) = (contacted IS NOT NULL AND solved IS NOT NULL AND satisfied IS NOT NULL)
        AND (valid OR (contacted IS NULL AND solved IS NULL AND satisfied IS NULL)) IS NOT FALSE),
    CONSTRAINT only_the_reached_answer CHECK (reached OR valid IS NOT TRUE),
    CONSTRAINT only_what_was_in_vain_counts CHECK (NOT (counted AND reached))
);
-- A caller evaluates a round once.
CREATE UNIQUE INDEX followups_evaluated ON followups (case_id, round, receipt_no) WHERE medium = 'track';
GRANT SELECT, INSERT ON followups TO dispatch_service;

-- Cases whose citizens are to be asked, the most urgent clock first.
CREATE INDEX deadlines_followup ON deadlines (due_at, case_id) WHERE clock = 'followup' AND stopped_at IS NULL;
