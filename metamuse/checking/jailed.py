"""What runs in the jail for the suite: everything :mod:`metamuse.evaluation` offers, and two operations more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluators.base import PolicyError, Score
from metamuse.evaluation import Candidates, Handler, Placed, place
from metamuse.evaluation import setup as setup_candidates
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

__all__ = ["Bench", "place", "setup"]


def setup(config: Mapping[str, Any], placed: Placed | None = None) -> Handler:
    """As :func:`metamuse.evaluation.setup`; the handler is a :class:`Bench`."""
    candidates = setup_candidates(config, placed)
    assert isinstance(candidates, Candidates)
    return Bench(candidates)


class Bench:
    """Handles the operations ``visit`` and ``modes``, and passes all others on.

    ``visit`` takes ``source`` and ``visits`` (a list of ``[set, index]``); it compiles the policy, runs it on the
    workloads in this order and returns ``results``, one a visit. ``modes`` takes ``source`` and ``modes`` (of
    ``compiled`` and ``interpreted``) and returns for each the results on the probes, and for ``compiled`` also
    those on the feedback workloads. A result is ``{"value", "details", "decisions"}`` (of the last, ``[count, digest]`` or
    None) or ``{"failure": [kind, message]}``.
    """

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self.problem = candidates.problem

    def __call__(self, task: dict[str, Any]) -> dict[str, Any]:
        own = {"visit": self._visit, "modes": self._modes}.get(task["op"], self.candidates)
        return own(task)

    def _visit(self, task: dict[str, Any]) -> dict[str, Any]:
        program = load(task["source"], self.problem.contract)
        policy = CompiledPolicy(program, self.problem.init_example(), shared=True)
        loop = self.problem.bind(policy)
        sets = self.candidates.sets
        return {"results": [self._result(policy, loop, sets[name][i]) for name, i in task["visits"]]}

    def _modes(self, task: dict[str, Any]) -> dict[str, Any]:
        program = load(task["source"], self.problem.contract)
        compiled = CompiledPolicy(program, self.problem.init_example(), shared=True)
        out: dict[str, Any] = {}
        for mode in task["modes"]:
            workloads = list(self.candidates.probes)
            policy: CompiledPolicy | InterpretedPolicy = compiled
            if mode == "compiled":
                workloads += self.candidates.sets["feedback"]
            else:
                policy = InterpretedPolicy(program, compiled.values, compiled.floats)
            loop = self.problem.bind(policy)
            out[mode] = [self._result(policy, loop, workload) for workload in workloads]
        return out

    def _result(self, policy: CompiledPolicy | InterpretedPolicy, loop: Any, workload: Any) -> dict[str, Any]:
        try:
            score: Score = self.problem.simulate(policy, loop, workload)
        except PolicyError as error:
            return {"failure": [error.kind, error.message]}
        made = score.decisions
        decisions = None if made is None else [made.count, made.digest]
        return {"value": score.value, "details": score.details, "decisions": decisions}
