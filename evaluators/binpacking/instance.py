"""One instance as it stands in a file: decimal numbers, on their way to a stream of whole ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.binpacking import decimals
from evaluators.binpacking.stream import Stream


@dataclass(frozen=True)
class Instance:
    """Number 0 is the capacity, the items follow; see `decimals` for mantissas and shifts.

    Attributes:
        name: What the file calls it.
        mantissas: int64[n + 1].
        shifts: int64[n + 1].
        where: The position of an item (counted from 0) in words.
    """

    name: str
    mantissas: NDArray[np.int64]
    shifts: NDArray[np.int64]
    where: Callable[[int], str]

    def stream(self, name: str) -> Stream:
        """The instance in whole numbers.

        Raises:
            WorkloadError: They do not fit 64 bits, or a size is not above 0 or larger than a bin.
        """
        scale = max(0, int(self.shifts.max()))
        try:
            sizes = decimals.rescale(self.mantissas, self.shifts, scale)
        except OverflowError:
            raise WorkloadError(
                f"{name}: as whole numbers, times 10**{scale}, the sizes do not fit 64 bits"
            ) from None
        capacity, items = int(sizes[0]), sizes[1:]
        if capacity < 1:
            raise WorkloadError(f"{name}: the capacity is {_shown(capacity, scale)}, it must be above 0")
        wrong = (items < 1) | (items > capacity)
        if wrong.any():
            i = int(np.argmax(wrong))
            rule = "it must be above 0" if items[i] < 1 else f"a bin holds {_shown(capacity, scale)}"
            size = _shown(int(items[i]), scale)
            raise WorkloadError(f"{name}: {self.where(i)} has size {size}, but {rule}")
        return Stream(name, items, capacity)


def repeated(names: list[str]) -> str | None:
    """A name that occurs twice, if any."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def quoted(text: str) -> str:
    """A piece of a file for a message, cut to a readable length."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _shown(value: int, scale: int) -> str:
    return f"{Decimal(value).scaleb(-scale):f}"
