"""A cache's books around a policy: which key has which slot, how much room is used, what is remembered.

A policy sees slots, small numbers that are recycled, and never a key. The order of calls is that of the simulator in
which the policy was found: hit; else give a slot, ask for admission, evict until there is room, insert; at last early
evictions.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

HIT, STORED, REFUSED, TOO_LARGE = range(4)

#: Whole numbers that a policy is shown are below this, so that its arithmetic is exact.
LARGEST = 2**53

#: Seed of the hash that turns keys into what a policy sees of them.
KEY_SEED = 0x51ED

_log = logging.getLogger(__name__)


class Engine:
    """The books of one cache. Not thread-safe.

    Args:
        policy_class: The class ``Policy`` of the export.
        capacity: Room, in units of size.
        max_objects: Most objects that can be cached at once.
        smallest: A smaller object counts as one of this size, so that not more than ``max_objects`` fit; by default
            the share of one of ``max_objects`` in the capacity.
        ghosts: Remembered objects that are cached no more, as a multiple of ``max_objects``.
        on_evict: Told the key of every object that leaves the cache because of the policy.
        strict: Raise what a policy raises instead of falling back to FIFO.

    Attributes:
        now: Number of requests so far.
        used: Size of all cached objects.
        fallback: Why FIFO has taken over from the policy, None while it has not.

    Raises:
        ValueError: The capacity or the number of objects makes no sense.
    """

    def __init__(
        self,
        policy_class: type[Any],
        capacity: int,
        max_objects: int,
        ghosts: float,
        on_evict: Callable[[Any], None],
        smallest: int | None = None,
        strict: bool = False,
    ) -> None:
        if not 1 <= capacity < LARGEST or not 1 <= max_objects < 2**31:
            raise ValueError("a cache needs a capacity of 1 to 2**53 and room for 1 to 2**31 objects")
        self.capacity = capacity
        self.max_objects = max_objects
        self.smallest = -(-capacity // max_objects) if smallest is None else smallest
        self.n_slots = max_objects + int(max_objects * ghosts) + 1
        self.tell = on_evict
        self.strict = strict
        self.now = 0
        self.used = 0
        self.fallback: str | None = None
        self.slot_of: dict[Hashable, int] = {}
        self._ghost_of: dict[Hashable, int] = {}
        self._remembered: OrderedDict[int, None] = OrderedDict()  # slots, evicted longest ago first
        self._owner: list[Any] = []  # by slot: the key
        self._hash: list[int] = []
        self._size: list[int] = []
        policy = self.policy = policy_class(capacity, self.n_slots)
        self._on_hit = getattr(policy, "on_hit", None)
        self._admit = getattr(policy, "admit", None)
        self._victim = policy.victim
        self._on_evict = getattr(policy, "on_evict", None)
        self._on_insert = getattr(policy, "on_insert", None)
        self._shed = getattr(policy, "shed", None)
        self._keeps = getattr(policy, "keeps", None)
        self._on_forget = getattr(policy, "on_forget", None)

    def request(self, key: Hashable, hashed: int, size: int) -> int:
        """Serve one request: HIT, STORED (a miss), REFUSED (a miss that is not admitted) or TOO_LARGE.

        Args:
            key: Names the object.
            hashed: A hash of it in ``[0, 2**63)``, always the same one.
            size: Its size, at least 1.
        """
        size = max(size, self.smallest)
        slot = self.slot_of.get(key)
        return self._miss(key, hashed, size) if slot is None else self._hit(slot, size)

    def holds(self, key: Hashable) -> bool:
        """Whether an object is cached."""
        return key in self.slot_of

    def resident(self, slot: int) -> bool:
        """Whether a slot belongs to a cached object."""
        return 0 <= slot < len(self._owner) and self.slot_of.get(self._owner[slot]) == slot

    def remove(self, key: Hashable) -> None:
        """Take a cached object out, because its owner wants so.

        Raises:
            KeyError: It is not cached.
        """
        slot = self.slot_of[key]
        try:
            self._evict(slot)
        except Exception as error:
            self._fall_back(error)

    def loser(self) -> Any:
        """The key of the object that the policy gives up next, as if the one stored last had grown and needed room.

        Raises:
            KeyError: Nothing is cached.
        """
        if not self.slot_of:
            raise KeyError("the cache is empty")
        last = next(reversed(self.slot_of.values()))
        slot = last
        if self.fallback is None and len(self.slot_of) > 1:
            try:
                slot = self._victim(last, self._hash[last], self._size[last], self.now)
                if not self.resident(slot):
                    raise ValueError(f"the policy evicts the slot {slot}, which it may not")
            except Exception as error:
                self._fall_back(error)
        if self.fallback is not None:
            slot = next(iter(self.slot_of.values()))
        return self._owner[slot]

    # -- requests

    def _hit(self, slot: int, size: int) -> int:
        hashed = self._hash[slot]
        self.used += size - self._size[slot]
        self._size[slot] = size
        try:
            if self._on_hit is not None and self.fallback is None:
                self._on_hit(slot, hashed, size, self.now)
            while self.used > self.capacity:
                self._evict(slot if size > self.capacity else self._lost(slot, hashed, size))
            self._early(slot, hashed, size)
        except Exception as error:
            self._fall_back(error)
            if size > self.capacity and self.resident(slot):
                self._evict(slot)
            self._make_room(0, slot)
        self.now += 1
        return HIT

    def _miss(self, key: Hashable, hashed: int, size: int) -> int:
        if size > self.capacity:
            self.now += 1
            return TOO_LARGE
        remembered = key in self._ghost_of
        slot = self._slot(key, hashed)
        enters = True
        try:
            enters = self._admits(slot, hashed, size)
            if enters:
                while self.used + size > self.capacity:
                    self._evict(self._lost(slot, hashed, size))
                self._store(slot, size)
                if self._on_insert is not None and self.fallback is None:
                    self._on_insert(slot, hashed, size, self.now, remembered)
            else:
                self._remember(slot)
            self._early(slot, hashed, size)
        except Exception as error:
            self._fall_back(error)
            if enters and self.slot_of.get(key) is None:
                self._make_room(size, -1)
                self._store(slot, size)
        self.now += 1
        return STORED if enters else REFUSED

    def _slot(self, key: Hashable, hashed: int) -> int:
        """A slot for a key that is not cached: its own, a fresh one, or that of what was evicted longest ago."""
        slot = self._ghost_of.pop(key, None)
        if slot is not None:
            del self._remembered[slot]
            return slot
        if len(self._owner) < self.n_slots:
            self._owner.append(key)
            self._hash.append(hashed)
            self._size.append(0)
            return len(self._owner) - 1
        try:
            self._pass_over()
        except Exception as error:
            self._fall_back(error)
        slot, _ = self._remembered.popitem(last=False)
        del self._ghost_of[self._owner[slot]]
        self._owner[slot], self._hash[slot] = key, hashed
        try:
            if self._on_forget is not None and self.fallback is None:
                self._on_forget(slot)
        except Exception as error:
            self._fall_back(error)
        return slot

    def _pass_over(self) -> None:
        """Put the remembered slots that the policy keeps behind the first one that it does not keep."""
        if self._keeps is not None and self.fallback is None:
            for _ in range(len(self._remembered)):
                slot = next(iter(self._remembered))
                if not self._keeps(slot):
                    break
                self._remembered.move_to_end(slot)

    def _admits(self, slot: int, hashed: int, size: int) -> bool:
        if self._admit is None or self.fallback is not None:
            return True
        return bool(self._admit(slot, hashed, size, self.now))

    def _store(self, slot: int, size: int) -> None:
        self.slot_of[self._owner[slot]] = slot
        self._size[slot] = size
        self.used += size

    def _lost(self, slot: int, hashed: int, size: int) -> int:
        """The slot that the policy gives up for the object of a slot."""
        if self.fallback is not None:
            return next(own for own in self.slot_of.values() if own != slot)
        loser = self._victim(slot, hashed, size, self.now)
        if loser == slot or not self.resident(loser):
            raise ValueError(f"the policy evicts the slot {loser}, which it may not")
        return int(loser)

    def _evict(self, slot: int) -> None:
        key, size = self._owner[slot], self._size[slot]
        del self.slot_of[key]
        self.used -= size
        self._remember(slot)
        self.tell(key)
        if self._on_evict is not None and self.fallback is None:
            self._on_evict(slot, self._hash[slot], size, self.now)

    def _remember(self, slot: int) -> None:
        self._ghost_of[self._owner[slot]] = slot
        self._remembered[slot] = None

    def _early(self, slot: int, hashed: int, size: int) -> None:
        """Evict what the policy gives up although there is room."""
        if self._shed is None or self.fallback is not None:
            return
        while (loser := self._shed(slot, hashed, size, self.now)) != -1:
            if not self.resident(loser):
                raise ValueError(f"the policy evicts the slot {loser}, which it may not")
            self._evict(loser)

    # -- when the policy fails

    def _fall_back(self, error: Exception) -> None:
        """From now on evict what was stored first: a cache must not stop for an error of its policy."""
        if self.strict:
            raise error
        if self.fallback is None:
            self.fallback = f"{type(error).__name__}: {error}"
            self.slot_of = OrderedDict(self.slot_of)  # finds its first item in O(1)
            _log.error("the eviction policy failed at request %d, FIFO takes over: %s", self.now, error)

    def _make_room(self, size: int, slot: int) -> None:
        while self.slot_of and self.used + size > self.capacity:
            self._evict(next((own for own in self.slot_of.values() if own != slot), slot))
