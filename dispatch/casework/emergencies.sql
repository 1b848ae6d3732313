-- name: how_many_covered
-- Open cases of these kinds ($1 codes, $2 their tables) and areas ($3; null everywhere).
SELECT count(*) FROM cases WHERE is_open AND (category, category_table) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    AND ($3::text[] IS NULL OR area = ANY ($3));

-- name: how_many_raised
-- Open cases that an emergency holds for.
SELECT count(*) FROM emergency_cases m JOIN cases c ON c.id = m.case_id WHERE m.emergency_id = $1 AND c.is_open;

-- name: covered
-- The next of them behind case $4, at most $5, only looked at.
SELECT id FROM cases WHERE id > $4 AND is_open AND (category, category_table) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    AND ($3::text[] IS NULL OR area = ANY ($3)) ORDER BY id LIMIT $5;

-- name: raised
-- The next open cases that an emergency holds for, behind case $2, at most $3, only looked at.
SELECT c.id FROM emergency_cases m JOIN cases c ON c.id = m.case_id
WHERE m.emergency_id = $1 AND m.case_id > $2 AND c.is_open ORDER BY m.case_id LIMIT $3;

-- name: incident_is_open
-- Whether there is such an incident and it goes on.
SELECT EXISTS (SELECT FROM incidents WHERE id = $1 AND closed_at IS NULL);

-- name: start
-- A new emergency.
INSERT INTO emergencies (categories, areas, urgency, limits, reason, expected_end, incident_id, started_by, started_at, total)
VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9, $10) RETURNING id;

-- name: hold
-- One of them, held. Who opens a case under it needs only that it is there and does not wait.
SELECT * FROM emergencies WHERE id = $1 FOR NO KEY UPDATE;

-- name: hold_free
-- The same, or nothing where somebody else holds it.
SELECT * FROM emergencies WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED;

-- name: end
-- It is over; from here on it is swept back.
UPDATE emergencies SET ended_by = $2, ended_at = $3, phase = 'lowering', cursor = 0, done = 0, total = $4, passed_at = NULL, told = '{}' WHERE id = $1;

-- name: one
-- One as it stands.
SELECT id, categories, areas, urgency, limits::text AS limits, reason, expected_end, incident_id AS incident, started_by, started_at, ended_by,
    ended_at, phase, total, done, passed_at IS NOT NULL AS swept FROM emergencies WHERE id = $1;

-- name: newest
-- The newest, at most $2, those in force ($1) or all.
SELECT id, categories, areas, urgency, limits::text AS limits, reason, expected_end, incident_id AS incident, started_by, started_at, ended_by,
    ended_at, phase, total, done, passed_at IS NOT NULL AS swept FROM emergencies WHERE NOT $1 OR ended_at IS NULL ORDER BY id DESC LIMIT $2;

-- name: of_case
-- The emergencies that hold for a case, and how urgent it would be without them.
SELECT m.emergency_id AS emergency, e.urgency, m.base, m.raised_at FROM emergency_cases m JOIN emergencies e ON e.id = m.emergency_id
WHERE m.case_id = $1 AND e.ended_at IS NULL AND m.lowered_at IS NULL ORDER BY m.emergency_id;

-- name: alone
-- One sweeps at a time, over all processes, for as long as this transaction lasts: one row for it; who comes second does not wait, and
-- gets none.
SELECT FROM pg_try_advisory_xact_lock(hashtext('dispatch.emergencies.sweep')) AS alone WHERE alone;

-- name: waiting
-- Emergencies with something to sweep: not swept yet, or swept before $1 and cases may be covered since, or swept back, but ended
-- before $2 and not looked at again since everybody heard of it.
SELECT id FROM emergencies WHERE phase = 'raising' OR (phase = 'raised' AND passed_at <= $1)
    OR (phase = 'lowering' AND (passed_at IS NULL OR ended_at <= $2)) ORDER BY id;

-- name: to_raise
-- The next open cases of these kinds ($1, $2) and areas ($3) behind case $4 that emergency $5 does not hold for yet, or that were looked at
-- before $6; at most $7, held. A case that somebody works on is passed over and left to the next pass.
SELECT c.id FROM cases c WHERE c.id > $4 AND c.is_open AND (c.category, c.category_table) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    AND ($3::text[] IS NULL OR c.area = ANY ($3))
    AND NOT EXISTS (SELECT FROM emergency_cases m WHERE m.emergency_id = $5 AND m.case_id = c.id AND m.raised_at >= $6)
