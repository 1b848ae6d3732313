-- name: triggers_off
-- What the schema checks row by row is not what is measured here.
SET session_replication_role = replica;

-- name: triggers_on
-- From here on it does again.
SET session_replication_role = origin;

-- name: present
-- The highest id of a case that intake made, and how many there are.
SELECT max(id), count(*) FROM cases;

-- name: copy_cases
-- Every case that intake made once more, with an id that is $1 higher; none is where a report would look for it.
INSERT INTO cases (id, case_no, opened_at, opened_month, state, round, seq, head, last_event_at, kind, category, category_table, kin, urgency,
    people, restricted, area, city_version, owner_unit, lead_assignment_id, next_due_at, settled_at, closed_at, solved, channel)
SELECT id + $1, 'B' || id + $1, opened_at, opened_month, state, round, seq, head, last_event_at, kind, category, category_table, kin, urgency,
    people, restricted, area, city_version, owner_unit, lead_assignment_id, next_due_at, settled_at, closed_at, solved, channel
FROM cases WHERE id <= $2;

-- name: copy_events
-- Their events, $3 days earlier where they speak of the day on which they were made.
INSERT INTO case_events (opened_month, case_id, seq, at, type, actor, body, mac)
SELECT opened_month, case_id + $1, seq, at, type, actor, convert_to(
    replace(convert_from(body, 'UTF8'), to_char(at, 'YYYY-MM-DD'), to_char(at - $3 * interval '1 day', 'YYYY-MM-DD')), 'UTF8'), mac
FROM case_events WHERE case_id <= $2;

-- name: how_many
-- How many figures there are.
SELECT count(*) FROM figures;

-- name: nothing_due
-- Everything was made anew: nothing waits to be counted.
DELETE FROM figures_due;

-- name: bare_page
-- The peer's page: a bare indexed read of what all units have of one figure.
SELECT key, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator FROM figures
WHERE dimension = 'unit' AND indicator = $1 AND day BETWEEN $2 AND $3 GROUP BY key;

-- name: bare_unit
-- The peer's page of one unit.
SELECT indicator, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator FROM figures
WHERE dimension = 'unit' AND key = $1 AND day BETWEEN $2 AND $3 GROUP BY indicator;

-- name: sent_before_there_were_figures
-- What the relay did before: no case is named to be counted.
WITH gone AS (
    DELETE FROM outbox WHERE id = ANY($1::bigint[])
)
UPDATE live_position SET "offset" = $2;
