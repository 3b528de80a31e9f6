"""Packs items into bins as a policy decides."""

from __future__ import annotations

import logging
from typing import Any

#: Whole numbers that a policy is shown are below this, so that its arithmetic is exact.
LARGEST = 2**53

_log = logging.getLogger(__name__)


class Packer:
    """Online bin packing: every item gets its bin at once and for good. Not thread-safe.

    Args:
        policy_class: The class ``Policy`` of the export.
        capacity: Size of a bin.
        strict: Raise what the policy raises instead of falling back to first fit.

    Attributes:
        n_open: How many bins are open.
        fallback: Why first fit has taken over from the policy, None while it has not.

    Raises:
        ValueError: The capacity makes no sense.
    """

    def __init__(self, policy_class: type[Any], capacity: int, strict: bool = False) -> None:
        if not 1 <= capacity < LARGEST:
            raise ValueError("the capacity of a bin must be in 1..2**53")
        self.capacity = capacity
        self.strict = strict
        self.n_open = 0
        self._free: list[int] = []  # as the policy sees it: longer than there are bins, filled up with 0
        self.fallback: str | None = None
        self.policy = policy_class(capacity)
        self._on_packed = getattr(self.policy, "on_packed", None)
        self._growing = [part for part in vars(self.policy).values() if hasattr(part, "_grow")]
        self._make_room(64)

    @property
    def remaining(self) -> list[int]:
        """Free space of the bins, in the order in which they were opened."""
        return self._free[: self.n_open]

    def pack(self, item: int) -> int:
        """The bin that an item goes to; bins are numbered in the order in which they are opened.

        Raises:
            ValueError: The item does not fit into a bin, or is not at least 1.
        """
        if not 1 <= item <= self.capacity:
            raise ValueError(f"an item must be in 1..{self.capacity}, not {item}")
        if self.n_open == len(self._free):
            self._make_room(2 * self.n_open)
        if self.fallback is None:
            try:
                return self._decided(item)
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = f"{type(error).__name__}: {error}"
                _log.error("the packing policy failed, first fit takes over: %s", error)
        return self._put(item, self._first(item))[0]

    def _decided(self, item: int) -> int:
        chosen = self.policy.choose(item, self._free, self.n_open)
        if chosen != -1 and not (0 <= chosen < self.n_open and self._free[chosen] >= item):
            raise ValueError(f"the policy chose the bin {chosen}, which has no room for {item}")
        bin, opened = self._put(item, chosen)
        if self._on_packed is not None:
            try:
                self._on_packed(item, bin, opened)
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = f"{type(error).__name__}: {error}"  # the item is packed already
                _log.error("the packing policy failed, first fit takes over: %s", error)
        return bin

    def _put(self, item: int, chosen: int) -> tuple[int, bool]:
        opened = chosen == -1
        if opened:
            chosen = self.n_open
            self._free[chosen] = self.capacity
            self.n_open += 1
        self._free[chosen] -= item
        return chosen, opened

    def _first(self, item: int) -> int:
        return next((i for i in range(self.n_open) if self._free[i] >= item), -1)

    def _make_room(self, room: int) -> None:
        self._free.extend([0] * (room - len(self._free)))
        for part in self._growing:
            part._grow(room)
