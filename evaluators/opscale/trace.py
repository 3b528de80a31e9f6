"""Request traces: readers of Azure's CSV and Mooncake's JSONL, thickening, time ranges."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from evaluators.base import WorkloadError

#: A date with time, the digits after its dot, its zone.
_PARTS = re.compile(r"(.*?)(?:\.(\d*))?(Z|[+-]\d\d:\d\d)?", re.S)


@dataclass(frozen=True)
class Trace:
    """Requests of a trace.

    Attributes:
        arrivals: float64[n], seconds from the first one, ascending.
        prompts: int64[n], tokens.
        outputs: int64[n], tokens.
    """

    arrivals: np.ndarray
    prompts: np.ndarray
    outputs: np.ndarray

    def part(self, low: float, high: float) -> Trace:
        """Requests of a range of time, given as parts of the whole; times start from 0 again."""
        end = float(self.arrivals[-1])
        keep = (self.arrivals >= low * end) & ((self.arrivals < high * end) | (high >= 1.0))
        return Trace(self.arrivals[keep] - low * end, self.prompts[keep], self.outputs[keep])

    def thickened(self, times: int, jitter: float, rng: np.random.Generator) -> Trace:
        """So many copies of every request, each later by up to ``jitter`` seconds (the first one by none).

        Bursts longer than the jitter stay; those that are shorter are smoothed.
        """
        if times == 1:
            return self
        shifts = jitter * rng.random((times, len(self.arrivals)))
        shifts[0] = 0.0
        arrivals = (self.arrivals + shifts).ravel()
        order = np.argsort(arrivals, kind="stable")
        return Trace(
            arrivals[order], np.tile(self.prompts, times)[order], np.tile(self.outputs, times)[order]
        )


def read_trace(path: str | Path) -> Trace:
    """Read ``TIMESTAMP,ContextTokens,GeneratedTokens`` (CSV, Azure) or Mooncake's JSONL.

    A ``TIMESTAMP`` is a date with time, or seconds. Dates may have zones (``Z``, ``+hh:mm``): all of a file, or none.
    Mooncake's ``timestamp`` is in milliseconds. Requests may stand in any order; those without a prompt or an output count
    as one token.

    Raises:
        WorkloadError: The file cannot be read, or a line is no request.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            rows = _mooncake(path, file) if first.lstrip().startswith("{") else _azure(path, file)
    except OSError as error:
        raise WorkloadError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WorkloadError(f"{path}: is no text file") from None
    if not rows:
        raise WorkloadError(f"{path}: no requests")
    table = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.float64)
    tokens = np.maximum(1, table[:, 1:].astype(np.int64))
    return Trace(table[:, 0] - table[0, 0], tokens[:, 0].copy(), tokens[:, 1].copy())


def _azure(path: str | Path, file: TextIO) -> list[tuple[float, int, int]]:
    reader = csv.DictReader(file)
    wanted = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
    missing = [name for name in wanted if name not in (reader.fieldnames or ())]
    if missing:
        raise WorkloadError(f"{path}: has no column {missing[0]}; a trace has {', '.join(wanted)}")
    rows = []
    zoned: bool | None = None
    for number, row in enumerate(reader, 2):
        try:
            time, has_zone = _seconds(row["TIMESTAMP"])
            rows.append((time, _tokens(row[wanted[1]]), _tokens(row[wanted[2]])))
        except (ValueError, TypeError) as error:
            raise WorkloadError(f"{path}, line {number}: not a request ({error})") from None
        zoned = has_zone if zoned is None else zoned
        if has_zone != zoned:
            # Hours may lie between them, and nothing says how many.
            raise WorkloadError(
                f"{path}, line {number}: its TIMESTAMP has {'a' if has_zone else 'no'} time zone, those before have"
                f" {'none' if has_zone else 'one'}; give all of a file one, or none"
            )
    return rows


def _mooncake(path: str | Path, file: TextIO) -> list[tuple[float, int, int]]:
    rows = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            time = float(row["timestamp"]) / 1000
            rows.append((_finite(time), _tokens(row["input_length"]), _tokens(row["output_length"])))
        except (ValueError, TypeError, KeyError) as error:
            raise WorkloadError(f"{path}, line {number}: not a request ({error})") from None
    return rows


def _seconds(text: str) -> tuple[float, bool]:
    """Seconds, and whether their zone is known."""
    try:
        return _finite(float(text)), False
    except ValueError:
        # Azure writes seven digits of a second, one more than Python reads.
        parts = _PARTS.fullmatch(text)
        assert parts is not None  # it fits any text
        head, digits, zone = parts.groups()
        moment = datetime.fromisoformat(head + (zone or ""))
        start = datetime(1970, 1, 1, tzinfo=UTC if moment.tzinfo else None)
        fraction = float(f"0.{digits}") if digits else 0.0
        return (moment - start).total_seconds() + fraction, moment.tzinfo is not None


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise ValueError(f"time {value}")
    return value


def _tokens(value: object) -> int:
    tokens = int(value)  # type: ignore[call-overload]
    if not 0 <= tokens <= 1 << 20:
        raise ValueError(f"{tokens} tokens")
    return int(tokens)
