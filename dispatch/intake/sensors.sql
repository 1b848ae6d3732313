-- name: make_device
-- The state of a device's alarm before its first event.
INSERT INTO devices (source, device, alarm, state) VALUES ($1, $2, $3, 'null') ON CONFLICT DO NOTHING;

-- name: hold_device
-- The state of a device's alarm, held; its case with it.
SELECT d.state, d.case_id, coalesce(c.is_open, false) AS case_open FROM devices d LEFT JOIN cases c ON c.id = d.case_id
WHERE d.source = $1 AND d.device = $2 AND d.alarm = $3 FOR UPDATE OF d;

-- name: save_device
-- The state after an event; `hold_until` is when a pending alarm ripens.
UPDATE devices SET state = $4, case_id = $5, hold_until = $6 WHERE source = $1 AND device = $2 AND alarm = $3;

-- name: ripe
-- Pending alarms that have lasted their minimum.
SELECT source, device, alarm FROM devices WHERE hold_until <= $1 ORDER BY hold_until LIMIT 100;

-- name: case_of
-- The case an alarm became.
SELECT k.case_id, c.case_no FROM report_keys k JOIN cases c ON c.id = k.case_id WHERE k.channel = $1 AND k.external_id = $2;
