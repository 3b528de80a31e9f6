"""SIEVE by sampling: what has been used since it came in is spared, the rest goes; leaves come in by a coin.

A word holds the epoch in which the node was seen missing, and whether it has been used since (NSDI 2024).
"""

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log


class Policy:
    """A visited bit, cleared when the node is missed again."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def note(self, level, op, word, now):
        return 0

    def on_hit(self, level, op, word, now):
        return 1

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0:
            return 1
        return 1 if self.rng.uniform() < ADMIT else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        return float(word)
