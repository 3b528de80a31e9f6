"""S3-FIFO by sampling: new leaves are on probation, what comes back soon is not (SOSP 2023).

A word holds the time at which a node was last missed (the ghost), whether it passed probation, and a use count to three.
"""

from metamuse.policykit import Rng

GHOST = 20000  # tune: 1000..1000000 log
ADMIT = 0.05  # tune: 0.001..1.0 log


class Policy:
    """Leaves that return within GHOST microseconds enter the main part, others the small one by a coin."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def note(self, level, op, word, now):
        stamp = (now // 64) % (1 << 24)
        back = ((stamp - (word >> 4)) % (1 << 24)) * 64 < GHOST and word > 0
        return (stamp << 4) | (4 if back else 0)

    def on_hit(self, level, op, word, now):
        return word if word & 3 == 3 else word + 1

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0 or not full or word & 4 != 0:
            return 1
        return 1 if self.rng.uniform() < ADMIT else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        main = 4.0 if word & 4 != 0 else 0.0
        return main + float(word & 3) + (8.0 if level > 0 else 0.0)
