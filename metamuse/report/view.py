"""A run as the sections of its report see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from metamuse import ranking, rundir
from metamuse.report.verdict import decisive_set
from metamuse.state import Entry, RunState
from problems.base import Problem


@dataclass(frozen=True)
class View:
    """A run with what several sections need of it.

    Attributes:
        problem: What the run is about.
        state: What is known of it.
        run: Its name.
        recorded: ``config.yaml``: provenance, prices, containment; {} without one.
    """

    problem: Problem
    state: RunState
    run: str
    recorded: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """summary.json, so that the report says the same."""
        return rundir.summary(self.problem, self.state, self.run)

    @cached_property
    def best(self) -> Entry | None:
        """The best solution."""
        return ranking.best(self.problem, self.state)

    @cached_property
    def which(self) -> str:
        """The set of workloads whose numbers are shown."""
        return "validation" if self.best is None else decisive_set(self.problem, self.state, self.best)

    @cached_property
    def rivals(self) -> list[Entry]:
        """Baselines and the incumbent, as they are and tuned, best first on the set shown."""
        return ranking.ranked(self.problem, self.state, self.state.rivals(), self.which)

    @cached_property
    def bounds(self) -> list[Entry]:
        """Bounds that were scored."""
        return ranking.ranked(self.problem, self.state, self.state.bounds(), self.which)

    def gains(self, entry: Entry, which: str | None = None) -> np.ndarray | None:
        """Gains on the set shown."""
        return ranking.gains(self.problem, self.state, entry, which or self.which)

    def value(self, value: float) -> str:
        """The metric as it is shown."""
        return f"{value:.{self.problem.metric.digits}f}"
