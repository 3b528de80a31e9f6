"""Golden requests of a cache as words for the test program, and its answers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    row = array("q", [case["decisions"], case["capacity"], case["max_objects"]])
    sizes = case.get("sizes") or [1] * case["decisions"]
    for key, size in zip(case["ids"], sizes, strict=True):
        row.extend((key, size))
    return row


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    at = 0
    for now in range(case["decisions"]):
        outcome = next(answers)
        have = (min(outcome, 1) if outcome != 2 else 2, [next(answers) for _ in range(next(answers))])
        gone = []
        while at < len(case["evicted"]) and case["evicted_at"][at] == now:
            gone.append(case["evicted"][at])
            at += 1
        want = (case["outcome"][now], gone)
        if have != want:
            return f"{case['name']}, event {now}: {have}, in the simulator {want}"
    return ""
