"""A plan: which structure and rules a design consists of; it becomes prose for the design and code for the policy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from problems.cache.mechanisms.draft import Draft
from problems.cache.mechanisms.merits import MINOR_WORTHS
from problems.cache.mechanisms.rules import PLACES, RULES, guard_credit
from problems.cache.mechanisms.structures import BY_WORTH, STRUCTURES

#: Order in which rules are written: later ones may ask what earlier ones did (e.g. whether there is a gate).
_ORDER = ("admit", "hit", "insert", "memory", "worth", "age", "guard")
#: What a structure that lives on worth is given if no observation says what worth is.
_WORTHS = ("worth_recent", "worth_count", "worth_rate", "worth_rhythm")
#: (roles of which none is there, what to add, how often)
_DEFAULTS = (
    ({"insert", "admit"}, ("insert_wave", "insert_drought", "insert_wave", "admit_door"), 0.55),
    ({"memory"}, ("memory_boost", "memory_boost", "memory_carry"), 0.5),
)
_LINE = re.compile(r"\[plan: (?P<structure>\w+)(?P<rules>(?: \+ \w+)*)(?: \| (?P<numbers>[^\]]*))?\]")


@dataclass(frozen=True)
class Part:
    """A structure or rule by name, and how strong it should be (0 low, 1 high, None open)."""

    name: str
    strength: float | None = None


@dataclass(frozen=True)
class Plan:
    """What a policy is made of.

    Attributes:
        structure: The structure.
        rules: The rules, any order.
        numbers: Values of constants by name; what is missing is drawn when the plan is drafted.
    """

    structure: Part
    rules: tuple[Part, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)

    def draft(self, rng: np.random.Generator | None = None) -> Draft:
        """Write structure and rules into a new draft."""
        draft = Draft(self.numbers, rng)
        for role in _ORDER:
            for part in self.rules:
                if _role(part.name) == role:
                    draft.strength = part.strength
                    RULES[part.name](draft)
        if self.structure.name in BY_WORTH and not _weighs(self.rules):
            RULES["worth_count"](draft)
        draft.strength = self.structure.strength
        STRUCTURES[self.structure.name](draft)
        draft.strength = None
        if draft.counts_idly:
            guard_credit(draft)
        return draft

    def line(self, numbers: Mapping[str, float]) -> str:
        """The plan in one line, which :func:`read` understands."""
        parts = " + ".join([self.structure.name, *(part.name for part in self.rules)])
        return f"[plan: {parts} | {' '.join(f'{k}={v}' for k, v in numbers.items())}]"

    def simpler(self) -> Plan:
        """The same structure with the first half of the rules."""
        return Plan(self.structure, self.rules[: len(self.rules) // 2], self.numbers)


def read(text: str) -> Plan | None:
    """Find a plan's line in a text; None if there is none or it names what does not exist."""
    match = _LINE.search(text)
    if match is None or match["structure"] not in STRUCTURES:
        return None
    rules = [name for name in match["rules"].split(" + ") if name]
    if any(name not in RULES for name in rules):
        return None
    numbers: dict[str, float] = {}
    for name, value in re.findall(r"(\w+)=([-+.\de]+)", match["numbers"] or ""):
        numbers[name] = float(value) if re.search(r"[.e]", value) else int(value)
    return Plan(Part(match["structure"]), tuple(map(Part, rules)), numbers)


def combine(wishes: Sequence[tuple[tuple[str, ...], float | None]], rng: np.random.Generator) -> Plan:
    """One plan from what several mechanisms could contribute.

    Args:
        wishes: Per mechanism the names of parts it could become, dearest first, and its strength.
        rng: Settles what the mechanisms leave open.
    """
    builders = [i for i, (names, _) in enumerate(wishes) if any(name in STRUCTURES for name in names)]
    rules: list[Part] = []
    if builders:
        builder = builders[int(rng.integers(len(builders)))]
        names, strength = wishes[builder]
        structure = Part(next(name for name in names if name in STRUCTURES), strength)
    else:
        builder = -1
        names = tuple(STRUCTURES)
        structure = Part(names[int(rng.integers(len(names)))])
    for i, (names, strength) in enumerate(wishes):
        if i != builder:
            chosen = next((n for n in names if n in RULES and _fits(n, rules)), None)
            if chosen is not None:
                rules.append(Part(chosen, strength))
    if structure.name in BY_WORTH and not _weighs(rules):
        rules.append(Part(_WORTHS[int(rng.integers(len(_WORTHS)))]))
    return Plan(structure, (*rules, *_defaults(rules, rng)))


def _weighs(rules: Sequence[Part]) -> bool:
    return any(_role(part.name) == "worth" and part.name not in MINOR_WORTHS for part in rules)


def _defaults(rules: Sequence[Part], rng: np.random.Generator) -> list[Part]:
    """What is often added to a plan that says nothing of strangers or of those who come back."""
    roles = {_role(part.name) for part in rules}
    added = []
    for missing, names, chance in _DEFAULTS:
        if not roles & missing and rng.random() < chance:
            added.append(Part(names[int(rng.integers(len(names)))]))
    return added


def _fits(name: str, rules: Sequence[Part]) -> bool:
    role = _role(name)
    same = [part.name for part in rules if _role(part.name) == role]
    return name not in same and len(same) < PLACES[role]


def _role(rule: str) -> str:
    return rule.partition("_")[0]
