"""TinyLFU admission: a missing leaf is cached if it is used more often than what would be cooled for it (ACM TOS 2017).

A node's word holds a count that is halved with every epoch: the counts are a sketch of one row, shared by hash.
"""

EPOCH = 4000  # tune: 200..200000 log
MARGIN = 0.5  # tune: 0.0..4.0
SHARE = 0.05  # tune: 0.005..0.5 log
COUNT = 4  # tune: 1..16 log


class Policy:
    """Counts with ageing; the bar is the mean count of the victims of this thread."""

    def __init__(self, thread, threads, cpus, height):
        self.bar = 0.0
        self.low = 255.0
        self.turn = 0

    def aged(self, word, now):
        epoch = (now // EPOCH) % 65536
        gone = (epoch - (word >> 8)) % 65536
        return (word & 255) >> min(gone, 8)

    def counted(self, word, now, by):
        return (((now // EPOCH) % 65536) << 8) | min(255, self.aged(word, now) + by)

    def note(self, level, op, word, now):
        return self.counted(word, now, 1)

    def on_hit(self, level, op, word, now):
        self.turn += 1
        if self.turn % COUNT != 0:
            return word
        return self.counted(word, now, COUNT)

    def on_miss(self, level, op, word, full, may_offload, seen):
        if level > 0 or not full:
            return 1
        return 1 if (word & 255) > self.bar + MARGIN else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        count = float(self.aged(word, now))
        self.bar += SHARE * (count - self.bar)
        return count + (4.0 if level > 0 else 0.0)
