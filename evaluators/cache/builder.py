"""Collects a trace batch by batch while a file is read, and says which record is wrong."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.densify import BytesIndex, IntegerIndex
from evaluators.cache.sampling import chosen, chosen_strings, nothing_left
from evaluators.cache.trace import Sample, Trace


class Builder(Protocol):
    """Makes what a reader puts a file's batches into."""

    def __call__(self, name: str, unit: str, first: int = 1) -> TraceBuilder:
        """See :class:`TraceBuilder`."""


class TraceBuilder:
    """Turns batches of keys, sizes and times into a `Trace`.

    All keys of one trace are of one kind: integers (uint64) or byte strings.

    Args:
        name: The file, as the user gave it; starts every message and names the trace.
        unit: What positions in messages count: `record`, `row` or `line`.
        first: The number of the first request in that unit, for example 2 after a header line.
        rate: Share of the objects that are kept (see `sampling`).

    Attributes:
        n_requests: Requests so far, kept or not.
    """

    def __init__(self, name: str, unit: str, first: int = 1, *, rate: float = 1.0) -> None:
        self._name = name
        self._rate = rate
        self._unit = unit
        self._first = first
        self._integers = IntegerIndex()
        self._strings = BytesIndex()
        self._ids: list[NDArray[np.int32]] = []
        self._sizes: list[NDArray[np.int64]] = []
        self._times: list[NDArray[np.int64]] = []
        self.n_requests = 0

    def add(
        self,
        keys: NDArray[np.uint64] | pa.Array,
        sizes: NDArray[np.int64] | None,
        times: NDArray[np.int64] | None,
    ) -> None:
        """Appends one batch.

        Args:
            keys: uint64 keys [m], or an arrow array of m byte strings without nulls.
            sizes: Bytes [m], or None if sizes are not read.
            times: Timestamps [m], or None if times are not read.

        Raises:
            WorkloadError: A size is below 1, or there are more than 2**31 - 1 objects.
        """
        if sizes is not None and len(sizes) and int(sizes.min()) < 1:
            first = int(np.argmax(sizes < 1))
            raise self.error(first, f"size is {sizes[first]}; sizes must be at least 1 byte")
        n_requests = len(keys)
        try:
            if isinstance(keys, np.ndarray):
                taken = chosen(keys, self._rate) if self._rate < 1 else None
                ids = self._integers.add(keys if taken is None else keys[taken])
            else:
                ids, taken = self._intern(keys)
        except OverflowError as error:
            raise WorkloadError(f"{self._name}: {error}") from None
        if taken is not None:
            sizes = None if sizes is None else sizes[taken]
            times = None if times is None else times[taken]
        self._keep(ids, sizes, times)
        self.n_requests += n_requests

    def _keep(
        self, ids: NDArray[np.int32], sizes: NDArray[np.int64] | None, times: NDArray[np.int64] | None
    ) -> None:
        self._ids.append(ids)
        if sizes is not None:
            self._sizes.append(sizes)
        if times is not None:
            self._times.append(times)

    def _intern(self, keys: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
        """Ids of those byte strings that are taken, and which are (None: all)."""
        # Arrow finds the distinct strings of the batch; only those pass through Python objects. Its
        # dictionary is in order of first appearance, so the ids come out in that order, too.
        encoded = keys.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        indices: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
        if self._rate == 1:
            return self._strings.add(distinct)[indices], None
        wanted = chosen_strings(distinct, self._rate)
        ids = np.full(len(distinct), -1, np.int32)
        ids[wanted] = self._strings.add([key for key, want in zip(distinct, wanted, strict=True) if want])
        taken = wanted[indices]
        return ids[indices[taken]], taken

    def error(self, offset: int, what: str) -> WorkloadError:
        """Returns the error for the item at `offset` of the batch that is about to be added."""
        return WorkloadError(f"{self._name}: {self._unit} {self._first + self.n_requests + offset}: {what}")

    def build(self) -> Trace:
        """Returns the trace.

        Raises:
            WorkloadError: Nothing was added, or nothing of it is kept.
        """
        if self.n_requests == 0:
            raise WorkloadError(f"{self._name}: the file is empty; a trace needs at least one request")
        if self.n_objects == 0:
            raise nothing_left(self._name, self._rate)
        return self._whole()

    @property
    def n_objects(self) -> int:
        """Distinct objects that are kept."""
        return self._integers.n_objects + self._strings.n_objects  # all keys are of one kind

    @property
    def sample(self) -> Sample | None:
        """What the kept requests are a sample of, None if they are all."""
        return Sample(self._rate, self.n_requests) if self._rate < 1 else None

    def _whole(self) -> Trace:
        return Trace(
            self._name,
            _joined(self._ids),
            _joined(self._sizes) if self._sizes else None,
            _joined(self._times) if self._times else None,
            self.sample,
        )


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    return whole
