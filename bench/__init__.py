"""Measurements: each compares Fieldgate with something a reader knows, in one run, by ratios (`make bench`).

Absolute numbers say more about the machine than about the code, so every contest takes its sides in turn, several
rounds interleaved, and reports the ratio of each round.  docs/performance.md holds numbers of one machine and profiles.
"""
