-- Figures (指标): sums over cases, by day and by all, unit, area, category or channel. They follow from events alone and can be made again.
CREATE TABLE figures (
    dimension          text    NOT NULL CHECK (dimension IN ('all', 'unit', 'area', 'category', 'channel')),
    indicator          text    NOT NULL,
    day                date    NOT NULL,
    -- A unit, an area, a category or a channel, as the cases have it; empty for all.
    key                text    NOT NULL CHECK ((key = '') = (dimension = 'all')),
    numerator          bigint  NOT NULL CHECK (numerator >= 0),
    denominator        bigint  NOT NULL CHECK (denominator >= 0),
    -- What an approved appeal, or the city's rules, took out of the denominator, and what of it was in the numerator.
    excluded           bigint  NOT NULL CHECK (excluded >= 0),
    excluded_numerator bigint  NOT NULL CHECK (excluded_numerator >= 0),
    PRIMARY KEY (dimension, indicator, day, key),
    CONSTRAINT ratio_is_never_above_one CHECK (
        (numerator <= denominator AND excluded_numerator <= excluded)
        OR indicator IN ('in', 'out', 'tasks_in', 'tasks_out', 'hops') OR indicator LIKE 'late\_%' OR indicator LIKE 'time\_%')
);
-- Everything about one unit or area.
CREATE INDEX figures_of_key ON figures (dimension, key, day);

-- What each case has added to the figures, as of which of its events: a change takes the old one out again. No foreign key: checking
-- it would lock the case while it is counted, and the deadline loop leaves a locked case to a later turn.
CREATE TABLE case_figures (
    case_id      bigint  PRIMARY KEY,
    seq          integer NOT NULL CHECK (seq >= 1),
    contribution bytea   NOT NULL
);

-- Cases to look at again. Rows are only added and taken away, so that nobody who adds one ever waits; a case may stand here twice.
CREATE TABLE figures_due (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL
);

-- Whoever holds this row counts; all others leave it to that one. Not before this instant, so that intake keeps the processor.
CREATE TABLE figures_upkeep (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    not_before timestamptz NOT NULL DEFAULT 'epoch',
    seen       bigint      NOT NULL DEFAULT 0,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO figures_upkeep DEFAULT VALUES;
INSERT INTO figures_due (case_id) SELECT id FROM cases ORDER BY id;

GRANT SELECT, INSERT, UPDATE, DELETE ON figures, case_figures TO dispatch_service;
GRANT SELECT, INSERT, DELETE ON figures_due TO dispatch_service;
GRANT SELECT ON SEQUENCE figures_due_id_seq TO dispatch_service;
GRANT SELECT, UPDATE ON figures_upkeep TO dispatch_service;
