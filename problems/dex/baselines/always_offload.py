"""Missing inner nodes are always offloaded, leaves cached by a coin."""

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log


class Policy:
    """An RPC whatever it takes."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0:
            return 2 if may_offload else 1
        return 1 if self.rng.uniform() < ADMIT else 0
