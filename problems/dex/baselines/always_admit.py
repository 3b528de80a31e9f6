"""Every missing node is cached, nothing is offloaded: a buffer pool as on one machine (DEX's ablation P_A = 1)."""


class Policy:
    """Always admit."""

    def __init__(self, thread, threads, cpus, height):
        self.thread = thread

    def on_miss(self, level, op, word, full, may_offload, seen):
        return 1
