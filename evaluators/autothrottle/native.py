"""Laws that belong to the simulator: what a bound or a claim runs without a policy's text.

Each stands in for a policy (:class:`evaluators.base.Policy`); what it decides is in a matrix with one row a service.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle.application import Application
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.simulator import bind, simulate
from evaluators.base import Score

#: Periods of the utilisation laws in ticks of 100 ms: K8s-CPU's 15 s, K8s-CPU-Fast's 1 s.
SLOW, FAST = 150, 10
#: Recommendations of which they take the largest.
_KEPT = 20
_T, _SYNC, _USED = range(3)


@njit
def _target(state, minute, service, app, services, history, pos, cluster):  # type: ignore[no-untyped-def]
    return state[service, 0]


@njit
def _scheduled(state, tick, obs, usage, throttled, pos, target):  # type: ignore[no-untyped-def]
    return state[min(tick // 600, len(state) - 1)]


@njit
def _utilisation(state, tick, obs, usage, throttled, pos, target):  # type: ignore[no-untyped-def]
    sync = int(state[_SYNC])
    state[_USED] += obs[4]
    if tick % sync < sync - 1:
        return obs[0]
    kept = state[_USED + 1 :]
    kept[tick // sync % _KEPT] = state[_USED] / sync / state[_T]
    state[_USED] = 0.0
    return np.max(kept)


_LAWS = {
    "target": ("global_", _target),
    "scheduled": ("local", _scheduled),
    "utilisation": ("local", _utilisation),
}


def _itself(thing):  # type: ignore[no-untyped-def]
    return thing


class Native:
    """One of the laws with its numbers.

    Args:
        law: Its name, see the functions below.
        rows: float64[S, K], what it starts from.
    """

    compiled = True

    def __init__(self, law: str, rows: np.ndarray) -> None:
        method, self._function = _LAWS[law]
        self.law = law
        self.methods = frozenset({method})
        self.rows = rows

    def reads(self, method: str, parameter: str) -> bool:
        """Whether the law might use it."""
        return method in self.methods

    def state(self, *init: Any) -> np.ndarray:
        """A fresh matrix."""
        return self.rows.copy()

    def grow(self, state: np.ndarray, room: int) -> np.ndarray:
        """The same: nothing grows."""
        return state

    def bank(self, states: Sequence[Any]) -> np.ndarray:
        """The rows of all services."""
        return self.rows.copy()

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """The driver around the law, compiled."""
        laws = dict.fromkeys(("local", "global_")) | {next(iter(self.methods)): self._function}
        itself = njit(_itself)
        return njit(factory(**laws, view=itself, show=itself))


@cache
def _loops(law: str) -> Any:
    return bind(Native(law, np.zeros((0, 0))))


def run(native: Native, load: Load, series: dict[str, list[Any]] | None = None) -> Score:
    """Simulate one load under a law; ``series`` as in :func:`evaluators.autothrottle.simulator.simulate`."""
    return simulate(native, _loops(native.law), load, series)


_known: dict[str, Score] = {}


def scored(native: Native, load: Load) -> Score:
    """The score of one load under a law, simulated once a process: claims and bounds ask for many of the same hours."""
    sha = hashlib.sha256(f"{native.law} {native.rows.shape} {load.digest} {load.name}".encode())
    sha.update(native.rows.tobytes())
    key = sha.hexdigest()
    if key not in _known:
        _known[key] = run(native, load)
    return _known[key]


def targets(values: np.ndarray) -> Native:
    """Captain at fixed targets (float64[S], one a service)."""
    return Native("target", np.ascontiguousarray(values, dtype=np.float64).reshape(-1, 1))


def pair(application: Application, high: float, rest: float) -> Native:
    """Captain at a pair of fixed targets, for the cluster with most of the usage and for the others."""
    return targets(np.where(application.clusters == 1, high, rest))


def scheduled(limits: np.ndarray) -> Native:
    """Limits (float64[S, M], cores) that are set each minute; the last ones stay."""
    return Native("scheduled", np.ascontiguousarray(limits, dtype=np.float64))


def utilisation(application: Application, target: float, sync: int) -> Native:
    """K8s-CPU (``sync`` = :data:`SLOW`) or K8s-CPU-Fast (:data:`FAST`) with a utilisation target for all services."""
    rows = np.zeros((len(application.services), _USED + 1 + _KEPT))
    rows[:, _T], rows[:, _SYNC] = target, sync
    return Native("utilisation", rows)
