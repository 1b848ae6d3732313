-- name: listed
-- Appeals below the cursor $1, newest first, in scope ($2 units, $3 areas; null: all), of one kind, unit or status; `waiting` is either step.
SELECT a.*, c.case_no, c.version, d.due_at, EXISTS (SELECT FROM deadlines m WHERE m.case_id = a.case_id AND m.status = 'missed'
        AND (m.assignment_id = a.assignment_id OR (m.clock = 'close' AND m.round = a.round))) AS late
FROM appeals a JOIN cases c ON c.id = a.case_id LEFT JOIN assignments l ON l.id = c.lead_assignment_id
    LEFT JOIN deadlines d ON d.case_id = a.case_id AND d.clock = 'appeal' AND d.round = coalesce(a.second_clock, a.first_clock) AND d.stopped_at IS NULL
WHERE a.id < $1 AND ($2::text[] IS NULL OR c.owner_unit = ANY ($2) OR c.area = ANY ($3::text[]) OR a.unit = ANY ($2))
    AND (NOT c.restricted OR $4 OR l.unit = $6) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($5::text[]))
    AND ($7::text IS NULL OR a.kind = $7) AND ($8::text IS NULL OR a.unit = $8)
    AND ($9::text IS NULL OR a.status = $9 OR ($9 = 'waiting' AND a.status IN ('first', 'second')))
ORDER BY a.id DESC LIMIT $10;

-- name: of_case
-- Every appeal about a case, in the order in which they came.
SELECT a.*, d.due_at, EXISTS (SELECT FROM deadlines m WHERE m.case_id = a.case_id AND m.status = 'missed'
        AND (m.assignment_id = a.assignment_id OR (m.clock = 'close' AND m.round = a.round))) AS late
FROM appeals a
    LEFT JOIN deadlines d ON d.case_id = a.case_id AND d.clock = 'appeal' AND d.round = coalesce(a.second_clock, a.first_clock) AND d.stopped_at IS NULL
WHERE a.case_id = $1 ORDER BY a.id;
