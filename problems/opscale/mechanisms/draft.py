"""A scaling policy under construction: a structure says which groups are planned, rules say how many of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from problems import composing
from problems.composing.draft import indented, written


class Draft(composing.Draft):
    """Collects a policy's constants, state, method bodies and the prose of its design.

    In all lines ``glob``, ``obs`` and ``prof`` are what ``control`` is given. Lines carry no indentation of the method.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self.demand: list[str] = []
        """Statements that change ``rate``, the requests/s that are planned for."""
        self.scheme: list[str] = []
        """Statements that call ``self.plan(g, rate, 1.0, glob, obs, prof)`` for groups of the phase that begins with
        group ``first``; ``decode`` says which it is."""
        self.margin: list[str] = []
        """Statements that enlarge ``want``, replicas, starting from ``load``, those that are busy."""
        self.queue: list[str] = []
        """Statements that add to ``want`` for what waits; ``row`` is ``12 * g``."""
        self.feedback: list[str] = []
        """Statements that change ``want`` by how the last minute went."""
        self.floor: list[str] = []
        """Statements that bound ``want`` from below."""
        self.down: list[str] = []
        """Statements that keep ``want`` from falling too fast below ``last``, the target so far."""
        self.share: list[str] = []
        """Body of ``share``."""
        self.batch: list[str] = []
        """Body of ``batch``."""
        self.pack: list[str] = []
        """Body of ``pack``."""
        self.attribute("n_groups", "n_groups")
        self.attribute("interval", "interval")
        self.attribute("ttft_slo", "ttft_slo")
        self.attribute("tbt_slo", "tbt_slo")
        self.attribute("target", "np.zeros(n_groups)")

    def array(self, name: str, size: str = "n_groups") -> str:
        """Have an array of floats, by group if nothing else is said; returns its expression."""
        self.attribute(name, f"np.zeros({size})")
        return f"self.{name}"

    def source(self, doc: str) -> str:
        pace = self.number("PACE", 0.6, 0.98)
        control = ["rate = max(glob[1], glob[2])", *self.demand, "for first in range(0, self.n_groups, 5):"]
        control += indented(["decode = prof[12 * first + 10] > 0", *self.scheme])
        plan = [
            "row = 12 * g",
            "load = part * self.load(g, rate, glob[6] + obs[row + 1], glob, prof)",
            "want = load",
            *self.margin,
            *self.queue,
            *self.feedback,
            *self.floor,
            "last = self.target[g]",
            *self.down,
            "self.target[g] = min(want, 4000.0)",
        ]
        load = [
            "row = 12 * g",
            "mean = glob[3]",
            "if prof[row + 10] > 0:",
            f"    share = {pace} * self.tbt_slo",
            "    active = max(active, rate * glob[5] * share)",
            "    room = max(0.1 * share, share - prof[row + 1])",
            "    memory = active * (mean + glob[5]) / prof[row + 10]",
            "    return max(active * (prof[row + 3] + prof[row + 2] * max(mean, glob[7])) / room, memory)",
            "return rate * (prof[row] * mean + prof[row + 2] * mean * mean * (1.0 + glob[4]))",
        ]
        self.say("replicas", f"A decode replica is loaded up to {pace} of the time between tokens.")
        methods = [
            written("control", "t, glob, obs, prof", control),
            written("plan", "g, rate, part, glob, obs, prof", plan),
            written("load", "g, rate, active, glob, prof", load),
            written("replicas", "group", ["return int(math.ceil(self.target[group] - 1e-9))"]),
            written("share", "group", self.share),
            written("batch", "group", self.batch),
            written("pack", "group", self.pack),
        ]
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        return self._module(doc, "n_groups, interval, ttft_slo, tbt_slo", init, methods)
