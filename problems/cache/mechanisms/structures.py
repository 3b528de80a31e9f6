"""Structures: how cached objects are kept and how the one to evict is found.

A structure is a function that writes its code and its prose into a draft. Whatever it is, it offers the same
handles to the rules (:mod:`problems.cache.mechanisms.rules`): places to enter by rank, what a hit moves, who is
next to go, how somebody is spared.
"""

from __future__ import annotations

from collections.abc import Callable

from problems.cache.mechanisms.draft import Draft

Structure = Callable[[Draft], None]


def _line(d: Draft) -> None:
    """One list; the back goes first."""
    d.kit("List")
    d.attribute("order", "List(n_slots)")
    d.find = ["return self.order.back()"]
    d.spare = ["self.order.move_to_front(loser)"]
    d.peer = "self.order.prev(loser)"
    d.leave = ["self.order.remove(slot)"]
    d.enter = ["self.order.push_front(slot)"]
    if d.ranks:
        d.enter = ["if rank == 0:", "    self.order.push_back(slot)", "else:", "    self.order.push_front(slot)"]
        if any("rank = 2" in line for line in d.ranks):
            # The line has no better place than its front; a hit on account is what can be given.
            d.count_hits(spent=False)
            d.enter += ["if rank == 2:", "    self.credit[slot] += 1"]


def recency(d: Draft) -> None:
    _line(d)
    d.touch = ["self.order.move_to_front(slot)"]
    d.say("state", "One line of cached objects, the last used in front.")
    d.say("on_hit", "It moves to the front of the line.")
    d.say("victim", "The back of the line.")


def arrival(d: Draft) -> None:
    _line(d)
    d.lazy = True
    d.say("state", "One line of cached objects in the order of arrival.")
    d.say("on_hit", "Nobody moves.")
    d.say("victim", "The back of the line, who has been here longest.")


def stepwise(d: Draft) -> None:
    _line(d)
    steps = d.number("STEPS", 1, 32, log=True)
    d.touch = [
        f"for _ in range({steps}):",
        "    ahead = self.order.prev(slot)",
        "    if ahead < 0:",
        "        break",
        "    self.order.remove(slot)",
        "    self.order.insert_before(slot, ahead)",
    ]
    d.say("state", "One line of cached objects in which places have to be earned.")
    d.say("on_hit", f"It changes places with the {steps} objects ahead of it, no more.")
    d.say("victim", "The back of the line.")


def circle(d: Draft) -> None:
    _line(d)
    d.count_hits()
    d.lazy = True
    d.find = [
        "slot = self.order.back()",
        "while self.credit[slot] > 0:",
        "    self.credit[slot] -= 1",
        "    self.order.move_to_front(slot)",
        "    slot = self.order.back()",
        "return slot",
    ]
    d.say("state", "A circle of cached objects with a small credit each.")
    d.say("on_hit", "Its credit grows by one, up to MOST; it stays where it is.")
    d.say("victim", "The circle turns; who has credit pays one and passes, the first without is evicted.")


def hand(d: Draft) -> None:
    d.kit("List")
    d.count_hits()
    d.lazy = True
    d.attribute("order", "List(n_slots)")
    d.attribute("hand", "-1")
    d.find = [
        "if self.hand < 0:",
        "    self.hand = self.order.back()",
        "while self.credit[self.hand] > 0:",
        "    self.credit[self.hand] -= 1",
        "    self.hand = self.order.prev(self.hand)",
        "    if self.hand < 0:",
        "        self.hand = self.order.back()",
        "return self.hand",
    ]
    d.spare = ["self.hand = self.order.prev(loser)"]
    d.peer = "self.order.prev(loser)"
    d.leave = ["if slot == self.hand:", "    self.hand = self.order.prev(slot)", "self.order.remove(slot)"]
    d.enter = ["self.order.push_front(slot)"]
    if d.ranks:
        d.enter = [
            "if rank == 0 and self.hand >= 0:",
            "    self.order.insert_before(slot, self.hand)",
            "else:",
            "    self.order.push_front(slot)",
            "if rank == 2:",
            "    self.credit[slot] += 1",
        ]
    d.say("state", "A line in the order of arrival, a credit per object and a hand that wanders along the line.")
    d.say("on_hit", "Its credit grows by one, up to MOST; it stays where it is.")
    d.say("victim", "The hand walks from old to new; it takes one credit in passing and stops at an object without.")


