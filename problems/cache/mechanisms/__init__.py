"""Mechanisms of caches, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.cache.mechanisms.catalogue import MECHANISMS
from problems.cache.mechanisms.draft import Draft
from problems.cache.mechanisms.plan import combine, drafted
from problems.cache.mechanisms.rules import RULES
from problems.cache.mechanisms.structures import STRUCTURES
from problems.composing import ComposedLibrary, Part, Plan, Wish

__all__ = ["LIBRARY", "CacheLibrary"]


class CacheLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "state": "The cached objects.",
        "on_hit": "Only the numbers that are kept of it change.",
        "victim": "Whoever is next to go.",
        "on_insert": "It enters at the front, whether it was here before or not.",
        "on_evict": "Nothing is remembered.",
        "admission": "Everything is admitted.",
    }
    last_resort = Plan(Part("circle"))  # CLOCK

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = CacheLibrary()
