"""Golden minutes and periods of CPU control as words for the test program, and its answers; floats by their bits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any


def bits(values: Iterable[float]) -> array[int]:
    """Floats as whole numbers of the same bits."""
    out = array("q")
    out.frombytes(array("d", values).tobytes())
    return out


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    n, shown = case["n_services"], case["recorded"]
    row = array("q", [n, case["minutes"], case["ticks"], len(shown)])
    row += bits([case["node_cores"], case["slo_ms"]])
    row.extend(case["cluster"])
    for minute in range(case["minutes"]):
        row += bits(case["app"][8 * minute : 8 * minute + 8])
        row += bits(case["services"][7 * n * minute : 7 * n * (minute + 1)])
    names = ("cores", "held", "periods", "held_ms", "unchanged_ms", "bursts")
    for i, service in enumerate(shown):
        row.append(service)
        for tick in range(case["ticks"]):
            row += bits(case[name][tick * len(shown) + i] for name in names)
    return row


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    n, shown = case["n_services"], case["recorded"]
    targets, limits = bits(case["targets"]), bits(case["limits"])
    for minute in range(case["minutes"]):
        for service in range(n):
            if next(answers) != targets[n * minute + service]:
                want = case["targets"][n * minute + service]
                return f"{case['name']}, minute {minute}: another target of service {service}, in the simulator {want!r}"
    for i, service in enumerate(shown):
        for tick in range(case["ticks"]):
            if next(answers) != limits[tick * len(shown) + i]:
                want = case["limits"][tick * len(shown) + i]
                return f"{case['name']}, service {service}, tick {tick}: another limit, in the simulator {want!r}"
    return ""
