-- The open tasks of each person: their load, what they hand over, whether an account may be retired.
CREATE INDEX assignments_at_hand ON assignments (handler, case_id) WHERE handler IS NOT NULL AND ended_at IS NULL;
