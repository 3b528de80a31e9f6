"""Plans of bin packing policies: what goes together, and how a plan is written into a draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.binpacking.mechanisms.draft import Draft
from problems.binpacking.mechanisms.rules import PLACES, RULES
from problems.binpacking.mechanisms.structures import STRUCTURES
from problems.composing import Part, Plan, Wish, gather

#: Structures of plans whose mechanisms name none; looking at every free space is the most faithful to the costs.
_SPARE = (*STRUCTURES, *("levels",) * 7)
#: Costs that tell good bins from bad ones on their own; the others only tint them.
SOUND = ("cost_fit", "cost_bend", "cost_glow", "cost_outlook", "stock_squares", "stock_power", "stock_supply")
#: What a plan without any is given, by how often.
_GIVEN = ("cost_outlook", "cost_fit", "cost_outlook", "stock_squares")
#: Costs that read the statistics of sizes, for a plan that only says how these are kept.
_STUDIOUS = ("cost_outlook", "cost_demand", "cost_pairs")
_STOCKS = ("stock_squares", "stock_power", "stock_supply", "stock_spread", "stock_scarce", "stock_future")
#: Costs under which a new bin may beat an open one with room.
_LAVISH = ("cost_outlook", *_STOCKS)
_OPENINGS = ("open_target", "open_free", "open_target", "open_thaw", "open_limit")
#: How often a rule is kept: costs that only tint others add up to noise.
_KEPT = 0.6
#: How often a plan gets what suits it but was not observed: a way to open bins, a pace, stocks.
_OPENED, _PACED, _STOCKED = 0.8, 0.35, 0.5


def combine(wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
    structure, gathered = gather(wishes, STRUCTURES, RULES, PLACES, rng, _SPARE)
    rules = [part for part in gathered if rng.random() < _KEPT]

    def has(*names: str) -> bool:
        return any(rule.name in names for rule in rules)

    def one_of(names: Sequence[str]) -> Part:
        return Part(names[int(rng.integers(len(names)))])

    roles = {rule.role for rule in rules}
    if "memory" in roles and not has(*_STUDIOUS, "cost_dead", "stock_supply", "stock_future"):
        rules.append(one_of(_STUDIOUS))
    if not has(*SOUND):
        rules.append(one_of(_GIVEN[:3] if "stock" in roles else _GIVEN))
    if not has(*_STOCKS) and ("pace" in roles or rng.random() < _STOCKED):
        # What is known of the waste to come is used for stocks, too.
        rules.append(Part("stock_future") if has("cost_outlook") else one_of(_STOCKS[:3]))
    if "open" not in roles and has(*_LAVISH) and rng.random() < _OPENED:
        rules.append(one_of(_OPENINGS))
    if "pace" not in roles and has(*_STOCKS) and rng.random() < _PACED:
        rules.append(one_of(("pace_ripe", "pace_root")))
    return Plan(structure, tuple(rules))


def drafted(plan: Plan, rng: np.random.Generator | None = None) -> Draft:
    """Write structure and rules into a new draft."""
    draft = Draft(plan.numbers, rng)
    for part, write in [(plan.structure, STRUCTURES), *((part, RULES) for part in plan.rules)]:
        draft.strength = part.strength
        write[part.name](draft)
    draft.strength = None
    if not any(part.name in SOUND for part in plan.rules):
        RULES["cost_fit"](draft)
    return draft
