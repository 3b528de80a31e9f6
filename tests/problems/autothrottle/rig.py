"""A service of nothing but random demand, to drive local laws without a simulator: interpreted, compiled or plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle.contract import APP, MINUTES, OBS, RING, SERVICE
from tests.problems.autothrottle.plain import Law

CORES = 32.0


def make_driver(
    local: Callable[..., float], global_: Any, view: Callable[[Any], Any], show: Callable[[Any], Any]
) -> Callable[..., int]:
    """Build the loop around a local law."""

    def drive(state: Any, demand: Any, target: Any, obs: Any, usage: Any, throttled: Any, limits: Any) -> int:
        """Let a service with these demands (cores, f8[n]) run under a law; ``limits`` (f8[n]) is filled."""
        state = view(state)
        seen, uses, counts = show(obs), show(usage), show(throttled)
        limit = obs[6]
        for tick in range(len(demand)):
            obs[0] = limit
            obs[1] = 1.0 if demand[tick] > limit else 0.0
            obs[2] = 1.0
            obs[4] = min(demand[tick], limit)
            pos = tick % len(usage)
            usage[pos] = obs[4]
            throttled[pos] = obs[1]
            limit = max(0.01, min(obs[6], local(state, tick, seen, uses, counts, pos, target[tick])))
            limits[tick] = limit
        return 0

    return drive


@njit
def _keep(state, tick, obs, usage, throttled, pos, target):  # type: ignore[no-untyped-def]
    return obs[0]


@njit
def _middle(state, minute, service, app, services, history, pos, cluster):  # type: ignore[no-untyped-def]
    return 0.1


#: For a policy's :meth:`bind`.
DEFAULTS = {"local": _keep, "global_": _middle}


def limits(policy: Any, loop: Any, demand: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The limits that a fresh policy sets, in cores, f8[n]."""
    obs = np.zeros(OBS)
    obs[6] = CORES
    out = np.zeros(len(demand))
    loop(policy.state(CORES, 200.0, 3), demand, target, obs, np.zeros(RING), np.zeros(RING), out)
    return out


def plain_limits(law: Law, demand: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The limits that a law in plain Python sets."""
    limit = CORES
    out = []
    for wanted, theta in zip(demand.tolist(), target.tolist(), strict=True):
        limit = max(0.01, min(CORES, law(min(wanted, limit), float(wanted > limit), theta)))
        out.append(limit)
    return np.array(out)


def make_minutes(
    local: Any, global_: Callable[..., float], view: Callable[[Any], Any], show: Callable[[Any], Any]
) -> Callable[..., int]:
    """Build the loop around a global law."""

    def drive(state: Any, apps: Any, services: Any, history: Any, cluster: Any, targets: Any) -> int:
        """Ask for the targets of minutes with these figures (f8[M, 8]); ``targets`` (f8[M, S]) is filled."""
        state = view(state)
        for minute in range(len(apps)):
            for s in range(len(cluster)):
                targets[minute, s] = global_(
                    state, minute, s, show(apps[minute]), show(services), show(history), 0, show(cluster)
                )
        return 0

    return drive


def targets(policy: Any, loop: Any, slo_ms: float, apps: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The targets that a fresh policy sets, f8[M, S]."""
    n = len(cluster)
    out = np.zeros((len(apps), n))
    loop(policy.state(CORES, slo_ms, n), apps, np.zeros(n * SERVICE), np.zeros(MINUTES * APP), cluster, out)
    return out
