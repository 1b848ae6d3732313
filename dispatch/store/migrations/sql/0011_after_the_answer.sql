-- What follows the unit's answer. An appeal (考核申诉) or an order (督办单) may be about a case that is closed, with a clock of its own:
-- an open case always has a live deadline, a closed one may have one.
ALTER TABLE cases DROP CONSTRAINT open_case_has_deadline;
ALTER TABLE cases ADD CONSTRAINT open_case_has_deadline CHECK (NOT is_open OR next_due_at IS NOT NULL) NOT VALID;
ALTER TABLE cases VALIDATE CONSTRAINT open_case_has_deadline;

-- Words by whom they are for: `note` and `reason` stay inside; `answer` (公开答复), `progress` and `question` are for the citizen,
-- `evaluation` is the citizen's own.
ALTER TABLE texts DROP CONSTRAINT texts_kind_check;
ALTER TABLE texts ADD CONSTRAINT texts_kind_check CHECK (kind IN (
    'report', 'supplement', 'note', 'reply', 'reason', 'told', 'opinion', 'answer', 'progress', 'question', 'evaluation')) NOT VALID;
ALTER TABLE texts VALIDATE CONSTRAINT texts_kind_check;
