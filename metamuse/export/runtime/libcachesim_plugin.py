"""The policy behind the hooks of libcachesim's ``PluginCache``. libcachesim (GPL-3.0) is yours to install."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcachesim

from metamuse.export.runtime.cache_engine import KEY_SEED, Engine
from metamuse.export.runtime.hashing import hash64


class Hooked(Engine):
    """The books of a cache whose room, hits and evictions libcachesim keeps; this tells it which object goes.

    Sizes are those with which objects were stored. What a policy evicts without need of room (``shed``), for which there is
    no hook, is removed as by the cache's owner.

    Attributes:
        take_out: Removes an object from libcachesim's books.
    """

    incoming: int = -1
    size: int = 0
    known: bool = False
    take_out: Callable[[int], Any]

    def hit(self, data: Any, request: Any) -> None:
        """An object was found."""
        slot = self.slot_of[request.obj_id]
        if self._on_hit is not None:
            self._on_hit(slot, self._hash[slot], self._size[slot], self.now)
        self._early(slot, self._hash[slot], self._size[slot])
        self.now += 1

    def admit(self, data: Any, request: Any) -> bool:
        """An object was missed: whether it may come in."""
        key, size = request.obj_id, request.obj_size
        if size > self.capacity:
            self.now += 1
            return False
        hashed = hash64(key, KEY_SEED)
        self.known = key in self._ghost_of
        self.incoming, self.size = self._slot(key, hashed), size
        if self._admits(self.incoming, hashed, size):
            return True
        self._remember(self.incoming)
        self._early(self.incoming, hashed, size)
        self.incoming = -1
        self.now += 1
        return False

    def evict(self, data: Any, request: Any) -> int:
        """Room is needed: the object that goes."""
        slot = self._lost(self.incoming, self._hash[self.incoming], self.size)
        key: int = self._owner[slot]
        self._evict(slot)
        return key

    def insert(self, data: Any, request: Any) -> None:
        """There is room now; also told of objects that may not come in."""
        if self.incoming < 0:
            return
        if len(self.slot_of) >= self.max_objects:
            raise ValueError(f"more than max_objects={self.max_objects} objects fit; give a larger number")
        slot = self.incoming
        self._store(slot, self.size)
        if self._on_insert is not None:
            self._on_insert(slot, self._hash[slot], self.size, self.now, self.known)
        self._early(slot, self._hash[slot], self.size)
        self.now += 1
        self.incoming = -1

    def _early(self, slot: int, hashed: int, size: int) -> None:
        """Evict what the policy gives up although there is room."""
        tell = self.tell

        def evicted(key: int) -> None:
            tell(key)
            self.take_out(key)

        self.tell = evicted
        try:
            super()._early(slot, hashed, size)
        finally:
            self.tell = tell

    def gone(self, data: Any, key: int) -> None:
        """An object was removed by its owner."""
        if key in self.slot_of:
            self._evict(self.slot_of[key])


def _nothing(*args: Any) -> None:
    """Hooks that have nothing to do."""


def plugin_cache(
    policy_class: type[Any],
    ghosts: float,
    cache_size: int,
    max_objects: int | None = None,
    on_evict: Callable[[int], None] = _nothing,
    **options: Any,
) -> Any:
    """A ``libcachesim.PluginCache`` with the policy.

    Args:
        policy_class: The class ``Policy`` of the export.
        ghosts: Remembered objects, as a multiple of the cached ones.
        cache_size: Room, in bytes (or in objects, with a reader that ignores sizes).
        max_objects: The most objects that fit; by default ``cache_size``. The policy's memory is allotted for them.
        on_evict: Told the id of every object that the policy evicts.
        options: Further arguments of ``PluginCache``, such as ``hashpower`` or ``cache_name``.
    """
    hooked = Hooked(
        policy_class, cache_size, max_objects or cache_size, ghosts, on_evict, smallest=1, strict=True
    )
    admissioner = libcachesim.PluginAdmissioner(
        "policy", lambda *args: hooked, hooked.admit, lambda *args: hooked, _nothing, _nothing
    )
    cache = libcachesim.PluginCache(
        cache_size,
        lambda *args: hooked,
        hooked.hit,
        hooked.insert,
        hooked.evict,
        hooked.gone,
        _nothing,
        admissioner=admissioner,
        **options,
    )
    cache.policy = hooked
    hooked.take_out = cache.remove
    cache.kept = admissioner  # libcachesim holds an address of it only
    return cache
