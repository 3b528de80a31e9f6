"""Finds trace files and reads them, whatever their format.

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

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from evaluators.base import WorkloadError
from evaluators.cache.columns import check_columns
from evaluators.cache.oracle import read_oracle_general
from evaluators.cache.streams import check_file, split_compression
from evaluators.cache.tables import read_delimited, read_id_list, read_parquet
from evaluators.cache.trace import Trace


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


def expand_paths(patterns: str | Sequence[str], base: Path | None = None) -> list[str]:
    """Returns the files that paths, globs (`**` included) and comma lists of them name.

    Args:
        patterns: One text or several. A text that names an existing file is that file, even if it has a
            comma or a bracket in it. `~` is expanded.
        base: Folder that relative patterns start from; results then start with it. Default: the working
            folder, and results stay as given.

    Returns:
        Sorted paths without duplicates. Folders that a glob happens to match are left out.

    Raises:
        WorkloadError: A pattern matches no file, or is empty.
    """
    texts = [patterns] if isinstance(patterns, str) else list(patterns)
    found: dict[str, str] = {}
    if not texts:
        raise WorkloadError("no trace files are given")
    for text in texts:
        parts = [text] if _is_file(_rooted(text, base)) else [part.strip() for part in text.split(",")]
        for part in parts:
            if not part:
                raise WorkloadError(f"the list of traces {text!r} has an empty entry")
            for path in _matches(part, base):
                found.setdefault(os.path.abspath(path), path)
    return sorted(found.values())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long comma list is no file name
        return False


def _rooted(text: str, base: Path | None) -> Path:
    path = Path(text).expanduser()
    return path if base is None else base / path


def _matches(pattern: str, base: Path | None) -> list[str]:
    rooted = _rooted(pattern, base)
    # Path() normalises "./x"; a plain path is handed back exactly as the user gave it.
    literal = pattern if base is None and not pattern.startswith("~") else str(rooted)
    if _is_file(rooted):
        return [literal]
    if rooted.is_dir():
        raise WorkloadError(f"{literal}: is a directory; name its files, for example {literal.rstrip('/')}/*")
    hits = [hit for hit in glob.glob(literal, recursive=True) if os.path.isfile(hit)]
    if not hits:
        where = f" (from {base or Path.cwd()})" if not Path(pattern).expanduser().is_absolute() else ""
        raise WorkloadError(f"{pattern}: no file matches{where}")
    return hits
