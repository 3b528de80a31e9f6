class Policy:
    """Bad on purpose, to show that the metric notices: a bin of its own for every item, whatever is open."""

    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        return -1
