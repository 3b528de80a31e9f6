"""Scaling of an LLM service around a policy: how many replicas of each group of operators, each control interval."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

#: Groups of a phase: whole-model replicas, QKV, attention, output projection, FFN.
GROUPS = 5
#: Numbers that a policy is shown: in all, of a group, and of a group's profile.
GLOB, OBS, PROF = 16, 12, 12
#: Largest numbers that a decision can be.
MOST_REPLICAS, MOST_BATCH, MOST_KEY, MOST_AFFINITY = 4096, 1 << 20, 1 << 20, 1 << 20
#: Sizes of a replica: eighths of a GPU, or 16, 32, 64 for 2, 4, 8 GPUs.
SHARES = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64)

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What is wanted of a group.

    Attributes:
        replicas: How many replicas.
        batch: Batch cap, prefill tokens or decode sequences; 0 for the usual one.
        share: Size of a replica, one of :data:`SHARES`.
        pack: Equal keys are put together first; -1 for GPUs of its own.
    """

    replicas: int
    batch: int = 0
    share: int = 8
    pack: int = 0


class Scaler:
    """Decides for all groups. Not thread-safe.

    Args:
        policy_class: The class ``Policy`` of the export.
        interval: Seconds of a control interval.
        ttft_slo: Objective for the first token, seconds.
        tbt_slo: Objective between tokens, seconds.
        prof: Profile of each group, twelve numbers a group; five groups a phase.
        strict: Raise what the policy raises instead of falling back.

    Attributes:
        wanted: The decisions that stand, one a group.
        affinity: How gladly a replica of the first group joins a GPU with the second one on it.
        fallback: Why the policy is asked no more, None while it is. Then every group keeps the most replicas that it was
            ever given, and a whole-model group at least one.

    Raises:
        ValueError: The profile is not that of one or two phases.
    """

    def __init__(
        self,
        policy_class: type[Any],
        interval: float,
        ttft_slo: float,
        tbt_slo: float,
        prof: Sequence[float],
        strict: bool = False,
    ) -> None:
        if len(prof) not in (GROUPS * PROF, 2 * GROUPS * PROF):
            raise ValueError(f"a profile has {PROF} numbers for each of {GROUPS} or {2 * GROUPS} groups")
        array = getattr(policy_class, "rt__array", list)
        n = len(prof) // PROF
        self.strict = strict
        self.fallback: str | None = None
        self.wanted = [Wanted(int(g % GROUPS == 0)) for g in range(n)]
        self.affinity = [[0] * n for _ in range(n)]
        self._most = [one.replicas for one in self.wanted]
        self._prof: Any = array([float(x) for x in prof])
        self._glob: Any = array([0.0] * GLOB)
        self._obs: Any = array([0.0] * (OBS * n))
        self.policy = policy_class(n, float(interval), float(ttft_slo), float(tbt_slo))
        self._batch = getattr(self.policy, "batch", lambda group: 0)
        self._share = getattr(self.policy, "share", lambda group: 8)
        self._pack = getattr(self.policy, "pack", lambda group: 0)
        self._near = getattr(self.policy, "affinity", None)

    def decide(self, t: float, glob: Sequence[float], obs: Sequence[float]) -> list[Wanted]:
        """The decisions for the next interval, one a group.

        Args:
            t: Seconds since the start.
            glob: Sixteen numbers, see the README.
            obs: Twelve numbers a group, see the README.

        Raises:
            ValueError: There are more or fewer numbers, or one is not finite: then the decisions stand.
        """
        if len(glob) != GLOB or len(obs) != len(self._obs):
            raise ValueError(f"glob has {GLOB} numbers, obs {OBS} for each group")
        if not all(map(math.isfinite, (t, *glob, *obs))):
            raise ValueError("a number that is shown is not finite")
        for i, value in enumerate(glob):
            self._glob[i] = float(value)
        for i, value in enumerate(obs):
            self._obs[i] = float(value)
        if self.fallback is None:
            try:
                self.policy.control(float(t), self._glob, self._obs, self._prof)
                self.wanted = [self._decided(group) for group in range(len(self.wanted))]
                self._most = [
                    max(most, one.replicas) for most, one in zip(self._most, self.wanted, strict=True)
                ]
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = f"{type(error).__name__}: {error}"
                self.wanted = [
                    one._replace(replicas=most) for one, most in zip(self.wanted, self._most, strict=True)
                ]
                _log.error("the policy failed, replicas are kept at their most so far: %s", self.fallback)
        return self.wanted

    def _decided(self, group: int) -> Wanted:
        replicas = _within("replicas", group, int(self.policy.replicas(group)), 0, MOST_REPLICAS)
        batch = _within("batch", group, int(self._batch(group)), 0, MOST_BATCH)
        share = int(self._share(group))
        if share not in SHARES:
            raise ValueError(f"share({group}) is {share}, it must be one of {SHARES}")
        pack = _within("pack", group, int(self._pack(group)), -1, MOST_KEY)
        if self._near is not None:
            for other in range(len(self.wanted)):
                near = int(self._near(group, other))
                self.affinity[group][other] = _within("affinity", group, near, -MOST_AFFINITY, MOST_AFFINITY)
        return Wanted(replicas, batch, share, pack)


def _within(method: str, group: int, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{method}({group}) is {value}, it must be in {low}..{high}")
    return value
