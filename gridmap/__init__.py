"""Geography: where a point is, and who is responsible there.

This room holds coordinate systems, area and cell codes, the area tree (区域), the cells (单元网格) and the cutter
that makes them, the index that answers "which cell is this point in", the gazetteer (地名库) that answers "where is
this", and the duty book (权责清单). It decides and stores nothing: no database, no files, no clock, and no import from
the rest of the project. A `GridMap`, a `Gazetteer` and a `DutyBook` never change once made; a new version of a city is
a new object, and a running service swaps it by assigning one reference, so a reader sees the old map or the new one and
never half of each. What may be touched here: geometry and its rules. What may not: cases, people, SQL.
"""
