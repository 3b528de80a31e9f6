"""Reads golden decisions: what the policy decided in the simulator, to compare an export with."""

from __future__ import annotations

import gzip
import json
from array import array
from typing import Any


def read(path: str) -> list[dict[str, Any]]:
    """The cases of a file: each the fields of its description, and its columns as arrays of numbers."""
    with gzip.open(path, "rb") as file:
        cases: list[dict[str, Any]] = json.loads(file.readline())
        for case in cases:
            for name, code, length in case.pop("columns"):
                column = array(code)
                column.frombytes(file.read(length * column.itemsize))
                case[name] = column
    return cases
