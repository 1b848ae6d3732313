"""Time (时限): limits, the work calendar and its arithmetic, policies, the ladder, and the loop that fires deadlines.

This room knows nothing of cases, units or the database, and imports nothing of the project: it turns an instant and a
limit into another instant, reads which limit applies from a city's files, and drives whatever stands behind
`DeadlinePort`. What a deadline does when it fires belongs to that port. Numbers of a city belong into
`config/policies.toml` and `config/ladder.toml`, never into this code.
"""
