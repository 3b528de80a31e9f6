"""A bin packing policy under construction: a structure offers bins, rules say what each offer costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from problems import composing
from problems.composing.draft import indented, written

#: Tables over all sizes are made anew when the items since the last time are a quarter of all, at most so many.
_LONGEST = 1000


class Draft(composing.Draft):
    """Collects a bin packing policy's constants, state, method bodies and the prose of its design.

    Costs are in bins: 1 is what a bin costs. In ``cost`` a bin of ``free`` space takes ``item``, which leaves
    ``left``; ``bin`` is its index, the next unused one for a new bin. Lines carry no indentation of the method.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self.find: list[str] = []
        """Calls ``self.offer(item, free, bin)`` for the bins that are looked at."""
        self.cost: list[str] = []
        """Statements that change ``value``."""
        self.stock: list[str] = []
        """Statements that change ``crowd``, the part of the cost that is about stocks of bins (see ``pace``)."""
        self.pace = ""
        """A factor of ``crowd``, "" for 1."""
        self.opens = False
        """Whether a new bin is weighed against open ones that have room."""
        self.gates: list[str] = []
        """Conditions for that; ``gap`` is what the best bin would have left."""
        self.price: list[str] = []
        """What a new bin costs beyond what ``cost`` says of it."""
        self.shelf = ""
        """Expression of the first level of the shelf that is looked at, if bins stand on several; ``self.home`` gives
        the one of a new bin for an item."""
        self.place = [
            "free = self.capacity if opened else self.bins.level(bin)",
            "self.bins.put(bin, free - item)",
        ]
        """How the structure hears that ``item`` went into ``bin``; sets ``free``, what ``bin`` had before."""
        self.packed: list[str] = []
        """What else happens then."""
        self.learn: list[str] = []
        """How ``item`` enters the statistics of sizes, which are ``self.seen`` and ``self.total``."""
        self._tables: dict[str, list[str]] = {}
        self.attribute("capacity", "capacity")

    # -- what structures and rules call

    def levels(self, shelves: str = "") -> None:
        """Keep bins by free space, on several shelves if their number is given."""
        self.kit("Buckets")
        self.attribute("bins", f"Buckets({shelves} * (capacity + 1))" if shelves else "Buckets(capacity)")

    def count(self, free: str) -> str:
        """Expression of the number of bins with that much free space, on the shelf that is looked at."""
        return f"self.bins.count({self.shelf} + {free})" if self.shelf else f"self.bins.count({free})"

    def items(self) -> str:
        """Expression of the number of items packed."""
        self.attribute("items", "0")
        return "self.items"

    def waiting(self) -> str:
        """Expression of the number of bins that still have more than an eighth of their space, hence a future."""
        self.attribute("waiting", "0")
        return "self.waiting"

    def sizes(self) -> None:
        """Keep statistics of sizes: ``self.seen`` by size, float64[capacity + 1], whose sum is ``self.total``."""
        self.items()
        self.attribute("seen", "np.zeros(capacity + 1)")
        self.attribute("total", "0.0")

    def mean(self) -> str:
        """Expression of the mean size, a positive number."""
        self.items()
        self.attribute("volume", "0")
        return "(self.volume / self.items if self.items > 0 else 0.4 * self.capacity)"

    def table(self, name: str, size: str, lines: Sequence[str]) -> None:
        """Keep an array that ``lines`` compute from the statistics of sizes, now and then."""
        self.sizes()
        self.attribute("due", "16")
        self.attribute(name, f"np.zeros({size})")
        self._tables[name] = list(lines)

    @property
    def learns(self) -> bool:
        """Whether anything depends on the statistics of sizes."""
        return "seen" in self._init

    # -- putting it together

    def source(self, doc: str) -> str:
        methods = [
            written("choose", "item, remaining, n_open", self._choose()),
            written("offer", "item, free, bin", _OFFER),
            written("cost", "item, free, bin", self._cost()),
            written("on_packed", "item, bin, opened", self._packed()),
        ]
        if self._tables:
            methods.append(written("study", "", [line for lines in self._tables.values() for line in lines]))
        self.attribute("best", "-1")
        self.attribute("least", "0.0")
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        return self._module(doc, "capacity", init, methods)

    def _choose(self) -> list[str]:
        lines = ["self.best = -1", "self.least = 1e18", *self.find]
        if self.opens:
            allowed = ["self.best >= 0", *self.gates]
            asks = []
            if any("gap" in gate for gate in self.gates):
                asks = ["gap = remaining[self.best] - item if self.best >= 0 else 0"]
            # The search may have ended on another shelf than the one where the new bin will stand.
            home = [f"    {self.shelf} = self.home(item)"] if self.shelf and self.stock else []
            price = " + ".join(["self.cost(item, self.capacity, n_open)", *self.price])
            lines += [
                *asks,
                f"if {' and '.join(allowed)}:",
                *home,
                f"    if {price} < self.least:",
                "        return -1",
            ]
        return [*lines, "return self.best"]

    def _cost(self) -> list[str]:
        lines = ["left = free - item", "value = 0.0", *self.cost]
        if not self.stock:
            return [*lines, "return value"]
        return [*lines, "crowd = 0.0", *self.stock, f"return value + {self.pace or '1.0'} * crowd"]

    def _packed(self) -> list[str]:
        lines = list(self.place)
        if "items" in self._init:
            lines.append("self.items += 1")
        if "volume" in self._init:
            lines.append("self.volume += item")
        if "waiting" in self._init:
            lines += [
                "roomy = free - item > self.capacity // 8",
                "if roomy and opened:",
                "    self.waiting += 1",
                "elif not roomy and not opened and free > self.capacity // 8:",
                "    self.waiting -= 1",
            ]
        if self.learns:
            lines += self.learn or ["self.seen[item] += 1.0", "self.total += 1.0"]
        lines += self.packed
        if self._tables:
            lines += [
                "if self.items >= self.due:",
                f"    self.due = self.items + max(8, min({_LONGEST}, self.items // 4))",
                "    self.study()",
            ]
        return lines


_OFFER = [
    "value = self.cost(item, free, bin)",
    "if value < self.least:",
    *indented(["self.least = value", "self.best = bin"]),
]
