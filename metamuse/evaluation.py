"""Evaluating one candidate: check, compile, probe, score. Runs inside the executor's jailed children.

The order is cheap before dear and exact before fast: static check, compilation (always bounds-checked), a
probe on tiny workloads on which the interpreted and the compiled policy must agree to the last digit, then
the workloads.
"""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import problems.base
from evaluators.base import Decisions, PolicyError, Score
from metamuse import tuning
from metamuse.minimal import example
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy, line_of
from metamuse.policy.constants import Constant, with_values
from metamuse.policy.layout import state_bytes
from metamuse.policy.observed import Observed
from metamuse.policy.program import Program, load
from metamuse.policy.warm import warm_kits
from metamuse.racing import SET as RACED
from metamuse.racing import Race
from metamuse.rejection import Screen, mark
from metamuse.simplify import agreement, simplify
from problems.base import SHIFT, SHIFTS, Problem, workload_name
from problems.figures import as_data

Handler = Callable[[dict[str, Any]], dict[str, Any]]

#: Most characters of a failure that an example follows.
_SAID = 480
#: The set on which what a candidate decides is compared with what others decided.
FIRST = "feedback"
#: Sets that a search scores every candidate on: drivers that all policies share are worth more there than the last
#: nanoseconds. What a decision costs is told of the others.
SEARCHED = frozenset({FIRST, RACED})


#: What a zygote works with: the problem, its sets of workloads, seconds that reading each set took.
Placed = tuple[Problem, dict[str, Sequence[Any]], dict[str, float]]


def place(config: Mapping[str, Any]) -> Placed | None:
    """What :func:`setup` needs, for a cluster that loads it once for all its nodes.

    Args:
        config: See :func:`setup`.

    Returns:
        None for workloads that are larger than memory: each node has to read them.
    """
    return None if config["problem"].get("spool") else _load(config)


def _load(config: Mapping[str, Any]) -> Placed:
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
    return problem, sets, seconds


def setup(config: Mapping[str, Any], placed: Placed | None = None) -> Handler:
    """Prepare a zygote: load the workloads and warm up, then serve candidates.

    Args:
        config: ``problem`` (its configuration), ``sets`` (names of sets, ``shifts`` for all shifted
            workloads, or ``{"given": patterns}``), and ``warm`` (compile a baseline first, so that candidates
            find everything warm).
        placed: What :func:`place` loaded elsewhere.

    Returns:
        The handler of one task, see :class:`Candidates`.
    """
    problem, sets, seconds = placed or _load(config)
    candidates = Candidates(problem, sets, seconds)
    # Kernels of the bounds are compiled (or read from their cache) here: children may not touch files.
    for bound in problem.bounds:
        problem.bound(bound, candidates.probes[0])
    if config.get("warm", True):
        candidates.warm()
    return candidates


