"""Reads libCacheSim's binary format `oracleGeneral`.

A file is a sequence of 24-byte little-endian records without header: uint32 time, uint64 object id, uint32
size, int64 next access (ignored here: next accesses are recomputed where a bound needs them).
"""

from __future__ import annotations

import numpy as np

from evaluators.base import WorkloadError
from evaluators.cache.builder import Builder, TraceBuilder
from evaluators.cache.trace import Trace
from evaluators.streams import read_chunks

RECORD = np.dtype([("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
_CHUNK_RECORDS = 1 << 16


def read_oracle_general(path: str, *, sizes: bool, times: bool, build: Builder = TraceBuilder) -> Trace:
    """Reads an oracleGeneral file, compressed or not, into what `build` makes.

    Raises:
        WorkloadError: The last record is cut off, the compression is corrupt, a size is 0, or it is empty.
    """
    builder = build(path, "record")
    for chunk in read_chunks(path, _CHUNK_RECORDS * RECORD.itemsize):
        rest = len(chunk) % RECORD.itemsize
        if rest:
            whole = builder.n_requests + len(chunk) // RECORD.itemsize
            total = builder.n_requests * RECORD.itemsize + len(chunk)
            raise WorkloadError(
                f"{path}: record {whole + 1} at byte {total - rest:,} is cut off: it has {rest} of "
                f"{RECORD.itemsize} bytes (is this an oracleGeneral file?)"
            )
        records = np.frombuffer(chunk, RECORD)
        builder.add(
            records["object"].astype(np.uint64),
            records["size"].astype(np.int64) if sizes else None,
            records["time"].astype(np.int64) if times else None,
        )
    return builder.build()
