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
_ORDER = ("admit", "front", "hit", "insert", "memory", "worth", "age", "guard")
#: What a structure that lives on worth is given if no observation says what worth is.
_WORTHS = ("worth_recent", "worth_count", "worth_rate", "worth_rhythm")
#: Roles that settle how newcomers are treated; what is kept of the others beside a front, which does it alone.
_STRANGERS = ("front", "admit", "insert")
_BESIDE = 0.3
#: What a plan is given that says nothing of newcomers, or of those who come back (a front sees to them), and how often.
_WELCOMES = ("front_contest", "front_ghosts", "front_climb", "insert_wave", "insert_drought", "admit_drought")
_WELCOMED = 0.45
_MEMORIES = ("memory_boost", "memory_boost", "memory_carry")
_REMEMBERED = 0.15
#: How often any other rule of a plan of several is kept: what a policy does is clearer, and mostly better, if it
#: does little.
_KEPT = 0.55
#: How often a plan is a structure with one change: what is near the plain algorithms is part of the space, too.
_PLAIN = 0.25


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng)
    if rules and rng.random() < _PLAIN:
        rules = [rules[int(rng.integers(len(rules)))]]
    else:
        rules = _beside(rules, rng)
    if structure.name in BY_WORTH and not _weighs(rules):
        rules.append(_one_of(_WORTHS, rng))
    return Plan(structure, tuple(rules))


def _beside(gathered: Sequence[Part], rng: np.random.Generator) -> list[Part]:
    """The rules of a plan of several: some are dropped, and newcomers and memory are seen to."""
    rules = [part for part in gathered if part.role in _STRANGERS or rng.random() < _KEPT]
    if any(part.role == "front" for part in rules):
        rules = [
            part
            for part in rules
            if part.role not in _STRANGERS or part.role == "front" or rng.random() < _BESIDE
        ]
    elif not {part.role for part in rules} & set(_STRANGERS) and rng.random() < _WELCOMED:
        rules.append(_one_of(_WELCOMES, rng))
    if not {part.role for part in rules} & {"memory", "front"} and rng.random() < _REMEMBERED:
        rules.append(_one_of(_MEMORIES, rng))
    return rules


def _one_of(names: Sequence[str], rng: np.random.Generator) -> Part:
    return Part(names[int(rng.integers(len(names)))])


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
    if (front := draft.front) is not None:
        draft.front = None
        front.put_before(draft)
    if draft.counts_idly:
        guard_credit(draft)
    return draft


def _weighs(rules: Sequence[Part]) -> bool:
    return any(part.role == "worth" and part.name not in MINOR_WORTHS for part in rules)
