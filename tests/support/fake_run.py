"""Plausible runs without running anything: a problem of no domain and the events of a search on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluators.base import Contract, Method
from metamuse.state import RunState
from problems.base import SHIFT, Metric, Problem

POLICY = '''"""Prefer what came with the tide."""


class Policy:
    """Prefer what came with the tide; <b>nothing</b> else."""

    def __init__(self, capacity):
        self.turn = 0

    def pick(self, item):
        return self.turn
'''

#: Trials of tuning SHARE: value and gain; the policy fails with the last.
TRIED = [
    [0.25, 7.0],
    [0.05, 2.0],
    [0.31, 9.0],
    [0.33, 8.9],
    [0.5, 5.0],
    [0.7, 4.0],
    [0.9, -1.0],
    [0.95, None],
]

WORDS = ("tide", "anchor", "orchard", "lantern", "glacier", "meadow", "harbour", "thread")


class FakeProblem(Problem):
    """A problem that cannot be simulated, only reported on.

    Args:
        maximise: The direction of its metric.
    """

    name = "fake"
    version = "fake-v3"
    contract = Contract(("capacity",), (Method("pick", ("item",), ("int",), "int", True),))
    reference = "plain"
    neighbours = ("plain", "clever", "cunning")
    bounds = ("oracle",)
    design_keys = {"name": "a short name", "idea": "the idea in two sentences", "state": "what is kept"}

    def __init__(self, maximise: bool = False) -> None:
        super().__init__({"name": "fake"})
        what, unit, gain = (
            ("throughput", "op/s", "more throughput than Plain, %")
            if maximise
            else ("waste", "", "less waste than Plain, %")
        )
        self.metric = Metric(what, unit, maximise, 1e3 if maximise else 0.0, 1 if maximise else 4, gain)


def events(
    problem: FakeProblem,
    solutions: int = 24,
    holdout: bool = True,
    failing: float = 0.1,
    skill: float = 0.10,
    workloads: int = 12,
    provider: str = "offline",
    requested: int | None = None,
    ended: str = "done",
    studied: bool = False,
) -> Iterator[dict[str, Any]]:
    """The journal of a run.

    Args:
        problem: What it is about.
        solutions: How many are finished.
        holdout: Whether the hold-out set was opened.
        failing: Share of solutions that fail.
        skill: How much better than the reference solutions are, about (the best baseline is 0.10).
        workloads: Workloads of each set.
        provider: Who answers the prompts.
        requested: Solutions asked for; None: as many as are finished.
        ended: Why the run ended, "" while it has not.
        studied: Whether finalists and baselines were tuned, metered and scored on shifted workloads.
    """
    rng = np.random.default_rng(7)
    clock = iter(np.arange(1.7e9, 1.8e9, 0.5))

    def event(what: str, /, **fields: Any) -> dict[str, Any]:
        return {"event": what, "at": float(next(clock)), **fields}

    model = None if provider == "offline" else "openai/some-model"
    yield event(
        "run",
        config={
            "problem": {
                "name": "fake",
                "workloads": dict.fromkeys(("feedback", "validation", "holdout"), "synthetic"),
            },
            "llm": {"provider": provider, "model": model},
            "stimuli": {"strategy": "rsdict_sf", "s": 4},
            "search": {"lag": 4, "repairs": 1, "finalists": 3},
            "executor": {"name": "local"},
            "solutions": solutions if requested is None else requested,
            "seed": 5,
        },
    )
    yield event("session", layers=["rlimits", "landlock"])
    opened = ["holdout", *([f"{SHIFT}half the tide", f"{SHIFT}no moon"] if studied else [])]
    sets = {which: _levels(problem, rng, workloads) for which in ("feedback", "validation", *opened)}
    for which in ("feedback", "validation"):
        yield event("workloads", workloads={which: _described(which, workloads)})

    def result(factor: float, which: list[str], spread: float = 0.03) -> dict[str, Any]:
        better = 1 + factor if problem.metric.maximise else 1 - factor
        scores = {
            s: [
                {
                    "workload": f"{s}-{i}",
                    "value": float(level * (better + spread * rng.standard_normal())),
                    "details": {"items": 1000.0},
                    "timing": {"seconds": 0.01, "ns_per_decision": 40.0},
                }
                for i, level in enumerate(sets[s])
            ]
            for s in which
        }
        return {
            "structure": f"structure-{rng.integers(10**9)}",
            "doc": "Prefer what came with the tide.",
            "constants": {"SHARE": {"value": 0.25, "low": 0.05, "high": 0.95, "log": True}},
            "scores": scores,
            "seconds": {"check": 0.01, "compile": 0.6, "probe": 0.05, "score_feedback": 0.03},
            **({} if which == opened else {"state_bytes": 4096}),
        }

    baselines = {"plain": 0.0, "clever": 0.06, "cunning": 0.10, "oracle": 0.4}
    for id, factor in baselines.items():
        kind = "bound" if id == "oracle" else "baseline"
        yield event(
            "entry", id=id, kind=kind, name=id, source="" if kind == "bound" else POLICY,
            result=result(factor, ["feedback", "validation"], 0.0 if id == "plain" else 0.01), seconds_scoring=0.4,
        )  # fmt: skip
    finalists = []
    for number in range(solutions):
        words = [WORDS[int(i)] for i in rng.choice(len(WORDS), 4, replace=False)]
        for purpose in ("observation", "formulation", "code"):
            key = f"observation/{words[0]}" if purpose == "observation" else f"{number}/{purpose}"
            yield event(
                "call", key=key, purpose=purpose, model=model or "offline", tokens_in=900,
                tokens_out=200, cost_usd=0.0 if provider == "offline" else 0.002, latency_s=0.4, cached=False,
            )  # fmt: skip
        fields: dict[str, Any] = {
            "number": number,
            "name": f"Tidal segments {number} <i>&</i>",
            "source": POLICY,
            "stimuli": words,
            "candidates": [words, list(WORDS[:4])],
            "target": "none" if number < 4 else "explore",
            "observations": [
                {
                    "word": w,
                    "properties": [f"{w} moves slowly", f"{w} is heavy"],
                    "property": f"{w} moves slowly",
                    "text": f"keep what moves like a {w}",
                }
                for w in words
            ],
            "design": {
                "name": "Tidal segments",
                "idea": "Two tides carry items in and out.",
                "state": "one counter",
            },
            "attempts": [{"source": POLICY, "failure": None}],
            "seconds": 2.0,
        }
        if rng.random() < failing:
            failure = [["compile", "line 9: `turn` is not an int"], ["timeout", "took longer than 30 s"]][
                number % 2
            ]
            fields["attempts"] = [{"source": POLICY, "failure": failure}] * 2
            yield event("solution", failure=failure, **fields)
            continue
        factor = skill + 0.03 * float(rng.standard_normal())
        finalists.append((factor, number))
        yield event(
            "solution", result=result(factor, ["feedback", "validation"]), seconds_scoring=0.7, **fields
        )
    if holdout:
        yield event("workloads", workloads={which: _described(which, workloads) for which in opened})
        best = [(f"s{number:04d}", factor) for factor, number in sorted(finalists, reverse=True)[:3]]
        tuned = []
        if studied:
            for steps, (id, factor) in enumerate([*best, *baselines.items()]):
                if id == "oracle":
                    continue
                yield event(
                    "metered", id=id, work={"max": 3 + steps, "mean": 1.5, "calls": 900, "method": "pick"}
                )
                if id != "plain":
                    tuned.append((f"{id}-tuned", factor + 0.02))
                    found = {
                        "source": POLICY,
                        "values": {"SHARE": 0.31},
                        "gain": 9.0,
                        "default_gain": 7.0,
                        "tried": TRIED,
                    }
                    scored = result(factor + 0.02, ["validation"]) | found | {"failed_trials": 0}
                    yield event("tuned", of=id, trials=50, result=scored, seconds_scoring=2.0)
        for id, factor in [*best, *tuned]:
            yield event("holdout", id=id, result=result(factor, opened))
        for id, factor in baselines.items():
            yield event("holdout", id=id, result=result(factor, opened, 0.0 if id == "plain" else 0.01))
    if ended:
        yield event("end", reason=ended)


def fake_state(problem: FakeProblem, **how: Any) -> RunState:
    """The state after :func:`events`."""
    return RunState.fold(events(problem, **how))


def _levels(problem: Problem, rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(100, 900, n) if problem.metric.maximise else rng.uniform(0.2, 0.8, n)


def _described(which: str, n: int) -> list[dict[str, str]]:
    return [{"name": f"{which}-{i}", "digest": f"{which[0]}{i:015x}"} for i in range(n)]
