-- name: propose
-- What a ruling says about the duty book.
INSERT INTO duty_proposals (case_id, event_seq, category, area, from_units, to_unit, disputed_at, ruled_by, ruled_at)
VALUES ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9);
