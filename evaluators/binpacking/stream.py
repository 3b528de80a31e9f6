"""One bin packing workload: items in order of arrival, and the size of a bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.base import Decisions, Score, WorkloadError


@dataclass(frozen=True)
class Stream:
    """One workload.

    Args:
        name: The path as given, with ``#instance``, or the generator's name.
        items: int64[n], sizes in order of arrival, each in ``1..capacity``.
        capacity: Size of a bin, at least 1.

    Raises:
        WorkloadError: The items are not int64 or there are none; the capacity is below 1; an item is below 1
            or does not fit into a bin (the message names its position, counted from 0).
    """

    name: str
    items: np.ndarray
    capacity: int

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise WorkloadError(f"{self.name}: the capacity must be at least 1, not {self.capacity}")
        if self.items.dtype != np.int64 or self.items.ndim != 1 or not len(self.items):
            raise WorkloadError(f"{self.name}: the items must be one row of int64 numbers, at least one")
        if int(self.items.min()) < 1 or int(self.items.max()) > self.capacity:
            at = int(np.argmax((self.items < 1) | (self.items > self.capacity)))
            raise WorkloadError(
                f"{self.name}: item {at} has size {self.items[at]}, it must be in 1..{self.capacity}"
            )

    @property
    def lower_bound(self) -> int:
        """L1: the sum of all sizes over the capacity, rounded up; exact also where the sum exceeds 64 bits."""
        high = int((self.items >> 31).sum())
        low = int((self.items & (2**31 - 1)).sum())
        return -(-((high << 31) + low) // self.capacity)

    def score(
        self, bins: int, timing: dict[str, float] | None = None, decisions: Decisions | None = None
    ) -> Score:
        """What a packing into so many bins counts: the excess over L1 in percent, with the counts as details."""
        bound = self.lower_bound
        details = {"items": float(len(self.items)), "bins": float(bins), "lower_bound": float(bound)}
        return Score(self.name, 100.0 * (bins - bound) / bound, details, timing or {}, decisions)
