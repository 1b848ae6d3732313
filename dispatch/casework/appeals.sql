-- name: appealed
-- Whether this unit has appealed about this of the case before.
SELECT EXISTS (SELECT FROM appeals WHERE case_id = $1 AND unit = $2 AND kind = $3);

-- name: was_late
-- Whether a clock of this task, or the case clock of this round, ran out before it was stopped.
SELECT EXISTS (SELECT FROM deadlines WHERE case_id = $1 AND status = 'missed' AND (assignment_id = $2 OR (clock IN ('close', 'rectify') AND round = $3)));

-- name: rated
-- The last round from $2 on, before another task led, for which there is a valid result.
SELECT max(round) FROM followups WHERE case_id = $1 AND valid AND round >= $2 AND round < coalesce((
    SELECT min(a.round) FROM assignments a WHERE a.case_id = $1 AND a.role = 'lead' AND a.id > $3 AND a.round > $2), 32767);

-- name: appeal
-- An appeal.
INSERT INTO appeals (case_id, unit, kind, assignment_id, round, asked_by, asked_at, first_clock) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: waiting
-- Appeals about a held case that wait for one of their two decisions.
SELECT id, unit, kind, round, asked_by, first_by, first_clock, second_clock, status FROM appeals
WHERE case_id = $1 AND status IN ('first', 'second') ORDER BY id;

-- name: decide_first
-- What the first step decided; where it approved, the round of the second step's clock.
UPDATE appeals SET first_approved = $2, first_by = $3, first_at = $4, second_clock = $5 WHERE id = $1;

-- name: decide_second
-- What the second step decided.
UPDATE appeals SET second_approved = $2, second_by = $3, second_at = $4 WHERE id = $1;
