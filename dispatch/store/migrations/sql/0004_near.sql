-- Nine in ten open cases of a tile lie outside the box around a report: they are told apart in the index, without reading the cases.
CREATE INDEX cases_near ON cases (tile, kin, lat, lon, opened_at) WHERE tile IS NOT NULL AND is_open AND NOT restricted;
DROP INDEX cases_tile;
