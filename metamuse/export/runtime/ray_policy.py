"""An application-level autoscaling policy of Ray Serve: one deployment a group of operators."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from metamuse.export.runtime.observing import EACH, WHOLE, Serving

#: How what replicas report is put together for their deployment: these are added up, these the largest counts, of all
#: others the mean.
_SUMS = frozenset(["rps", "active", "arrivals", "waiting", "waiting_tokens"])
_MOSTS = frozenset(["ttft_p95", "tbt_p95", "oldest_wait"])

_log = logging.getLogger("ray.serve")


class ApplicationPolicy:
    """What Ray Serve calls: contexts of all deployments in, wanted replicas of all out.

    Serve asks several times a second; the policy decides once an interval, and in between its decision stands. Deployments
    that the configuration does not name are left as they are.

    Args:
        policy_class: The class ``Policy`` of the export.
        config: Path of ``scaling.json``, or what it holds.
        clock: Seconds that never go back.

    Raises:
        ValueError: The configuration makes no sense.
        OSError: There is no such file.
    """

    def __init__(
        self,
        policy_class: type[Any],
        config: str | Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        given = json.loads(Path(config).read_text(encoding="utf-8")) if isinstance(config, str) else config
        self.serving = Serving(policy_class, given)
        self._clock = clock
        self._due: float | None = None

    def __call__(self, contexts: Mapping[Any, Any]) -> tuple[dict[Any, int], dict[Any, dict[str, Any]]]:
        """Wanted replicas by deployment, and no state of Serve's."""
        ours = {c.deployment_name: c for c in contexts.values() if c.deployment_name in self.serving.groups}
        now = self._clock()
        if self._due is None or now >= self._due:
            self._due = now + self.serving.interval
            try:
                self.serving.decide(now, *measured(ours))
            except Exception as error:  # whatever Serve's contexts hold: its loop must go on
                _log.error("what the policy is shown cannot be measured, its decisions stand: %s", error)
        decided = {
            key: self.serving.wanted[context.deployment_name]
            for key, context in contexts.items()
            if context.deployment_name in self.serving.wanted
        }
        return decided, {}


def measured(contexts: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """What Serve's contexts, by name of the deployment, and the replicas' own numbers say.

    A replica reports numbers of its own by a method ``record_autoscaling_stats`` that returns them by the names of
    ``WHOLE`` and ``EACH``. Without any there are replicas, waiting and running requests.
    """
    whole: dict[str, list[float]] = {}
    each: dict[str, dict[str, float]] = {}
    active = 0.0
    for name, context in contexts.items():
        ready = float(context.current_num_replicas)
        waiting = float(context.total_queued_requests or 0.0)
        running = max(0.0, float(context.total_num_requests or 0.0) - waiting)
        own = {
            "ready": ready,
            "loading": max(0.0, float(context.target_num_replicas) - ready),
            "waiting": waiting,
        }
        room = getattr(context.config, "target_ongoing_requests", 0.0) or 0.0
        if ready > 0 and room > 0:
            own["busy"] = min(1.0, running / (ready * room))
        active += running
        for metric, by_replica in (context.aggregated_metrics or {}).items():
            values = [float(value) for value in by_replica.values()]
            if not values:
                continue
            if metric in EACH:
                own[metric] = _together(metric, values)
            elif metric in WHOLE:
                whole.setdefault(metric, []).append(_together(metric, values))
        each[name] = own
    # Numbers about the whole service that several deployments report: the largest counts.
    return {"active": active, **{metric: max(values) for metric, values in whole.items()}}, each


def _together(metric: str, values: list[float]) -> float:
    if metric in _SUMS:
        return sum(values)
    return max(values) if metric in _MOSTS else sum(values) / len(values)
