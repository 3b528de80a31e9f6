"""Acceptance claims of a simulator: what its sources say must come out of it, as measurements with bounds.

A problem offers them in ``problems/<name>/claims.py`` as ``claims(problem, quick) -> Sequence[Claim]``; the command
``validate`` measures them (``docs/validate.md``).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from evaluators.base import Score
from problems.base import Problem

#: How much a claim weighs: a simulator that misses a ``must`` is wrong; one that misses a ``should`` lacks something;
#: an ``outcome`` follows from a calibration that was frozen before it was measured. All are reported alike.
KINDS = ("must", "should", "outcome")


@dataclass(frozen=True)
class Run:
    """One policy on one workload.

    Attributes:
        source: The policy's text.
        workload: A workload of the problem.
        values: Of marked constants, where they differ from the text's.
    """

    source: str
    workload: Any
    values: Mapping[str, int | float] = field(default_factory=dict)


class Bench(Protocol):
    """Where claims are measured.

    Attributes:
        problem: The problem, as configured.
    """

    problem: Problem

    def scores(self, runs: Sequence[Run]) -> list[Score]:
        """What policies score, in the order of ``runs``; equal runs are made once a command.

        Raises:
            PolicyError: One of them fails.
        """

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of a function of a module, several calls at once: arguments and results are pickled."""


@dataclass(frozen=True)
class Demand:
    """One further number that a claim bounds.

    Attributes:
        text: What it is.
        value: What came out.
        low: Least value that is right, None if there is none.
        high: Largest value that is right, None if there is none.
    """

    text: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value lies within; not a number never does."""
        return _within(self.value, self.low, self.high)


@dataclass(frozen=True)
class Measured:
    """What came out of measuring a claim.

    Attributes:
        value: The number that the claim bounds.
        demands: Further numbers that must lie within their bounds for the claim to hold.
        figures: Numbers to read beside it, by name.
        analysis: Why the outcome is what it is, in sentences; replaces the claim's.
    """

    value: float
    demands: tuple[Demand, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    analysis: str = ""


@dataclass(frozen=True)
class Claim:
    """A statement about what a simulator does that can be wrong.

    Attributes:
        id: Short and unique, as ``S1``.
        text: The statement, with what ``value`` measures.
        low: Least value with which it holds, None if there is none.
        high: Largest value with which it holds, None if there is none.
        source: Where the statement comes from.
        kind: One of :data:`KINDS`.
        measure: Measures it.
        analysis: What the outcome depends on, and what is known if it does not hold.
    """

    id: str
    text: str
    low: float | None
    high: float | None
    source: str
    kind: str
    measure: Callable[[Bench], Measured]
    analysis: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"claim {self.id}: the kind {self.kind} is none of {', '.join(KINDS)}")
        if self.low is None and self.high is None:
            raise ValueError(f"claim {self.id} bounds nothing")

    def holds(self, measured: Measured) -> bool:
        """Whether the value and all further demands lie within their bounds."""
        return _within(measured.value, self.low, self.high) and all(d.holds for d in measured.demands)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high) and value == value


def claims_of(problem: Problem, quick: bool) -> Sequence[Claim]:
    """The claims of a problem, empty if it offers none.

    Args:
        problem: The problem, as configured.
        quick: The short form: fewer or shorter measurements, which the texts of its claims say.
    """
    package = type(problem).__module__.rpartition(".")[0]
    if not package or not (Path(problem.folder) / "claims.py").is_file():
        return ()
    found: Sequence[Claim] = importlib.import_module(f"{package}.claims").claims(problem, quick)
    ids = [claim.id for claim in found]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{problem.name}: two claims have the same id")
    return found
