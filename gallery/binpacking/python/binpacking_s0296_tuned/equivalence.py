"""Replays golden items of bin packing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def differences(case: dict[str, Any], packer_of: Callable[[int], Any]) -> str:
    """The first difference between a packer and the golden decisions of a case, "" if there is none."""
    packer = packer_of(case["capacity"])
    for i, item in enumerate(case["items"]):
        bin = packer.pack(item)
        if bin != case["bins"][i]:
            return (
                f"{case['name']}, item {i} (size {item}): bin {bin}, in the simulator bin {case['bins'][i]}"
            )
    return ""


def made(capacity):
    """A packer whose errors are raised."""
    from .packer import Packer
    from .policy import Policy

    return Packer(Policy, capacity, strict=True)
