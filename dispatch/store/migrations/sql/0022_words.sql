-- What is compared of the masked words of a case, as numbers of runs of characters (`intake.words.packed`); a case from before has the
-- sketch of bigrams that former code made.
ALTER TABLE case_signatures
    ALTER COLUMN bigrams DROP NOT NULL,
    ADD COLUMN words bytea,
    ADD COLUMN runs  integer[] NOT NULL DEFAULT '{}' CHECK (cardinality(runs) <= 64),
    ADD CONSTRAINT signature_of_something CHECK (words IS NOT NULL OR bigrams IS NOT NULL);

-- The runs of title and names of a case, each a way to find it. A row stands here for each of `case_signatures.runs`: with that it goes.
CREATE TABLE case_runs (
    run     integer NOT NULL,
    case_id bigint  NOT NULL,
    PRIMARY KEY (run, case_id)
);

GRANT SELECT, INSERT, DELETE ON case_runs TO dispatch_service;
