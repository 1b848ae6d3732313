-- Emergency mode (应急状态): the commander's one command, which holds for what is reported from then on and is swept through what is
-- open. What it says never changes; it can only be ended. `cursor` is the case behind which the sweep goes on.
CREATE TABLE emergencies (
    id           bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    categories   text[]      NOT NULL CHECK (cardinality(categories) > 0),
    areas        text[]      NOT NULL DEFAULT '{}',
    urgency      text        NOT NULL CHECK (urgency IN ('urgent', 'critical')),
    limits       jsonb       NOT NULL DEFAULT '{}',
    reason       text        NOT NULL CHECK (reason <> ''),
    expected_end timestamptz CHECK (expected_end > started_at),
    incident_id  bigint      REFERENCES incidents,
    started_by   text        NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_by     text,
    ended_at     timestamptz CHECK (ended_at >= started_at),
    phase        text        NOT NULL DEFAULT 'raising' CHECK (phase IN ('raising', 'raised', 'lowering', 'lowered')),
    total        integer     NOT NULL CHECK (total >= 0),
    done         integer     NOT NULL DEFAULT 0 CHECK (done >= 0),
    cursor       bigint      NOT NULL DEFAULT 0,
    chunks       integer     NOT NULL DEFAULT 0,
    -- When the sweep last came to its end, and of how many cases each unit is to be told then.
    passed_at    timestamptz,
    told         jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT end_is_whole CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CONSTRAINT lowered_once_it_ended CHECK ((ended_at IS NULL) = (phase IN ('raising', 'raised')))
);
CREATE INDEX emergencies_active ON emergencies (id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE (ended_by, ended_at, phase, total, done, cursor, chunks, passed_at, told) ON emergencies TO dispatch_service;

-- The cases that an emergency holds for: opened under it, or swept. `base` is how urgent each is without any emergency, as it was known
-- at event `seq`; what people say later is in the events behind it.
CREATE TABLE emergency_cases (
    emergency_id bigint      NOT NULL REFERENCES emergencies,
    case_id      bigint      NOT NULL REFERENCES cases,
    base         text        NOT NULL CHECK (base IN ('ordinary', 'urgent', 'critical')),
    seq          integer     NOT NULL CHECK (seq >= 1),
    raised_at    timestamptz NOT NULL,
    lowered_at   timestamptz,
    PRIMARY KEY (emergency_id, case_id)
);
GRANT SELECT, INSERT, UPDATE (raised_at, lowered_at) ON emergency_cases TO dispatch_service;
