"""Plans of caching policies: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import Part, Plan, Wish, gather
from problems.dex.mechanisms.draft import Draft
from problems.dex.mechanisms.rules import PLACES, RULES
from problems.dex.mechanisms.structures import STRUCTURES

#: Structures of plans whose mechanisms name none.
_SPARE = ("plain", "counts", "counts", "misses", "misses", "stamps", "gaps")
#: What a plan without a rule of the role is given, and how often: without offloading nobody is near DEX in small caches.
_GIVEN = {
    "offload": (("offload_window", "offload_cost", "offload_cold", "offload_mix"), 0.95),
    "leaf": (("leaf_few", "leaf_again", "leaf_power", "leaf_bar"), 0.8),
    "victim": (("victim_heat", "victim_level", "victim_clean"), 0.3),
}
#: Rules that others build on come first.
_ORDER = ("victim", "leaf", "bend", "offload", "share")


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng, _SPARE)
    roles = {rule.role for rule in rules}
    for role, (names, often) in _GIVEN.items():
        if role not in roles and rng.random() < often:
            rules.append(Part(names[int(rng.integers(len(names)))]))
    return Plan(structure, tuple(rules))


def drafted(plan: Plan, rng: np.random.Generator | None = None) -> Draft:
    """Write structure and rules into a new draft."""
    draft = Draft(plan.numbers, rng)
    rules = sorted(plan.rules, key=lambda part: _ORDER.index(part.role))
    for part, write in [(plan.structure, STRUCTURES), *((part, RULES) for part in rules)]:
        draft.strength = part.strength
        write[part.name](draft)
    draft.strength = None
    return draft
