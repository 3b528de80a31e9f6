"""CPU control: golden decisions are the limits of some services in every period, and the targets of all in every minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluators.autothrottle import simulator
from evaluators.autothrottle.contract import DEFAULT_TARGET
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from problems.base import Problem

#: Services of an application whose limits are recorded, evenly spread, so that decisions come from several applications.
_SHOWN = 8


@dataclass
class _Log:
    """The simulator's two loops, and what they were shown and decided.

    Args:
        loops: Those of the policy.
        shown: Numbers of the services that are recorded.
    """

    loops: simulator.Loops
    shown: np.ndarray
    seen: list[np.ndarray] = field(default_factory=list)
    limits: list[np.ndarray] = field(default_factory=list)
    minutes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def local(
        self, states: Any, tick: int, seen: Any, targets: Any, wanted: Any, digest: int
    ) -> tuple[int, int]:
        self.seen.append(seen[0][self.shown])
        fault, digest = self.loops.local(states, tick, seen, targets, wanted, digest)
        self.limits.append(wanted[self.shown])
        return fault, digest

    def global_(
        self,
        state: Any,
        minute: int,
        app: Any,
        services: Any,
        history: Any,
        pos: int,
        cluster: Any,
        targets: Any,
        digest: int,
    ) -> tuple[int, int]:
        fault, digest = self.loops.global_(
            state, minute, app, services, history, pos, cluster, targets, digest
        )
        self.minutes.append((app.copy(), services.copy(), targets.copy()))
        return fault, digest


class AutothrottleSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("captain", "throttle_engine", "shadow", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def facts(self, policy: Known) -> dict[str, Any]:
        """Nothing beyond the policy."""
        return {}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH limits and targets of the workloads, each with what the policy was shown."""
        loops = simulator.bind(policy)
        cases: list[Case] = []
        for load in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, loops, load))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """There is no other mode."""
        return [], ""

    def _record(self, policy: CompiledPolicy, loops: simulator.Loops, load: Any) -> Case:
        app = load.application
        n = len(app.services)
        shown = np.unique(np.linspace(0, n - 1, min(n, _SHOWN)).round().astype(np.int64))
        log = _Log(loops, shown)
        watched = simulator.Loops(log.local, log.global_ if loops.global_ is not None else None)
        simulator.simulate(policy, watched, load)
        seen = np.array(log.seen)  # ticks, services, numbers
        ticks, minutes = len(seen), len(seen) // 600 + int(len(seen) % 600 > 0)
        if log.minutes:
            shown_app, shown_services, targets = (
                np.concatenate(rows) for rows in zip(*log.minutes, strict=True)
            )
        else:
            shown_app, shown_services = np.zeros(8 * minutes), np.zeros(7 * n * minutes)
            targets = np.full(n * minutes, DEFAULT_TARGET)
        fields = {
            "name": load.name,
            "decisions": ticks * len(shown) + (len(targets) if log.minutes else 0),
            "node_cores": float(app.node_cores),
            "slo_ms": float(app.slo_ms),
            "n_services": n,
            "ticks": ticks,
            "minutes": minutes,
        }
        columns = {
            "recorded": shown,
            "cluster": app.clusters.astype(np.int64),
            "app": shown_app,
            "services": shown_services,
            "targets": targets,
            "held": seen[:, :, 1].astype(np.uint8),
            "periods": seen[:, :, 2].astype(np.uint8),
            "bursts": seen[:, :, 7].astype(np.uint8),
            "held_ms": seen[:, :, 3],
            "cores": seen[:, :, 4],
            "unchanged_ms": seen[:, :, 5],
            "limits": np.array(log.limits),
        }
        return Case(fields, {name: column.reshape(-1) for name, column in columns.items()})


SYSTEM = AutothrottleSystem
