"""The request loop of the cache simulator: one source, run compiled or interpreted.

The simulator owns what is scored: which object is where, how much room is used, how many requests hit. A
policy sees *slots*, small recycled ids, never the trace's object ids, so what it can remember is bounded and
the numbering reveals nothing of the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

# Places in the counters array.
NOW, USED, MISSES, MISSED_BYTES, ALLOCATED, RESIDENT, REMEMBERED, EVICTIONS, FAULT, FAULT_SLOT, REQUESTED_BYTES = range(11)
N_COUNTERS = 11

# Values of counters[FAULT].
OK, NOT_A_SLOT, NOT_CACHED, INCOMING = range(4)

#: Seed of the hash that turns object ids into the keys policies see.
KEY_SEED = 0x51ED


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
    """

    ids: np.ndarray
    sizes: np.ndarray
    slot_of: np.ndarray
    owner: np.ndarray
    size_of: np.ndarray
    after: np.ndarray
    before: np.ndarray
    counters: np.ndarray


def make_store(ids: np.ndarray, sizes: np.ndarray | None, n_objects: int, n_slots: int) -> Store:
    """The arrays of an empty cache; ``sizes`` None means unit sizes."""
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
    )


def make_driver(
    on_hit: Callable[..., Any],
    admit: Callable[..., Any],
    victim: Callable[..., Any],
    on_evict: Callable[..., Any],
    on_insert: Callable[..., Any],
    keeps: Callable[..., Any],
    on_forget: Callable[..., Any],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
    hash64: Callable[[int, int], int],
) -> Callable[..., int]:
    """Build the loop around a policy's methods (see ``docs/policy-contract.md`` for when each is called)."""

    def drive(state: Any, store: Any, start: int, stop: int, warmup: int, capacity: int) -> int:
        """Serve requests ``start..stop-1``.

        Args:
            state: The policy.
            store: The simulator's own arrays (:class:`Store`); updated in place.
            warmup: Requests before this number are served but not counted.
            capacity: Room, in units of size.

        Returns:
            0, or the fault that ended the run.
        """
        state = view(state)
        store = view(store)
        ids, sizes = store.ids, store.sizes
        slot_of, owner, size_of = store.slot_of, store.owner, store.size_of
        after, before, counters = store.after, store.before, store.counters
        n_slots = len(owner)
        by_bytes = len(sizes) > 0
        used = counters[USED]
        misses = counters[MISSES]
        missed_bytes = counters[MISSED_BYTES]
        requested_bytes = counters[REQUESTED_BYTES]
        for now in range(start, stop):
            counters[NOW] = now
            obj = int(ids[now])
            size = 1
            if by_bytes:
                size = int(sizes[now])
                if now >= warmup:
                    requested_bytes += size
            key = hash64(obj, KEY_SEED)
            place = int(slot_of[obj])
            if place >= 0:
                slot = place
                if by_bytes and size_of[slot] != size:
                    used += size - int(size_of[slot])
                    size_of[slot] = size
                on_hit(state, slot, key, size, now)
                if used <= capacity:
                    continue
            else:
                if now >= warmup:
                    misses += 1
                    missed_bytes += size
                if size > capacity:
                    continue
                remembered = place != -1
                if remembered:
                    slot = -2 - place
                    a = after[slot]
                    b = before[slot]
                    after[b] = a
                    before[a] = b
                    counters[REMEMBERED] -= 1
                elif counters[ALLOCATED] < n_slots:
                    slot = int(counters[ALLOCATED])
                    counters[ALLOCATED] += 1
                else:
                    # The one evicted longest ago that the policy does not want to keep; if it wants to
                    # keep all of them, the first of them all the same.
                    slot = int(after[n_slots])
                    for _ in range(counters[REMEMBERED]):
                        if not keeps(state, slot):
                            break
                        a = after[slot]
                        after[n_slots] = a
                        before[a] = n_slots
                        b = before[n_slots]
                        after[b] = slot
                        before[slot] = b
                        after[slot] = n_slots
                        before[n_slots] = slot
                        slot = int(after[n_slots])
                    a = after[slot]
                    after[n_slots] = a
                    before[a] = n_slots
                    counters[REMEMBERED] -= 1
                    slot_of[owner[slot]] = -1
                    on_forget(state, slot)
                owner[slot] = obj
                if not admit(state, slot, key, size, now):
                    slot_of[obj] = -2 - slot
                    b = before[n_slots]
                    after[b] = slot
                    before[slot] = b
                    after[slot] = n_slots
                    before[n_slots] = slot
                    counters[REMEMBERED] += 1
                    continue
                # Not findable as a resident until it is inserted: a policy may not name it as victim.
                slot_of[obj] = -1
                used += size
            while used > capacity:
                if place >= 0 and size > capacity:
                    loser = slot  # a cached object grew beyond the cache
                else:
                    loser = int(victim(state, slot, key, size, now))
                    fault = OK
                    if loser < 0 or loser >= counters[ALLOCATED]:
                        fault = NOT_A_SLOT
                    elif loser == slot:
                        fault = INCOMING
                    elif slot_of[owner[loser]] != loser:
                        fault = NOT_CACHED
                    if fault != OK:
                        counters[FAULT] = fault
                        counters[FAULT_SLOT] = loser
                        return fault
                gone = int(owner[loser])
                gone_size = 1
                if by_bytes:
                    gone_size = int(size_of[loser])
                slot_of[gone] = -2 - loser
                b = before[n_slots]
                after[b] = loser
                before[loser] = b
                after[loser] = n_slots
                before[n_slots] = loser
                counters[REMEMBERED] += 1
                counters[RESIDENT] -= 1
                counters[EVICTIONS] += 1
                used -= gone_size
                on_evict(state, loser, hash64(gone, KEY_SEED), gone_size, now)
            if place < 0:
                slot_of[obj] = slot
                if by_bytes:
                    size_of[slot] = size
                counters[RESIDENT] += 1
                on_insert(state, slot, key, size, now, remembered)
        counters[USED] = used
        counters[MISSES] = misses
        counters[MISSED_BYTES] = missed_bytes
        counters[REQUESTED_BYTES] = requested_bytes
        return OK

    return drive


@njit
def _nothing_4(state, slot, key, size, now):  # type: ignore[no-untyped-def]
    return


@njit
def _nothing_5(state, slot, key, size, now, remembered):  # type: ignore[no-untyped-def]
    return


@njit
def _always(state, slot, key, size, now):  # type: ignore[no-untyped-def]
    return True


@njit
def _never(state, slot):  # type: ignore[no-untyped-def]
    return False


@njit
def _nothing_1(state, slot):  # type: ignore[no-untyped-def]
    return


#: What stands for the optional methods that a policy does not define.
DEFAULTS: dict[str, Any] = {
    "on_hit": _nothing_4,
    "admit": _always,
    "on_evict": _nothing_4,
    "on_insert": _nothing_5,
    "keeps": _never,
    "on_forget": _nothing_1,
}
