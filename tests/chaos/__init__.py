"""Chaos: the real workers, beat and servers are broken on purpose, and what they promised is counted.

`make chaos`, or `python -m tests.chaos --help`. Guarantee: what it starts ends with it, however that
happens; its servers, database and sandbox are its own. Not for measuring speed.
"""
