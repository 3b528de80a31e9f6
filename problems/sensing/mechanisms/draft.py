"""A node's policy under construction: a structure divides the energy, rules bend the three intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from problems import composing
from problems.composing.draft import written


class Draft(composing.Draft):
    """Collects a policy's constants, state, statements of ``wake`` and the prose of its design.

    In all lines ``obs`` is what ``wake`` is given and ``step`` the ticks since the last wake-up.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self.sense: list[str] = []
        """Statements that keep what was learned up to date."""
        self.budget: list[str] = []
        """Statements that change ``daily``, the joules a day that may be spent, sleep included."""
        self.scheme: list[str] = []
        """Statements that set ``probe``, ``apart`` and ``radio``, ticks between wake-ups, CO2 readings and sessions, from
        ``spare``, joules a day."""
        self.flux: list[str] = []
        """Statements that change ``apart``."""
        self.probe: list[str] = []
        """Statements that change ``probe``."""
        self.event: list[str] = []
        """Statements that change ``probe``, ``apart`` or ``radio`` at events."""
        self.radio: list[str] = []
        """Statements that change ``radio`` or ``most``, the packets to send."""
        self.listens = False
        for name in ("co2_j", "session_j"):
            self.attribute(name, name)
        self.attribute("idle_j", "86400.0 * sleep_w")
        self.attribute("record_j", "probe_j + packet_j / 12.0")
        self.attribute("season", "season_days")
        self.attribute("solar", "panel_w > 0.0")
        self.attribute("quiet", "0.0")
        self.attribute("read", "False")
        self.attribute("send", "0")

    def kept(self, name: str, value: str = "0.0") -> str:
        """Have a number; returns its expression."""
        self.attribute(name, value)
        return f"self.{name}"

    def source(self, doc: str) -> str:
        keep = self.number("KEEP", 0.7, 1.05)
        hold = self.number("HOLD", 0.1, 0.6)
        self.say(
            "budget",
            f"The daily budget is {keep} of what there is; a solar store is steered to its middle ({hold}).",
        )
        wake = [
            "step = max(1.0, obs[15])",
            *self.sense,
            f"daily = {keep} * obs[19] / max(1.0, obs[18])",
            "if self.solar:",
            f"    daily = {keep} * obs[9] + {hold} * (obs[8] - 0.5) * obs[19]",
            *self.budget,
            "spare = max(0.02 * self.idle_j, daily - self.idle_j)",
            *self.scheme,
            *self.flux,
            *self.probe,
            *self.event,
            "self.read = obs[4] >= apart - 0.5",
            "self.quiet += step",
            "most = 4096",
            *self.radio,
            "self.send = 0",
            "if self.quiet >= min(432.0, radio):",
            "    self.quiet = 0.0",
            "    self.send = most",
            "return int(min(144.0, max(1.0, probe)))",
        ]
        methods = [
            written("wake", "tick, obs", wake),
            written("co2", "", ["return self.read"]),
            written("packets", "", ["return self.send"]),
            written("listen", "", ["return True"] if self.listens else []),
        ]
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        arguments = "season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w"
        return self._module(doc, arguments, init, methods)
