"""Reads traces from delimited text, plain id lists and Parquet through Arrow, batch by batch."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.builder import Builder, TraceBuilder
from evaluators.cache.columns import find_column
from evaluators.cache.densify import float_keys
from evaluators.cache.trace import Trace
from evaluators.streams import open_stream

_BLOCK_BYTES = 1 << 22
_BATCH_ROWS = 1 << 17
_DELIMITERS = ",\t;|"
_LONGEST_HEADER = 1 << 16  # bytes
# Integer keys are the fast path. uint64 is tried on its own because 64-bit hashes overflow int64 and must not
# become floats; whatever is left is compared byte by byte.
_KEY_TYPES = (pa.int64(), pa.uint64(), pa.binary())
_TIME_TYPES = (pa.int64(), pa.float64())


@dataclass(frozen=True)
class _Roles:
    """Names of the columns to read; None if the role is not wanted."""

    key: str
    size: str | None
    time: str | None

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for name in (self.key, self.size, self.time) if name is not None))


def read_id_list(path: str, build: Builder = TraceBuilder) -> Trace:
    """Reads libCacheSim's plain text form: one object id a line, no header; blank lines are skipped."""
    options = pa.csv.ParseOptions(delimiter="\x01", quote_char=False, ignore_empty_lines=True)
    return _read_text(path, options, ["key"], 0, _Roles("key", None, None), ["key"], build)


def read_delimited(
    path: str,
    *,
    sizes: bool,
    times: bool,
    columns: Mapping[str, str | int],
    tabs: bool = False,
    build: Builder = TraceBuilder,
) -> Trace:
    """Reads CSV or TSV text.

    The delimiter is tab for `.tsv`; otherwise the one of `, tab ; |` that is most frequent in the first line.
    The first line is a header unless one of its cells is a number. Keys are integers if all of them are
    (then `007` is the key 7), otherwise strings. Sizes may be written as `4096` or `4096.0`.

    Args:
        path: The file, possibly compressed.
        sizes: Whether to read sizes.
        times: Whether to read times; fractions are floored.
        columns: The user's choice of columns (see `columns.find_column`).
        tabs: The delimiter is a tab.
        build: Makes what the batches go into.

    Raises:
        WorkloadError: A column is missing, or a cell is empty or malformed (with its line).
    """
    with open_stream(path) as stream:
        header = stream.read(_LONGEST_HEADER).decode("utf-8-sig", "replace").split("\n")[0].rstrip("\r")
    if not header.strip():
        raise WorkloadError(f"{path}: line 1 is blank; it must have the column names or the first request")
    delimiter = "\t" if tabs else max(_DELIMITERS, key=header.count)
    cells = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter))]
    names = None if any(_is_number(cell) for cell in cells) else cells
    # Arrow gets unique names of its own: headers may repeat names, and headerless files have none.
    places = {role: find_column(path, role, names, len(cells), columns) for role in _wanted(sizes, times)}
    own_names = [f"c{i}" for i in range(len(cells))]
    roles = _roles(places, own_names)
    shown = names or [str(i + 1) for i in range(len(cells))]
    options = pa.csv.ParseOptions(delimiter=delimiter)
    return _read_text(path, options, own_names, int(names is not None), roles, shown, build)


def _wanted(sizes: bool, times: bool) -> list[str]:
    return ["key", *(["size"] if sizes else []), *(["time"] if times else [])]


def _roles(places: Mapping[str, int], names: list[str]) -> _Roles:
    named = {role: names[place] for role, place in places.items()}
    return _Roles(named["key"], named.get("size"), named.get("time"))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.lower().lstrip("+-") not in ("nan", "inf", "infinity")


def _read_text(
    path: str,
    parse: pa.csv.ParseOptions,
    column_names: list[str],
    header_lines: int,
    roles: _Roles,
    shown: list[str],
    build: Builder,
) -> Trace:
    """Reads text with the first combination of key and time types that fits the whole file."""
    problem: pa.ArrowInvalid | None = None
    for key_type, time_type in itertools.product(_KEY_TYPES, _TIME_TYPES if roles.time else _TIME_TYPES[:1]):
        types = {roles.size: pa.float64(), roles.time: time_type, roles.key: key_type}
        convert = pa.csv.ConvertOptions(
            column_types={name: kind for name, kind in types.items() if name is not None},
            include_columns=roles.names(),
            null_values=[""],
            strings_can_be_null=True,
        )
        read = pa.csv.ReadOptions(
            column_names=column_names,
            skip_rows=header_lines,
            block_size=_BLOCK_BYTES,
            use_threads=False,  # Arrow numbers the rows of its messages only without threads
        )
        builder = build(path, "line", 1 + header_lines)
        try:
            with open_stream(path) as stream:
                for batch in pa.csv.open_csv(stream, read, parse, convert):
                    _add_batch(builder, batch, roles)
        except pa.ArrowInvalid as error:
            problem = error
            continue
        return builder.build()
    raise _text_error(path, str(problem), shown)


