"""DEX without offloading: inner nodes are cached, leaves by a coin. P_A from 0 to 1 is the probability sweep."""

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log


class Policy:
    """A leaf is admitted by a coin once the cache is full, inner nodes always."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0 or (op < 3 and not full):
            return 1
        return 1 if self.rng.uniform() < ADMIT else 0
