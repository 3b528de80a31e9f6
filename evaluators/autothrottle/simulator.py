"""Scores a policy of CPU control on loads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle import layout as k
from evaluators.autothrottle import sampling
from evaluators.autothrottle.captain import captain, make_states
from evaluators.autothrottle.compiling import STAMP
from evaluators.autothrottle.contract import (
    APP,
    CONTRACT,
    DEFAULT_TARGET,
    LEAST_CHANGE,
    LEAST_CORES,
    MINUTES,
    RING,
    SERVICE,
)
from evaluators.autothrottle.histogram import bin_of, percentile
from evaluators.autothrottle.kernel import mix
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.world import World
from evaluators.base import Decisions, Policy, PolicyError, Score, without_folders
from evaluators.digest import fold

__all__ = ["CONTRACT", "PENALTY", "bind", "cost", "simulate"]

#: What an excess of the P99 over the objective costs: with 10, each percent as much as ten percent more cores.
PENALTY = 10.0
_TICKS_A_MINUTE = 600
_RECENT = 100  # ticks that "requests a second now" is about


@dataclass(frozen=True)
class Loops:
    """The two laws as loops over services; ``local`` is Captain's, or ``global_`` None, where the policy has none."""

    local: Any
    global_: Any


def make_local(local: Any, global_: Any, view: Callable[[Any], Any], show: Callable[[Any], Any]) -> Any:
    """The loop that asks every service's local law at one tick."""

    def decide(states: Any, tick: int, seen: Any, targets: Any, wanted: Any, digest: int) -> tuple[int, int]:
        """Fill ``wanted`` (float64[S]: limits); returns -1, or the service whose decision is no number, and the digest."""
        states = view(states)
        obs, usage, throttled, pos = seen
        for s in range(len(wanted)):
            limit = float(
                local(states[s], tick, show(obs[s]), show(usage[s]), show(throttled[s]), pos, targets[s])
            )
            if not math.isfinite(limit):
                wanted[s] = limit
                return s, digest
            limit = min(max(limit, LEAST_CORES), obs[s, 6])
            if abs(limit - obs[s, 0]) < LEAST_CHANGE:
                limit = obs[s, 0]
            else:
                digest = fold(fold(digest, tick * len(wanted) + s), int(limit * k.PERIOD))
            wanted[s] = limit
        return -1, digest

    return decide


