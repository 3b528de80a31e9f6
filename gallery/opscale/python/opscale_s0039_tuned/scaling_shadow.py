"""A scaler's shadow: the exported policy on the metrics of a service that another one scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .observing import Serving
from .shadow import Comparison, Report


class ScalingShadow:
    """Counts the GPUs that the policy would have held, beside those that are held.

    What latency it would have had, nobody knows: the metrics are those of a service with other replicas. So it counts, too,
    in how many intervals it wanted fewer replicas while the objectives were missed (``risky``): if that is not rare, its
    saving is none.

    Args:
        policy_class: The class ``Policy`` of the export.
        config: As for :class:`Serving`.
        window: Intervals in a window of the comparison.

    Attributes:
        intervals: Intervals so far.
        risky: Intervals in which the policy wanted less GPUs than were held though objectives were missed.
    """

    def __init__(self, policy_class: type[Any], config: Mapping[str, Any], window: int = 30) -> None:
        self.serving = Serving(policy_class, config)
        self.intervals = self.risky = 0
        self._gpus = {name: float(config["prof"][group][8]) for name, group in self.serving.groups.items()}
        self._window = window
        self._comparison = Comparison()
        self._sums = [0.0, 0.0, 0.0]
        self._n = 0

    def interval(
        self,
        now: float,
        whole: Mapping[str, float],
        each: Mapping[str, Mapping[str, float]],
        held: Mapping[str, int],
    ) -> dict[str, int]:
        """One interval: what was measured, and the replicas that are held; returns what the policy wants."""
        wanted = self.serving.decide(now, whole, each)
        here, there = self._cost(held), self._cost(wanted)
        self.intervals += 1
        self.risky += there < here and float(whole.get("attainment", 1.0)) < 0.99
        for i, value in enumerate((here, there, float(whole.get("rps", 0.0)))):
            self._sums[i] += value
        self._n += 1
        if self._n == self._window:
            here, there, rate = (total / self._n for total in self._sums)
            self._comparison.add(here, there, {"the rate of requests": rate})
            self._sums, self._n = [0.0, 0.0, 0.0], 0
        return wanted

    def report(self) -> Report:
        """GPUs held by both, over whole windows."""
        return self._comparison.report()

    def _cost(self, replicas: Mapping[str, int]) -> float:
        return sum(self._gpus[name] * n for name, n in replicas.items() if name in self._gpus)
