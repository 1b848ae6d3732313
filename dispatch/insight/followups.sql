-- name: waiting
-- Cases whose citizens are to be asked, after the cursor ($1, $2), the most urgent clock first; $3: only those whom nobody is to call
-- later than that.
SELECT c.id, c.case_no, c.version, c.category, c.urgency, c.round, c.people, d.due_at, d.status, f.tries, f.next_at, f.dissatisfied
FROM deadlines d JOIN cases c ON c.id = d.case_id
    LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE counted AND round = c.round) AS tries, max(next_at) FILTER (WHERE round = c.round) AS next_at,
        count(*) FILTER (WHERE valid AND (satisfied <= 2 OR NOT solved)) AS dissatisfied FROM followups WHERE case_id = c.id) AS f ON true
WHERE d.clock = 'followup' AND d.stopped_at IS NULL AND (d.due_at, c.id) > ($1, $2) AND ($3::timestamptz IS NULL OR coalesce(f.next_at, $3) <= $3)
    AND ($4::text[] IS NULL OR c.owner_unit = ANY ($4) OR c.area = ANY ($5::text[]))
    AND (NOT c.restricted OR $6) AND (c.about_unit IS NULL OR NOT c.about_unit = ANY ($7::text[]))
ORDER BY d.due_at, c.id LIMIT $8;

-- name: of_case
-- Everything that was tried and said of a case, in order.
SELECT round, medium, by, at, reached, counted, next_at, valid, contacted, solved, satisfied FROM followups WHERE case_id = $1 ORDER BY nth;
