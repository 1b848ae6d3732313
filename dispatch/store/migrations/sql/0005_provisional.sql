-- Running deadlines that end in a year without notice: settled by a sweep over cases once the notice is there.
CREATE INDEX deadlines_provisional ON deadlines (case_id) WHERE provisional AND status = 'running';