class Candidates:
    """Handles one task: ``{"op": "evaluate" | "simplify" | "agreement" | "watch" | "results" | "bound" | "describe", ...}``.

    ``evaluate`` takes ``source``, ``values`` (of marked constants, may be missing), ``sets``, ``only`` (numbers of
    workloads by set, if not all are wanted), ``metered`` (each
    row of scores holds its ``work``, see :func:`metamuse.policy.work.summary`, and no timing), ``tolerant``
    (report failures per workload instead of raising) and ``example`` (say of a failure on which tiny workload it
    happens already); it returns ``structure``, ``doc``, ``constants``, ``marks`` (see :mod:`metamuse.rejection`),
    ``state_bytes``, ``scores`` (by set, a list in the order of workloads of ``{"workload", "value", "details",
    "timing"}``, or ``{"workload", "failure": [kind, message]}`` when tolerant) and ``seconds`` by stage.

    ``evaluate`` with ``known`` returns early, without all or some of ``scores``, for a duplicate
    (:class:`metamuse.rejection.Known`); with ``race``, it stops on the validation workloads once the race is lost: they are missing in ``scores``, and
    ``raced`` says what :meth:`metamuse.racing.Race.lost` says.

    ``evaluate`` with ``also`` (values of constants) returns in ``also`` the same sets scored with them. With
    ``tune`` (``set``, ``reference``: values of the reference there, ``trials``, ``seed``) it tunes the constants,
    if there are any, and returns in ``tuned`` the ``scores`` on that set, ``source``, ``values``, ``gain``,
    ``default_gain``, ``failed_trials`` and ``tried`` (every choice, and its gain as the last number). Either is ``{"result": …}`` or ``{"failure": …}``.

    ``simplify`` takes ``source``, ``sets``, ``trials`` and ``variants`` (values of constants by name); it returns in
    ``simplified`` the fields of :class:`metamuse.simplify.Simplified`, under "" for the policy and by name for those
    variants that decide as before. ``agreement`` takes ``source``, ``simplified`` (a text), ``sets`` and ``variants``;
    it returns ``agreement``, see :func:`metamuse.simplify.agreement`.

    ``watch`` takes ``source`` and returns ``figures`` (:func:`problems.figures.as_data`), what the problem shows of the
    policy. ``results`` takes ``source``, ``set`` and ``number`` of a workload in it; it returns ``files`` (contents by name,
    deflated, in base 64) and ``lines``, both empty if the problem has nothing to say. ``bound`` takes ``bound``, ``sets`` and ``only``. ``describe`` returns names and hashes of the workloads, the mean
    seconds that reading one took, and about how many ``seconds`` of simulation each is.
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
            "simplify": self._simplify,
            "agreement": self._agreement,
            "watch": self._watch,
            "results": self._results,
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
        known = Screen(task.get("known"))
        marks = {"program": program.fingerprint()}
        result: dict[str, Any] = {
            "structure": program.structure(),
            "doc": program.doc,
            "constants": {n: asdict(c) for n, c in program.constants.items()},
            "marks": marks,
            "seconds": clock.seconds,
        }
        clock.done("check")
        if duplicate := known.duplicate(marks):
            return result | duplicate
        metered = bool(task.get("metered"))
        values, shared = task.get("values") or {}, SEARCHED.issuperset(task["sets"])
        compiled = CompiledPolicy(program, self.problem.init_example(), values, metered, shared)
        loop = self.problem.bind(compiled)
        clock.done("compile")
        exemplify = bool(task.get("example"))
        decided = self._probe(program, compiled, loop, exemplify)
        clock.done("probe")

        tolerant = bool(task.get("tolerant"))
        race = Race(self.problem, **task["race"]) if "race" in task else None
        scores: dict[str, list[dict[str, Any]]] = {}
        for name in task["sets"]:
            rows: list[dict[str, Any]] = []
            tellable = exemplify and self.problem.is_synthetic(name)
            for workload in self._wanted(task, name):
                row, made = self._score(program, compiled, loop, workload, tolerant, tellable)
                rows.append(row)
                if name == FIRST:
                    decided.append(made)
                if race is not None and name == RACED and (lost := race.lost(rows)):
                    result["raced"] = lost
                    break
            else:
                scores[name] = rows
            clock.done(f"score_{name}")
            if name == FIRST:
                marks["behaviour"] = mark(decided)
                if duplicate := known.duplicate(marks):
                    return result | duplicate | {"scores": scores}
        result |= {"state_bytes": self._largest_state(scores), "scores": scores}
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
                name: [self._score(program, policy, loop, w, False)[0] for w in self.sets[name]]
                for name in sets
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
                "tried": [[*values, reached] for values, reached in found.tried],
            }
        return tuned

    def _score(
        self,
        program: Program,
        compiled: CompiledPolicy,
        loop: Any,
        workload: Any,
        tolerant: bool,
        exemplify: bool = False,
    ) -> tuple[dict[str, Any], Decisions | None]:
        try:
            observed = Observed(compiled)
            score = self.problem.simulate(observed, loop, workload)
            row = _row(score)
            row["state_bytes"] = sum(state_bytes(state) for state in observed.states)
            if compiled.metered:
                row["timing"] = {}  # of counting, not of deciding
                row["work"] = compiled.work(*observed.states)
            return row, score.decisions
        except PolicyError as error:
            error = self._explained(error, program, compiled, loop, workload, exemplify)
            if not tolerant:
                raise error from None
            return {"workload": workload_name(workload), "failure": [error.kind, error.message]}, None

    def _largest_state(self, scores: dict[str, list[dict[str, Any]]]) -> int | None:
        sizes = [row["state_bytes"] for rows in scores.values() for row in rows if "state_bytes" in row]
        return max(sizes) if sizes else None

    def _probe(
        self, program: Program, compiled: CompiledPolicy, loop: Any, exemplify: bool
    ) -> list[Decisions | None]:
        decided = []
        interpreted = InterpretedPolicy(program, compiled.values, compiled.floats)
        slow_loop = self.problem.bind(interpreted)
        for workload in self.probes:
            try:
                slow = self._run_probe(interpreted, slow_loop, workload)
                self._compare(compiled, loop, workload, slow)
            except PolicyError as error:
                raise self._explained(error, program, compiled, loop, workload, exemplify) from None
            decided.append(slow.decisions)
        return decided

    def _compare(self, compiled: CompiledPolicy, loop: Any, workload: Any, slow: Score) -> None:
        """Demand that a policy repeats its decisions when compiled, and those it took interpreted."""
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
                f" ({_outcome(fast)} against {_outcome(slow)}); a value probably depends on integer"
                " overflow, an attribute that is a view of another array (write .copy()) or the order of evaluation",
            )

    def _explained(
        self,
        error: PolicyError,
        program: Program,
        compiled: CompiledPolicy,
        loop: Any,
        workload: Any,
        exemplify: bool,
    ) -> PolicyError:
        """The failure with its line and, if wanted and found, a tiny workload on which it happens already."""

        def compare(part: Any, slow: Score) -> None:
            self._compare(compiled, loop, part, slow)

        check = compare if error.kind == "nondeterministic" else None
        found = None
        if exemplify:
            found = example(self.problem, program, workload, error, compiled.values, compiled.floats, check)
        if found is None:
            return self._located(error, program, compiled, workload)
        said = error.message if error.line or not found.line else f"line {found.line}: {error.message}"
        return PolicyError(error.kind, f"{said[:_SAID]}\n{found.text}")

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

    def _simplify(self, task: dict[str, Any]) -> dict[str, Any]:
        found = simplify(
            self.problem, task["source"], self._of(task["sets"]), task["trials"], task.get("variants")
        )
        return {"simplified": {name: asdict(made) for name, made in found.items()}}

    def _agreement(self, task: dict[str, Any]) -> dict[str, Any]:
        workloads = self._of(task["sets"])
        return {
            "agreement": agreement(
                self.problem, task["source"], task["simplified"], workloads, task.get("variants")
            )
        }

    def _watch(self, task: dict[str, Any]) -> dict[str, Any]:
        policy = CompiledPolicy(load(task["source"], self.problem.contract), self.problem.init_example(), {})
        return {"figures": [as_data(f) for f in self.problem.watch(policy, self.problem.bind(policy))]}

    def _results(self, task: dict[str, Any]) -> dict[str, Any]:
        policy = CompiledPolicy(load(task["source"], self.problem.contract), self.problem.init_example(), {})
        workload = self.sets[task["set"]][task["number"]]
        made = self.problem.results(policy, self.problem.bind(policy), workload)
        if made is None:
            return {"files": {}, "lines": []}
        packed = {
            name: base64.b64encode(zlib.compress(data, 1)).decode() for name, data in made.files.items()
        }
        return {"files": packed, "lines": list(made.lines)}

    def _of(self, sets: Sequence[str]) -> list[Any]:
        return [workload for name in sets for workload in self.sets[name]]

    def _wanted(self, task: dict[str, Any], name: str) -> Sequence[Any]:
        if "only" not in task:
            return self.sets[name]
        return [self.sets[name][number] for number in task["only"].get(name, ())]

    def _bound(self, task: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        scores = {
            name: [_row(self.problem.bound(task["bound"], w)) for w in self._wanted(task, name)]
            for name in task["sets"]
        }
        return {"scores": scores, "seconds": {"score": time.perf_counter() - began}}

    def _describe(self, task: dict[str, Any]) -> dict[str, Any]:
        return {
            "workloads": {
                name: [{"name": workload_name(w), "digest": self.problem.digest(w)} for w in workloads]
                for name, workloads in self.sets.items()
            },
            "seconds": {name: [self.problem.seconds(w) for w in ws] for name, ws in self.sets.items()},
            "read_s": {name: s / max(1, len(self.sets[name])) for name, s in self.read_s.items()},
        }


def _decisions(score: Score) -> tuple[Any, ...]:
    return (*_outcome(score), score.decisions)


def _outcome(score: Score) -> tuple[Any, ...]:
    return (score.value, *sorted(score.details.items()))


def _row(score: Score) -> dict[str, Any]:
    row = asdict(score)
    del row["decisions"]  # kept for comparing, not for the record of every score
    return row


def _with_line(error: PolicyError) -> PolicyError:
    line = line_of(error.__cause__) if error.__cause__ is not None else None
    if line is None or error.line is not None:
        return error
    return PolicyError(error.kind, error.message, line, error.event)


class _Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def done(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
