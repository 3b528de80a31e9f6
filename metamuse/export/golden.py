"""Golden decisions as a file: a line of JSON, then columns of numbers, compressed."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Codes of Python's ``array`` for dtypes of columns.
_CODES = {"uint8": "B", "int32": "i", "int64": "q", "float64": "d"}

#: Decisions an export is compared on, at least.
ENOUGH = 100_000


@dataclass(frozen=True)
class Case:
    """What a policy decided on one workload.

    Attributes:
        fields: The workload's name and what else describes it (JSON values); ``decisions`` is their number.
        columns: Events and decisions, each a row of uint8, int32, int64 or float64.
    """

    fields: Mapping[str, Any]
    columns: Mapping[str, np.ndarray]

    @property
    def decisions(self) -> int:
        """How many decisions it holds."""
        return int(self.fields["decisions"])


def pack(cases: Sequence[Case]) -> bytes:
    """The file's content; equal cases give equal bytes."""
    described = [
        dict(case.fields)
        | {"columns": [[name, _CODES[c.dtype.name], len(c)] for name, c in case.columns.items()]}
        for case in cases
    ]
    assert sys.byteorder == "little"  # as every machine that this runs on
    raw = json.dumps(described).encode() + b"\n"
    raw += b"".join(np.ascontiguousarray(c).tobytes() for case in cases for c in case.columns.values())
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=9) as file:
        file.write(raw)
    return out.getvalue()