def ladder(d: Draft) -> None:
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
    d.enter = ["self.settle(slot, 0)"]
    if d.ranks:
        d.enter = [
            "if rank == 0:",
            "    self.level[slot] = 0",
            "    self.held[0] += 1",
            "    self.order.push_back(slot)",
            "else:",
            "    self.settle(slot, rank - 1)",
        ]
    d.say("state", f"A line that fences divide into {levels} segments; those above the lowest hold a share of {upper}.")
    d.say("on_hit", "It moves to the front of the next higher segment; whoever drops out below falls one segment.")
    d.say("victim", "The back of the lowest segment that holds anybody.")


def tiers(d: Draft) -> None:
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
    d.enter = ["self.settle(slot, 0)"]
    if d.carries:
        d.enter += ["if self.credit[slot] > 0:", "    self.rise(slot)"]
    if d.ranks:
        d.enter = [
            "if rank == 0:",
            "    self.level[slot] = 0",
            "    self.held[0] += 1",
            "    self.order.push_back(slot)",
            "else:",
            "    self.settle(slot, rank - 1)",
        ]
    d.say("state", f"{levels} tiers in one line; an object's tier is the logarithm of its count of hits.")
    d.say("on_hit", "It is counted and moves to the front of the tier that its count deserves.")
    d.say(
        "victim",
        f"The back of the lowest tier; tiers take turns to send down a last object unused for {life} rounds.",
    )


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


def probation(d: Draft) -> None:
    small = d.number("SMALL", 0.02, 0.5, log=True)
    passing = d.number("PASS", 1, 3)
    d.count_hits()
    d.lazy = True
    _pair(d, "small", "main")
    d.find = [
        "while True:",
        f"    if len(self.main) == 0 or len(self.small) > {small} * (len(self.small) + len(self.main)):",
        "        slot = self.small.back()",
        f"        if self.credit[slot] < {passing}:",
        "            return slot",
        "        self.small.remove(slot)",
        "        self.main.push_front(slot)",
        "        self.credit[slot] = 0",
        "    else:",
        "        slot = self.main.back()",
        "        if self.credit[slot] == 0:",
        "            return slot",
        "        self.credit[slot] -= 1",
        "        self.main.move_to_front(slot)",
    ]
    d.say("state", f"A small queue for newcomers, a share of {small}, and a main queue; a credit per object.")
    d.say("on_hit", "Its credit grows by one, up to MOST; it stays where it is.")
    d.say(
        "victim",
        f"The oldest newcomer if the small queue is too long, unless {passing} hits move it to the main queue;"
        " else the first of the main queue without credit, the others pay one and go round.",
    )


def nursery(d: Draft) -> None:
    small = d.number("SMALL", 0.05, 0.7)
    _pair(d, "small", "main")
    d.touch = [
        "if slot in self.small:",
        "    self.small.remove(slot)",
        "    self.main.push_front(slot)",
        "else:",
        "    self.main.move_to_front(slot)",
    ]
    d.find = [
        f"if len(self.main) == 0 or len(self.small) > {small} * (len(self.small) + len(self.main)):",
        "    return self.small.back()",
        "return self.main.back()",
    ]
    d.say("state", f"A nursery that may hold a share of {small}, in the order of arrival, and a house for the others.")
    d.say("on_hit", "A child moves into the house; whoever lives there moves to its front.")
    d.say("victim", "The oldest child if the nursery is too full, else the back of the house.")


