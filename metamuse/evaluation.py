"""Evaluating one candidate: check, compile, probe, score. Runs inside the executor's jailed children.

The order is cheap before dear and exact before fast: static check, compilation (always bounds-checked), a
probe on tiny workloads on which the interpreted and the compiled policy must agree to the last digit, then
the workloads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import problems.base
from evaluators.base import PolicyError, Score
from metamuse import tuning
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy, line_of
from metamuse.policy.constants import Constant, with_values
from metamuse.policy.layout import state_bytes
from metamuse.policy.observed import Observed
from metamuse.policy.program import Program, load
from metamuse.policy.warm import warm_kits
from problems.base import SHIFT, SHIFTS, Problem

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def setup(config: Mapping[str, Any]) -> Handler:
    """Prepare a zygote: load the workloads and warm up, then serve candidates.

    Args:
        config: ``problem`` (its configuration), ``sets`` (names of sets, ``shifts`` for all shifted
            workloads, or ``{"given": patterns}``), and ``warm`` (compile a baseline first, so that candidates
            find everything warm).

    Returns:
        The handler of one task, see :class:`Candidates`.
    """
    problem = problems.base.make(config["problem"])
    sets: dict[str, Sequence[Any]] = {}
    seconds: dict[str, float] = {}
    for name, patterns in dict(config["sets"]).items():
        began = time.perf_counter()
        if name == SHIFTS:
            shifted = problem.shifts(sets["holdout"])
            sets |= {SHIFT + shift: workloads for shift, workloads in shifted.items()}
        else:
            sets[name] = problem.load(patterns) if patterns else problem.workloads(name)
            seconds[name] = time.perf_counter() - began
    candidates = Candidates(problem, sets, seconds)
    # Kernels of the bounds are compiled (or read from their cache) here: children may not touch files.
    for bound in problem.bounds:
        problem.bound(bound, candidates.probes[0])
    if config.get("warm", True):
        candidates.warm()
    return candidates


class Candidates:
    """Handles one task: ``{"op": "evaluate" | "bound" | "describe", ...}``.

    ``evaluate`` takes ``source``, ``values`` (of marked constants, may be missing), ``sets``, ``metered`` (each
    row of scores holds its ``work``, see :func:`metamuse.policy.work.summary`, and no timing) and ``tolerant``
    (report failures per workload instead of raising); it returns ``structure``, ``doc``, ``constants``, ``state_bytes``, ``scores`` (by set,
    a list in the order of workloads of ``{"workload", "value", "details", "timing"}``, or ``{"workload",
    "failure": [kind, message]}`` when tolerant) and ``seconds`` by stage.

    ``evaluate`` with ``also`` (values of constants) returns in ``also`` the same sets scored with them. With
    ``tune`` (``set``, ``reference``: values of the reference there, ``trials``, ``seed``) it tunes the constants,
    if there are any, and returns in ``tuned`` the ``scores`` on that set, ``source``, ``values``, ``gain``,
    ``default_gain`` and ``failed_trials``. Either is ``{"result": …}`` or ``{"failure": …}``.

    ``bound`` takes ``bound`` and ``sets``. ``describe`` returns names and hashes of the workloads, and the mean
    seconds that reading one took.
    """

    def __init__(
        self, problem: Problem, sets: Mapping[str, Sequence[Any]], read_s: Mapping[str, float]
    ) -> None:
        self.problem = problem
        self.sets = sets
        self.read_s = read_s
        self.probes = problem.probes()

    def __call__(self, task: dict[str, Any]) -> dict[str, Any]:
        operation = {
            "evaluate": self._evaluate,
            "bound": self._bound,
            "describe": self._describe,
        }[task["op"]]
        return operation(task)

    def warm(self) -> None:
        """Compile the structures and evaluate the reference baseline, so that candidates find all that done."""
        warm_kits(self.problem.baselines.values())
        source = self.problem.baselines[self.problem.reference]
        self._evaluate({"source": source, "sets": []})
        tuning.tune({"X": Constant("X", 1.0, 0.5, 2.0, False, 1)}, lambda values: values["X"], 12, 0)

    def _evaluate(self, task: dict[str, Any]) -> dict[str, Any]:
        clock = _Stages()
        program = load(task["source"], self.problem.contract)
        values = task.get("values") or {}
        clock.done("check")
        metered = bool(task.get("metered"))
        compiled = CompiledPolicy(program, self.problem.init_example(), values, metered)
        loop = self.problem.bind(compiled)
        clock.done("compile")
        self._probe(program, compiled, loop)
        clock.done("probe")
        scores: dict[str, list[dict[str, Any]]] = {}
        for name in task["sets"]:
            tolerant = bool(task.get("tolerant"))
            scores[name] = [self._score(program, compiled, loop, w, tolerant) for w in self.sets[name]]
            clock.done(f"score_{name}")
        result = {
            "structure": program.structure(),
            "doc": program.doc,
            "constants": {n: asdict(c) for n, c in program.constants.items()},
            "state_bytes": self._largest_state(scores),
            "scores": scores,
            "seconds": clock.seconds,
        }
        if "also" in task:
            result["also"] = self._variant(program, compiled, loop, task["also"], task["sets"])
            clock.done("score_tuned")
        if program.constants and "tune" in task:
            result["tuned"] = self._tune(program, compiled, loop, **task["tune"])
            clock.done("tune")
        return result

    def _variant(
        self,
        program: Program,
        compiled: CompiledPolicy,
        loop: Any,
        values: Mapping[str, Any],
        sets: Sequence[str],
    ) -> dict[str, Any]:
        """Score with other values of the constants: ``{"result": …}`` or ``{"failure": …}``."""
        policy = compiled.with_values(values)
        try:
            scores = {
                name: [self._score(program, policy, loop, w, False) for w in self.sets[name]] for name in sets
            }
        except PolicyError as error:
            return {"failure": [error.kind, error.message]}
        return {"result": {"scores": scores, "state_bytes": self._largest_state(scores)}}

    def _tune(
        self,
        program: Program,
        compiled: CompiledPolicy,
        loop: Any,
        set: str,
        reference: Sequence[float],
        trials: int,
        seed: int,
    ) -> dict[str, Any]:
        workloads = self.sets[set]

        def gain(values: Mapping[str, Any]) -> float | None:
            policy = compiled.with_values(values)
            try:
                scored = [self.problem.simulate(policy, loop, workload).value for workload in workloads]
            except PolicyError:
                return None
            pairs = zip(scored, reference, strict=True)
            return float(np.mean([self.problem.gain(value, other) for value, other in pairs]))

        found = tuning.tune(program.constants, gain, trials, seed)
        if found is None:
            return {"failure": ["illegal", "it fails with every choice of its constants"]}
        source = with_values(program.source, found.values)
        written = {name: c.value for name, c in load(source, self.problem.contract).constants.items()}
        if written != found.values:
            return {"failure": ["contract", "its constants stand in a form that cannot be rewritten"]}
        tuned = self._variant(program, compiled, loop, found.values, [set])
        if "result" in tuned:
            tuned["result"] |= {
                "source": source,
                "values": found.values,
                "gain": found.objective,
                "default_gain": found.default,
                "failed_trials": found.failed,
            }
        return tuned

    def _score(
        self, program: Program, compiled: CompiledPolicy, loop: Any, workload: Any, tolerant: bool
    ) -> dict[str, Any]:
        try:
            observed = Observed(compiled)
            row = asdict(self.problem.simulate(observed, loop, workload))
            row["state_bytes"] = sum(state_bytes(state) for state in observed.states)
            if compiled.metered:
                row["timing"] = {}  # of counting, not of deciding
                row["work"] = compiled.work(*observed.states)
            return row
        except PolicyError as error:
            error = self._located(error, program, compiled, workload)
            if not tolerant:
                raise error from None
            return {"workload": _name(workload), "failure": [error.kind, error.message]}

    def _largest_state(self, scores: dict[str, list[dict[str, Any]]]) -> int | None:
        sizes = [row["state_bytes"] for rows in scores.values() for row in rows if "state_bytes" in row]
        return max(sizes) if sizes else None

    def _probe(self, program: Program, compiled: CompiledPolicy, loop: Any) -> None:
        interpreted = InterpretedPolicy(program, compiled.values, compiled.floats)
        slow_loop = self.problem.bind(interpreted)
        for workload in self.probes:
            slow = self._run_probe(interpreted, slow_loop, workload)
            fast = self.problem.simulate(compiled, loop, workload)
            again = self.problem.simulate(compiled, loop, workload)
            if _decisions(fast) != _decisions(again):
                raise PolicyError(
                    "nondeterministic", "two runs on the same workload differ; use Rng(seed) for randomness"
                )
            if _decisions(fast) != _decisions(slow):
                raise PolicyError(
                    "nondeterministic",
                    "the compiled policy decides differently from the same text under CPython"
                    f" ({_decisions(fast)} against {_decisions(slow)}); a value probably depends on integer"
                    " overflow, an uninitialised variable or the order of evaluation",
                )

    def _run_probe(self, interpreted: InterpretedPolicy, loop: Any, workload: Any) -> Score:
        try:
            return self.problem.simulate(interpreted, loop, workload)
        except PolicyError as error:
            raise _with_line(error) from None

    def _located(
        self, error: PolicyError, program: Program, compiled: CompiledPolicy, workload: Any
    ) -> PolicyError:
        """Find the line of a crash by running the same workload interpreted."""
        if error.kind != "crash" or error.line is not None:
            return error
        interpreted = InterpretedPolicy(program, compiled.values, compiled.floats)
        try:
            self.problem.simulate(interpreted, self.problem.bind(interpreted), workload)
        except PolicyError as again:
            return _with_line(again)
        return error

    def _bound(self, task: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        scores = {
            name: [asdict(self.problem.bound(task["bound"], workload)) for workload in self.sets[name]]
            for name in task["sets"]
        }
        return {"scores": scores, "seconds": {"score": time.perf_counter() - began}}

    def _describe(self, task: dict[str, Any]) -> dict[str, Any]:
        return {
            "workloads": {
                name: [{"name": _name(w), "digest": self.problem.digest(w)} for w in workloads]
                for name, workloads in self.sets.items()
            },
            "read_s": {name: s / max(1, len(self.sets[name])) for name, s in self.read_s.items()},
        }


def _name(workload: Any) -> str:
    return str(getattr(workload, "name", None) or workload.trace.name)


def _decisions(score: Score) -> tuple[Any, ...]:
    return (score.value, *sorted(score.details.items()))


def _with_line(error: PolicyError) -> PolicyError:
    line = line_of(error.__cause__) if error.__cause__ is not None else None
    if line is None or error.line is not None:
        return error
    return PolicyError(error.kind, error.message, line)


class _Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def done(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
