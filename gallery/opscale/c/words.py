"""Golden control intervals of scaling as words for the test program, and its answers; floats by their bits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

_KINDS = ("replicas", "batch", "share", "pack")


def bits(values: Iterable[float]) -> array[int]:
    """Floats as whole numbers of the same bits."""
    out = array("q")
    out.frombytes(array("d", values).tobytes())
    return out


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    n = case["n_groups"]
    row = array("q", [n, case["steps"]])
    row += bits([case["interval"], case["ttft_slo"], case["tbt_slo"]])
    row += bits(case["prof"])
    for step in range(case["steps"]):
        row += bits([case["t"][step]])
        row += bits(case["glob"][16 * step : 16 * step + 16])
        row += bits(case["obs"][12 * n * step : 12 * n * (step + 1)])
    return row


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    n = case["n_groups"]
    for step in range(case["steps"]):
        for group in range(n):
            for kind in _KINDS:
                have = next(answers)
                want = case[kind][n * step + group] if kind in case else have
                if have != want:
                    return f"{case['name']}, interval {step}: {kind} of group {group} is {have}, in the simulator {want}"
        for pair in range(n * n):
            have = next(answers)
            want = case["affinity"][n * n * step + pair] if "affinity" in case else have
            if have != want:
                return f"{case['name']}, interval {step}: affinity {pair} is {have}, in the simulator {want}"
    return ""
