"""Mechanisms of bin packing, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.binpacking.mechanisms.catalogue import MECHANISMS
from problems.binpacking.mechanisms.draft import Draft
from problems.binpacking.mechanisms.plan import combine, drafted
from problems.binpacking.mechanisms.rules import RULES
from problems.binpacking.mechanisms.structures import STRUCTURES
from problems.composing import ComposedLibrary, Part, Plan, Wish

__all__ = ["LIBRARY", "BinPackingLibrary"]


class BinPackingLibrary(ComposedLibrary):
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms = MECHANISMS
    structures = STRUCTURES
    rules = RULES
    silent = {
        "state": "The open bins by free space.",
        "choose": "The cheapest bin takes the item.",
        "new_bin": "Only if no bin that is looked at has room.",
        "on_packed": "The free space of the bin and the counts change.",
    }
    last_resort = Plan(Part("tightest"))  # best fit

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        return combine(wishes, rng)

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        return drafted(plan, rng)


#: What ``metamuse.llm.composer`` loads.
LIBRARY = BinPackingLibrary()
