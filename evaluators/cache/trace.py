"""A cache trace in memory: dense object ids, and optionally sizes and timestamps.

Cost: 4 bytes a request for the ids, 8 more each if sizes or times are kept; while a file of unknown length
is read, twice that for a moment. The reader's key table (see `densify`) is freed once the trace is built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.capacity import Capacity, CapacityError, SizeMode, parse_capacity
from evaluators.cache.densify import IntegerIndex

_HASH_CHUNK = 1 << 20  # requests converted and hashed at a time


@njit(cache=True)
def _count_dense(ids):  # type: ignore[no-untyped-def]
    """Returns (number of distinct ids, -1), or (count so far, index of the first id that is not dense)."""
    count = 0
    for i in range(ids.shape[0]):
        object_id = ids[i]
        if object_id == count:
            count += 1
        elif object_id < 0 or object_id > count:
            return count, i
    return count, -1


@njit(cache=True)
def _first_size_sum(ids, sizes):  # type: ignore[no-untyped-def]
    """Sum over objects of the size at the object's first request; ids are dense by first appearance."""
    count = 0
    total = 0
    for i in range(ids.shape[0]):
        if ids[i] == count:
            count += 1
            total += sizes[i]
    return total


@dataclass(frozen=True, eq=False)
class Trace:
    """One workload of a cache. The arrays are read-only views.

    Attributes:
        name: The path as the user gave it (with `#instance` where a file holds several), or the generator's
            name.
        ids: Object of each request, int32 or int64 [n]: dense, 0-based, in order of first appearance.
        sizes: Bytes of each request, int64 [n], at least 1; None if every object counts 1.
        times: Timestamp of each request in the file's own clock, int64 [n], or None.
        n_objects: Distinct objects (derived).

    Raises:
        WorkloadError: The trace is empty, the ids are not dense, lengths differ, or a size is below 1.
    """

    name: str
    ids: NDArray[np.integer[Any]]
    sizes: NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None
    n_objects: int = field(init=False)

    def __post_init__(self) -> None:
        if self.ids.ndim != 1 or self.ids.dtype not in (np.dtype(np.int32), np.dtype(np.int64)):
            raise WorkloadError(f"{self.name}: ids must be a one-dimensional int32 or int64 array")
        n_requests = self.ids.shape[0]
        if n_requests == 0:
            raise WorkloadError(f"{self.name}: the trace has no requests")
        n_objects, bad = _count_dense(self.ids)
        if bad >= 0:
            raise WorkloadError(
                f"{self.name}: request {bad + 1}: id {self.ids[bad]} is not dense in order of first "
                f"appearance (the next new id is {n_objects})"
            )
        for label in ("sizes", "times"):
            array = getattr(self, label)
            if array is not None and (array.dtype != np.int64 or array.shape != (n_requests,)):
                raise WorkloadError(f"{self.name}: {label} must be an int64 array of {n_requests} values")
        if self.sizes is not None and int(self.sizes.min()) < 1:
            bad = int(np.argmax(self.sizes < 1))
            raise WorkloadError(
                f"{self.name}: request {bad + 1}: size is {self.sizes[bad]}; sizes must be at least 1"
            )
        object.__setattr__(self, "n_objects", int(n_objects))
        for label in ("ids", "sizes", "times"):
            array = getattr(self, label)
            if array is not None:
                view = np.ascontiguousarray(array).view()
                view.flags.writeable = False
                object.__setattr__(self, label, view)

    @classmethod
    def from_keys(
        cls, name: str, keys: NDArray[np.integer[Any]], sizes: NDArray[np.int64] | None = None
    ) -> Trace:
        """Builds a trace from integer object keys [n] of any range."""
        return cls(name, IntegerIndex().add(np.asarray(keys).astype(np.uint64)), sizes)

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    @cached_property
    def footprint(self) -> int:
        """Bytes of all objects, each with the size of its first request; without sizes, the object count."""
        return self.n_objects if self.sizes is None else int(_first_size_sum(self.ids, self.sizes))

    def capacity(self, spec: Capacity | str | int | float, mode: SizeMode = "unit") -> int:
        """Returns the cache capacity for this trace: objects in mode `unit`, bytes in mode `bytes`.

        Args:
            spec: A parsed capacity or what `parse_capacity` reads. A share is one of the distinct objects
                (`unit`) or of the footprint (`bytes`), floored, at least 1.
            mode: Whether sizes count.

        Raises:
            CapacityError: The capacity is malformed or does not fit the mode, or the trace has no sizes.
        """
        if mode == "bytes" and self.sizes is None:
            raise CapacityError(f"{self.name}: a capacity in bytes needs a trace with sizes")
        parsed = spec if isinstance(spec, Capacity) else parse_capacity(spec)
        return parsed.resolve(mode, n_objects=self.n_objects, footprint=self.footprint)

    def digest(self) -> str:
        """Returns 16 hex digits of the SHA-256 of the content (not the name), the same on every machine."""
        sha = hashlib.sha256(b"cache-trace-1")
        for label, array in (("ids", self.ids), ("sizes", self.sizes), ("times", self.times)):
            if array is not None:
                sha.update(f"|{label}:{array.shape[0]}|".encode())
                for chunk in _chunks(array):
                    sha.update(chunk.astype("<i8").tobytes())
        return sha.hexdigest()[:16]


def _chunks(array: NDArray[np.integer[Any]]) -> Iterator[NDArray[np.integer[Any]]]:
    for start in range(0, array.shape[0], _HASH_CHUNK):
        yield array[start : start + _HASH_CHUNK]
