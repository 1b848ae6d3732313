-- Models (模型): what was learned from a city's history. A row never changes; the same data make the same version again.
CREATE TABLE models (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text        NOT NULL CHECK (kind IN ('subjects', 'pairs', 'units', 'located', 'addresses')),
    version   text        NOT NULL CHECK (version ~ '^[0-9a-f]{12}$'),
    -- SHA-256 over the rows it was trained on, and eight bytes of each row, by which a later one is judged on rows that are new to both.
    data_hash bytea       NOT NULL CHECK (octet_length(data_hash) = 32),
    rows      integer     NOT NULL CHECK (rows >= 1),
    seen      bytea       NOT NULL,
    -- name → [value, low, high]; the first name is the one that decides.
    figures   json        NOT NULL CHECK (json_typeof(figures) = 'object'),
    body      bytea       NOT NULL CHECK (octet_length(body) > 0),
    made_at   timestamptz NOT NULL,
    made_by   text        NOT NULL,
    UNIQUE (kind, version),
    UNIQUE (id, kind),
    CONSTRAINT every_row_was_seen CHECK (octet_length(seen) = 8 * rows)
);

-- When which model was in service, and who put it there and took it out; of each kind one at a time.
CREATE TABLE model_services (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint      NOT NULL,
    kind     text        NOT NULL,
    since    timestamptz NOT NULL,
    put_by   text        NOT NULL,
    until    timestamptz,
    ended_by text,
    FOREIGN KEY (model_id, kind) REFERENCES models (id, kind),
    CONSTRAINT service_ends_after_it_begins CHECK (until >= since),
    CONSTRAINT ended_service_says_who CHECK ((until IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX model_services_one_a_kind ON model_services (kind) WHERE until IS NULL;

-- The service reads models; what trains them works with the owner's rights.
GRANT SELECT ON models, model_services TO dispatch_service;

-- What units gave back lately: a proposal that was wrong is lowered the same day.
CREATE INDEX assignments_returned ON assignments (unit, ended_at) WHERE state = 'returned';
