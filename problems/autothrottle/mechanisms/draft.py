"""A policy of CPU control under construction: a structure says what is wanted, rules when and how far limits move."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from problems import composing
from problems.composing.draft import indented, written

_LOCAL = "tick, obs, usage, throttled, pos, target"
_GLOBAL = "minute, service, app, services, history, pos, cluster"


class Draft(composing.Draft):
    """Collects the constants, state, lines and prose of a local law, a global law, or both.

    Lines carry no indentation of their method. In those of the local law, ``limit`` is the limit in cores, which they may
    raise, and :attr:`held` the expression of how much the service was throttled lately, 0 to 1.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self.sense: list[str] = []
        """What is noted every 100 ms."""
        self.held = ""
        """Expression of how much the service was throttled lately; "" for the usual one."""
        self.base: list[str] = []
        """Sets ``level`` and ``spread`` (cores); what is wanted is ``level + self.margin * spread``. None: the local law
        is left to the built-in one."""
        self.start = 1.0
        """The margin at the start."""
        self.climbs = True
        """Whether a limit rises to what is wanted; otherwise only because of throttling."""
        self.margin: list[str] = []
        """How ``self.margin`` follows ``held`` and ``target``, at every decision."""
        self.period = ""
        """Name of the constant that says how many ticks apart decisions are."""
        self.urgent: list[str] = []
        """Statements that may raise ``limit`` at once, every 100 ms."""
        self.floors: list[str] = []
        """Statements that may raise ``wanted``."""
        self.gates: list[str] = []
        """Conditions for lowering the limit."""
        self.least = "0.5 * limit"
        """Expression of the least limit after one cut."""
        self.cut: list[str] = []
        """What is kept when the limit is lowered."""
        self.idle: list[str] = []
        """What is done where the limit neither rises nor falls."""
        self.goal: list[str] = []
        """How ``self.goal``, the target of all services, changes at a minute. None: without a global law."""
        self.first_goal = "0.1"
        """Expression of the target in the first minute."""
        self.portion: list[str] = []
        """Statements that turn ``goal`` into the target of one service."""

    # -- what structures and rules call

    def raised(self) -> str:
        """Statement to run when the limit was raised because of throttling or in expectation of it."""
        self.attribute("raised", "0")
        return "self.raised = tick"

    def calmed(self) -> list[str]:
        """Statements that make a raise count, so that what was throttled before it does not cause the next one."""
        return ["self.calm = tick + 5", self.raised()]

    def urgently(self, condition: str, *lines: str) -> None:
        """Raise the limit under a condition, at most once in half a second."""
        self.attribute("calm", "0")
        self.urgent += [f"if tick >= self.calm and {condition}:", *indented([*lines, *self.calmed()])]

    # -- putting it together

    @property
    def built_in(self) -> bool:
        """Whether the local law is left to the built-in one."""
        return not self.base

    def source(self, doc: str) -> str:
        local = [] if self.built_in else self._local()
        decide = [] if self.built_in else self._decide()
        methods = [
            written("local", _LOCAL, local),
            written("decide", f"limit, {_LOCAL}", decide),
            written("global_", _GLOBAL, self._global()),
        ]
        self.attribute("slo_ms", "slo_ms")
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        return self._module(doc, "node_cores, slo_ms, n_services", init, methods)

    def _local(self) -> list[str]:
        if not self.held:
            memory = self.number("MEMORY", 5.0, 30.0, log=True)
            self.attribute("held", "0.0")
            self.held = "self.held"
            self.sense.insert(0, f"self.held += (obs[1] - self.held) / {memory}")
            self.say("state", f"The share of throttled periods, forgotten over {memory} ticks.")
        self.period = self.period or self.number("PERIOD", 5, 20, log=True)
        seen = f"held = {self.held}"
        return [
            "limit = obs[0]",
            *self.sense,
            *([seen] if any("held" in line for line in self.urgent) else []),
            *self.urgent,
            f"if tick % {self.period} == {self.period} - 1:",
            f"    limit = self.decide(limit, {_LOCAL})",
            "return limit",
        ]

    def _decide(self) -> list[str]:
        alpha = self.number("ALPHA", 1.0, 4.0)
        band = self.number("BAND", 0.8, 0.98)
        self.attribute("margin", str(self.start))
        self.say(
            "down",
            f"It is lowered when less than {band} of it is wanted and throttling is within {alpha} times the target.",
        )
        gates = [f"wanted < {band} * limit", f"held <= {alpha} * target", *self.gates]
        climb = [f"if {band} * wanted > limit:", "    return wanted"] if self.climbs else []
        return [
            f"held = {self.held}",
            *self.base,
            *self.margin,
            "wanted = level + self.margin * spread",
            *self.floors,
            *climb,
            f"if {' and '.join(gates)}:",
            *indented(self.cut),
            f"    return max({self.least}, wanted)",
            *self.idle,
            "return limit",
        ]

    def _global(self) -> list[str]:
        if not self.goal:
            return []
        self.attribute("goal", self.first_goal)
        lines = ["if service == 0 and minute > 0:", *indented(self.goal)]
        if not self.portion:
            return [*lines, "return self.goal"]
        return [*lines, "goal = self.goal", *self.portion, "return goal"]
