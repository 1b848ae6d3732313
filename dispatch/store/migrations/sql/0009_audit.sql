-- Checkpoints (每日签封): the heads of all chains of events at a moment, signed with a key that is not in the database.
CREATE TABLE checkpoints (
    -- One after the other: one that is gone leaves a hole.
    number   bigint      PRIMARY KEY CHECK (number >= 1),
    taken_at timestamptz NOT NULL,
    -- Of the whole record, and how many chains moved since the last one.
    cases    bigint      NOT NULL CHECK (cases >= 0),
    events   bigint      NOT NULL CHECK (events >= cases),
    moved    bigint      NOT NULL CHECK (moved BETWEEN 0 AND cases),
    -- SHA-256 over the digest of the last one and the heads that moved, by case.
    digest   bytea       NOT NULL CHECK (octet_length(digest) = 32),
    mac      bytea       NOT NULL CHECK (octet_length(mac) = 32)
);

CREATE TABLE checkpoint_heads (
    case_id bigint  NOT NULL REFERENCES cases,
    number  bigint  NOT NULL REFERENCES checkpoints DEFERRABLE INITIALLY DEFERRED,
    seq     integer NOT NULL CHECK (seq >= 1),
    head    bytea   NOT NULL CHECK (octet_length(head) = 32),
    PRIMARY KEY (case_id, number)
);
CREATE INDEX checkpoint_heads_number ON checkpoint_heads (number, case_id);

-- What was signed is never changed.
GRANT SELECT, INSERT ON checkpoints, checkpoint_heads TO dispatch_service;
