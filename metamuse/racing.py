"""Racing over the validation workloads: a candidate that cannot become a finalist any more is not scored further.

It stops when even the best conceivable values on the workloads to come could not bring its mean gain up to that of the
last finalist among the solutions it may learn from. The finalists of the whole run are at least as good as those, so
racing changes neither them nor the winner. The feedback workloads are always run: they are a solution's position.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from metamuse import ranking
from metamuse.config import whole
from metamuse.errors import UsageError
from metamuse.state import Entry, RunState
from problems.base import Problem

#: The set that is raced over.
SET = "validation"
#: A mean that is summed in another order differs by less, in percent or relative to the mean.
_MARGIN = 1e-9


def racers(config: Mapping[str, Any]) -> int:
    """How many finalists are raced for, by the settings ``search.race`` and ``search.finalists``; 0: no races.

    Raises:
        UsageError: One of them makes no sense.
    """
    race = config["search"]["race"]
    if not isinstance(race, bool):
        raise UsageError(f"search.race={race} must be true or false.")
    return whole(dict(config), "search.finalists", 1) if race else 0


class Field:
    """Those whom a candidate races against.

    Args:
        problem: What they are policies for.
        state: Holds the reference and, if the problem has bounds, the first one on the validation workloads.
        finalists: How many become finalists.
    """

    def __init__(self, problem: Problem, state: RunState, finalists: int) -> None:
        self.problem = problem
        self.state = state
        self.finalists = finalists
        self._best: list[float] = []
        self._least: list[float | None] = [None]

    def payload(self, seen: Sequence[Entry]) -> dict[str, Any]:
        """What a candidate's task is given; empty while there are fewer solutions than finalists.

        Args:
            seen: The solutions it may learn from: the first so many in logical order.
        """
        for entry in seen[len(self._least) - 1 :]:
            gain = ranking.mean_gain(self.problem, self.state, entry, SET) if entry.ok else None
            if gain is not None:
                heapq.heappush(self._best, gain)
                if len(self._best) > self.finalists:
                    heapq.heappop(self._best)
            full = len(self._best) == self.finalists
            self._least.append(self._best[0] if full else None)
        least = self._least[len(seen)]
        if least is None:
            return {}
        reference = self.state.entries[self.problem.reference].scores[SET].values.tolist()
        return {"race": {"reference": reference, "ideal": self._ideal(len(reference)), "least": least}}

    def _ideal(self, workloads: int) -> list[float]:
        """A value on each workload that nobody can pass."""
        for bound in self.problem.bounds[:1]:
            entry = self.state.entries.get(bound)
            if entry is not None and entry.ok:
                return [float(value) for value in entry.scores[SET].values]
        return [self.problem.metric.ideal] * workloads


class Race:
    """One candidate's race.

    Args:
        problem: What it is a policy for.
        reference: Values of the reference, one a workload.
        ideal: Values that nobody can pass.
        least: The mean gain that must be reached, in percent.
    """

    def __init__(
        self, problem: Problem, reference: Sequence[float], ideal: Sequence[float], least: float
    ) -> None:
        self.problem = problem
        self.reference = reference
        self.least = least
        self._possible = [problem.gain(v, r) for v, r in zip(ideal, reference, strict=True)]

    def at_most(self, values: Sequence[float]) -> float:
        """The mean gain that is left after the values on the first workloads, in percent."""
        made = [self.problem.gain(v, r) for v, r in zip(values, self.reference, strict=False)]
        return sum([*made, *self._possible[len(made) :]]) / len(self._possible)

    def lost(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What is recorded of a race that is lost after these rows of scores; empty while it is not."""
        left = self.at_most([row["value"] for row in rows])
        over = len(rows) == len(self._possible)
        if over or left >= self.least - _MARGIN * max(1.0, abs(self.least)):
            return {}
        return {"scored": len(rows), "of": len(self._possible), "at_most": left, "needed": self.least}
