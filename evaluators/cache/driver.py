"""The request loop of the cache simulator: one source, run compiled or interpreted.

The simulator owns what is scored: which object is where, how much room is used, how many requests hit. A
policy sees *slots*, small recycled ids, never the trace's object ids, so what it can remember is bounded and
the numbering reveals nothing of the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from evaluators.cache.store import FAULT, NOW, OK, REMEMBERED, USED

#: Seed of the hash that turns object ids into the keys policies see.
KEY_SEED = 0x51ED


def make_driver(
    on_hit: Callable[..., Any],
    admit: Callable[..., Any],
    victim: Callable[..., Any],
    on_evict: Callable[..., Any],
    on_insert: Callable[..., Any],
    shed: Callable[..., Any],
    keeps: Callable[..., Any],
    on_forget: Callable[..., Any],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
    hash64: Callable[[int, int], int],
    resize: Callable[..., Any],
    miss: Callable[..., Any],
    unlink: Callable[..., Any],
    refuse: Callable[..., Any],
    fresh: Callable[..., int],
    oldest: Callable[..., int],
    rotate: Callable[..., Any],
    forget_oldest: Callable[..., int],
    evict: Callable[..., int],
    is_fault: Callable[..., bool],
) -> Callable[..., int]:
    """Build the loop around a policy's methods (see ``docs/policy-contract.md`` for when each is called).

    The functions after ``hash64`` are those of :mod:`evaluators.cache.store`: compiled once, not with every
    policy.
    """

    sheds = shed not in (_none, _none.py_func)  # known when the loop is compiled: costs nothing if False

    def drive(state: Any, store: Any, start: int, stop: int, warmup: int, capacity: int) -> int:
        """Serve requests ``start..stop-1``.

        Args:
            state: The policy.
            store: The simulator's own arrays (:class:`Store`); updated in place. Its ``ids`` and ``sizes`` begin with
                request ``start``; the state and all else is what the requests before have left.
            warmup: Requests before this number are served but not counted.
            capacity: Room, in units of size.

        Returns:
            0, or the fault that ended the run.
        """
        state = view(state)
        store = view(store)
        ids, sizes, slot_of, size_of = store.ids, store.sizes, store.slot_of, store.size_of
        counters, missed = store.counters, store.missed
        by_bytes = len(sizes) > 0
        by_object = len(missed) > 0
        for now in range(start, stop):
            counters[NOW] = now
            obj = int(ids[now - start])
            size = 1
            if by_bytes:
                size = int(sizes[now - start])
            key = hash64(obj, KEY_SEED)
            place = int(slot_of[obj])
            enters = False
            if place >= 0:
                slot = place
                if by_bytes:
                    resize(store, slot, size, now >= warmup)
                on_hit(state, slot, key, size, now)
                if counters[USED] <= capacity and not sheds:
                    continue
            else:
                miss(store, size, now >= warmup)
                if by_object and now >= warmup:
                    missed[obj] += 1
                if size > capacity:
                    continue
                remembered = place != -1
                if remembered:
                    slot = -2 - place
                    unlink(store, slot)
                else:
                    slot = fresh(store)
                    if slot < 0:
                        # Give up the slot evicted longest ago that the policy does not want to keep; if it
                        # wants to keep all of them, the first of them all the same.
                        for _ in range(counters[REMEMBERED]):
                            if not keeps(state, oldest(store)):
                                break
                            rotate(store)
                        slot = forget_oldest(store)
                        on_forget(state, slot)
                store.owner[slot] = obj
                enters = bool(admit(state, slot, key, size, now))
                if enters:
                    # Not findable as a resident until it is inserted: a policy may not name it as victim.
                    slot_of[obj] = -1
                    counters[USED] += size
                else:
                    refuse(store, slot)
                    if not sheds:
                        continue
            while counters[USED] > capacity:
                if place >= 0 and size > capacity:
                    loser = slot  # a cached object grew beyond the cache
                else:
                    loser = int(victim(state, slot, key, size, now))
                    if is_fault(store, loser, slot):
                        return int(counters[FAULT])
                gone_size = evict(store, loser)
                on_evict(state, loser, hash64(store.owner[loser], KEY_SEED), gone_size, now)
            if enters:
                slot_of[obj] = slot
                if by_bytes:
                    size_of[slot] = size
                on_insert(state, slot, key, size, now, remembered)
            if sheds:
                loser = int(shed(state, slot, key, size, now))
                while loser != -1:
                    if is_fault(store, loser, -1):
                        return int(counters[FAULT])
                    gone_size = evict(store, loser)
                    on_evict(state, loser, hash64(store.owner[loser], KEY_SEED), gone_size, now)
                    loser = int(shed(state, slot, key, size, now))
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
def _none(state, slot, key, size, now):  # type: ignore[no-untyped-def]
    return -1


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
    "shed": _none,
    "keeps": _never,
    "on_forget": _nothing_1,
}
