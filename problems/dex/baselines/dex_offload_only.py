"""DEX's ablation Offload-only: levels that may be offloaded are never cached, every operation on them is handed over."""


class Policy:
    """Offload whatever may be; what may not is cached, leaves are not."""

    def __init__(self, thread, threads, cpus, height):
        self.thread = thread

    def on_miss(self, level, op, word, full, may_offload, seen):
        if may_offload:
            return 2
        return 1 if level > 0 else 0
