"""Reads integer keys from numpy's format: the most compact form of a long trace that other programs write."""

from __future__ import annotations

import numpy as np

from evaluators.base import WorkloadError
from evaluators.cache.builder import Builder, TraceBuilder
from evaluators.cache.trace import Trace

_CHUNK_KEYS = 1 << 20


def read_array(path: str, build: Builder = TraceBuilder) -> Trace:
    """Reads a one-dimensional integer array (`numpy.save`), the key of each request.

    Raises:
        WorkloadError: It is not such a file, or is cut off.
    """
    try:
        keys = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        what = "is cut off" if "mmap length" in str(error) else "is not a .npy array of integers"
        raise WorkloadError(f"{path}: {what} ({' '.join(str(error).split())})") from None
    if keys.ndim != 1 or keys.dtype.kind not in "iu":
        raise WorkloadError(
            f"{path}: a trace in .npy is a one-dimensional array of integers, not {keys.ndim}-dimensional of "
            f"{keys.dtype}"
        )
    del keys
    builder = build(path, "entry")
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        (length,), _, kind = read(file)
        while builder.n_requests < length:
            part = np.fromfile(file, kind, min(_CHUNK_KEYS, length - builder.n_requests))
            if not len(part):
                raise WorkloadError(f"{path}: is cut off after {builder.n_requests:,} of {length:,} keys")
            signed = kind.kind == "i"
            builder.add(
                part.astype(np.int64).view(np.uint64) if signed else part.astype(np.uint64), None, None
            )
    return builder.build()
