"""Inner nodes are offloaded while the thread's calls are quicker than its reads by a factor; leaves by a coin."""

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log
FACTOR = 1.0  # tune: 0.2..3.0 log
TRY = 0.02  # tune: 0.001..0.1 log


class Policy:
    """Moving averages of all calls and reads decide; now and then a call is made just to know."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level == 0:
            return 1 if self.rng.uniform() < ADMIT else 0
        if may_offload and (seen[2] < FACTOR * (level + 1) * seen[1] or self.rng.uniform() < TRY):
            return 2
        return 1
