"""Mechanisms of LLM serving, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import ComposedLibrary, Part, Plan, Wish
from problems.opscale.mechanisms.catalogue import MECHANISMS
from problems.opscale.mechanisms.draft import Draft
from problems.opscale.mechanisms.plan import combine, drafted
from problems.opscale.mechanisms.rules import RULES
from problems.opscale.mechanisms.structures import STRUCTURES

__all__ = ["LIBRARY", "OpScaleLibrary"]


class OpScaleLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "state": "The last targets.",
        "demand": "The larger of the last interval's rate and its moving average.",
        "replicas": "As many as the load keeps busy.",
        "scale_down": "At once.",
        "placement": "Whole GPUs, the usual batches.",
    }
    last_resort = Plan(Part("whole"))

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = OpScaleLibrary()
