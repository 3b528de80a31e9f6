"""Mechanisms of caching and offloading, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import ComposedLibrary, Part, Plan, Wish
from problems.dex.mechanisms.catalogue import MECHANISMS
from problems.dex.mechanisms.draft import Draft
from problems.dex.mechanisms.plan import combine, drafted
from problems.dex.mechanisms.rules import RULES
from problems.dex.mechanisms.structures import STRUCTURES

__all__ = ["LIBRARY", "DexLibrary"]


class DexLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "state": "Nothing but a random stream.",
        "leaf": "By a coin.",
        "offload": "Never.",
        "victim": "Any of the frames looked at.",
    }
    last_resort = Plan(Part("plain"))

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = DexLibrary()
