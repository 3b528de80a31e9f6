"""S1: one service with constant demand under fixed limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from evaluators.autothrottle.application import Application, Service, visit
from evaluators.autothrottle.layout import PERIOD, SAMPLE_AT, SECOND
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import run, scheduled
from problems.claims import Bench, Demand, Measured

#: Cores that the requests need, and threads that serve them at most.
USAGE, THREADS = 0.8, 4
LIMITS = (0.3, 0.45, 0.6, 0.9, 1.5, 2.5, 4.0)
_RPS, _MS = 40, 20.0
_PERIOD_S = 0.1


class _Steady(Load):
    """A load without drift of the demand."""

    @property
    def drift(self) -> np.ndarray:  # type: ignore[override]
        return np.full((self.seconds, 1), 1 << 16, dtype=np.int64)


def rig(seconds: int) -> Load:
    """A service of 4 threads that gets 40 requests of 20 core-ms a second, in an open loop."""
    app = Application(
        name="one-service",
        services=(Service("text", workers=THREADS, variation=0.0),),
        requests=((1.0, visit("text", _MS)),),
        slo_ms=0.001,  # so that unanswered requests of every age are counted
        scale=1.0,
        high=("text",),
    )
    rps = np.full(seconds, _RPS, dtype=np.int64)
    return _Steady("one service", app, rps, 0, 0, seed=1, closed=False, jitter_ms=0.0)


def observe(limit: float, seconds: int) -> dict[str, float]:
    """Run the service under one limit; ``share``: throttled periods; ``excess``, ``lost``: core-s too many, missing."""
    series: dict[str, list[np.ndarray]] = {}
    details = run(scheduled(np.array([[limit]])), rig(seconds), series).details
    # The limit holds from the end of the first sample on.
    used = np.array(series["usage"])[1:, 0]
    throttled = np.array(series["throttled"])[1:, 0]
    sent = details["requests"] * _MS / 1e3
    waiting = details["unanswered"] * _MS / 1e3
    # The last sample is taken before the end.
    consumed = details["usage_cores"] * (seconds - (PERIOD - SAMPLE_AT) / SECOND)
    return {
        "share": float(throttled.mean()),
        "late_share": float(throttled[len(throttled) // 2 :].mean()),
        "excess": max(0.0, float(np.cumsum(used - limit).max()) - limit * _PERIOD_S),
        "invented": max(0.0, consumed - sent),
        "lost": max(0.0, sent - waiting - consumed),
    }


def measure(bench: Bench, seconds: int) -> Measured:
    """Count what is not as the kernel's quota has it."""
    seen = bench.each(observe, [(limit, seconds) for limit in LIMITS])
    shares = [s["share"] for s in seen]
    faults = 0
    for limit, s in zip(LIMITS, seen, strict=True):
        if limit < USAGE:
            faults += s["late_share"] < 1.0
        if limit >= THREADS:
            faults += s["share"] > 0.0
    faults += sum(after > before for before, after in pairwise(shares))
    demands = (
        Demand("core-seconds used beyond limit and one period", max(s["excess"] for s in seen), high=1e-6),
        Demand("core-seconds used that no request asked for", max(s["invented"] for s in seen), high=1e-6),
        Demand(
            "core-seconds of answered requests that were not used", max(s["lost"] for s in seen), high=1e-6
        ),
    )
    figures = {f"throttled at {limit:g} cores": share for limit, share in zip(LIMITS, shares, strict=True)}
    return Measured(float(faults), demands, figures)
