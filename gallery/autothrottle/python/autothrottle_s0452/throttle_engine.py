"""The two laws of CPU control around a policy: limits of a service each 100 ms, targets of an application each minute."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from .captain import LEAST_CORES, Captain

#: Periods that a local law sees, and minutes that a global one sees.
RING, MINUTES = 50, 60
#: Numbers of one service at one tick, of one service over one minute, of the application over one minute.
OBS, SERVICE, APP = 8, 7, 8
#: Smaller changes of a limit are none.
LEAST_CHANGE = 1e-5
#: The target where there is no global law, or none that can be heard.
DEFAULT_TARGET = 0.1

_log = logging.getLogger(__name__)


class ServiceLaw:
    """Decides the limit of one service, a control group of its own. Not thread-safe.

    Args:
        policy_class: The class ``Policy`` of the export.
        node_cores: Most cores that a service can have; its limit at the start.
        slo_ms: The objective of the application's latency.
        n_services: How many services the application has.
        strict: Raise what the policy raises instead of falling back to Captain.

    Attributes:
        limit: The limit now, in cores.
        fallback: Why Captain has taken over from the policy, None while it has not.
    """

    def __init__(
        self,
        policy_class: type[Any],
        node_cores: float,
        slo_ms: float,
        n_services: int,
        strict: bool = False,
    ) -> None:
        self.node_cores = float(node_cores)
        self.strict = strict
        self.limit = self.node_cores
        self.fallback: str | None = None
        array = getattr(policy_class, "rt__array", list)
        self._obs: Any = array([0.0] * OBS)
        self._obs[6] = self.node_cores
        self._usage: Any = array([0.0] * RING)
        self._throttled: Any = array([0.0] * RING)
        self._pos = RING - 1
        self._tick = 0
        self._captain = Captain(self.node_cores)
        self._law: Any = None
        if hasattr(policy_class, "local"):
            self._law = made_policy(policy_class, self.node_cores, slo_ms, n_services).local

    def decide(
        self,
        cores: float,
        throttled: float,
        periods: float,
        throttled_ms: float,
        unchanged_ms: float,
        target: float,
        bursts: float = 0.0,
    ) -> float:
        """The limit in cores for the next 100 ms.

        Args:
            cores: CPU time used since the last call, per time.
            throttled: Periods that ended throttled since then.
            periods: Periods in which the service was active.
            throttled_ms: Milliseconds that it was throttled.
            unchanged_ms: Milliseconds since the limit was last changed.
            target: Of the global law, in 0..1.
            bursts: Periods that used more than the quota out of a burst buffer.

        Raises:
            ValueError: A number is not finite: then the limit stands.
        """
        seen = cores, throttled, periods, throttled_ms, unchanged_ms, target, bursts
        if not all(map(math.isfinite, seen)):
            raise ValueError("a number that is shown is not finite")
        self._pos = (self._pos + 1) % RING
        obs = self._obs
        obs[0], obs[1], obs[2], obs[3] = self.limit, float(throttled), float(periods), float(throttled_ms)
        obs[4], obs[5], obs[7] = float(cores), float(unchanged_ms), float(bursts)
        self._usage[self._pos] = obs[4]
        self._throttled[self._pos] = obs[1]
        if self.fallback is None and self._law is not None:
            try:
                wanted = float(
                    self._law(self._tick, obs, self._usage, self._throttled, self._pos, float(target))
                )
                if not math.isfinite(wanted):
                    raise ValueError(f"the policy wants a limit of {wanted}")
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = f"{type(error).__name__}: {error}"
                _log.error("the policy failed, Captain takes over: %s", self.fallback)
                self._captain = Captain(self.node_cores)
        if self.fallback is not None or self._law is None:
            wanted = self._captain.decide(self._tick, obs[1], self._usage, float(target))
        self._tick += 1
        wanted = min(max(wanted, LEAST_CORES), self.node_cores)
        if abs(wanted - self.limit) >= LEAST_CHANGE:
            self.limit = wanted
        return self.limit


class ApplicationLaw:
    """Decides the targets of all services of an application. Not thread-safe.

    Args:
        policy_class: The class ``Policy`` of the export.
        node_cores: Most cores that a service can have.
        slo_ms: The objective of the application's latency.
        cluster: For each service 1 if it is one of the few with most of the usage, else 0.
        strict: Raise what the policy raises instead of falling back to the default target.

    Attributes:
        targets: The targets of all services, each in 0..1.
        fallback: Why the default target has taken over from the policy, None while it has not.
    """

    def __init__(
        self,
        policy_class: type[Any],
        node_cores: float,
        slo_ms: float,
        cluster: Sequence[int],
        strict: bool = False,
    ) -> None:
        array = getattr(policy_class, "rt__array", list)
        n = len(cluster)
        self.strict = strict
        self.targets = [DEFAULT_TARGET] * n
        self.fallback: str | None = None
        self._cluster: Any = array([int(c) for c in cluster])
        self._app: Any = array([0.0] * APP)
        self._services: Any = array([0.0] * (SERVICE * n))
        self._history: Any = array([0.0] * (APP * MINUTES))
        self._minute = 0
        self._law: Any = None
        if hasattr(policy_class, "global_"):
            self._law = made_policy(policy_class, float(node_cores), slo_ms, n).global_

    def decide(self, app: Sequence[float], services: Sequence[float]) -> list[float]:
        """The targets for the next minute; to be called at the start, with zeros, and then every minute.

        Args:
            app: Eight numbers over the last minute: requests a second in its last 10 s, percentiles 50, 90, 95, 99 of
                latency in ms, requests a second, cores allocated, cores used.
            services: Seven numbers for each service over the last minute: mean, deviation and maximum of its usage in
                cores, share of throttled periods, mean limit, milliseconds throttled, changes of the limit.

        Raises:
            ValueError: There are more or fewer numbers, or one is not finite: then the targets stand.
        """
        if len(app) != APP or len(services) != len(self._services):
            raise ValueError(f"app has {APP} numbers, services {SERVICE} for each service")
        if not all(map(math.isfinite, (*app, *services))):
            raise ValueError("a number that is shown is not finite")
        for i, value in enumerate(app):
            self._app[i] = float(value)
        for i, value in enumerate(services):
            self._services[i] = float(value)
        pos = (self._minute - 1) % MINUTES
        if self._minute > 0:
            for i in range(APP):
                self._history[APP * pos + i] = self._app[i]
        if self.fallback is None and self._law is not None:
            try:
                self.targets = [self._target(service, pos) for service in range(len(self.targets))]
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = f"{type(error).__name__}: {error}"
                self.targets = [DEFAULT_TARGET] * len(self.targets)
                _log.error("the policy failed, the target %s takes over: %s", DEFAULT_TARGET, self.fallback)
        self._minute += 1
        return self.targets

    def _target(self, service: int, pos: int) -> float:
        target = float(
            self._law(self._minute, service, self._app, self._services, self._history, pos, self._cluster)
        )
        if not math.isfinite(target):
            raise ValueError(f"the policy wants a target of {target}")
        return min(max(target, 0.0), 1.0)


def made_policy(policy_class: type[Any], node_cores: float, slo_ms: float, n_services: int) -> Any:
    """A policy, its structures that grow with room for all services."""
    policy = policy_class(node_cores, float(slo_ms), n_services)
    for part in vars(policy).values():
        if hasattr(part, "_grow"):
            part._grow(n_services)
    return policy
