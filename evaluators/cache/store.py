"""The cache simulator's own books: which object is where, how much room is used, what is remembered.

Everything here is out of a policy's reach. The functions take the arrays of a :class:`Store` (compiled: as
slabs) and are compiled once a process.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import register_jitable

from evaluators.digest import fold

# Places in the counters array.
NOW, USED, MISSES, MISSED_BYTES, ALLOCATED, REMEMBERED, EVICTIONS, FAULT, FAULT_SLOT, REQUESTED_BYTES = range(
    10
)
REFUSED, DIGEST = 10, 11
N_COUNTERS = 12

# Values of counters[FAULT].
OK, NOT_A_SLOT, NOT_CACHED, INCOMING = range(4)


class Store(NamedTuple):
    """The simulator's arrays.

    Attributes:
        ids: int32[n], dense object id of each request.
        sizes: int64[n], size of each request; empty for unit sizes.
        slot_of: int32[n_objects]; -1 unknown, >= 0 slot of a cached object, else -2 - slot of a remembered
            one.
        owner: int32[n_slots], object that a slot belongs to.
        size_of: int64[n_slots], size with which the slot's object is stored; empty for unit sizes.
        after, before: int32[n_slots + 1], circular list of remembered slots, oldest first, with the
            sentinel at n_slots.
        counters: int64[N_COUNTERS], see the constants above.
        missed: int32[n_objects], counted misses of each object; empty if they are not wanted.
    """

    ids: np.ndarray
    sizes: np.ndarray
    slot_of: np.ndarray
    owner: np.ndarray
    size_of: np.ndarray
    after: np.ndarray
    before: np.ndarray
    counters: np.ndarray
    missed: np.ndarray


def make_store(
    ids: np.ndarray, sizes: np.ndarray | None, n_objects: int, n_slots: int, by_object: bool = False
) -> Store:
    """The arrays of an empty cache; ``sizes`` None means unit sizes, ``by_object`` that misses are counted by object."""
    by_bytes = sizes is not None
    return Store(
        ids=ids,
        sizes=sizes if sizes is not None else np.zeros(0, dtype=np.int64),
        slot_of=np.full(n_objects, -1, dtype=np.int32),
        owner=np.zeros(n_slots, dtype=np.int32),
        size_of=np.zeros(n_slots if by_bytes else 0, dtype=np.int64),
        after=np.full(n_slots + 1, n_slots, dtype=np.int32),
        before=np.full(n_slots + 1, n_slots, dtype=np.int32),
        counters=np.zeros(N_COUNTERS, dtype=np.int64),
        missed=np.zeros(n_objects if by_object else 0, dtype=np.int32),
    )


def resize(store: Any, slot: int, size: int, counted: bool) -> None:
    """A hit came with a size: count the bytes, and if the size changed, apply it."""
    counters = store.counters
    if counted:
        counters[REQUESTED_BYTES] += size
    if store.size_of[slot] != size:
        counters[USED] += size - int(store.size_of[slot])
        store.size_of[slot] = size


def miss(store: Any, size: int, counted: bool) -> None:
    """Count a miss."""
    if counted:
        counters = store.counters
        counters[MISSES] += 1
        counters[MISSED_BYTES] += size
        counters[REQUESTED_BYTES] += size


@register_jitable
def unlink(store: Any, slot: int) -> None:
    """Take a slot off the list of remembered ones."""
    after, before = store.after, store.before
    a = after[slot]
    b = before[slot]
    after[b] = a
    before[a] = b
    store.counters[REMEMBERED] -= 1


@register_jitable
def append(store: Any, slot: int) -> None:
    """Remember a slot as the youngest."""
    after, before = store.after, store.before
    end = len(store.owner)
    b = before[end]
    after[b] = slot
    before[slot] = b
    after[slot] = end
    before[end] = slot
    store.counters[REMEMBERED] += 1


def fresh(store: Any) -> int:
    """A slot that was never used, -1 if there is none left."""
    counters = store.counters
    if counters[ALLOCATED] >= len(store.owner):
        return -1
    counters[ALLOCATED] += 1
    return int(counters[ALLOCATED]) - 1


@register_jitable
def oldest(store: Any) -> int:
    """The remembered slot that was evicted longest ago."""
    return int(store.after[len(store.owner)])


def rotate(store: Any) -> None:
    """Make the oldest remembered slot the youngest."""
    slot = oldest(store)
    unlink(store, slot)
    append(store, slot)


def forget_oldest(store: Any) -> int:
    """Take the oldest remembered slot away from its object and return it."""
    slot: int = oldest(store)
    unlink(store, slot)
    store.slot_of[store.owner[slot]] = -1
    return slot


def evict(store: Any, slot: int) -> int:
    """Turn a cached slot into a remembered one; returns the size that becomes free."""
    counters = store.counters
    size = 1
    if len(store.size_of) > 0:
        size = int(store.size_of[slot])
    obj = int(store.owner[slot])
    store.slot_of[obj] = -2 - slot
    append(store, slot)
    counters[EVICTIONS] += 1
    counters[USED] -= size
    _decided(counters, obj)
    return size


def refuse(store: Any, slot: int) -> None:
    """An object is not admitted: its slot becomes a remembered one."""
    obj = int(store.owner[slot])
    store.slot_of[obj] = -2 - slot
    append(store, slot)
    store.counters[REFUSED] += 1
    _decided(store.counters, -1 - obj)


@register_jitable
def _decided(counters: Any, what: int) -> None:
    counters[DIGEST] = fold(int(counters[DIGEST]), what ^ (int(counters[NOW]) << 32))


def is_fault(store: Any, slot: int, incoming: int) -> bool:
    """Whether a policy named a slot it may not evict; puts the fault on record."""
    counters = store.counters
    fault = OK
    if slot < 0 or slot >= counters[ALLOCATED]:
        fault = NOT_A_SLOT
    elif slot == incoming:
        fault = INCOMING
    elif store.slot_of[store.owner[slot]] != slot:
        fault = NOT_CACHED
    if fault != OK:
        counters[FAULT] = fault
        counters[FAULT_SLOT] = slot
    return bool(fault != OK)


#: The functions as Python and as machine code.
INTERPRETED = {
    f.__name__: f
    for f in (resize, miss, unlink, refuse, fresh, oldest, rotate, forget_oldest, evict, is_fault)
}
COMPILED = {name: njit(f, no_cpython_wrapper=True, no_cfunc_wrapper=True) for name, f in INTERPRETED.items()}
