"""Gains over the reference, ranks and intervals: what the leaderboard and the reports say."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from metamuse.state import Entry, RunState
from problems.base import Problem

RESAMPLES = 2000


def gains(problem: Problem, state: RunState, entry: Entry, which: str) -> np.ndarray | None:
    """Percent better than the reference on each workload of a set; None if either was not scored there."""
    reference = state.entries.get(problem.reference)
    if which not in entry.scores or reference is None or which not in reference.scores:
        return None
    pairs = zip(entry.scores[which].values, reference.scores[which].values, strict=True)
    return np.array([problem.gain(float(v), float(r)) for v, r in pairs])


def mean_gain(problem: Problem, state: RunState, entry: Entry, which: str) -> float | None:
    """Mean of :func:`gains`."""
    values = gains(problem, state, entry, which)
    return None if values is None else float(values.mean())


def ranked(
    problem: Problem, state: RunState, entries: Iterable[Entry], which: str = "validation"
) -> list[Entry]:
    """Best first by mean gain on a set, equal ones by id; the unscored are left out."""
    scored = [(mean_gain(problem, state, e, which), e) for e in entries if e.ok]
    return [e for _, e in sorted(((-g, e) for g, e in scored if g is not None), key=_gain_then_id)]


def _gain_then_id(ranked: tuple[float, Entry]) -> tuple[float, str]:
    return ranked[0], ranked[1].id


def best(problem: Problem, state: RunState) -> Entry | None:
    """The best contender on the validation set (the hold-out set never selects)."""
    order = ranked(problem, state, state.contenders())
    return order[0] if order else None


def best_baseline(problem: Problem, state: RunState, which: str = "validation") -> Entry | None:
    """The strongest baseline (default, tuned or incumbent; bounds are none) on a set."""
    order = ranked(problem, state, state.rivals(), which)
    return order[0] if order else None


def opponent(problem: Problem, state: RunState) -> Entry | None:
    """What the winner has to be better than: the user's incumbent, if one was scored, else the best baseline."""
    incumbent = next((e for e in state.entries.values() if e.kind == "incumbent" and e.ok), None)
    return incumbent or best_baseline(problem, state)


def interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, resampling workloads.

    Pass differences of two policies on the same workloads for a paired comparison.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0xB007,)))
    picks = rng.integers(0, len(values), size=(RESAMPLES, len(values)))
    means = values[picks].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
