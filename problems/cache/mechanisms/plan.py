"""Plans of cache policies: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.cache.mechanisms.draft import Draft
from problems.cache.mechanisms.merits import MINOR_WORTHS
from problems.cache.mechanisms.rules import PLACES, RULES, guard_credit
from problems.cache.mechanisms.structures import BY_WORTH, STRUCTURES
from problems.composing import Part, Plan, Wish, gather

#: Order in which rules are written: later ones may ask what earlier ones did (e.g. whether there is a gate).
_ORDER = ("admit", "hit", "insert", "memory", "worth", "age", "guard")
#: What a structure that lives on worth is given if no observation says what worth is.
_WORTHS = ("worth_recent", "worth_count", "worth_rate", "worth_rhythm")
#: (roles of which none is there, what to add, how often)
_DEFAULTS = (
    ({"insert", "admit"}, ("insert_wave", "insert_drought", "insert_wave", "admit_door"), 0.55),
    ({"memory"}, ("memory_boost", "memory_boost", "memory_carry"), 0.5),
)


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng)
    if structure.name in BY_WORTH and not _weighs(rules):
        rules.append(Part(_WORTHS[int(rng.integers(len(_WORTHS)))]))
    return Plan(structure, (*rules, *_defaults(rules, rng)))


def drafted(plan: Plan, rng: np.random.Generator | None = None) -> Draft:
    """Write structure and rules into a new draft."""
    draft = Draft(plan.numbers, rng)
    for role in _ORDER:
        for part in plan.rules:
            if part.role == role:
                draft.strength = part.strength
                RULES[part.name](draft)
    if plan.structure.name in BY_WORTH and not _weighs(plan.rules):
        RULES["worth_count"](draft)
    draft.strength = plan.structure.strength
    STRUCTURES[plan.structure.name](draft)
    draft.strength = None
    if draft.counts_idly:
        guard_credit(draft)
    return draft


def _weighs(rules: Sequence[Part]) -> bool:
    return any(part.role == "worth" and part.name not in MINOR_WORTHS for part in rules)


def _defaults(rules: Sequence[Part], rng: np.random.Generator) -> list[Part]:
    """What is often added to a plan that says nothing of strangers or of those who come back."""
    roles = {part.role for part in rules}
    added = []
    for missing, names, chance in _DEFAULTS:
        if not roles & missing and rng.random() < chance:
            added.append(Part(names[int(rng.integers(len(names)))]))
    return added
