"""A policy under construction: a structure says what a node's word holds, rules say what is done with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from problems import composing
from problems.composing.draft import indented, written


class Draft(composing.Draft):
    """Collects a policy's constants, state, method bodies and the prose of its design.

    Lines carry no indentation of the method. ``self.heat(word, now)`` is how much a node is used, 0 for one that nobody
    remembers.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self.heat: list[str] = ["return 0.0"]
        """Body of ``heat(word, now)``."""
        self.note: list[str] = []
        """Body of ``note``."""
        self.hit: list[str] = []
        """Body of ``on_hit``."""
        self.leaf: list[str] = []
        """Statements that change ``chance``, with which a missing leaf is admitted; ``heat`` is the leaf's."""
        self.bend: list[str] = []
        """The same, after those."""
        self.call: list[str] = []
        """Statements that set ``call``, whether a missing inner node is offloaded where that may be."""
        self.worth: list[str] = []
        """Statements that change ``worth``, by which frames are spared; ``heat`` is the node's."""
        self.after: list[str] = []
        """Statements after the worth of a frame is known."""
        self.done: list[str] = []
        """Body of ``on_done``."""
        self.publish: list[str] = []
        """Body of ``publish``."""
        self.looks = "2"

    def source(self, doc: str) -> str:
        coin = self.number("ADMIT", 0.01, 0.5, log=True)
        rng = self.rng()
        self.attribute("rng", "Rng(thread)")
        self._init["rng"] = "Rng(thread)"
        needs_now = self.note or self.hit
        miss = ["now = int(seen[0])"] if needs_now else ["now = 0"]
        miss += [
            "heat = self.heat(word, now)",
            "if level > 0:",
            *indented(
                ["call = False", *(["if may_offload and full:", *indented(self.call)] if self.call else [])]
            ),
            "    return 2 if call else 1",
            "if op < 3 and not full:",
            "    return 1",
            f"chance = {coin}",
            *self.leaf,
            *self.bend,
            f"return 1 if {rng}.uniform() < chance else 0",
        ]
        score = []
        if self.worth:
            score = ["heat = self.heat(word, now)", "worth = 0.0", *self.worth, *self.after, "return worth"]
        methods = [
            written("heat", "word, now", self.heat),
            written("note", "level, op, word, now", self.note),
            written("on_hit", "level, op, word, now", self.hit),
            written("on_miss", "level, op, word, full, may_offload, seen", miss),
            written("looks", "", [f"return {self.looks}"] if score else []),
            written("score", "level, dirty, word, now", score),
            written("on_done", "level, action, us", self.done),
            written("publish", "slot, central, now", self.publish),
        ]
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        return self._module(doc, "thread, threads, cpus, height", init, methods)
