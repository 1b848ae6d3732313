-- Supervision (催办、督办): reminders of whoever has the next move, orders that need an answer, who has read what, and how many reminders
-- reach one person.

ALTER TABLE deadlines
    DROP CONSTRAINT deadlines_clock_check,
    ADD CONSTRAINT deadlines_clock_check CHECK (clock IN (
        'dispatch', 'close', 'sign', 'contact', 'reply', 'need_info', 'ruling', 'approval', 'rectify', 'resume', 'order', 'unread', 'followup',
        'review', 'danger', 'verify', 'consult', 'whistle', 'report_back'));

-- Every time somebody urged (催办): the unit and the post that had the next move then. One inside the window of another was counted and not
-- sent: `merged_into` is that other one.
CREATE TABLE urges (
    case_id     bigint      NOT NULL REFERENCES cases,
    nth         integer     NOT NULL CHECK (nth >= 1),
    unit        text        NOT NULL REFERENCES units,
    post        text        NOT NULL,
    urged_by    text        NOT NULL,
    urged_at    timestamptz NOT NULL,
    merged_into integer     CHECK (merged_into < nth),
    PRIMARY KEY (case_id, nth),
    FOREIGN KEY (case_id, merged_into) REFERENCES urges
);

-- Orders (督办单). `round` is that of the clock `order` that runs or ran last: of the unit while the order is open, of who decides once it is
-- answered. `said` is the text that holds the instruction, unless the case's key was destroyed. One that a level of the ladder issued says
-- of which clock.
CREATE TABLE orders (
    id           bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id      bigint      NOT NULL REFERENCES cases,
    kind         text        NOT NULL CHECK (kind IN ('supervise', 'listed', 'instruction')),
    colour       text        NOT NULL CHECK (colour IN ('blue', 'orange', 'red')),
    unit         text        NOT NULL REFERENCES units,
    issued_by    text        NOT NULL,
    issued_unit  text        NOT NULL REFERENCES units,
    issued_at    timestamptz NOT NULL,
    post         text,
    deadline_id  bigint      REFERENCES deadlines,
    level        smallint,
    said         bigint,
    needs_reply  boolean     NOT NULL,
    round        smallint,
    unread_round smallint    NOT NULL,
    state        text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'done')),
    ended_at     timestamptz,
    UNIQUE (deadline_id, level),
    CONSTRAINT instruction_names_the_post_it_is_from CHECK ((kind = 'instruction') = (post IS NOT NULL)),
    CONSTRAINT order_of_a_level_says_which CHECK ((deadline_id IS NULL) = (level IS NULL)),
    CONSTRAINT order_that_needs_a_reply_has_a_clock CHECK (needs_reply = (round IS NOT NULL)),
    CONSTRAINT only_what_needs_a_reply_is_answered CHECK (needs_reply OR state <> 'answered'),
    CONSTRAINT ended_order_says_when CHECK ((state = 'done') = (ended_at IS NOT NULL))
);
CREATE INDEX orders_case ON orders (case_id);
CREATE INDEX orders_newest ON orders (issued_at DESC, id DESC);
CREATE INDEX orders_waiting ON orders (unit) WHERE state <> 'done';
CREATE TRIGGER orders_colour_never_lowered BEFORE UPDATE OF colour ON orders FOR EACH ROW
    WHEN (array_position(ARRAY['blue', 'orange', 'red'], NEW.colour) < array_position(ARRAY['blue', 'orange', 'red'], OLD.colour))
    EXECUTE FUNCTION refuse_change('raised_colour');

-- Who has opened an order, the first time.
CREATE TABLE order_reads (
    order_id bigint      NOT NULL REFERENCES orders,
    account  text        NOT NULL,
    read_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, account)
);

-- What a unit answered, round by round, and what somebody of another unit said to it.
CREATE TABLE order_answers (
    order_id     bigint      NOT NULL REFERENCES orders,
    round        smallint    NOT NULL CHECK (round >= 1),
    unit         text        NOT NULL REFERENCES units,
    answered_by  text        NOT NULL,
    answered_at  timestamptz NOT NULL,
    said         bigint,
    approved     boolean,
    decided_by   text,
    decided_unit text        REFERENCES units,
    decided_at   timestamptz,
    reason       bigint,
    PRIMARY KEY (order_id, round),
    CONSTRAINT decision_is_whole CHECK ((approved IS NULL) = (decided_by IS NULL) AND (approved IS NULL) = (decided_at IS NULL)
        AND (approved IS NULL) = (decided_unit IS NULL)),
    CONSTRAINT nobody_decides_on_their_own_answer CHECK (decided_by <> answered_by AND decided_unit <> unit)
);

-- A reminder (`reminder`) beyond the most that one recipient may get in an hour is `held`: it stands in the inbox, and is told by the
-- `digest` that names it. `read_by` is who opened a notice: a common inbox has many readers.
ALTER TABLE notices
    ADD COLUMN read_by  text,
    ADD COLUMN reminder boolean NOT NULL DEFAULT false,
    ADD COLUMN held     boolean NOT NULL DEFAULT false,
    ADD COLUMN digest   uuid REFERENCES notices,
    ADD CONSTRAINT only_a_reminder_is_held CHECK (reminder OR NOT held),
    ADD CONSTRAINT digest_names_what_was_held CHECK (held OR digest IS NULL),
    DROP CONSTRAINT notices_check,
    ADD CONSTRAINT sent_notice_will_be_tried CHECK (CASE
        WHEN medium = 'inbox' THEN true
        WHEN held THEN next_at IS NULL AND sent_at IS NULL AND failed_at IS NULL
        ELSE (next_at IS NOT NULL) <> (sent_at IS NOT NULL OR failed_at IS NOT NULL) END) NOT VALID;
ALTER TABLE notices VALIDATE CONSTRAINT sent_notice_will_be_tried;
CREATE INDEX notices_reminders ON notices (recipient, medium, created_at) WHERE reminder;
CREATE INDEX notices_held ON notices (created_at) WHERE held AND digest IS NULL;

GRANT SELECT, INSERT ON urges, order_reads TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (unit, colour, round, state, ended_at) ON orders TO dispatch_service;
GRANT SELECT, INSERT, UPDATE (approved, decided_by, decided_unit, decided_at, reason) ON order_answers TO dispatch_service;

-- Who has opened an order, and its rounds, as JSON: lists and cases show them alike.
CREATE FUNCTION order_receipts(of_order bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('account', account, 'read_at', read_at) ORDER BY read_at, account), '[]')::text
    FROM order_reads WHERE order_id = of_order
$$;
CREATE FUNCTION order_rounds(of_order bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('round', round, 'unit', unit, 'answered_by', answered_by, 'answered_at', answered_at, 'said', said,
        'approved', approved, 'decided_by', decided_by, 'decided_at', decided_at, 'reason', reason) ORDER BY round), '[]')::text
    FROM order_answers WHERE order_id = of_order
$$;
-- Whom a level of a clock was told to, and who of them has opened it.
CREATE FUNCTION level_receipts(of_case bigint, of_deadline bigint, of_level integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('recipient', recipient, 'read_by', read_by, 'read_at', read_at) ORDER BY recipient), '[]')::text
    FROM notices WHERE case_id = of_case AND topic = 'deadline' AND medium = 'inbox' AND body->>'deadline' = of_deadline::text
        AND body->>'level' = of_level::text
$$;
