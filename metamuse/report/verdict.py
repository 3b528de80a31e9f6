"""What a run found, in sentences. The report, the terminal and MLflow all say it with these words."""

from __future__ import annotations

from dataclasses import dataclass

from metamuse import ranking
from metamuse.state import Entry, RunState
from problems.base import Problem

SET_NAMES = {"feedback": "feedback", "validation": "validation", "holdout": "hold-out"}


@dataclass(frozen=True)
class Comparison:
    """A solution against a baseline on the same workloads.

    Attributes:
        solution: The one.
        rival: The other.
        which: The set of workloads.
        difference: Mean difference of the gains, in points (percent of the reference).
        low: Lower end of its paired bootstrap 95 % interval.
        high: Upper end.
        worse_on: Workloads on which the solution is worse.
        workloads: Workloads compared.
    """

    solution: Entry
    rival: Entry
    which: str
    difference: float
    low: float
    high: float
    worse_on: int
    workloads: int

    @property
    def sentence(self) -> str:
        """The comparison in words; an interval that includes zero is no difference."""
        interval = f"95 % interval {self.low:+.2f} to {self.high:+.2f}"
        if self.low > 0:
            said = f"{self.difference:.2f} points better than {self.rival.id} ({interval})"
        elif self.high < 0:
            said = f"{-self.difference:.2f} points worse than {self.rival.id} ({interval})"
        else:
            shown = "not shown to be better" if self.difference > 0 else "no better"
            said = f"{shown} than {self.rival.id} (difference {self.difference:+.2f} points, {interval})"
        return f"{said}; worse on {self.worse_on} of {self.workloads} workloads"


def compare(
    problem: Problem, state: RunState, solution: Entry, rival: Entry, which: str
) -> Comparison | None:
    """Compare on one set; None if either was not scored there."""
    own = ranking.gains(problem, state, solution, which)
    theirs = ranking.gains(problem, state, rival, which)
    if own is None or theirs is None:
        return None
    difference = own - theirs
    low, high = ranking.interval(difference, int(state.config.get("seed", 0)))
    return Comparison(
        solution, rival, which, float(difference.mean()), low, high, int((difference < 0).sum()), len(own)
    )


def decisive_set(problem: Problem, state: RunState, entry: Entry) -> str:
    """The set whose numbers count for a solution: hold-out once it and the reference were scored there."""
    opened = ranking.gains(problem, state, entry, "holdout") is not None
    return "holdout" if opened else "validation"


def gain_label(problem: Problem) -> str:
    """What the gain is called, without its unit: ``fewer misses than FIFO``."""
    return problem.metric.gain.removesuffix("%").rstrip(" ,")


def verdict(problem: Problem, state: RunState) -> list[str]:
    """The answer of a run: one or a few plain sentences, the most important first."""
    best = ranking.best(problem, state)
    if best is None:
        return [_nothing(state)]
    which = decisive_set(problem, state, best)
    gain = ranking.mean_gain(problem, state, best, which)
    sentences = []
    rival = ranking.opponent(problem, state)
    comparison = None if rival is None else compare(problem, state, best, rival, which)
    first = f"{best.name} ({best.id}): {gain:.2f} % {gain_label(problem)} on the {SET_NAMES[which]} workloads"
    if comparison is None:
        sentences.append(f"{first}.")
    else:
        sentences.append(f"{first}, {comparison.sentence}.")
        sentences += _stronger(problem, state, best, comparison)
    failed = best.data.get("holdout_failure")
    if failed:
        sentences.append(f"It FAILED on the hold-out workloads ({failed[0]}): {failed[1]}")
    elif which == "validation":
        sentences.append(
            "These workloads chose it; the hold-out set has not been opened, so this is not yet an honest number."
        )
    sentences.append(origin(state))
    return sentences


def origin(state: RunState) -> str:
    """Who proposed the solutions, said honestly."""
    llm = state.config.get("llm", {})
    if llm.get("provider") == "offline":
        return (
            "This is a recombination of known mechanisms by the offline composer, not a discovery by an LLM."
        )
    models = sorted({str(c["model"]) for c in state.calls}) or [str(llm.get("model"))]
    if llm.get("provider") == "inbox":
        return f"Proposed by {llm.get('model') or 'a model'} that a person asked by hand (llm=inbox)."
    if llm.get("provider") == "replay":
        return f"The answers were replayed from another run ({', '.join(models)})."
    return f"Proposed by {', '.join(models)}."


def _stronger(problem: Problem, state: RunState, best: Entry, shown: Comparison) -> list[str]:
    """The baseline that is strongest on the set shown, if it is another than the one chosen on validation."""
    strongest = ranking.best_baseline(problem, state, shown.which)
    if strongest is None or strongest.id == shown.rival.id:
        return []
    comparison = compare(problem, state, best, strongest, shown.which)
    if comparison is None:
        return []
    return [f"On these workloads {strongest.id} is the strongest baseline: {comparison.sentence}."]


def _nothing(state: RunState) -> str:
    if not state.solutions:
        return "No solution is finished yet."
    classes = ", ".join(f"{kind} {n}" for kind, n in state.failures().items())
    return f"None of {len(state.solutions)} solutions could be scored ({classes})."
