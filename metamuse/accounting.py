"""The diversity and usefulness of a run, as summary.json, MLflow and the report tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metamuse import diversity, ranking
from metamuse.diversity import Clusters, Coverage
from metamuse.ranking import Gap
from metamuse.state import Entry, RunState
from problems.base import Problem

#: Curves over solutions have at most so many points.
POINTS = 100


@dataclass(frozen=True)
class Yardstick:
    """What the solutions of a run are measured against, by feedback embeddings float[n].

    Attributes:
        neighbours: The baselines that name the clusters of record (cache: the paper's nine heuristics).
        baselines: All baselines, untuned.
        bounds: Bounds.
    """

    neighbours: Mapping[str, np.ndarray]
    baselines: Mapping[str, np.ndarray]
    bounds: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, problem: Problem, state: RunState) -> Yardstick:
        """What has been scored so far."""
        entries = dict(
            sorted(state.entries.items())
        )  # in no order of events; the loop may add to it meanwhile
        baselines = {id: entry for id, entry in entries.items() if entry.kind == "baseline"}
        neighbours = {id: entries[id] for id in problem.neighbours if id in entries}
        bounds = {id: entry for id, entry in entries.items() if entry.kind == "bound"}
        return cls(_embedded(neighbours), _embedded(baselines), _embedded(bounds))

    @classmethod
    def complete(cls, problem: Problem, state: RunState) -> Yardstick | None:
        """The yardstick once all that belongs to it was tried, None before."""
        wanted = {*problem.rivals, *problem.bounds}
        return cls.of(problem, state) if wanted <= state.entries.keys() else None

    def coverage(self) -> Coverage | None:
        """A coverage without solutions; None if nothing was scored."""
        known = [*self.baselines.values(), *self.bounds.values()]
        return Coverage(np.stack(known)) if known else None


def account(problem: Problem, state: RunState) -> dict[str, Any]:
    """``diversity`` of summary.json; its keys are explained in ``docs/run-directory.md``.

    About 1.7 seconds of CPU for 10,000 solutions on 30 workloads.
    """
    done = state.executable()
    yardstick = Yardstick.of(problem, state)
    embeddings = _matrix(done)
    structures = [s.structure for s in done]
    new = {diversity.label(t): diversity.distinct(embeddings, structures, t) for t in diversity.CURVE}
    gap = ranking.gap(problem, state, "validation")
    closed = {} if gap is None else {s.id: gap.closed(s) for s in done}
    out: dict[str, Any] = {"distinct": {key: int(firsts.sum()) for key, firsts in new.items()}}
    out |= _clusters(embeddings, yardstick.neighbours)
    out["all_baselines"] = _clusters(embeddings, yardstick.baselines)
    mean, nearest = diversity.spacing(embeddings) if len(done) > 1 else (None, np.zeros(0))
    out["mean_distance"] = _rounded(mean)
    out["mean_nearest"] = _rounded(nearest.mean() if len(nearest) else None)
    out["nearest_other"] = _quantiles(nearest)
    centres = list(yardstick.baselines.values())
    out["nearest_baseline"] = _quantiles(
        Clusters.around(embeddings, np.stack(centres)).distances if centres and done else np.zeros(0)
    )
    coverage = yardstick.coverage()
    if coverage is not None and done:
        coverage.add(embeddings)
    out["coverage"] = None if coverage is None else _rounded(coverage.share, 4)
    out["usefulness"] = _usefulness(problem, state, gap, closed)
    out["curve"] = _curve(state.ordered(), new, closed)
    return out


def scalars(account: Mapping[str, Any]) -> dict[str, float]:
    """The single numbers of an account under flat names, without the unknown ones."""
    clusters = {"": account, "_all_baselines": account["all_baselines"]}
    found: dict[str, float | None] = {
        f"{key}{suffix}": part[key] for suffix, part in clusters.items() for key in ("entropy", "cluster_sd")
    }
    found |= {key: account[key] for key in ("mean_distance", "mean_nearest", "coverage")}
    for key in ("nearest_other", "nearest_baseline"):
        found |= {f"{key}_{quantile}": value for quantile, value in account[key].items()}
    for key in ("clusters", "density"):
        found |= {f"{key}/{id}": value for id, value in account[key].items()}
    best = account["usefulness"]["best"] or {}
    found |= {f"best_gap_closed_{which}": best.get(which) for which in ("validation", "holdout")}
    found |= {f"distinct_{key}": n for key, n in account["distinct"].items()}
    return {key: value for key, value in found.items() if value is not None}


def _embedded(entries: Mapping[str, Entry]) -> dict[str, np.ndarray]:
    return {id: entry.scores["feedback"].values for id, entry in entries.items() if entry.ok}


def _matrix(entries: Sequence[Entry]) -> np.ndarray:
    return np.stack([e.scores["feedback"].values for e in entries]) if entries else np.zeros((0, 1))


def _clusters(embeddings: np.ndarray, centres: Mapping[str, np.ndarray]) -> dict[str, Any]:
    if not len(embeddings) or not centres:
        return {"clusters": {}, "entropy": 0.0, "cluster_sd": None, "density": {}}
    clusters = Clusters.around(embeddings, np.stack(list(centres.values())))
    shares = zip(centres, clusters.shares, strict=True)
    densities = zip(centres, clusters.densities, strict=True)
    return {
        "clusters": {id: round(float(share), 4) for id, share in shares},
        "entropy": round(clusters.entropy, 4),
        "cluster_sd": round(clusters.deviation, 4),
        "density": {id: _rounded(density, 2) for id, density in densities},
    }


def _usefulness(
    problem: Problem, state: RunState, gap: Gap | None, closed: Mapping[str, float | None]
) -> dict[str, Any]:
    last = ranking.gap(problem, state, "holdout")
    held = {} if last is None else {e.id: last.closed(e) for e in state.contenders()}
    best = ranking.best(problem, state)
    return {
        "reference": problem.reference,
        "bound": None if gap is None else gap.bound.id,
        "best": None
        if best is None or gap is None
        else {
            "id": best.id,
            "validation": _rounded(gap.closed(best), 2),
            "holdout": _rounded(held.get(best.id), 2),
        },
        "solutions": _quantiles(np.array([c for c in closed.values() if c is not None]), 2),
        "finalists": {id: _rounded(c, 2) for id, c in sorted(held.items()) if c is not None},
    }


def _curve(
    ordered: Sequence[Entry], new: Mapping[str, np.ndarray], closed: Mapping[str, float | None]
) -> dict[str, Any]:
    """Running figures after some of the solutions in logical order, failed ones included."""
    m = len(ordered)
    points = np.unique(np.linspace(1, m, min(m, POINTS)).round().astype(int)) if m else np.zeros(0, dtype=int)
    executable = np.cumsum([s.ok for s in ordered], dtype=int)[points - 1]
    best, so_far = [], -np.inf
    for solution in ordered:
        gap = closed.get(solution.id)
        so_far = so_far if gap is None else max(so_far, gap)
        best.append(None if so_far == -np.inf else round(so_far, 2))
    return {
        "solutions": points.tolist(),
        "executable": executable.tolist(),
        # The n executable solutions so far have sum(firsts[:n]) classes.
        "distinct": {k: np.cumsum([0, *firsts], dtype=int)[executable].tolist() for k, firsts in new.items()},
        "best_gap_closed": [best[i - 1] for i in points],
    }


def _quantiles(values: np.ndarray, digits: int = 6) -> dict[str, float | None]:
    if not len(values):
        return {"median": None, "p90": None}
    median, p90 = np.quantile(values, [0.5, 0.9])
    return {"median": _rounded(median, digits), "p90": _rounded(p90, digits)}


def _rounded(value: float | np.floating[Any] | None, digits: int = 6) -> float | None:
    return None if value is None else round(float(value), digits)