def _pair(d: Draft, small: str, main: str) -> None:
    """Two lists; newcomers go into the first, favoured ones into the second."""
    d.kit("List")
    d.attribute(small, "List(n_slots)")
    d.attribute(main, "List(n_slots)")
    d.spare = [
        f"if loser in self.{small}:",
        f"    self.{small}.remove(loser)",
        f"    self.{main}.push_front(loser)",
        "else:",
        f"    self.{main}.move_to_front(loser)",
    ]
    d.peer = f"self.{small}.prev(loser) if loser in self.{small} else self.{main}.prev(loser)"
    d.leave = [f"if not self.{small}.discard(slot):", f"    self.{main}.remove(slot)"]
    d.enter = [f"self.{small}.push_front(slot)"]
    if d.ranks:
        d.enter = [
            "if rank == 0:",
            f"    self.{small}.push_back(slot)",
            "elif rank == 1:",
            f"    self.{small}.push_front(slot)",
            "else:",
            f"    self.{main}.push_front(slot)",
        ]


def balance(d: Draft) -> None:
    step = d.number("STEP", 0.2, 4.0, log=True)
    _pair(d, "recent", "often")
    d.attribute("target", "0.0")
    d.attribute("side", "np.zeros(n_slots, dtype=np.int64)")
    d.touch = [
        "if slot in self.recent:",
        "    self.recent.remove(slot)",
        "    self.often.push_front(slot)",
        "else:",
        "    self.often.move_to_front(slot)",
    ]
    d.find = [
        "if len(self.often) == 0 or len(self.recent) > max(1.0, self.target):",
        "    return self.recent.back()",
        "return self.often.back()",
    ]
    # One who comes back shows which side was too small.
    back = [f"    self.target = min(float(self.room), self.target + {step})"]
    away = [f"    self.target = max(0.0, self.target - {step})"]
    d.enter = [
        f"if {d.known} and self.side[slot] == 1:",
        *back,
        f"elif {d.known} and self.side[slot] == 2:",
        *away,
        *([f"if {d.known} or rank == 2:"] if d.ranks else [f"if {d.known}:"]),
        "    self.often.push_front(slot)",
        *(["elif rank == 0:", "    self.recent.push_back(slot)"] if d.ranks else []),
        "else:",
        "    self.recent.push_front(slot)",
    ]
    d.leave = [
        "if self.recent.discard(slot):",
        "    self.side[slot] = 1",
        "else:",
        "    self.often.remove(slot)",
        "    self.side[slot] = 2",
    ]
    d.say("state", "Two lists, seen once and seen again, and a moving target for the length of the first.")
    d.say("on_hit", "It moves to the front of those seen again.")
    d.say("victim", "The back of the first list if it is longer than the target, else of the second.")
    d.say("on_evict", "From which list it went.")
    d.say("on_insert", f"One that comes back moves the target by {step} towards the list it had to leave.")


def draw(d: Draft) -> None:
    sample = d.number("SAMPLE", 3, 24, log=True)
    rng = d.rng()
    d.structure_uses_worth = True
    d.attribute("bed", "np.zeros(n_slots, dtype=np.int64)")
    d.attribute("place", "np.zeros(n_slots, dtype=np.int64)")
    d.attribute("count", "0")
    d.find = [
        f"best = self.bed[{rng}.below(self.count)]",
        "least = self.worth(best, now)",
        f"for _ in range({sample} - 1):",
        f"    slot = self.bed[{rng}.below(self.count)]",
        "    value = self.worth(slot, now)",
        "    if value < least:",
        "        best = slot",
        "        least = value",
        "return best",
    ]
    d.leave = [
        "self.count -= 1",
        "last = self.bed[self.count]",
        "self.bed[self.place[slot]] = last",
        "self.place[last] = self.place[slot]",
    ]
    d.enter = ["self.bed[self.count] = slot", "self.place[slot] = self.count", "self.count += 1"]
    d.lazy = True
    d.sees_gated = True
    if d.ranks:
        d.field("seen")
        d.count_hits(spent=False)
        d.enter += [
            "if rank == 0:",
            "    self.seen[slot] = now - 2 * self.room",
            "elif rank == 2:",
            "    self.credit[slot] += 1",
        ]
    d.say("state", "The cached objects in no order, with what is needed to value each.")
    d.say("on_hit", "Only the numbers that make its worth change.")
    d.say("victim", f"Of {sample} objects drawn by lot the one of the least worth.")


