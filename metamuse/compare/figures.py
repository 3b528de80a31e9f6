"""What counts of one run in a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metamuse import ranking, rundir
from metamuse.journal import read
from metamuse.llm import CompletionStore
from metamuse.state import RunState
from problems.base import Problem


@dataclass(frozen=True)
class Figures:
    """One run.

    Attributes:
        arm: Which way to search.
        seed: Of the run.
        run: Its name.
        ended: Why it ended.
        attempted: Solutions, failed ones included.
        executable: Solutions that were scored.
        distinct: Of those, the ones that were new at tolerance 1e-3.
        entropy: Of the clusters by nearest baseline, nats.
        coverage: Of the span of the baselines and bounds (:class:`metamuse.diversity.Coverage`), 0 to 1; None if none has one.
        gap_closed: What the best closes of the gap between reference and bound on the validation set, percent; None
            without a bound.
        workloads: Names of the validation workloads.
        gains: float[executable, validation workloads], percent over the reference.
        best: Id of the best by validation, None if nothing was scored.
        validation: Its gains on the validation workloads.
        holdout: Its gains on the hold-out workloads, None if it was not scored there.
        calls: Calls that were answered or may have been billed.
        tokens: In and out.
        usd: US dollars, None if a price is unknown.
    """

    arm: str
    seed: int
    run: str
    ended: str
    attempted: int
    executable: int
    distinct: int
    entropy: float
    coverage: float | None
    gap_closed: float | None
    workloads: tuple[str, ...]
    gains: np.ndarray
    best: str | None
    validation: np.ndarray | None
    holdout: np.ndarray | None
    calls: int
    tokens: int
    usd: float | None

    def record(self) -> dict[str, Any]:
        """As JSON, without the gains of single solutions."""
        return {
            "seed": self.seed,
            "run": self.run,
            "ended": self.ended,
            "attempted": self.attempted,
            "executable": self.executable,
            "distinct": self.distinct,
            "entropy": self.entropy,
            "coverage": self.coverage,
            "best_gap_closed": None if self.gap_closed is None else round(self.gap_closed, 4),
            "best": self.best,
            "best_validation_gain": _mean(self.validation),
            "best_holdout_gain": _mean(self.holdout),
            "calls": self.calls,
            "tokens": self.tokens,
            "usd": self.usd,
        }


def figures(problem: Problem, folder: Path) -> Figures:
    """Read a finished run."""
    state = RunState.fold(read(folder / "journal.jsonl"))
    summary = rundir.summary(problem, state, folder.name)
    done = state.executable()
    gains = [ranking.gains(problem, state, entry, "validation") for entry in done]
    width = len(state.entries[problem.reference].scores["validation"].values)
    best = ranking.best(problem, state)
    with CompletionStore(folder / "completions.jsonl", read_only=True) as store:
        totals = store.totals  # a journal has only answers that could be used
    return Figures(
        arm=state.config["arm"],
        seed=state.config["seed"],
        run=folder.name,
        ended=state.ended,
        attempted=summary["solutions"]["attempted"],
        executable=len(done),
        distinct=summary["solutions"]["distinct"],
        entropy=summary["diversity"]["entropy"],
        coverage=summary["diversity"]["coverage"],
        gap_closed=None if best is None else ranking.gap_closed(problem, state, best, "validation"),
        workloads=state.entries[problem.reference].scores["validation"].workloads,
        gains=np.stack([g for g in gains if g is not None]) if gains else np.zeros((0, width)),
        best=None if best is None else best.id,
        validation=None if best is None else ranking.gains(problem, state, best, "validation"),
        holdout=None if best is None else ranking.gains(problem, state, best, "holdout"),
        calls=totals.calls,
        tokens=totals.tokens_in + totals.tokens_out,
        usd=None if totals.unknown_price else round(totals.cost_usd, 6),
    )


def _mean(values: np.ndarray | None) -> float | None:
    return None if values is None else round(float(values.mean()), 4)
