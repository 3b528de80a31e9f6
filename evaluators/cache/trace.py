"""A cache trace: dense object ids, and optionally sizes and timestamps, in memory or mapped from files.

Cost in memory: 4 bytes a request for the ids, 8 more each if sizes or times are kept; while a file of unknown
length is read, twice that for a moment. The reader's key table (see `densify`) is freed once the trace is built.
A mapped trace (see `spool`) is passed through block by block, and its pages are given back after each.
"""

from __future__ import annotations

import hashlib
import mmap
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
BLOCK = 1 << 22  # requests of a mapped trace that are in memory at a time


@njit(cache=True)
def _count_dense(ids, count):  # type: ignore[no-untyped-def]
    """Returns (distinct ids, -1), or (count so far, index of the first id that is not dense).

    `count` is how many distinct ids came before.
    """
    for i in range(ids.shape[0]):
        object_id = ids[i]
        if object_id == count:
            count += 1
        elif object_id < 0 or object_id > count:
            return count, i
    return count, -1


@njit(cache=True)
def _first_size_sum(ids, sizes, count):  # type: ignore[no-untyped-def]
    """(Distinct ids, sum over the new ones of the size at the first request); ids are dense by first appearance.

    `count` is how many distinct ids came before.
    """
    total = 0
    for i in range(ids.shape[0]):
        if ids[i] == count:
            count += 1
            total += sizes[i]
    return count, total


@dataclass(frozen=True)
class Sample:
    """What a trace is a sample of (see `sampling`).

    Attributes:
        rate: Probability with which each object was taken.
        requests: Requests of the whole trace.
    """

    rate: float
    requests: int


@dataclass(frozen=True)
class Block:
    """Consecutive requests.

    Attributes:
        start, stop: Their numbers.
        ids: Objects [stop - start].
        sizes: Bytes [stop - start], or None.
    """

    start: int
    stop: int
    ids: NDArray[np.integer[Any]]
    sizes: NDArray[np.int64] | None


