"""Benchmarks: each runs its peer or ceiling beside itself in one run and prints a ratio. No assertion on time."""
