"""Figures (指标) from events: what each case adds to them, kept up to date beside the service and the same when made anew.

    events of a case ── story ── marks ── contribution ── figures by day and by all, unit, area, category, channel

`story` replays a case, `marks` says what is counted and on which day, `contribution` is what of it is kept, `definitions` what the
published figures are made of. All of that is arithmetic without I/O. `keeping` takes changed cases, takes their old contribution out
and puts the new one in; `rebuilding` makes everything again and compares. Nothing else writes `figures`; reads are in `insight`.
"""
