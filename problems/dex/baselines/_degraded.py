"""Nothing is offloaded, every leaf is read anew, inner nodes push one another out."""


class Policy:
    """Bad on purpose: it shows the check which way is up."""

    def __init__(self, thread, threads, cpus, height):
        self.thread = thread

    def on_miss(self, level, op, word, full, may_offload, seen):
        return 1 if level > 0 else 0

    def looks(self):
        return 8

    def score(self, level, dirty, word, now):
        return -float(level)
