"""CLOCK (second chance): a use sets a node's reference bit; sampled nodes with the bit are spared.

The bit is the number of the epoch of the last use, so that it expires without a hand that clears it.
"""

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log
EPOCH = 2000  # tune: 100..100000 log


class Policy:
    """Nodes used in this epoch or the last one stay."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def on_hit(self, level, op, word, now):
        return (now // EPOCH + 1) % 65536

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0:
            return 1
        return 1 if self.rng.uniform() < ADMIT else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        age = (now // EPOCH + 1 - word) % 65536
        return 1.0 if age < 2 else 0.0