@dataclass(frozen=True, eq=False)
class Trace:
    """One workload of a cache. The arrays are read-only views.

    Attributes:
        name: The path as the user gave it (with `#instance` where a file holds several), or the generator's
            name.
        ids: Object of each request, int32 or int64 [n]: dense, 0-based, in order of first appearance.
        sizes: Bytes of each request, int64 [n], at least 1; None if every object counts 1.
        times: Timestamp of each request in the file's own clock, int64 [n], or None.
        sample: If it is a sample of a longer trace, of which.
        block: Requests that are served at a time; None: all at once.
        n_objects: Distinct objects (derived).

    Raises:
        WorkloadError: The trace is empty, the ids are not dense, lengths differ, or a size is below 1.
    """

    name: str
    ids: NDArray[np.integer[Any]]
    sizes: NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None
    sample: Sample | None = None
    block: int | None = None
    n_objects: int = field(init=False)

    def __post_init__(self) -> None:
        if self.ids.ndim != 1 or self.ids.dtype not in (np.dtype(np.int32), np.dtype(np.int64)):
            raise WorkloadError(f"{self.name}: ids must be a one-dimensional int32 or int64 array")
        n_requests = self.ids.shape[0]
        if n_requests == 0:
            raise WorkloadError(f"{self.name}: the trace has no requests")
        for label in ("sizes", "times"):
            array = getattr(self, label)
            if array is not None and (array.dtype != np.int64 or array.shape != (n_requests,)):
                raise WorkloadError(f"{self.name}: {label} must be an int64 array of {n_requests} values")
        for label in ("ids", "sizes", "times"):
            array = getattr(self, label)
            if array is not None:
                view = np.ascontiguousarray(array).view()
                view.flags.writeable = False
                object.__setattr__(self, label, view)
        object.__setattr__(self, "n_objects", self._checked())

    def _checked(self) -> int:
        """The number of objects, once every request has been looked at."""
        count = 0
        for block in self.blocks():
            count, bad = _count_dense(block.ids, count)
            if bad >= 0:
                raise WorkloadError(
                    f"{self.name}: request {block.start + bad + 1}: id {block.ids[bad]} is not dense in order of "
                    f"first appearance (the next new id is {count})"
                )
            if block.sizes is not None and int(block.sizes.min()) < 1:
                bad = int(np.argmax(block.sizes < 1))
                raise WorkloadError(
                    f"{self.name}: request {block.start + bad + 1}: size is {block.sizes[bad]}; sizes must be at "
                    "least 1"
                )
        return int(count)

    def blocks(self, stop: int | None = None) -> Iterator[Block]:
        """All requests (or those before `stop`) in order, `block` at a time; what is behind leaves memory if mapped."""
        end = len(self) if stop is None else min(stop, len(self))
        step = self.block or max(1, end)
        for start in range(0, end, step):
            upto = min(start + step, end)
            sizes = None if self.sizes is None else self.sizes[start:upto]
            yield Block(start, upto, self.ids[start:upto], sizes)
            self._release(start, upto)

    def _release(self, start: int, stop: int) -> None:
        """Give the pages of requests back that are mapped from a file; they are read again when needed."""
        for array in (self.ids, self.sizes, self.times):
            mapping = None if array is None else _mapping(array)
            if array is not None and mapping is not None:
                # The data begin behind the file's header. Pages that are shared with neighbours are just read again.
                header = len(mapping) - array.nbytes
                first = (header + start * array.itemsize) // mmap.PAGESIZE * mmap.PAGESIZE
                mapping.madvise(mmap.MADV_DONTNEED, first, header + stop * array.itemsize - first)

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
        if self.sizes is None:
            return self.n_objects
        count = total = 0
        for block in self.blocks():
            count, new = _first_size_sum(block.ids, block.sizes, count)
            total += int(new)
        return total

    @cached_property
    def smallest(self) -> int:
        """The smallest size; 1 without sizes."""
        return min(1 if block.sizes is None else int(block.sizes.min()) for block in self.blocks())

    @property
    def expected(self) -> float:
        """How many requests a sample of the same rate has on average; of a whole trace all that there are."""
        return float(len(self)) if self.sample is None else self.sample.rate * self.sample.requests

    def capacity(self, spec: Capacity | str | int | float, mode: SizeMode = "unit") -> int:
        """Returns the cache capacity for this trace: objects in mode `unit`, bytes in mode `bytes`.

        Args:
            spec: A parsed capacity or what `parse_capacity` reads. A share is one of the distinct objects
                (`unit`) or of the footprint (`bytes`), floored, at least 1. A number is that of the whole trace:
                for a sample it is multiplied by the rate.
            mode: Whether sizes count.

        Raises:
            CapacityError: The capacity is malformed or does not fit the mode, or the trace has no sizes.
        """
        if mode == "bytes" and self.sizes is None:
            raise CapacityError(f"{self.name}: a capacity in bytes needs a trace with sizes")
        parsed = spec if isinstance(spec, Capacity) else parse_capacity(spec)
        rate = 1.0 if self.sample is None else self.sample.rate
        return parsed.resolve(mode, n_objects=self.n_objects, footprint=self.footprint, rate=rate)

    def digest(self) -> str:
        """Returns 16 hex digits of the SHA-256 of the content (not the name), the same on every machine."""
        sha = hashlib.sha256(b"cache-trace-1")
        for label, array in (("ids", self.ids), ("sizes", self.sizes), ("times", self.times)):
            if array is not None:
                sha.update(f"|{label}:{array.shape[0]}|".encode())
                for start in range(0, array.shape[0], _HASH_CHUNK):
                    sha.update(array[start : start + _HASH_CHUNK].astype("<i8").tobytes())
                    self._release(start, min(start + _HASH_CHUNK, len(self)))
        return sha.hexdigest()[:16]


def _mapping(array: NDArray[Any]) -> mmap.mmap | None:
    """The file mapping that an array is a view of, if it is one."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
