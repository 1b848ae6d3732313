-- name: person
-- Somebody of these units who has not left, and who stands in for them at an instant of leave.
SELECT a.username, (SELECT l.stand_in FROM leaves l JOIN accounts s ON s.username = l.stand_in AND s.retired_at IS NULL
    WHERE l.account = a.username AND l.starts_at <= $3 AND $3 < l.ends_at AND l.removed_at IS NULL) AS stand_in
FROM accounts a WHERE a.username = $1 AND a.unit = ANY ($2::text[]) AND a.retired_at IS NULL;

-- name: mine
-- Live tasks of a person, and of those whose leave they stand in for, most pressing first.
SELECT c.case_no, a.id AS assignment, a.role, a.unit, a.state, a.version, a.handler, nullif(a.handler, $1) AS "for", c.state AS case_state,
    c.category, c.urgency, c.next_due_at, c.rank, c.id AS case_id
FROM assignments a JOIN cases c ON c.id = a.case_id
WHERE a.ended_at IS NULL AND a.handler IN (SELECT $1::text UNION ALL SELECT l.account FROM leaves l
        WHERE l.stand_in = $1 AND l.starts_at <= $2 AND $2 < l.ends_at AND l.removed_at IS NULL)
    AND (NOT c.restricted OR $3) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($5::text[])) ORDER BY c.rank DESC, c.next_due_at, c.id LIMIT $4;

-- name: work_of
-- Cases in which a person has a live task, in order.
SELECT DISTINCT case_id FROM assignments WHERE handler = $1 AND ended_at IS NULL ORDER BY case_id;

-- name: open_work
-- How many live tasks a person has.
SELECT count(*) FROM assignments WHERE handler = $1 AND ended_at IS NULL;

-- name: unit_of
-- The unit of an account whose owner has not left.
SELECT unit FROM accounts WHERE username = $1 AND retired_at IS NULL;

-- name: whistles
-- Calls of streets in a period, and of each department how many it answered in time, late, or has still to answer.
SELECT a.called_by, a.unit, count(*) AS called, count(*) FILTER (WHERE d.status = 'met') AS in_time,
    count(*) FILTER (WHERE d.status = 'running') AS waiting, count(*) FILTER (WHERE d.status = 'cancelled') AS taken_back
FROM assignments a JOIN deadlines d ON d.assignment_id = a.id AND d.case_id = a.case_id AND d.clock = 'whistle'
WHERE a.called_by IS NOT NULL AND a.dispatched_at >= $1 AND a.dispatched_at < $2
GROUP BY a.called_by, a.unit ORDER BY a.called_by, a.unit;
