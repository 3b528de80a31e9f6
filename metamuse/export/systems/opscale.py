"""Scaling of LLM serving: golden decisions are the numbers that a policy gives for every group in every interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluators.opscale import layout as k
from evaluators.opscale import simulator
from evaluators.opscale.world import profile
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from problems.base import Problem

#: What a group is asked for, and where the simulator keeps it.
_KINDS = {"replicas": k.TARGET, "batch": k.CAP, "share": k.SHARE, "pack": k.PACK}


class _Log:
    """The simulator's loop, run interval by interval, and what the policy was shown and decided in each.

    Args:
        loop: That of the policy.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self.rows: list[tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)  # the simulator compiles it

    def __call__(self, *arguments: Any) -> int:
        floats, act, near, glob, obs = arguments[6:]
        shown = float(floats[k.NOW]), glob.copy(), obs.copy()
        fault = int(self._loop(*arguments))
        self.rows.append((*shown, act.copy(), near.copy()))
        return fault


class OpscaleSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("scaling_engine", "observing", "shadow", "scaling_shadow", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def facts(self, policy: Known) -> dict[str, Any]:
        """Nothing beyond the policy."""
        return {}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH numbers that the policy gave, each interval with what it was shown."""
        loop = simulator.bind(policy)
        cases: list[Case] = []
        for scenario in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, loop, scenario))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """There is no other mode."""
        return [], ""

    def _record(self, policy: CompiledPolicy, loop: Any, scenario: Any) -> Case:
        log = _Log(loop)
        simulator.simulate(policy, log, scenario, watch=_nothing)
        times, glob, obs, act, near = (np.array(column) for column in zip(*log.rows, strict=True))
        prof = profile(scenario)
        n, system = len(prof) // k.PROF, scenario.system
        kept = {name: act[:, :, place] for name, place in _KINDS.items() if name in policy.methods}
        if "affinity" in policy.methods:
            kept["affinity"] = near
        fields = {
            "name": scenario.name,
            "decisions": sum(column.size for column in kept.values()),
            "n_groups": n,
            "steps": len(times),
            "interval": float(system.interval),
            "ttft_slo": float(system.ttft),
            "tbt_slo": float(system.tbt),
        }
        columns = {"prof": prof, "t": times, "glob": glob, "obs": obs}
        columns |= {name: column.astype(np.int32) for name, column in kept.items()}
        return Case(fields, {name: column.reshape(-1) for name, column in columns.items()})


def _nothing(world: Any) -> None:
    """After each interval: it is what makes the simulator run one at a time."""


SYSTEM = OpscaleSystem
