"""Plans of scaling policies: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import Part, Plan, Wish, gather
from problems.opscale.mechanisms.draft import Draft
from problems.opscale.mechanisms.rules import PLACES, RULES
from problems.opscale.mechanisms.structures import STRUCTURES

#: Structures of plans whose mechanisms name none.
_SPARE = ("whole", "whole", "whole", "pools", "hot", "hot", "relief")
#: What a plan without a rule of the role is given, and how often: without a margin, an eye on the queue, something that
#: is kept and patience with scaling down no SLO holds under bursts.
_GIVEN = {
    "margin": (("margin_flat", "margin_root", "margin_erlang", "margin_late"), 1.0),
    "queue": (("queue_drain", "queue_drain", "queue_alarm"), 1.0),
    "floor": (("floor_past", "floor_burst", "floor_spare"), 0.85),
    "down": (("down_hold", "down_fade", "down_price"), 1.0),
    "demand": (("demand_window", "demand_spread", "demand_slope"), 0.3),
}


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
    for part, write in [(plan.structure, STRUCTURES), *((part, RULES) for part in plan.rules)]:
        draft.strength = part.strength
        write[part.name](draft)
    draft.strength = None
    return draft
