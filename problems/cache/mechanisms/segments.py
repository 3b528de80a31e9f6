"""Structures of several segments in one line: fences, which are ids beyond the slots, divide it."""

from __future__ import annotations

from problems.cache.mechanisms.draft import Draft

#: Enters at the very back.
_LAST = ("self.level[slot] = 0", "self.held[0] += 1", "self.order.push_back(slot)")


def _fenced(d: Draft) -> None:
    """One list with a fence in front of every segment; the fences' ids follow the slots'."""
    d.kit("List")
    d.attribute("fence", "n_slots")
    d.attribute("order", "List(n_slots + LEVELS)")
    d.attribute("level", "np.zeros(n_slots + LEVELS, dtype=np.int64)")
    d.attribute("held", "np.zeros(LEVELS, dtype=np.int64)")
    d.setup = ["for level in range(LEVELS):", "    self.order.push_front(n_slots + level)"]
    d.method(
        "settle",
        "slot, level",
        [
            "self.level[slot] = level",
            "self.held[level] += 1",
            "first = self.order.next(self.fence + level)",
            "if first < 0:",
            "    self.order.push_back(slot)",
            "else:",
            "    self.order.insert_before(slot, first)",
        ],
    )
    d.find = [
        "slot = self.order.back()",
        "while slot >= self.fence:",
        "    slot = self.order.prev(slot)",
        "return slot",
    ]
    d.peer = "self.order.prev(loser)"
    d.stop = "loser < 0 or loser >= self.fence"
    d.leave = ["self.held[self.level[slot]] -= 1", "self.order.remove(slot)"]


def ladder(d: Draft) -> None:
    """Segmented LRU with up to five segments."""
    levels = d.number("LEVELS", 2, 5)
    upper = d.number("UPPER", 0.3, 0.95)
    _fenced(d)
    d.method(
        "climb",
        "slot",
        [
            f"level = min(self.level[slot] + 1, {levels} - 1)",
            "self.held[self.level[slot]] -= 1",
            "self.order.remove(slot)",
            "self.settle(slot, level)",
            f"limit = {upper} * (len(self.order) - {levels}) / ({levels} - 1)",
            "while level > 0 and self.held[level] > limit:",
            "    # The segment is too long: its last object changes sides by moving the fence behind it.",
            "    self.lower(level)",
            "    level -= 1",
        ],
    )
    d.method(
        "lower",
        "level",
        [
            "fence = self.fence + level - 1",
            "last = self.order.prev(fence)",
            "self.order.remove(fence)",
            "self.order.insert_before(fence, last)",
            "self.level[last] = level - 1",
            "self.held[level] -= 1",
            "self.held[level - 1] += 1",
        ],
    )
    d.touch = ["self.climb(slot)"]
    d.spare = ["self.climb(loser)"]
    d.enter = d.by_rank(_LAST, ["self.settle(slot, 0)"], ["self.settle(slot, 1)"])
    d.say(
        "state",
        f"A line that fences divide into {levels} segments; those above the lowest hold a share of {upper}.",
    )
    d.say(
        "on_hit",
        "It moves to the front of the next higher segment; whoever drops out below falls one segment.",
    )
    d.say("victim", "The back of the lowest segment that holds anybody.")


def tiers(d: Draft) -> None:
    """A multi-queue by the logarithm of the count, with expiry."""
    levels = d.number("LEVELS", 3, 8)
    life = d.number("LIFE", 0.5, 20.0, log=True)
    _fenced(d)
    d.count_hits(wide=True)
    d.field("seen")
    d.method(
        "rise",
        "slot",
        [
            "level = 0",
            "count = self.credit[slot]",
            f"while count > 0 and level < {levels} - 1:",
            "    count //= 2",
            "    level += 1",
            "self.held[self.level[slot]] -= 1",
            "self.order.remove(slot)",
            "self.settle(slot, level)",
        ],
    )
    d.touch = ["self.rise(slot)"]
    # One level is looked at in turn at each eviction: expiry costs O(1).
    d.find = [
        f"self.turn = self.turn % ({levels} - 1) + 1",
        "fence = self.fence + self.turn - 1",
        "last = self.order.prev(fence)",
        f"if self.held[self.turn] > 0 and now - self.seen[last] > {life} * self.room:",
        "    self.order.remove(fence)",
        "    self.order.insert_before(fence, last)",
        "    self.level[last] = self.turn - 1",
        "    self.held[self.turn] -= 1",
        "    self.held[self.turn - 1] += 1",
        "    self.credit[last] //= 2",
        *d.find,
    ]
    d.attribute("turn", "0")
    d.spare = ["self.order.remove(loser)", "self.held[self.level[loser]] -= 1", "self.settle(loser, 1)"]
    d.enter = d.by_rank(_LAST, ["self.settle(slot, 0)"], ["self.settle(slot, 1)"])
    if d.carries:
        d.enter += ["if self.credit[slot] > 0:", "    self.rise(slot)"]
    d.say("state", f"{levels} tiers in one line; an object's tier is the logarithm of its count of hits.")
    d.say("on_hit", "It is counted and moves to the front of the tier that its count deserves.")
    d.say(
        "victim",
        f"The back of the lowest tier; tiers take turns to send down a last object unused for {life} rounds.",
    )


def regions(d: Draft) -> None:
    """Partitions by hash that compete for room."""
    levels = d.number("LEVELS", 4, 48, log=True)
    fade = d.number("FADE", 0.8, 0.999)
    picks = d.number("PICKS", 2, 6)
    _fenced(d)
    d.kit("hash64")
    rng = d.rng()
    d.attribute("fame", "np.zeros(LEVELS)")
    d.touch = [
        "self.fame[self.level[slot]] += 1.0",
        "self.order.remove(slot)",
        "self.held[self.level[slot]] -= 1",
        "self.settle(slot, self.level[slot])",
    ]
    # A segment's back stands before the fence of the next lower one; the lowest ends at the list's back.
    d.find = [
        "best = -1",
        "least = 0.0",
        f"for _ in range({picks}):",
        f"    level = {rng}.below({levels})",
        "    if self.held[level] > 0:",
        "        value = self.fame[level] / self.held[level]",
        "        if best < 0 or value < least:",
        "            best = level",
        "            least = value",
        "while best < 0 or self.held[best] == 0:",
        f"    best = (best + 1) % {levels}",
        f"self.fame[best] *= {fade}",
        "if best == 0:",
        "    return self.order.back()",
        "return self.order.prev(self.fence + best - 1)",
    ]
    d.spare = [
        "self.order.remove(loser)",
        "self.held[self.level[loser]] -= 1",
        "self.settle(loser, self.level[loser])",
    ]
    d.enter = [f"level = hash64(key, 5) % {levels}"]
    d.enter += d.by_rank(
        [
            "self.level[slot] = level",
            "self.held[level] += 1",
            "if level == 0:",
            "    self.order.push_back(slot)",
            "else:",
            "    self.order.insert_before(slot, self.fence + level - 1)",
        ],
        ["self.settle(slot, level)"],
        ["self.settle(slot, level)", "self.fame[level] += 1.0"],
    )
    d.say(
        "state",
        f"{levels} regions, an object belongs to one by its hash; each has its own line and its fame.",
    )
    d.say("on_hit", "It moves to the front of its region, whose fame grows.")
    d.say(
        "victim", f"Of {picks} regions drawn by lot the one with least fame per object; the back of its line."
    )
    d.say("on_evict", f"The fame of the region fades by {fade}.")
