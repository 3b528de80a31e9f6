"""How earlier programs are shown to a model, and what it is asked to make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metamuse import ranking
from metamuse.proposers.base import Gain
from metamuse.state import Entry

_TASKS = {
    "next": "Write the next version: an algorithm that does better than all of them.",
    "differ": "Write an algorithm whose idea is as different from theirs as possible.",
    "combine": "Find the idea that they have in common, and write an algorithm that rests on it but is another one.",
    "modify": "Write a variant of the last one with another structure or another rule.",
    "retune": "Write the last one again with other constants, or with another use of its constants.",
}


@dataclass(frozen=True)
class Program:
    """A program that others may be made from.

    Attributes:
        id: Of the solution or baseline.
        source: The module.
        gain: Percent over the reference on the feedback workloads; None if nobody measured it.
    """

    id: str
    source: str
    gain: float | None

    @property
    def worth(self) -> float:
        """Its gain; what is not measured counts as much as the reference."""
        return self.gain or 0.0


def improvement(operator: str) -> str:
    """The task of an operator."""
    return _TASKS[operator]


def listing(programs: Sequence[Program]) -> str:
    """Programs in the order they are shown."""
    shown = []
    for number, program in enumerate(programs, 1):
        measured = "not measured yet" if program.gain is None else f"gain {program.gain:.2f}"
        shown.append(f"Program {number}, {measured}:\n\n```python\n{program.source.rstrip()}\n```")
    return "\n\n".join(shown)


def best_distinct(entries: Iterable[Entry], gain: Gain, most: int) -> list[Entry]:
    """The best ``most`` of the scored ones, best first, those with equal scores once (the earliest)."""
    found: dict[tuple[float, ...], Entry] = {}
    for entry in sorted((e for e in entries if e.ok), key=lambda e: (-gain(e), ranking.in_order(e.id))):
        found.setdefault(tuple(entry.scores["feedback"].values.tolist()), entry)
        if len(found) == most:
            break
    return list(found.values())