def make_global(local: Any, global_: Any, view: Callable[[Any], Any], show: Callable[[Any], Any]) -> Any:
    """The loop that asks the global law for every service's target."""

    def decide(
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
        """Fill ``targets`` (float64[S]); returns as the local loop."""
        state = view(state)
        for s in range(len(targets)):
            target = float(
                global_(state, minute, s, show(app), show(services), show(history), pos, show(cluster))
            )
            targets[s] = target
            if not math.isfinite(target):
                return s, digest
            targets[s] = min(max(target, 0.0), 1.0)
            digest = fold(digest, int(targets[s] * k.PERIOD))
        return -1, digest

    return decide


def _captains(stamp: int) -> Any:
    """The local loop of policies without a local law, cached (:mod:`evaluators.autothrottle.compiling`)."""

    @njit(cache=True)
    def decide(states, tick, seen, targets, wanted, digest):  # type: ignore[no-untyped-def]
        obs, usage, _, _ = seen
        for s in range(len(wanted) if stamp else 0):
            limit = captain(states[s], tick, obs[s], usage[s], targets[s])
            limit = min(max(limit, LEAST_CORES), obs[s, 6])
            wanted[s] = obs[s, 0] if abs(limit - obs[s, 0]) < LEAST_CHANGE else limit
        return -1, digest

    return decide


_CAPTAINS = _captains(STAMP)


def bind(policy: Policy) -> Loops:
    """The two loops around a policy (compiled if the policy is)."""
    local = policy.bind(make_local, {}) if "local" in policy.methods else _CAPTAINS
    return Loops(local, policy.bind(make_global, {}) if "global_" in policy.methods else None)


def cost(cores: float, p99_ms: float, slo_ms: float, demand: float) -> float:
    """What is minimised: the cores allocated; beyond the objective, more with every percent of the excess.

    It has no step at the objective and grows with both cores and P99. The penalty is a multiple of the cores
    allocated, or of the cores the load needs, whichever is more: nobody gains by starving a service.
    """
    return cores + PENALTY * max(cores, demand) * max(0.0, p99_ms / slo_ms - 1.0)


def simulate(policy: Policy, loops: Loops, load: Load, series: dict[str, list[Any]] | None = None) -> Score:
    """Run one load with fresh instances of a policy.

    Args:
        policy: The policy.
        loops: What :func:`bind` gave for it.
        load: The load.
        series: Filled with one entry a second for plots if given: ``limits``, ``usage``, ``throttled`` (float64[S],
            means over the second), and one a minute: ``p99`` (ms), ``targets`` (float64[S]).

    Returns:
        :func:`cost`. Details, over the measured time: ``cores`` (allocated: limits and what writes refilled),
        ``limit_cores`` (limits alone, the authors' figure), ``usage_cores``, ``p50_ms``, ``p99_ms``, ``violated`` (P99
        beyond the objective), ``bad_minutes`` (whole minutes with P99 beyond it), ``minutes``, ``requests``,
        ``unanswered``, ``refused`` (open loop), ``throttle_ratio`` (of wall-clock periods), ``throttled_s``, ``writes``,
        ``services``; timing: ``seconds``, ``ns_per_decision``, ``simulated_s_per_s``. Decisions are all limits that
        were changed, when and to what, and all targets.

    Raises:
        PolicyError: ``illegal`` (a limit or target is no finite number), ``crash`` (it raised).
    """
    run = _Run(policy, loops, load, series)
    began = time.perf_counter()
    run.all()
    return run.score(time.perf_counter() - began)


class _Run:
    """One policy on one load."""

    def __init__(self, policy: Policy, loops: Loops, load: Load, series: dict[str, list[Any]] | None) -> None:
        app = load.application
        self.load = load
        self.loops = loops
        self.series = series
        self.world = World(load)
        self.n = len(app.services)
        self.tick = 0
        self.digest = 0
        self.targets = np.full(self.n, DEFAULT_TARGET)
        self.wanted = np.zeros(self.n)
        self.minute_p99: list[float] = []
        self._done = self._recent = 0
        init = (app.node_cores, app.slo_ms, self.n)
        self._states: Any = make_states(self.n, app.node_cores)
        try:
            if "local" in policy.methods:
                self._kept = [policy.grow(policy.state(*init), self.n) for _ in range(self.n)]
                self._states = policy.bank(self._kept)
            self._global = policy.grow(policy.state(*init), self.n) if loops.global_ else None
        except (PolicyError, MemoryError, ArithmeticError, LookupError, ValueError, TypeError) as error:
            raise self._failed(error) from error
        self._cluster = app.clusters
        self._services = np.zeros(self.n * SERVICE)
        self._app = np.zeros(APP)
        self._history = np.zeros((MINUTES, APP))

    def all(self) -> None:
        """Let the whole load pass."""
        for tick in range(10 * self.load.seconds):
            self.tick = tick
            if self.tick % _TICKS_A_MINUTE == 0:
                self._next_minute(self.tick // _TICKS_A_MINUTE)
            late = mix(self.load.seed + 5000 + self.tick) % (round(self.load.jitter_ms * k.MS) + 1)
            self.world.run(self.tick * k.PERIOD + k.SAMPLE_AT + late)
            self._local()
            if self.tick % _TICKS_A_MINUTE == _TICKS_A_MINUTE - _RECENT - 1:
                self._recent = int(self.world.control[k.DONE])
            if self.series is not None and self.tick % 10 == 9:
                self._note()

    def _local(self) -> None:
        world = self.world
        seen = (world.obs, world.usage, world.throttled, int(world.control[k.POS]))
        try:
            fault, self.digest = self.loops.local(
                self._states, self.tick, seen, self.targets, self.wanted, self.digest
            )
        except (PolicyError, MemoryError, ArithmeticError, LookupError, ValueError, TypeError) as error:
            raise self._failed(error) from error
        if fault >= 0:
            message = f"local() returned {self.wanted[fault]} for service {fault}, it must be a finite number"
            raise self._failed(PolicyError("illegal", message))
        world.write(self.wanted)

    def _next_minute(self, minute: int) -> None:
        world = self.world
        if minute:
            self._close_minute()
            world.minute[:] = 0.0
            world.histograms[0] = 0
        if self.loops.global_ is not None:
            pos = (minute - 1) % MINUTES
            try:
                fault, self.digest = self.loops.global_(
                    self._global,
                    minute,
                    self._app,
                    self._services,
                    self._history.reshape(-1),
                    pos,
                    self._cluster,
                    self.targets,
                    self.digest,
                )
            except (PolicyError, MemoryError, ArithmeticError, LookupError, ValueError, TypeError) as error:
                raise self._failed(error) from error
            if fault >= 0:
                message = f"global_() returned {self.targets[fault]} for service {fault}, it must be a finite number"
                raise self._failed(PolicyError("illegal", message))
        if self.series is not None:
            self.series.setdefault("targets", []).append(self.targets.copy())

    def _close_minute(self) -> None:
        world = self.world
        counts = world.histograms[0]
        sums = world.minute / _TICKS_A_MINUTE
        done = int(world.control[k.DONE])
        mean = sums[:, 0]
        rows = np.column_stack(
            [
                mean,
                np.sqrt(np.maximum(0.0, sums[:, 1] - mean * mean)),
                world.minute[:, 2],
                np.minimum(1.0, sums[:, 3]),
                sums[:, 4],
                world.minute[:, 5],
                world.minute[:, 6],
            ]
        )
        self._services[:] = rows.reshape(-1)
        self._app[:] = [
            (done - self._recent) / (_RECENT / 10),
            *(percentile(counts, p) for p in (50, 90, 95, 99)),
            (done - self._done) / 60.0,
            sums[:, 4].sum(),
            mean.sum(),
        ]
        self._done = done
        self._history[(self.tick // _TICKS_A_MINUTE - 1) % MINUTES] = self._app
        if self.tick > 10 * self.load.ramp_s:
            self.minute_p99.append(float(self._app[4]))
        if self.series is not None:
            self.series.setdefault("p99", []).append(float(self._app[4]))

    def _note(self) -> None:
        """One second of the series for plots."""
        assert self.series is not None
        world = self.world
        places = (int(world.control[k.POS]) - np.arange(10)) % RING
        for name, values in (
            ("limits", world.limits.copy()),
            ("usage", world.usage[:, places].mean(axis=1)),
            ("throttled", world.throttled[:, places].mean(axis=1)),
        ):
            self.series.setdefault(name, []).append(values)

    def score(self, seconds: float) -> Score:
        """What it comes to."""
        load, world = self.load, self.world
        slo_ms = load.application.slo_ms
        counts = world.histograms[1].copy()
        ages = world.unanswered()
        late = ages[ages > slo_ms * k.MS]  # the others may still be answered in time
        for age in late:
            counts[bin_of(int(age))] += 1
        totals = world.totals
        over_ms = totals[sampling.OVER] * 1e3
        cores = (totals[sampling.LIMITS] + totals[sampling.REFILLED]) / over_ms
        p99 = percentile(counts, 99)
        self._finish_minutes()
        details = {
            "cores": float(cores),
            "limit_cores": float(totals[sampling.LIMITS] / over_ms),
            "usage_cores": float(totals[sampling.CPU] / over_ms),
            "p50_ms": percentile(counts, 50),
            "p99_ms": p99,
            "violated": float(p99 > slo_ms),
            "bad_minutes": float(sum(p > slo_ms for p in self.minute_p99)),
            "minutes": float(len(self.minute_p99)),
            "requests": float(counts.sum()),
            "unanswered": float(len(late)),
            "refused": float(world.control[k.REFUSED]),
            "throttle_ratio": float(totals[sampling.HELD] / totals[sampling.SAMPLED]),
            "throttled_s": float(totals[sampling.HELD_NS] / 1e3),
            "writes": float(totals[sampling.CHANGES]),
            "services": float(self.n),
        }
        decisions = 10 * load.seconds * self.n
        timing = {
            "seconds": seconds,
            "ns_per_decision": 1e9 * seconds / decisions,
            "simulated_s_per_s": load.seconds / seconds if seconds else 0.0,
        }
        value = cost(float(cores), p99, slo_ms, load.demand)
        return Score(load.name, value, details, timing, Decisions(decisions, int(self.digest)))

    def _finish_minutes(self) -> None:
        """The last whole minute has no call of the global law after it."""
        ticks = 10 * self.load.seconds
        if ticks % _TICKS_A_MINUTE == 0 and ticks > 10 * self.load.ramp_s:
            self.minute_p99.append(percentile(self.world.histograms[0], 99))
            if self.series is not None:
                self.series.setdefault("p99", []).append(self.minute_p99[-1])

    def _failed(self, error: Exception) -> PolicyError:
        """A failure, with the tick at which it happened."""
        kind, message = "crash", f"{type(error).__name__}: {error}"
        if isinstance(error, PolicyError):
            kind, message = error.kind, error.message
        elif isinstance(error, MemoryError):
            kind, message = "memory", "it asked for more memory than it may have"
        where = f"at tick {self.tick} of {without_folders(self.load.name)}"
        return PolicyError(kind, f"{message} ({where})", event=self.tick)
