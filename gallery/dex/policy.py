from metamuse.policykit import Rng

EPOCH = 113370  # tune: 1000..200000 log
RANK = 2.59  # tune: 0.5..12.0 log
FEW = 0.124  # tune: 0.002..0.3 log
GENTLE = 3.92  # tune: 0.3..6.0 log
ADMIT = 0.0161  # tune: 0.01..0.5 log


class Policy:
    """Mix Few Misses: Inner nodes carry others and are spared clearly. Inner nodes carry others and are
    spared very much."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def heat(self, word, now):
        gone = ((now // EPOCH) % 65536 - (word >> 8)) % 65536
        return float((word & 255) >> min(gone, 8))

    def note(self, level, op, word, now):
        epoch = (now // EPOCH) % 65536
        gone = (epoch - (word >> 8)) % 65536
        return (epoch << 8) | min(255, ((word & 255) >> min(gone, 8)) + 1)

    def on_miss(self, level, op, word, full, may_offload, seen):
        now = int(seen[0])
        heat = self.heat(word, now)
        if level > 0:
            call = False
            if may_offload and full:
                edge = (level + 1) * seen[1] / max(0.1, seen[2])
                call = self.rng.uniform() < edge**GENTLE / (1.0 + edge**GENTLE)
            return 2 if call else 1
        if op < 3 and not full:
            return 1
        chance = ADMIT
        chance = FEW
        return 1 if self.rng.uniform() < chance else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        heat = self.heat(word, now)
        worth = 0.0
        worth += RANK * level
        return worth
