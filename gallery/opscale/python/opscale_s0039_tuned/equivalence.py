"""Replays golden control intervals of scaling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_KINDS = ("replicas", "batch", "share", "pack")


def differences(case: dict[str, Any], scaler_of: Callable[..., Any]) -> str:
    """The first difference between a scaler and the golden decisions of a case, "" if there is none."""
    n = case["n_groups"]
    scaler = scaler_of(case["interval"], case["ttft_slo"], case["tbt_slo"], case["prof"])
    for step in range(case["steps"]):
        obs = case["obs"][12 * n * step : 12 * n * (step + 1)]
        wanted = scaler.decide(case["t"][step], case["glob"][16 * step : 16 * step + 16], obs)
        for place, kind in enumerate(_KINDS):
            if kind not in case:
                continue
            got = [one[place] for one in wanted]
            want = list(case[kind][n * step : n * (step + 1)])
            if got != want:
                return f"{case['name']}, interval {step}: {kind} {got}, in the simulator {want}"
        if "affinity" in case:
            near = [x for row in scaler.affinity for x in row]
            if near != list(case["affinity"][n * n * step : n * n * (step + 1)]):
                return f"{case['name']}, interval {step}: affinity {near}"
    return ""


def made(interval, ttft_slo, tbt_slo, prof):
    """A scaler whose errors are raised."""
    from .policy import Policy
    from .scaling_engine import Scaler

    return Scaler(Policy, interval, ttft_slo, tbt_slo, prof, strict=True)
