"""Structures: how cached objects are kept and how the one to evict is found.

A structure is a function that writes its code and its prose into a draft. Whatever it is, it offers the same
handles to the rules (:mod:`problems.cache.mechanisms.rules`): places to enter by rank, what a hit moves, who is
next to go, how somebody is spared.
"""

from __future__ import annotations

from collections.abc import Callable

from problems.cache.mechanisms.draft import Draft
from problems.cache.mechanisms.segments import ladder, regions, tiers

Structure = Callable[[Draft], None]


def _line(d: Draft) -> None:
    """One list; the back goes first."""
    d.kit("List")
    d.attribute("order", "List(n_slots)")
    d.find = ["return self.order.back()"]
    d.spare = ["self.order.move_to_front(loser)"]
    d.peer = "self.order.prev(loser)"
    d.leave = ["self.order.remove(slot)"]
    if d.gives(2):
        # The line has no better place than its front; a hit on account is what can be given.
        d.count_hits(spent=False)
    d.enter = d.by_rank(
        ["self.order.push_back(slot)"],
        ["self.order.push_front(slot)"],
        ["self.order.push_front(slot)", "self.credit[slot] += 1"],
    )


def recency(d: Draft) -> None:
    """LRU and its kin."""
    _line(d)
    d.touch = ["self.order.move_to_front(slot)"]
    d.say("state", "One line of cached objects, the last used in front.")
    d.say("on_hit", "It moves to the front of the line.")
    d.say("victim", "The back of the line.")


def arrival(d: Draft) -> None:
    """FIFO and its kin."""
    _line(d)
    d.lazy = True
    d.say("state", "One line of cached objects in the order of arrival.")
    d.say("on_hit", "Nobody moves.")
    d.say("victim", "The back of the line, who has been here longest.")


def stepwise(d: Draft) -> None:
    """Transposition, by several places."""
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
    """CLOCK and its kin."""
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
    """SIEVE and its kin."""
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
    d.enter = d.by_rank(
        [
            "if self.hand >= 0:",
            "    self.order.insert_before(slot, self.hand)",
            "else:",
            "    self.order.push_back(slot)",
        ],
        ["self.order.push_front(slot)"],
        ["self.order.push_front(slot)", "self.credit[slot] += 1"],
    )
    d.say(
        "state", "A line in the order of arrival, a credit per object and a hand that wanders along the line."
    )
    d.say("on_hit", "Its credit grows by one, up to MOST; it stays where it is.")
    d.say(
        "victim",
        "The hand walks from old to new; it takes one credit in passing and stops at an object without.",
    )


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
    d.enter = d.by_rank(
        [f"self.{small}.push_back(slot)"],
        [f"self.{small}.push_front(slot)"],
        [f"self.{main}.push_front(slot)"],
    )


def balance(d: Draft) -> None:
    """A split of recency and frequency that adapts, as in ARC."""
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
        f"if {d.known} or rank == 2:" if d.gives(2) else f"if {d.known}:",
        "    self.often.push_front(slot)",
        *(["elif rank == 0:", "    self.recent.push_back(slot)"] if d.gives(0) else []),
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


def span(d: Draft) -> None:
    """LIRS: who is asked for twice within the age of the oldest settled object takes its place."""
    guests = d.number("GUESTS", 0.01, 0.5, log=True)
    d.field("seen")
    # Whoever was seen after the last settled object was has the shorter distance between two requests.
    d.ranks.insert(0, f"if not {d.full()} or ({d.known} and self.seen[slot] > self.oldest()):")
    d.ranks.insert(1, "    rank = 2")
    _pair(d, "guests", "settled")
    d.method("oldest", "", ["last = self.settled.back()", "return self.seen[last] if last >= 0 else -1"])
    d.touch = [
        "if slot in self.settled:",
        "    self.settled.move_to_front(slot)",
        "elif now - idle > self.oldest():",
        "    self.guests.remove(slot)",
        "    self.settled.push_front(slot)",
        "else:",
        "    self.guests.move_to_front(slot)",
    ]
    share = f"{guests} * (len(self.guests) + len(self.settled))"
    d.find = [
        f"while len(self.settled) > 0 and len(self.guests) < max(1.0, {share}):",
        "    self.guests.push_front(self.settled.pop_back())",
        "return self.guests.back()",
    ]
    d.say(
        "state",
        f"Settled objects and a queue of guests, a share of {guests}, each with the time of its last use.",
    )
    d.say(
        "on_hit",
        "A guest settles if it was used since the last settled object was; others move to their front.",
    )
    d.say("on_insert", "The same goes for one that comes back after an eviction.")
    d.say(
        "victim",
        "The last guest; if there are too few, settled ones are made guests, the longest unused first.",
    )


def draw(d: Draft) -> None:
    """Sampled eviction by worth."""
    sample = d.number("SAMPLE", 3, 24, log=True)
    rng = d.rng()
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
    if d.gives(0):
        d.attribute("shunned", "-1")
        d.find = ["if self.shunned >= 0:", "    return self.shunned", *d.find]
        d.leave += ["if slot == self.shunned:", "    self.shunned = -1"]
        d.touch = ["if slot == self.shunned:", "    self.shunned = -1"]
        d.enter += ["if rank == 0:", "    self.shunned = slot"]
    if d.gives(2):
        d.count_hits(spent=False)
        d.enter += ["if rank == 2:", "    self.credit[slot] += 1"]
    # Sparing who is shunned has to end that.
    d.spare = ["if loser == self.shunned:", "    self.shunned = -1"] if d.gives(0) else []
    d.say("state", "The cached objects in no order, with what is needed to value each.")
    d.say("on_hit", "Only the numbers that make its worth change.")
    d.say("victim", f"Of {sample} objects drawn by lot the one of the least worth.")


def heap(d: Draft) -> None:
    """A priority queue with an ageing level, as in LFUDA and GDSF."""
    pull = d.number("PULL", 0.01, 1.0, log=True)  # from LFU, almost, to LFUDA
    d.kit("Heap")
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
    d.say(
        "state",
        "A heap by priority: the level of a rising tide at the last use plus the object's worth then.",
    )
    d.say("on_hit", "Its priority is set anew above the tide.")
    d.say("victim", "The lowest priority.")
    d.say("on_evict", f"The tide rises towards the priority of who went, by a share of {pull}.")


#: Structures that evict by worth, so that some rule has to say what worth is.
BY_WORTH = ("draw", "heap")

STRUCTURES: dict[str, Structure] = {
    f.__name__: f
    for f in (
        recency, arrival, stepwise, circle, hand, ladder, tiers, balance, span, draw, heap, regions,
    )
}  # fmt: skip
