"""From what a serving system measures to what a policy is shown, and from its decisions to replicas of deployments."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from .scaling_engine import GLOB, GROUPS, OBS, PROF, Scaler

#: Places of what is measured of the whole service. What is not measured is 0.
WHOLE = {
    "rps": 1, "rps_mean": 2, "prompt_mean": 3, "prompt_cv2": 4, "output_mean": 5, "active": 6, "context_mean": 7,
    "ttft_p95": 8, "tbt_p95": 9, "attainment": 10,
}  # fmt: skip
#: Places of what is measured of a deployment.
EACH = {
    "arrivals": 0, "waiting": 1, "waiting_tokens": 2, "oldest_wait": 3, "batch": 4, "busy": 5, "ready": 6, "loading": 7,
    "service": 8, "wait": 9, "latency_share": 10, "kv_used": 11,
}  # fmt: skip
#: Weight of the last interval in the moving average of requests a second, as in the simulator.
_NEW = 0.1

_log = logging.getLogger(__name__)


class Serving:
    """Decides the replicas of all deployments of an LLM service.

    Args:
        policy_class: The class ``Policy`` of the export.
        config: ``interval``, ``ttft_slo``, ``tbt_slo`` (seconds), ``gpus``, ``load_delay`` (seconds), ``past_peak``,
            ``past_p95`` (requests a second), ``prof`` (twelve numbers for each of 5 or 10 groups) and ``deployments``
            (number of the group by name).

    Attributes:
        interval: Seconds between two decisions.
        groups: Number of the group by name of a deployment.
        wanted: Replicas by name of a deployment, empty before the first decision.

    Raises:
        ValueError: The configuration makes no sense.
    """

    def __init__(self, policy_class: type[Any], config: Mapping[str, Any]) -> None:
        try:
            rows = [[float(x) for x in row] for row in config["prof"]]
            self.interval = float(config["interval"])
            self._slo = float(config["ttft_slo"]), float(config["tbt_slo"])
            self._fixed = {
                12: float(config["gpus"]),
                13: float(config["load_delay"]),
                14: float(config["past_peak"]),
                15: float(config["past_p95"]),
            }
            self.groups = {str(name): int(group) for name, group in config["deployments"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"the configuration lacks something: {type(error).__name__} {error}") from None
        if any(len(row) != PROF for row in rows) or len(rows) not in (GROUPS, 2 * GROUPS):
            raise ValueError(f"prof has {GROUPS} or {2 * GROUPS} rows of {PROF} numbers")
        if len(set(self.groups.values())) < len(self.groups) or not all(
            0 <= group < len(rows) for group in self.groups.values()
        ):
            raise ValueError(f"deployments are of groups 0..{len(rows) - 1}, each of its own")
        if not self.interval > 0 or not min(self._slo) > 0:
            raise ValueError("interval and objectives are above 0")
        self._gpus = [row[8] for row in rows]
        self._scaler = Scaler(policy_class, self.interval, *self._slo, [x for row in rows for x in row])
        self._mean: float | None = None
        self._began: float | None = None
        self._lacking: set[int] = set()
        self.wanted: dict[str, int] = {}

    @property
    def fallback(self) -> str | None:
        """Why the policy is asked no more, None while it is."""
        return self._scaler.fallback

    def decide(
        self, now: float, whole: Mapping[str, float], each: Mapping[str, Mapping[str, float]]
    ) -> dict[str, int]:
        """Replicas by name of a deployment.

        Args:
            now: Seconds; the first call is the policy's start.
            whole: What was measured of the whole service, by the names of ``WHOLE``; times are seconds.
            each: What was measured of deployments, by name and by the names of ``EACH``.
        """
        if self._began is None:
            self._began = now
        glob, obs = self.numbers(whole, each)
        decided = self._scaler.decide(now - self._began, glob, obs)
        for group, one in enumerate(decided):
            if one.replicas and group not in self.groups.values() and group not in self._lacking:
                self._lacking.add(group)
                _log.warning(
                    "the policy wants replicas of group %d, for which there is no deployment (said once)",
                    group,
                )
        self.wanted = {name: decided[group].replicas for name, group in self.groups.items()}
        return self.wanted

    def numbers(
        self, whole: Mapping[str, float], each: Mapping[str, Mapping[str, float]]
    ) -> tuple[Sequence[float], Sequence[float]]:
        """What the policy is shown: ``glob`` and ``obs``."""
        glob, obs = [0.0] * GLOB, [0.0] * (OBS * len(self._gpus))
        for name, value in whole.items():
            glob[WHOLE[name]] = float(value)
        if "rps_mean" not in whole:
            rate = glob[1]
            self._mean = rate if self._mean is None else self._mean + _NEW * (rate - self._mean)
            glob[2] = self._mean
        glob[0] = self.interval
        glob[8] /= self._slo[0]
        glob[9] /= self._slo[1]
        if "attainment" not in whole:
            glob[10] = float(glob[8] <= 1.0 and glob[9] <= 1.0)
        for place, number in self._fixed.items():
            glob[place] = number
        for deployment, measured in each.items():
            group = self.groups[deployment]
            for name, value in measured.items():
                obs[OBS * group + EACH[name]] = float(value)
            glob[11] += (obs[OBS * group + 6] + obs[OBS * group + 7]) * self._gpus[group]
        return glob, obs
