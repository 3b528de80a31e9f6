"""Plans of nodes' policies: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.composing import Part, Plan, Wish, gather
from problems.sensing.mechanisms.draft import Draft
from problems.sensing.mechanisms.rules import PLACES, RULES
from problems.sensing.mechanisms.structures import STRUCTURES

#: What a plan without a rule of the role is given, and how often.
_GIVEN = {
    "event": (("event_burst", "event_alert", "event_suspect"), 0.6),
    "radio": (("radio_retry", "radio_backoff", "radio_batch"), 0.5),
    "flux": (("flux_level", "flux_volatility", "flux_hours"), 0.5),
}


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng)
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