def _text_error(path: str, message: str, shown: list[str]) -> WorkloadError:
    """Says what Arrow's message says, in the terms of the file."""
    row = re.search(r"Row #(\d+)", message)
    where = f"{path}: line {row.group(1)}" if row else path
    cell = re.search(r"CSV column #(\d+).*invalid value '(.*)'", message, re.DOTALL)
    if cell:
        name = shown[int(cell.group(1))]
        return WorkloadError(f"{where}: {cell.group(2)!r} in column {name} is not a number")
    counts = re.search(r"Expected (\d+) columns, got (\d+)", message)
    if counts:
        return WorkloadError(f"{where}: it has {counts.group(2)} columns instead of {counts.group(1)}")
    if "Empty CSV file" in message:
        return WorkloadError(f"{path}: the file is empty; a trace needs at least one request")
    return WorkloadError(f"{where}: not valid delimited text ({' '.join(message.split())})")


def read_parquet(
    path: str, *, sizes: bool, times: bool, columns: Mapping[str, str | int], build: Builder = TraceBuilder
) -> Trace:
    """Reads a Parquet file into what `build` makes; only the columns wanted are decoded.

    Keys may be integers, booleans, floats, strings, bytes, dates or timestamps, plain or dictionary encoded.

    Raises:
        WorkloadError: It is not a Parquet file, a column is missing or of the wrong type, a value is null.
    """
    try:
        with pa.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = _wanted(sizes, times)
            places = {role: find_column(path, role, names, len(names), columns) for role in wanted}
            roles = _roles(places, names)
            builder = build(path, "row")
            for batch in file.iter_batches(_BATCH_ROWS, columns=roles.names(), use_threads=False):
                _add_batch(builder, batch, roles)
            return builder.build()
    except (pa.ArrowException, OSError) as error:
        raise WorkloadError(f"{path}: not a readable Parquet file ({' '.join(str(error).split())})") from None


def _add_batch(builder: TraceBuilder, batch: pa.RecordBatch, roles: _Roles) -> None:
    if batch.num_rows == 0:
        return
    for role, name in (("key", roles.key), ("size", roles.size), ("time", roles.time)):
        if name is not None and batch.column(name).null_count:
            missing = batch.column(name).is_null().to_numpy(zero_copy_only=False)
            raise builder.error(int(np.argmax(missing)), f"the {role} is missing")
    sizes = times = None
    if roles.size is not None:
        sizes = _whole_numbers(builder, batch.column(roles.size), "size", exact=True)
    if roles.time is not None:
        times = _whole_numbers(builder, batch.column(roles.time), "time", exact=False)
    builder.add(_keys(builder, batch.column(roles.key)), sizes, times)


def _keys(builder: TraceBuilder, column: pa.Array) -> NDArray[np.uint64] | pa.Array:
    """Returns uint64 keys, or an arrow array of byte strings, that are equal exactly if the cells are."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.binary())
    if pa.types.is_large_string(kind):
        return column.cast(pa.large_binary())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column
    if pa.types.is_floating(kind):
        values = column.to_numpy(zero_copy_only=False)
        if np.isnan(values).any():
            raise builder.error(int(np.argmax(np.isnan(values))), "the key is not a number (NaN)")
        return float_keys(values)
    if pa.types.is_unsigned_integer(kind):
        return column.to_numpy(zero_copy_only=False).astype(np.uint64)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        column = column.cast(pa.int64())
    if not pa.types.is_integer(column.type):
        raise builder.error(0, f"keys of type {kind} are not supported; use integers or strings")
    return column.to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)


def _whole_numbers(builder: TraceBuilder, column: pa.Array, role: str, *, exact: bool) -> NDArray[np.int64]:
    """Returns int64 values of a numeric column; a fraction is an error if `exact`, otherwise floored."""
    kind = column.type
    if pa.types.is_temporal(kind):
        column = pc.cast(column, pa.int64()) if kind.bit_width == 64 else pc.cast(column, pa.int32())
    elif pa.types.is_decimal(kind):
        column = pc.cast(column, pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise builder.error(0, f"the {role} is of type {kind}, not a number")
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        whole = np.floor(values)
        bad = ~(np.abs(values) < 2.0**63) | (exact & (whole != values))
        if bad.any():
            first = int(np.argmax(bad))
            raise builder.error(first, f"{role} is {values[first]}, not a whole number")
        values = whole
    elif values.dtype == np.uint64 and int(values.max()) >= 2**63:
        first = int(np.argmax(values >= np.uint64(2**63)))
        raise builder.error(first, f"{role} is {values[first]}, beyond 64-bit integers")
    result: NDArray[np.int64] = values.astype(np.int64)
    return result
