"""Mechanisms of soil sensing, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import ComposedLibrary, Part, Plan, Wish
from problems.sensing.mechanisms.catalogue import MECHANISMS
from problems.sensing.mechanisms.draft import Draft
from problems.sensing.mechanisms.plan import combine, drafted
from problems.sensing.mechanisms.rules import RULES
from problems.sensing.mechanisms.structures import STRUCTURES

__all__ = ["LIBRARY", "SensingLibrary"]


class SensingLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "state": "What was decided last.",
        "budget": "What is left of the store, by what is left of the season; under sun what it gives.",
        "sampling": "Evenly, at the rates that the energy allows.",
        "events": "Nothing of its own.",
        "radio": "Evenly, all that is unsent.",
    }
    last_resort = Plan(Part("shares"))

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = SensingLibrary()
