"""Reads trace files, whatever their format.

| name (then `.zst`, `.xz` or `.gz`, except Parquet and numpy) | format |
|---|---|
| `*.bin`, `*.oracleGeneral*`  | libCacheSim oracleGeneral, 24-byte records |
| `*.txt`                      | one object id a line |
| `*.npy`                      | numpy array of integer keys, not compressed |
| `*.csv`, `*.tsv`             | delimited text, with a header row or with columns given by position |
| `*.parquet`, `*.pq`          | Parquet |

Files are read in chunks: beside the trace itself (4 bytes a request, 8 more for sizes) only the key table
(see `densify`) and a few MiB are in memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePath

from evaluators.base import WorkloadError
from evaluators.cache.arrays import read_array
from evaluators.cache.builder import Builder, TraceBuilder
from evaluators.cache.columns import check_columns
from evaluators.cache.oracle import read_oracle_general
from evaluators.cache.tables import read_delimited, read_id_list, read_parquet
from evaluators.cache.trace import Trace
from evaluators.streams import check_file, split_compression


def read_trace(
    path: str | Path,
    *,
    sizes: bool = False,
    columns: Mapping[str, str | int] | None = None,
    times: bool = False,
    build: Builder = TraceBuilder,
) -> Trace:
    """Reads a trace; its name is the path as given.

    Args:
        path: The file; its suffix says the format (see the module).
        sizes: Read object sizes; they must exist. Otherwise they are not even looked at.
        columns: For tables: which column is the `key`, `size` and `time`, by name, or by position from 1 (as
            needed for files without a header). Without it, well-known names are recognised.
        times: Keep timestamps, in the file's own clock.
        build: Makes what the file's batches go into.

    Raises:
        WorkloadError: The file cannot be read as a trace, or changes meanwhile; one sentence with the file and the
            position.
    """
    name = str(path)
    check_file(name)
    before = os.stat(name)
    trace = _read(name, sizes, check_columns(columns), times, build)
    after = os.stat(name)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise WorkloadError(
            f"{name}: changed while it was read (from {before.st_size:,} to {after.st_size:,} bytes); wait until it is "
            "complete, or name a copy"
        )
    return trace


def _read(name: str, sizes: bool, chosen: dict[str, str | int], times: bool, build: Builder) -> Trace:
    bare, compression = split_compression(name)
    suffix = PurePath(bare).suffix.lower()
    binary = suffix == ".bin" or ".oraclegeneral" in PurePath(bare).name.lower()
    table = suffix in (".csv", ".tsv", ".txt") or (suffix in (".parquet", ".pq") and not compression)
    if suffix == ".npy" and not compression:
        _without(name, ".npy", "an array of keys", sizes, times)
        return read_array(name, build)
    if binary and suffix not in (".csv", ".tsv", ".txt", ".parquet", ".pq"):
        return read_oracle_general(name, sizes=sizes, times=times, build=build)
    if not table:
        raise WorkloadError(
            f"{name}: unknown kind of trace; known are .bin and .oracleGeneral (libCacheSim), .txt, .csv and "
            ".tsv, each also with .zst, .xz or .gz, .parquet and .npy"
        )
    if suffix == ".txt":
        _without(name, ".txt", "a list of ids", sizes, times)
        return read_id_list(name, build)
    if suffix in (".parquet", ".pq"):
        return read_parquet(name, sizes=sizes, times=times, columns=chosen, build=build)
    return read_delimited(name, sizes=sizes, times=times, columns=chosen, tabs=suffix == ".tsv", build=build)


def _without(name: str, suffix: str, what: str, sizes: bool, times: bool) -> None:
    if sizes or times:
        raise WorkloadError(f"{name}: a {suffix} trace is {what} and has no {'sizes' if sizes else 'times'}")
