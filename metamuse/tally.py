"""Running figures of a search: what is shown while it runs, at a cost that does not grow into a burden.

:mod:`metamuse.accounting` gives the figures of a finished run; this keeps the same ones up to date solution by
solution, in O(solutions) numpy work each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metamuse import diversity, ranking
from metamuse.accounting import Yardstick
from metamuse.diversity import Clusters, Coverage, Seen
from metamuse.state import Entry, RunState
from problems.base import Problem


@dataclass
class Tally:
    """Counts over the solutions added so far.

    Attributes:
        problem: What the solutions are for.
        done: Solutions added.
        executable: Those that were scored.
        distinct_at: Those that were new when they were added (as :func:`metamuse.diversity.distinct` counts), by
            tolerance.
        failed: Failures by class.
        best: The best on the validation set.
        best_gain: Its gain there, in percent; None before there is one.
        mean_distance: Mean Euclidean distance between feedback embeddings; None before there are two.
        mean_nearest: Mean of the distance to the nearest other one; None before there are two.
        entropy: Of the clusters by nearest neighbour baseline, nats; None while baselines or bounds are not scored, as
            the next two.
        coverage: See :class:`metamuse.diversity.Coverage`.
        best_gap_closed: The most of the gap on the validation set that a solution closes, in percent.
        calls: Answers of the model.
        tokens: Tokens in and out.
        cost_usd: US dollars; None once the price of a call is unknown.
    """

    problem: Problem
    done: int = 0
    executable: int = 0
    distinct_at: dict[str, int] = field(
        default_factory=lambda: {diversity.label(t): 0 for t in diversity.CURVE}
    )
    failed: dict[str, int] = field(default_factory=dict)
    best: Entry | None = None
    best_gain: float | None = None
    mean_distance: float | None = None
    mean_nearest: float | None = None
    entropy: float | None = None
    coverage: float | None = None
    best_gap_closed: float | None = None
    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    _embeddings: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    _seen: dict[str, Seen] = field(default_factory=dict)
    _squares: np.ndarray = field(default_factory=lambda: np.empty(0))
    _nearest: np.ndarray = field(default_factory=lambda: np.empty(0))
    _distances: float = 0.0
    _unmeasured: list[Entry] = field(default_factory=list)
    _measure: _Measure | None = None

    @property
    def distinct(self) -> int:
        """The count of record: at 1e-3."""
        return self.distinct_at[diversity.label(diversity.TOLERANCE)]

    def add(self, state: RunState, entry: Entry) -> float | None:
        """Count one finished solution; returns its gain on the validation set in percent, if it has one."""
        self.done += 1
        if not entry.ok:
            self.failed[entry.status] = self.failed.get(entry.status, 0) + 1
            return None
        self._place(entry.scores["feedback"].values, entry.structure or entry.id)
        self._unmeasured.append(entry)
        self._apply_measure(state)
        gain = ranking.mean_gain(self.problem, state, entry, "validation")
        if gain is not None and (self.best_gain is None or gain > self.best_gain):
            self.best, self.best_gain = entry, gain
        return gain

    def add_call(self, call: Mapping[str, Any]) -> None:
        """Count one answer of the model."""
        self.calls += 1
        self.tokens += call["tokens_in"] + call["tokens_out"]
        cost = call["cost_usd"]
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost

    def _place(self, embedding: np.ndarray, structure: str) -> None:
        n = self.executable
        if n == len(self._embeddings):
            room = max(64, 2 * n)
            larger, squares, nearest = np.empty((room, len(embedding))), np.empty(room), np.full(room, np.inf)
            if n:
                larger[:n], squares[:n], nearest[:n] = self._embeddings, self._squares, self._nearest
            self._embeddings, self._squares, self._nearest = larger, squares, nearest
        square = float(embedding @ embedding)
        if n:
            # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b: a tenth of the time, and good to eight digits.
            distances = self._squares[:n] + square - 2 * (self._embeddings[:n] @ embedding)
            distances = np.sqrt(np.maximum(distances, 0))
            self._distances += float(distances.sum())
            self.mean_distance = self._distances / (n * (n + 1) / 2)
            self._nearest[n] = distances.min()
            np.minimum(self._nearest[:n], distances, out=self._nearest[:n])
            self.mean_nearest = float(self._nearest[: n + 1].mean())
        self._embeddings[n], self._squares[n] = embedding, square
        for tolerance in diversity.CURVE:
            key = diversity.label(tolerance)
            if key not in self._seen:
                self._seen[key] = Seen(tolerance)
            self._seen[key].take(self._embeddings, n, structure)
            self.distinct_at[key] = self._seen[key].count
        self.executable += 1

    def _apply_measure(self, state: RunState) -> None:
        """Baselines and bounds are scored beside the search: solutions wait until all of them are."""
        if self._measure is None:
            self._measure = _Measure.made(self.problem, state)
        if self._measure is None:
            return
        for entry in self._unmeasured:
            self._measure.take(entry)
        self._unmeasured.clear()
        self.entropy = self._measure.entropy
        self.coverage = self._measure.coverage
        self.best_gap_closed = self._measure.best_gap_closed


class _Measure:
    """Running figures that need the baselines and bounds."""

    def __init__(self, yardstick: Yardstick, gap: ranking.Gap | None) -> None:
        self.best_gap_closed: float | None = None
        self._gap = gap
        self._coverage: Coverage | None = yardstick.coverage()
        centres = list(yardstick.neighbours.values())
        self._centres = np.stack(centres) if centres else None
        self._sizes = np.zeros(len(centres), dtype=int)

    @classmethod
    def made(cls, problem: Problem, state: RunState) -> _Measure | None:
        """None while a baseline or bound is missing."""
        yardstick = Yardstick.complete(problem, state)
        return None if yardstick is None else cls(yardstick, ranking.gap(problem, state, "validation"))

    def take(self, entry: Entry) -> None:
        embedding = entry.scores["feedback"].values
        if self._coverage is not None:
            self._coverage.add(embedding)
        if self._centres is not None:
            self._sizes += Clusters.around(embedding[None], self._centres).sizes
        closed = None if self._gap is None else self._gap.closed(entry)
        if closed is not None and (self.best_gap_closed is None or closed > self.best_gap_closed):
            self.best_gap_closed = closed

    @property
    def entropy(self) -> float | None:
        return None if self._centres is None else diversity.entropy(self._sizes)

    @property
    def coverage(self) -> float | None:
        return None if self._coverage is None else self._coverage.share
