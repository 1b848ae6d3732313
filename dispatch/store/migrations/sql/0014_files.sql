-- Files (附件) of cases: what was there before, what was done, and papers. The content stands in the file storage, sealed under the
-- case's key like its words; destroying the key erases both. Names of files are not kept: they may name people.
CREATE TABLE files (
    id            bigint      PRIMARY KEY,
    case_id       bigint      NOT NULL REFERENCES cases,
    -- Of the unit that added it; of the visit that it comes from; of neither where a desk added it.
    assignment_id bigint,
    check_id      bigint,
    round         smallint    NOT NULL CHECK (round >= 1),
    kind          text        NOT NULL CHECK (kind IN ('before', 'after', 'document')),
    type          text        NOT NULL CHECK (type IN ('jpeg', 'png', 'webp', 'pdf', 'mp4')),
    -- Of what is kept; the digest is of what was sent.
    bytes         integer     NOT NULL CHECK (bytes > 0),
    sha256        bytea       NOT NULL CHECK (octet_length(sha256) = 32),
    storage_key   text        NOT NULL UNIQUE CHECK (storage_key ~ '^[0-9a-f]{2}/[0-9a-f]{32}$'),
    nonce         bytea       NOT NULL CHECK (octet_length(nonce) = 12),
    taken_at      timestamptz,
    -- Where it was taken says where somebody was: sealed. How far that is from the case's place, in metres, is not.
    placed_by     text        CHECK (placed_by IN ('picture', 'sender')),
    place_nonce   bytea,
    place_sealed  bytea,
    distance_m    integer     CHECK (distance_m >= 0),
    uploaded_by   text        NOT NULL,
    uploaded_at   timestamptz NOT NULL,
    UNIQUE (case_id, sha256),
    FOREIGN KEY (case_id, assignment_id) REFERENCES assignments (case_id, id),
    FOREIGN KEY (check_id, case_id) REFERENCES site_check_cases (check_id, case_id),
    CONSTRAINT work_is_shown_in_pictures CHECK (kind = 'document' OR type <> 'pdf'),
    CONSTRAINT place_is_whole CHECK ((placed_by IS NULL) = (place_sealed IS NULL) AND (placed_by IS NULL) = (place_nonce IS NULL)),
    CONSTRAINT distance_is_of_a_place CHECK (distance_m IS NULL OR placed_by IS NOT NULL)
);
CREATE SEQUENCE file_ids OWNED BY files.id;

-- Before dispatch somebody looks whether it is so (核查); before closing, whether the work was done (核实): of one case, in one round.
ALTER TABLE site_checks
    ADD COLUMN kind text NOT NULL DEFAULT 'verify' CHECK (kind IN ('verify', 'verify_done')),
    ADD COLUMN round smallint CHECK (round >= 1),
    DROP CONSTRAINT site_checks_result_check,
    ADD CONSTRAINT visit_of_done_work_is_of_a_round CHECK ((kind = 'verify_done') = (round IS NOT NULL)),
    ADD CONSTRAINT result_is_of_its_kind CHECK (result IS NULL
        OR (kind = 'verify' AND result IN ('found', 'not_found', 'unclear')) OR (kind = 'verify_done' AND result IN ('done', 'not_done')));

-- A supervisor's word that a case may be approved without the visit, or against its result: once a round, by a code.
CREATE TABLE check_waivers (
    case_id   bigint      NOT NULL REFERENCES cases,
    round     smallint    NOT NULL CHECK (round >= 1),
    reason    text        NOT NULL CHECK (reason <> ''),
    waived_by text        NOT NULL,
    waived_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, round)
);

GRANT SELECT, INSERT ON files, check_waivers TO dispatch_service;
GRANT USAGE ON SEQUENCE file_ids TO dispatch_service;
