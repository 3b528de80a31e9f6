"""A bounded memory of ids that are gone."""

from __future__ import annotations

from metamuse.policykit.linked import List


class Ghosts:
    """The most recent ``limit`` ids put in; adding one more drops the oldest.

    For a cache policy an id is a slot. Tell the simulator with ``keeps`` that the slot is still wanted::

        def keeps(self, slot):
            return slot in self.ghosts

    Args:
        n: Number of ids (``n_slots``).
        limit: How many to keep; 0 keeps none.
    """

    def __init__(self, n: int, limit: int) -> None:
        self.limit = int(limit)
        self.order = List(n)

    def __len__(self) -> int:
        return self.order.size

    def __contains__(self, x: int) -> bool:
        return self.contains(x)

    def contains(self, x: int) -> bool:
        """True if ``x`` is remembered."""
        return self.order.contains(x)

    def count(self) -> int:
        """How many are remembered."""
        return self.order.size

    def add(self, x: int) -> int:
        """Remember ``x`` as the newest; returns the id that was dropped for it, or -1."""
        self.order.discard(x)
        if self.limit <= 0:
            return -1
        self.order.push_back(x)
        if self.order.size > self.limit:
            return self.order.pop_front()
        return -1

    def discard(self, x: int) -> bool:
        """Forget ``x``; True if it was remembered."""
        return self.order.discard(x)

    def oldest(self) -> int:
        """The id that would be dropped next, -1 if none."""
        return self.order.front()
