"""Golden items of bin packing as words for the test program, and its answers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    row = array("q", [case["decisions"], case["capacity"], case["bins_used"]])
    row.extend(case["items"])
    return row


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    for now, want in enumerate(case["bins"]):
        have = next(answers)
        if have != want:
            return f"{case['name']}, event {now}: {have}, in the simulator {want}"
    return ""
