"""One hostile program and what must become of it; policies made of an honest one and an attack."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

IMPORTS = """\
import math
import numpy as np
from metamuse.policykit import Bag, Buckets, Ghosts, Heap, List, Ring, Rng, Sketch, Stack, Tree, Vector, hash64
"""


@dataclass(frozen=True)
class Case:
    """One program.

    Attributes:
        kind: What it belongs to.
        attempt: What it attempts, in a few words.
        expect: The failure class it must end with, or ``ok``: harmless, and scored as the honest policy is.
        problem: The problem it pretends to solve.
        source: Its text.
        says: Part of the message, where that matters.
    """

    kind: str
    attempt: str
    expect: str
    problem: str
    source: str
    says: str = ""

    @property
    def name(self) -> str:
        """The kind and the attempt."""
        return f"{self.kind}: {self.attempt}"


def _indented(text: str, width: int) -> str:
    return textwrap.indent(text.strip("\n"), " " * width) + "\n" if text.strip() else ""


def cache(
    attack: str = "",
    *,
    init: str = "",
    top: str = "",
    methods: str = "",
    imports: str = IMPORTS,
    head: str = "class Policy:",
) -> str:
    """LRU whose ``victim`` begins with an attack.

    Args:
        attack: Statements of ``victim``.
        init: Further statements of ``__init__``.
        top: Between the imports and the class.
        methods: Further members of the class.
        imports: The imports.
        head: The line of the class.
    """
    return (
        f"{imports}{top}\n\n{head}\n"
        '    """Evicts the least recently used."""\n\n'
        "    def __init__(self, capacity, n_slots):\n"
        "        self.order = List(n_slots)\n"
        f"{_indented(init, 8)}"
        "\n    def on_hit(self, slot, key, size, now):\n"
        "        self.order.move_to_front(slot)\n"
        "\n    def victim(self, slot, key, size, now):\n"
        f"{_indented(attack, 8)}"
        "        return self.order.back()\n"
        "\n    def on_evict(self, slot, key, size, now):\n"
        "        self.order.remove(slot)\n"
        "\n    def on_insert(self, slot, key, size, now, remembered):\n"
        "        self.order.push_front(slot)\n"
        f"\n{_indented(methods, 4)}"
    )


def bins(attack: str = "", *, init: str = "", methods: str = "") -> str:
    """First fit whose ``choose`` begins with an attack."""
    return (
        f"{IMPORTS}\n\nclass Policy:\n"
        '    """Packs into the first bin that has room."""\n\n'
        "    def __init__(self, capacity):\n"
        "        self.capacity = capacity\n"
        f"{_indented(init, 8)}"
        "\n    def choose(self, item, remaining, n_open):\n"
        f"{_indented(attack, 8)}"
        "        for b in range(n_open):\n"
        "            if remaining[b] >= item:\n"
        "                return b\n"
        "        return -1\n"
        f"\n{_indented(methods, 4)}"
    )


#: What is scored after every hostile program.
HONEST = {"cache": cache(), "binpacking": bins()}

Shelf = list[tuple[str, str, str]]


def cases(kind: str, problem: str, rows: list[tuple[str, ...]]) -> list[Case]:
    """Cases of one kind, each row ``(class, attempt, source[, says])``."""
    return [Case(kind, row[1], row[0], problem, *row[2:]) for row in rows]
