"""Plans of policies of CPU control: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.autothrottle.mechanisms.draft import Draft
from problems.autothrottle.mechanisms.rules import GLOBAL, PLACES, RULES
from problems.autothrottle.mechanisms.structures import STRUCTURES
from problems.composing import Part, Plan, Wish, gather

#: Structures of plans whose mechanisms name none.
_SPARE = tuple(STRUCTURES)
_MARGINS = ("margin_integral", "margin_integral", "margin_lopsided", "margin_fold")
_RAISES = ("up_excess", "up_excess", "up_streak", "up_time")
#: Structures under which limits rise because of throttling alone.
_CLIPPED = ("peaks", "peak_hold")
_GOALS = ("goal_integral", "goal_integral", "goal_bang", "goal_hour", "goal_load", "goal_body", "goal_level")
_SHARES = ("share_hot", "share_wild", "share_slack")
#: Raises that need neither a cut before nor usage that still grows: a limit that clips usage shows no slope.
_RELIABLE = ("up_excess", "up_streak", "up_time", "up_pulse")
#: How often a plan gets what suits it but was not observed. Without a goal the global law is left to the built-in one.
_AIMED, _SHARED = 0.85, 0.3


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng, _SPARE)

    def one_of(names: Sequence[str]) -> Part:
        return Part(names[int(rng.integers(len(names)))])

    if structure.name == "built_in":
        rules = [rule for rule in rules if rule.role in GLOBAL]
    roles = {rule.role for rule in rules}
    if structure.name != "built_in":
        if "margin" not in roles:
            rules.append(one_of(_MARGINS))
        if not any(rule.name in _RELIABLE for rule in rules) and (
            "up" not in roles or structure.name in _CLIPPED
        ):
            rules.append(one_of(_RAISES))
    if "goal" not in roles and (roles & set(GLOBAL) or structure.name == "built_in" or rng.random() < _AIMED):
        rules.append(one_of(_GOALS))
        if "share" not in roles and rng.random() < _SHARED:
            rules.append(one_of(_SHARES))
    return Plan(structure, tuple(rules))


def drafted(plan: Plan, rng: np.random.Generator | None = None) -> Draft:
    """Write structure and rules into a new draft, and what a law cannot do without."""
    draft = Draft(plan.numbers, rng)
    parts = [(plan.structure, STRUCTURES), *((part, RULES) for part in plan.rules)]
    if plan.structure.name == "built_in":
        parts = [(part, write) for part, write in parts if part.role in (*GLOBAL, plan.structure.role)]
    for part, write in parts:
        draft.strength = part.strength
        write[part.name](draft)
    draft.strength = None
    if not draft.built_in and not draft.margin:
        RULES["margin_integral"](draft)
    reliable = any(part.name in _RELIABLE for part in plan.rules)
    if not draft.built_in and not reliable and not (draft.climbs and draft.urgent):
        RULES["up_excess"](draft)
    if not draft.goal and (draft.built_in or draft.portion):
        RULES["goal_integral"](draft)
    return draft