def heap(d: Draft) -> None:
    pull = d.number("PULL", 0.0, 1.0)
    d.kit("Heap")
    d.structure_uses_worth = True
    d.attribute("order", "Heap(n_slots)")
    d.attribute("tide", "0.0")
    d.touch = ["self.order.push(slot, self.tide + self.worth(slot, now))"]
    d.find = ["return self.order.top()"]
    d.spare = ["self.order.push(loser, self.order.priority(loser) + self.worth(loser, now))"]
    d.leave = [
        f"self.tide += {pull} * max(0.0, self.order.priority(slot) - self.tide)",
        "self.order.remove(slot)",
    ]
    d.enter = ["self.order.push(slot, self.tide + self.worth(slot, now))"]
    if d.ranks:
        d.enter = ["self.order.push(slot, self.tide + rank * self.worth(slot, now))"]
    d.say("state", "A heap by priority: the level of a rising tide at the last use plus the object's worth then.")
    d.say("on_hit", "Its priority is set anew above the tide.")
    d.say("victim", "The lowest priority.")
    d.say("on_evict", f"The tide rises towards the priority of who went, by a share of {pull}.")


def regions(d: Draft) -> None:
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
    d.enter = [f"self.settle(slot, hash64(key, 5) % {levels})"]
    if d.ranks:
        d.enter += [
            "level = self.level[slot]",
            "if rank == 2:",
            "    self.fame[level] += 1.0",
            "elif rank == 0:",
            "    self.order.remove(slot)",
            "    if level == 0:",
            "        self.order.push_back(slot)",
            "    else:",
            "        self.order.insert_before(slot, self.fence + level - 1)",
        ]
    d.say("state", f"{levels} regions, an object belongs to one by its hash; each has its own line and its fame.")
    d.say("on_hit", "It moves to the front of its region, whose fame grows.")
    d.say("victim", f"Of {picks} regions drawn by lot the one with least fame per object; the back of its line.")
    d.say("on_evict", f"The fame of the region fades by {fade}.")


def contest(d: Draft) -> None:
    window = d.number("WINDOW", 0.01, 0.4, log=True)
    period = d.number("PERIOD", 4, 40, log=True)
    d.kit("Sketch")
    d.field("tag")
    _pair(d, "window", "main")
    d.attribute("counts", f"Sketch(4 * min(capacity, n_slots), 15, {period} * min(capacity, n_slots))")
    d.hit = ["self.counts.add(key)", *d.hit]
    d.touch = [
        "if slot in self.window:",
        "    self.window.move_to_front(slot)",
        "else:",
        "    self.main.move_to_front(slot)",
    ]
    d.find = [
        "if len(self.main) == 0:",
        "    return self.window.back()",
        "settled = self.main.back()",
        f"if len(self.window) <= {window} * (len(self.window) + len(self.main)):",
        "    return settled",
        "newcomer = self.window.back()",
        "if self.counts.estimate(self.tag[newcomer]) <= self.counts.estimate(self.tag[settled]):",
        "    return newcomer",
        "self.window.remove(newcomer)",
        "self.main.push_front(newcomer)",
        "return settled",
    ]
    full = d.full()
    d.enter = [
        "self.counts.add(key)",
        *d.enter,
        f"while not {full} and len(self.window) > {window} * (len(self.window) + len(self.main)):",
        "    self.main.push_front(self.window.pop_back())",
    ]
    d.say("state", f"A window for newcomers, a share of {window}, a main list, and approximate counts of all requests.")
    d.say("on_hit", "It is counted and moves to the front of its list.")
    d.say("victim", "The last of the window and the last of the main list compete; the one requested less often goes.")


STRUCTURES: dict[str, Structure] = {
    f.__name__: f
    for f in (
        recency, arrival, stepwise, circle, hand, ladder, tiers, probation, nursery, balance, draw, heap, regions,
        contest,
    )
}  # fmt: skip
