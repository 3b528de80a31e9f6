"""Mechanisms of CPU control, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.autothrottle.mechanisms.catalogue import MECHANISMS
from problems.autothrottle.mechanisms.draft import Draft
from problems.autothrottle.mechanisms.plan import combine, drafted
from problems.autothrottle.mechanisms.rules import RULES
from problems.autothrottle.mechanisms.structures import STRUCTURES
from problems.composing import ComposedLibrary, Part, Plan, Wish

__all__ = ["LIBRARY", "AutothrottleLibrary"]


class AutothrottleLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "local": "Captain runs every service.",
        "up": "Only as said.",
        "down": "As soon as less is wanted, by half at most.",
        "global": "There is no global law; every target is the built-in one.",
        "state": "Little.",
    }
    last_resort = Plan(
        Part("built_in"), (Part("goal_bang"),)
    )  # Captain under additive increase, multiplicative decrease

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = AutothrottleLibrary()
