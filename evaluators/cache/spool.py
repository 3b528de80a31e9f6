"""Traces larger than memory: dense ids on disk, mapped where they are served.

A trace file is read once, batch by batch, and its dense ids (and sizes) are written to a folder of the spool; from
then on the trace is a mapping of those files, served block by block, and all processes share the pages that the
system keeps of them. In memory are

- while the file is read, the reader's key table (21 to 43 bytes an object, see `densify`);
- while a policy is scored, a block (4 bytes a request, 12 with sizes), 4 bytes an object and the policy's state.

Neither grows with the number of requests. What the spool holds is made again if it is deleted; a folder
`partial-…` is the remnant of a process that was killed while it wrote.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.builder import TraceBuilder
from evaluators.cache.readers import read_trace
from evaluators.cache.trace import BLOCK, Sample, Trace

_FORMAT = 1
_FACTS = "facts.json"


def spooled(
    path: str,
    spool: Path,
    *,
    sizes: bool = False,
    columns: Mapping[str, str | int] | None = None,
    rate: float = 1.0,
) -> Trace:
    """The trace of a file, mapped from the spool; put there first if it is new or has changed.

    Args:
        path: A file that `read_trace` reads.
        spool: The folder; it is made if it does not exist.
        sizes, columns, rate: As for `read_trace`.

    Raises:
        WorkloadError: The file cannot be read as a trace, or the spool cannot be written or is damaged.
    """
    entry = spool / _name(path, sizes, columns, rate)
    if not entry.is_dir():
        _fill(path, entry, sizes, columns, rate)
    return _opened(path, entry)


def _name(path: str, sizes: bool, columns: Mapping[str, str | int] | None, rate: float) -> str:
    """What the folder of a file is called: other content, or another way to read it, is another folder."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise WorkloadError(f"{path}: cannot be read ({error.strerror})") from None
    asked = [
        _FORMAT,
        os.path.abspath(path),
        status.st_size,
        status.st_mtime_ns,
        sizes,
        dict(columns or {}),
        rate,
    ]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    return f"{Path(path).name}-{digest}"


def _fill(path: str, entry: Path, sizes: bool, columns: Mapping[str, str | int] | None, rate: float) -> None:
    spool = entry.parent
    try:
        spool.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="partial-", dir=spool))
        try:
            build = partial(_SpoolBuilder, folder=unfinished, rate=rate)
            read_trace(path, sizes=sizes, columns=columns, build=build)
            if not entry.is_dir():  # another process may have been faster
                unfinished.rename(entry)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        if entry.is_dir():
            return
        raise WorkloadError(f"problem.spool={spool}: cannot be written ({error.strerror or error})") from None


def _opened(path: str, entry: Path) -> Trace:
    try:
        facts = json.loads((entry / _FACTS).read_text(encoding="utf-8"))
        arrays = {
            name: np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in facts["arrays"]
        }
        sample = None if facts["sample"] is None else Sample(**facts["sample"])
        trace = Trace(path, arrays["ids"], arrays.get("sizes"), None, sample, BLOCK)
        if (len(trace), trace.n_objects) != (facts["requests"], facts["objects"]):
            raise ValueError(f"it has {len(trace):,} requests of {facts['requests']:,}")
        return trace
    except (OSError, ValueError, KeyError) as error:
        raise WorkloadError(
            f"{entry}: is damaged ({' '.join(str(error).split())}); delete this folder, and it is made again"
        ) from None


class _SpoolBuilder(TraceBuilder):
    """Writes what it is given to a folder; it is the trace of the last reader that ends without an error."""

    def __init__(self, name: str, unit: str, first: int = 1, *, folder: Path, rate: float) -> None:
        super().__init__(name, unit, first, rate=rate)
        self._folder = folder
        self._columns: dict[str, _Column] = {}

    def _keep(
        self, ids: NDArray[np.int32], sizes: NDArray[np.int64] | None, times: NDArray[np.int64] | None
    ) -> None:
        for name, values in (("ids", ids), ("sizes", sizes)):
            if values is not None:
                if name not in self._columns:
                    self._columns[name] = _Column(self._folder / f"{name}.npy", values.dtype)
                self._columns[name].append(values)

    def _whole(self) -> Trace:
        for column in self._columns.values():
            column.close()
        facts = {
            "requests": self._columns["ids"].length,
            "objects": self.n_objects,
            "arrays": list(self._columns),
            "sample": None if self.sample is None else vars(self.sample),
        }
        (self._folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        return _opened(self._name, self._folder)


class _Column:
    """An array in numpy's format, written from its beginning to its end."""

    def __init__(self, path: Path, kind: np.dtype[Any]) -> None:
        self.length = 0
        self._kind = kind
        self._file: IO[bytes] = path.open("wb")
        self._head()

    def append(self, values: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(values).data)
        self.length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._head()
        self._file.close()

    def _head(self) -> None:
        # numpy leaves room for a longer first dimension, so the header of the whole array fits where this one is.
        head = {
            "descr": np.lib.format.dtype_to_descr(self._kind),
            "fortran_order": False,
            "shape": (self.length,),
        }
        np.lib.format.write_array_header_1_0(self._file, head)
