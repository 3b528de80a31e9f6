"""A plan: which structure and rules a policy consists of, in a line that survives the way through a design."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

_LINE = re.compile(r"\[plan: (?P<structure>\w+)(?P<rules>(?: \+ \w+)*)(?: \| (?P<numbers>[^\]]*))?\]")

#: Names of parts that a mechanism could become, dearest first, and its strength (0 low, 1 high, None open).
Wish = tuple[tuple[str, ...], float | None]


@dataclass(frozen=True)
class Part:
    """A structure or rule by name, and how strong it should be (0 low, 1 high, None open)."""

    name: str
    strength: float | None = None

    @property
    def role(self) -> str:
        """What a rule is for: the first word of its name."""
        return self.name.partition("_")[0]


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

    def line(self, numbers: Mapping[str, float]) -> str:
        """The plan in one line, which :func:`read` understands."""
        parts = " + ".join([self.structure.name, *(part.name for part in self.rules)])
        return f"[plan: {parts} | {' '.join(f'{k}={v}' for k, v in numbers.items())}]"

    def simpler(self) -> Plan:
        """The same structure with the first half of the rules."""
        return Plan(self.structure, self.rules[: len(self.rules) // 2], self.numbers)


def read(text: str, structures: Collection[str], rules: Collection[str]) -> Plan | None:
    """Find a plan's line in a text; None if there is none or it names what does not exist."""
    match = _LINE.search(text)
    if match is None or match["structure"] not in structures:
        return None
    named = [name for name in match["rules"].split(" + ") if name]
    if any(name not in rules for name in named):
        return None
    numbers: dict[str, float] = {}
    for name, value in re.findall(r"(\w+)=([-+.\de]+)", match["numbers"] or ""):
        numbers[name] = float(value) if re.search(r"[.e]", value) else int(value)
    return Plan(Part(match["structure"]), tuple(map(Part, named)), numbers)


def gather(
    wishes: Sequence[Wish],
    structures: Collection[str],
    rules: Collection[str],
    places: Mapping[str, int],
    rng: np.random.Generator,
    spare: Sequence[str] = (),
) -> tuple[Part, list[Part]]:
    """One structure and the rules that fit beside it, from what several mechanisms could become.

    Args:
        wishes: One per mechanism.
        structures: Names of structures; one mechanism that can be one becomes the structure.
        rules: Names of rules.
        places: How many rules of a role a policy takes at most.
        rng: Settles what the mechanisms leave open.
        spare: Structures to draw from if no mechanism can be one; repeats weigh. Default: all, alike.
    """
    builders = [i for i, (names, _) in enumerate(wishes) if any(name in structures for name in names)]
    if builders:
        builder = builders[int(rng.integers(len(builders)))]
        names, strength = wishes[builder]
        structure = Part(next(name for name in names if name in structures), strength)
    else:
        builder = -1
        spare = spare or tuple(structures)
        structure = Part(spare[int(rng.integers(len(spare)))])
    chosen: list[Part] = []
    for i, (names, strength) in enumerate(wishes):
        if i != builder:
            parts = (Part(name, strength) for name in names if name in rules)
            if part := next((part for part in parts if _fits(part, chosen, places)), None):
                chosen.append(part)
    return structure, chosen


def _fits(part: Part, chosen: Sequence[Part], places: Mapping[str, int]) -> bool:
    same = [other.name for other in chosen if other.role == part.role]
    return part.name not in same and len(same) < places[part.role]
