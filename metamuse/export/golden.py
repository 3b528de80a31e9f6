"""Golden decisions as a file: a line of JSON, then columns of numbers, compressed."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Codes of Python's ``array`` for dtypes of columns.
_CODES = {"uint8": "B", "int32": "i", "int64": "q", "float64": "d"}

_DTYPES = {code: np.dtype(name) for name, code in _CODES.items()}

#: Decisions an export is compared on, at least.
ENOUGH = 100_000
#: Most bytes of a file that is not compressed any more, and of its first line.
_MOST_BYTES, _MOST_HEAD = 2**29, 2**22
#: Most columns, and numbers in a field; longest text of one (the path of a trace may be one).
_MOST, _LONGEST = 10_000, 5_000


class ForgedError(Exception):
    """What came out of the process in which the policy ran is not what that process is asked for."""


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


def unpack(data: bytes) -> list[Case]:
    """The cases of a file that another process wrote: numbers and short texts, and nothing else.

    Raises:
        ForgedError: It is no such file.
    """
    raw = _decompressed(data)
    end = raw.find(b"\n", 0, _MOST_HEAD)
    try:
        described = json.loads(raw[: max(end, 0)])
    except (ValueError, RecursionError):
        raise ForgedError("its golden decisions are not described") from None
    _demand(isinstance(described, list) and len(described) <= _MOST)
    cases, at = [], end + 1
    for fields in described:
        _demand(isinstance(fields, dict) and isinstance(fields.get("columns"), list))
        told = fields.pop("columns")
        _demand(len(told) <= _MOST and len(fields) <= _MOST)
        _demand(all(_is_name(name) and _is_plain(value) for name, value in fields.items()))
        _demand(isinstance(fields.get("name"), str))
        _demand(type(fields.get("decisions")) is int and fields["decisions"] >= 0)
        columns: dict[str, np.ndarray] = {}
        for column in told:
            _demand(isinstance(column, list) and len(column) == 3)
            name, code, length = column
            _demand(_is_name(name) and name not in columns and name not in fields)
            _demand(isinstance(code, str) and code in _DTYPES and type(length) is int and length >= 0)
            dtype = _DTYPES[code]
            _demand(length * dtype.itemsize <= len(raw) - at)
            columns[name] = np.frombuffer(raw, dtype, length, at)
            at += length * dtype.itemsize
        cases.append(Case(fields, columns))
    _demand(at == len(raw))
    return cases


def _decompressed(data: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        raw = reader.decompress(data, _MOST_BYTES)
    except zlib.error:
        raise ForgedError("its golden decisions are not compressed") from None
    _demand(reader.eof and not reader.unused_data)
    return raw


def _demand(good: bool) -> None:
    if not good:
        raise ForgedError("its golden decisions have another form")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 40 and value.isascii() and value.isidentifier()


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST and value.isprintable()
    if isinstance(value, list):
        return len(value) <= _MOST and all(
            isinstance(item, int | float) and _is_plain(item) for item in value
        )
    return isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**63)
