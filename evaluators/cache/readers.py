"""Reads trace files, whatever their format.

| name (then `.zst`, `.xz` or `.gz`, except Parquet) | format |
|---|---|
| `*.bin`, `*.oracleGeneral*`  | libCacheSim oracleGeneral, 24-byte records |
| `*.txt`                      | one object id a line |
| `*.csv`, `*.tsv`             | delimited text, with a header row or with columns given by position |
| `*.parquet`, `*.pq`          | Parquet |

Files are read in chunks: beside the trace itself (4 bytes a request, 8 more for sizes) only the key table
(see `densify`) and a few MiB are in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

from evaluators.base import WorkloadError
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
) -> Trace:
    """Reads a trace; its name is the path as given.

    Args:
        path: The file; its suffix says the format (see the module).
        sizes: Read object sizes; they must exist. Otherwise they are not even looked at.
        columns: For tables: which column is the `key`, `size` and `time`, by name, or by position from 1 (as
            needed for files without a header). Without it, well-known names are recognised.
        times: Keep timestamps, in the file's own clock.

    Raises:
        WorkloadError: The file cannot be read as a trace; one sentence with the file and the position.
    """
    name = str(path)
    chosen = check_columns(columns)
    bare, compression = split_compression(name)
    suffix = PurePath(bare).suffix.lower()
    binary = suffix == ".bin" or ".oraclegeneral" in PurePath(bare).name.lower()
    table = suffix in (".csv", ".tsv", ".txt") or (suffix in (".parquet", ".pq") and not compression)
    check_file(name)
    if binary and suffix not in (".csv", ".tsv", ".txt", ".parquet", ".pq"):
        return read_oracle_general(name, sizes=sizes, times=times)
    if not table:
        raise WorkloadError(
            f"{name}: unknown kind of trace; known are .bin and .oracleGeneral (libCacheSim), .txt, .csv and "
            ".tsv, each also with .zst, .xz or .gz, and .parquet"
        )
    if suffix == ".txt":
        if sizes or times:
            what = "sizes" if sizes else "times"
            raise WorkloadError(f"{name}: a .txt trace is a list of ids and has no {what}")
        return read_id_list(name)
    if suffix in (".parquet", ".pq"):
        return read_parquet(name, sizes=sizes, times=times, columns=chosen)
    return read_delimited(name, sizes=sizes, times=times, columns=chosen, tabs=suffix == ".tsv")
