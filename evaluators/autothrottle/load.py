"""One workload: an application, its load over time, and the seed of everything random."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.application import Application
from evaluators.base import WorkloadError

#: The services' demands drift: first-order autoregression with this deviation and time constant in seconds (calibrated
#: together with :mod:`evaluators.autothrottle.calibration`).
DRIFT, DRIFT_S = 0.12, 30.0
#: Mean think time of a user, seconds.
THINK_S = 1.0
_THINKS = 4096
#: Requests a second, or users, that a simulation has room for.
MOST = 20_000


@dataclass(frozen=True)
class Load:
    """A load on an application.

    Attributes:
        name: Name of the workload.
        application: What is loaded.
        rps: int64[T]: users (closed loop: each sends a request, waits for the answer, thinks) or requests a second
            (open loop) for each second, already scaled for the application.
        ramp_s: Seconds at the start that are served but not measured.
        settle_s: Further seconds at the start of the measured time in which allocation is not measured.
        seed: Of thinking, demands and drift.
        closed: Whether the loop is closed.
        jitter_ms: The most that a sample of the controllers is late.
        burst: CFS burst, as a multiple of the quota that may be carried over (0: none).

    Raises:
        WorkloadError: The load is empty, negative or beyond :data:`MOST`, or shorter than what is not measured.
    """

    name: str
    application: Application
    rps: np.ndarray
    ramp_s: int
    settle_s: int
    seed: int
    closed: bool = True
    jitter_ms: float = 2.0
    burst: float = 0.0

    def __post_init__(self) -> None:
        if self.rps.ndim != 1 or self.rps.dtype != np.int64 or len(self.rps) <= self.ramp_s + self.settle_s:
            raise WorkloadError(
                f"{self.name}: a load of {len(self.rps)} s is too short, {self.ramp_s + self.settle_s} s are not measured"
            )
        low, high = int(self.rps.min()), int(self.rps.max())
        if low < 0 or high > MOST or high == 0:
            raise WorkloadError(
                f"{self.name}: the load is from {low} to {high} a second, it must be in 0..{MOST}"
            )

    @property
    def seconds(self) -> int:
        """Length, seconds."""
        return len(self.rps)

    @property
    def demand(self) -> float:
        """Cores that the load needs on the average over the measured time if every request is answered at once."""
        return float(self.application.demand.sum() * self.rps[self.ramp_s :].mean())

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits of what is simulated, whatever the policy."""
        said = (
            f"autothrottle-1|{self.application.name}|{self.ramp_s}|{self.settle_s}|{self.seed}"
            f"|{self.closed}|{self.jitter_ms}|{self.burst}|"
        )
        sha = hashlib.sha256(said.encode())
        plan = self.application.plan
        for array in (self.rps, plan.nodes, plan.phases, plan.calls, plan.roots, plan.sweeps):
            sha.update(array.astype("<i8").tobytes())
        return sha.hexdigest()[:16]

    @cached_property
    def drift(self) -> np.ndarray:
        """int64[T, S]: multiples of every service's demand in every second, in 2**-16."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(77,)))
        n = len(self.application.services)
        keep = math.exp(-1.0 / DRIFT_S)
        noise = _normals(rng, (self.seconds, n)) * DRIFT * math.sqrt(1 - keep * keep)
        values = np.empty((self.seconds, n))
        level = _normals(rng, (n,)) * DRIFT
        for t in range(self.seconds):
            level = keep * level + noise[t]
            values[t] = level
        return np.round(65536 * np.clip(1.0 + values, 0.5, 1.5)).astype(np.int64)


def _normals(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Nearly normal numbers from sums of uniform ones (``random`` alone stays the same in all versions of numpy)."""
    return np.asarray(rng.random((*shape, 12)).sum(axis=-1) - 6.0)


def think_table() -> np.ndarray:
    """int64[4097]: quantiles of the exponential distribution of think times, ns; the mean is exact to 0.1 percent."""
    p = np.minimum(np.arange(_THINKS + 1) / _THINKS, 1 - 0.37 / _THINKS)
    return np.array([round(-math.log1p(-x) * THINK_S * k.SECOND) for x in p], dtype=np.int64)
