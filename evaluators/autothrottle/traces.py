"""Reads a trace of requests a second: one whole number a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evaluators.autothrottle.load import MOST
from evaluators.base import WorkloadError
from evaluators.streams import check_file, read_chunks

_CHUNK = 1 << 20
#: Longest trace, seconds: a week.
LONGEST = 7 * 86_400


def read_trace(path: str | Path) -> np.ndarray:
    """int64[T]: the requests a second of every second; blank lines at the end are left out.

    Raises:
        WorkloadError: The file cannot be read, holds nothing or too much, or a line is no number in 0..MOST.
    """
    name = str(path)
    check_file(name)
    lines = b"".join(read_chunks(name, _CHUNK)).rstrip().split(b"\n")
    if lines == [b""]:
        raise WorkloadError(f"{name}: the file is empty")
    if len(lines) > LONGEST:
        raise WorkloadError(f"{name}: {len(lines):,} lines are more than {LONGEST:,} seconds")
    values = np.zeros(len(lines), dtype=np.int64)
    for i, line in enumerate(lines):
        text = line.strip()
        if not text.isdigit() or len(text) > 9 or int(text) > MOST:
            said = text[:20].decode("utf-8", "replace")
            raise WorkloadError(f"{name}: line {i + 1:,} is {said!r}, it must be a whole number in 0..{MOST}")
        values[i] = int(text)
    return values
