"""Collects a trace batch by batch while a file is read, and says which record is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.densify import BytesIndex, IntegerIndex
from evaluators.cache.trace import Trace


class TraceBuilder:
    """Turns batches of keys, sizes and times into a `Trace`.

    All keys of one trace are of one kind: integers (uint64) or byte strings.

    Args:
        name: The file, as the user gave it; starts every message and names the trace.
        unit: What positions in messages count: `record`, `row` or `line`.
        first: The number of the first request in that unit, for example 2 after a header line.
    """

    def __init__(self, name: str, unit: str, first: int = 1) -> None:
        self._name = name
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
        try:
            self._ids.append(self._integers.add(keys) if isinstance(keys, np.ndarray) else self._intern(keys))
        except OverflowError as error:
            raise WorkloadError(f"{self._name}: {error}") from None
        if sizes is not None:
            self._sizes.append(sizes)
        if times is not None:
            self._times.append(times)
        self.n_requests += len(keys)

    def _intern(self, keys: pa.Array) -> NDArray[np.int32]:
        # Arrow finds the distinct strings of the batch; only those pass through Python objects. Its
        # dictionary is in order of first appearance, so the ids come out in that order, too.
        encoded = keys.dictionary_encode()
        ids = self._strings.add(encoded.dictionary.to_pylist())
        indices: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
        return ids[indices]

    def error(self, offset: int, what: str) -> WorkloadError:
        """Returns the error for the item at `offset` of the batch that is about to be added."""
        return WorkloadError(f"{self._name}: {self._unit} {self._first + self.n_requests + offset}: {what}")

    def build(self) -> Trace:
        """Returns the trace.

        Raises:
            WorkloadError: Nothing was added.
        """
        if self.n_requests == 0:
            raise WorkloadError(f"{self._name}: the file is empty; a trace needs at least one request")
        return Trace(
            self._name,
            _joined(self._ids),
            _joined(self._sizes) if self._sizes else None,
            _joined(self._times) if self._times else None,
        )


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    return whole
