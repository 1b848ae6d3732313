-- Limits by channel: a case keeps that of the report which opened it.
ALTER TABLE cases ADD COLUMN channel text NOT NULL DEFAULT '';
UPDATE cases c SET channel = r.channel FROM (SELECT DISTINCT ON (case_id) case_id, channel FROM reports ORDER BY case_id, id) AS r
WHERE r.case_id = c.id;

-- What was approved for a clock (挂账, 延期): {extensions: [limit], pauses: [[from, until]]}; and whether its ladder counts working time
-- of a year without notice.
ALTER TABLE deadlines
    ADD COLUMN adjustments jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(adjustments) = 'object'),
    ADD COLUMN plan_provisional boolean NOT NULL DEFAULT false;
DROP INDEX deadlines_provisional;
CREATE INDEX deadlines_provisional ON deadlines (case_id)
    WHERE stopped_at IS NULL AND (plan_provisional OR (provisional AND status = 'running'));