ORDER BY c.id LIMIT $7 FOR UPDATE OF c SKIP LOCKED;

-- name: left_to_raise
-- Whether a pass left any of them, because somebody held it.
SELECT EXISTS (SELECT FROM cases c WHERE c.is_open AND (c.category, c.category_table) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    AND ($3::text[] IS NULL OR c.area = ANY ($3))
    AND NOT EXISTS (SELECT FROM emergency_cases m WHERE m.emergency_id = $4 AND m.case_id = c.id AND m.raised_at >= $5));

-- name: to_lower
-- The next open cases behind case $2 that emergency $1 still holds for, or that were lowered before $3; at most $4, held.
SELECT c.id FROM emergency_cases m JOIN cases c ON c.id = m.case_id
WHERE m.emergency_id = $1 AND m.case_id > $2 AND c.is_open AND (m.lowered_at IS NULL OR m.lowered_at < $3)
ORDER BY m.case_id LIMIT $4 FOR UPDATE OF c SKIP LOCKED;

-- name: left_to_lower
-- Whether a pass left any of them.
SELECT EXISTS (SELECT FROM emergency_cases m JOIN cases c ON c.id = m.case_id
    WHERE m.emergency_id = $1 AND c.is_open AND (m.lowered_at IS NULL OR m.lowered_at < $2));

-- name: adopt
-- Open cases with a clock of emergency $1 that it never came to hold for: their kind was changed by hand shortly before the end.
INSERT INTO emergency_cases (emergency_id, case_id, base, seq, raised_at)
SELECT DISTINCT $1::bigint, c.id, c.urgency, c.seq, $2::timestamptz FROM deadlines d JOIN cases c ON c.id = d.case_id
WHERE d.rule = 'emergency:' || $1::bigint AND d.stopped_at IS NULL AND c.is_open
ON CONFLICT DO NOTHING;

-- name: claims
-- What these emergencies ($2) know of these cases.
SELECT emergency_id, case_id, base, seq, lowered_at FROM emergency_cases WHERE emergency_id = ANY ($2::bigint[]) AND case_id = ANY ($1::bigint[]);

-- name: said_since
-- What people said a case is, behind the events named: $1 cases, $2 their months, $3 the events.
SELECT e.case_id, e.seq, e.body FROM unnest($1::bigint[], $2::date[], $3::integer[]) AS u(case_id, month, seq)
JOIN case_events e ON e.opened_month = u.month AND e.case_id = u.case_id AND e.seq > u.seq
WHERE e.type = 'classified' ORDER BY e.case_id, e.seq;

-- name: keep_raised
-- These cases were looked at; what was known of one that it held for already stays.
INSERT INTO emergency_cases (emergency_id, case_id, base, seq, raised_at)
SELECT $1, u.case_id, u.base, u.seq, $5 FROM unnest($2::bigint[], $3::text[], $4::integer[]) AS u(case_id, base, seq)
ON CONFLICT (emergency_id, case_id) DO UPDATE SET raised_at = excluded.raised_at;

-- name: pass_over
-- Cases that could not be written: the sweep goes on without them, and says so in the log.
INSERT INTO emergency_cases (emergency_id, case_id, base, seq, raised_at) SELECT $1, id, urgency, seq, $3 FROM cases WHERE id = ANY ($2::bigint[])
ON CONFLICT (emergency_id, case_id) DO UPDATE SET raised_at = excluded.raised_at;

-- name: keep_lowered
-- It holds for these cases no more.
UPDATE emergency_cases SET lowered_at = $3 WHERE emergency_id = $1 AND case_id = ANY ($2::bigint[]);

-- name: move_on
-- How far a sweep is: behind case $2, $3 more cases done; $4 says of how many cases each unit is to be told at its end.
UPDATE emergencies SET cursor = $2, done = done + $3, total = greatest(total, done + $3), chunks = chunks + 1, told = $4::text::jsonb WHERE id = $1;

-- name: begin_again
-- A pass came to its end and left cases that somebody held.
UPDATE emergencies SET cursor = 0 WHERE id = $1;

-- name: passed
-- A pass came to its end and left nothing; who had to be told is told.
UPDATE emergencies SET cursor = 0, phase = $2, passed_at = $3, total = done, told = '{}' WHERE id = $1;
