"""Structures: which open bins are looked at for an item. What is best among them, rules decide."""

from __future__ import annotations

from collections.abc import Callable

from problems.binpacking.mechanisms.draft import Draft

Structure = Callable[[Draft], None]

_OFFER_LEVEL = "self.offer(item, free, self.bins.first(free))"


def _among_levels(d: Draft, find: list[str], how: str) -> None:
    """Bins are looked at by their free space."""
    d.levels()
    d.find = find
    d.say("state", "The open bins by their free space.")
    d.say("choose", how)


def levels(d: Draft) -> None:
    """Every free space that occurs."""
    find = [
        "free = self.bins.next_level(item)",
        "while free >= 0:",
        f"    {_OFFER_LEVEL}",
        "    free = self.bins.next_level(free + 1)",
    ]
    _among_levels(
        d,
        find,
        "Of every free space that occurs and suffices one bin is weighed; the cheapest takes the item.",
    )


def tightest(d: Draft) -> None:
    """Best fit with a choice."""
    look = d.number("LOOK", 2, 16, log=True)
    find = [
        "free = self.bins.next_level(item)",
        f"for _ in range({look}):",
        "    if free < 0:",
        "        break",
        f"    {_OFFER_LEVEL}",
        "    free = self.bins.next_level(free + 1)",
    ]
    _among_levels(
        d, find, f"The {look} smallest free spaces that suffice are weighed; the cheapest takes the item."
    )


def emptiest(d: Draft) -> None:
    """Worst fit with a choice, and the tightest bin."""
    look = d.number("LOOK", 1, 12, log=True)
    find = [
        "free = self.bins.previous_level(self.capacity)",
        f"for _ in range({look}):",
        "    if free < item:",
        "        break",
        f"    {_OFFER_LEVEL}",
        "    free = self.bins.previous_level(free - 1)",
        "free = self.bins.next_level(item)",
        "if free >= 0:",
        f"    {_OFFER_LEVEL}",
    ]
    _among_levels(
        d,
        find,
        f"The {look} largest free spaces and the tightest one are weighed; the cheapest takes the item.",
    )


def rungs(d: Draft) -> None:
    """One level from each of several equal stretches."""
    look = d.number("LOOK", 3, 24, log=True)
    find = [
        "last = -1",
        f"for rung in range({look}):",
        f"    free = self.bins.next_level(item + rung * (self.capacity - item) // {look})",
        "    if free < 0:",
        "        break",
        "    if free != last:",
        f"        {_OFFER_LEVEL}",
        "        last = free",
    ]
    _among_levels(
        d,
        find,
        f"The free spaces that suffice are cut into {look} stretches and the tightest of each is weighed.",
    )


def draw(d: Draft) -> None:
    """Levels drawn by lot, and the tightest."""
    look = d.number("LOOK", 2, 12, log=True)
    find = [
        "free = self.bins.next_level(item)",
        f"for _ in range({look}):",
        "    if free < 0:",
        "        break",
        f"    {_OFFER_LEVEL}",
        f"    free = self.bins.next_level(item + {d.rng()}.below(self.capacity - item + 1))",
    ]
    _among_levels(
        d, find, f"The tightest bin and up to {look} drawn by lot are weighed; the cheapest takes the item."
    )


def seniors(d: Draft) -> None:
    """First fit with a choice."""
    look = d.number("LOOK", 2, 24, log=True)
    d.levels()
    d.kit("Tree")
    d.attribute("free", "Tree()")
    d.place = [*d.place, "self.free.set(bin, free - item)"]
    d.find = [
        "bin = self.free.first(item)",
        f"for _ in range({look}):",
        "    if bin < 0:",
        "        break",
        "    self.offer(item, remaining[bin], bin)",
        "    bin = self.free.first(item, bin + 1)",
    ]
    d.say("state", "The open bins in the order in which they were opened, and by their free space.")
    d.say("choose", f"The {look} oldest bins with room are weighed; the cheapest takes the item.")


def window(d: Draft) -> None:
    """Next fit over several bins."""
    look = d.number("LOOK", 8, 120, log=True)
    d.levels()
    d.find = [
        f"for bin in range(max(0, n_open - {look}), n_open):",
        "    if remaining[bin] >= item:",
        "        self.offer(item, remaining[bin], bin)",
    ]
    d.say("state", "The open bins in the order in which they were opened.")
    d.say("choose", f"Only the {look} bins opened last are weighed; the cheapest with room takes the item.")


def classes(d: Draft) -> None:
    """Harmonic classes, from which items may stray."""
    kinds = d.number("CLASSES", 2, 6)
    stray = d.number("STRAY", 0.3, 1.0)
    d.levels(kinds)
    d.shelf = "self.shelf"
    d.attribute("shelf", "0")
    d.method("home", "item", [f"return (min({kinds}, self.capacity // item) - 1) * (self.capacity + 1)"])
    d.place = [
        "level = self.home(item) + self.capacity if opened else self.bins.level(bin)",
        "free = level % (self.capacity + 1)",
        "self.bins.put(bin, level - item)",
    ]
    d.find = [
        "self.shelf = self.home(item)",
        f"for _ in range({kinds}):",
        "    level = self.bins.next_level(self.shelf + item)",
        "    while 0 <= level <= self.shelf + self.capacity:",
        "        self.offer(item, level - self.shelf, self.bins.first(level))",
        "        level = self.bins.next_level(level + 1)",
        f"    if self.best >= 0 or {d.rng()}.uniform() >= {stray}:",
        "        break",
        f"    self.shelf = (self.shelf + self.capacity + 1) % ({kinds} * (self.capacity + 1))",
    ]
    d.say("state", f"Bins belong to one of {kinds} classes by how many items like the first fit into a bin.")
    d.say(
        "choose",
        f"An item looks among the bins of its class; if none has room, with probability {stray} in the next class.",
    )


STRUCTURES: dict[str, Structure] = {
    f.__name__: f for f in (levels, tightest, emptiest, rungs, draw, seniors, window, classes)
}
