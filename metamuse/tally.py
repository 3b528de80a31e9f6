"""Running figures of a search: what is shown while it runs, at a cost that does not grow into a burden.

:mod:`metamuse.diversity` gives the figures of a finished run; this keeps the same counts up to date solution by
solution, in O(solutions) numpy work each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metamuse import ranking
from metamuse.diversity import TOLERANCE, Kept
from metamuse.state import Entry, RunState
from problems.base import Problem


@dataclass
class Tally:
    """Counts over the solutions added so far.

    Attributes:
        problem: What the solutions are for.
        done: Solutions added.
        executable: Those that were scored.
        distinct: Those that were new when they were added (as :func:`metamuse.diversity.distinct` counts).
        failed: Failures by class.
        best: The best on the validation set.
        best_gain: Its gain there, in percent; None before there is one.
        mean_distance: Mean Euclidean distance between feedback embeddings.
        calls: Answers of the model.
        tokens: Tokens in and out.
        cost_usd: US dollars; None once the price of a call is unknown.
    """

    problem: Problem
    done: int = 0
    executable: int = 0
    distinct: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    best: Entry | None = None
    best_gain: float | None = None
    mean_distance: float = 0.0
    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    _embeddings: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    _kept: Kept | None = None
    _structures: set[str] = field(default_factory=set)
    _squares: np.ndarray = field(default_factory=lambda: np.empty(0))
    _distances: float = 0.0

    def add(self, state: RunState, entry: Entry) -> float | None:
        """Count one finished solution; returns its gain on the validation set in percent, if it has one."""
        self.done += 1
        if not entry.ok:
            self.failed[entry.status] = self.failed.get(entry.status, 0) + 1
            return None
        self._place(entry.scores["feedback"].values, entry.structure or entry.id)
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
            larger, squares = np.empty((max(64, 2 * n), len(embedding))), np.empty(max(64, 2 * n))
            if n:
                larger[:n], squares[:n] = self._embeddings, self._squares
            self._embeddings, self._squares = larger, squares
        square = float(embedding @ embedding)
        if n:
            # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b: a tenth of the time, and good to eight digits.
            distances = self._squares[:n] + square - 2 * (self._embeddings[:n] @ embedding)
            self._distances += float(np.sqrt(np.maximum(distances, 0)).sum())
            self.mean_distance = self._distances / (n * (n + 1) / 2)
        if self._kept is None:
            self._kept = Kept(len(embedding))
        if structure not in self._structures and not self._kept.near(embedding, TOLERANCE):
            self.distinct += 1
            self._kept.add(embedding)
            self._structures.add(structure)
        self._embeddings[n], self._squares[n] = embedding, square
        self.executable += 1
