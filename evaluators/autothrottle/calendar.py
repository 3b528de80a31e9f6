"""The calendar: a ring of slots, each a list of items in order of time; equal times are in order of insertion."""

from __future__ import annotations

import numpy as np

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.compiling import inlined

_SLOTS_MASK = (1 << k.SLOTS_BITS) - 1


@inlined
def schedule(items, heads, i, time):  # type: ignore[no-untyped-def]
    """Put item ``i`` into the calendar."""
    item = items[i]
    item.time = time
    slot = (time >> k.SLOT_BITS) & _SLOTS_MASK
    before = np.int32(-1)
    after = heads[slot]
    while after >= 0 and items[after].time <= time:
        before = after
        after = items[after].next
    item.next = after
    item.before = before
    if after >= 0:
        items[after].before = i
    if before >= 0:
        items[before].next = i
    else:
        heads[slot] = i


@inlined
def unschedule(items, heads, i):  # type: ignore[no-untyped-def]
    """Take item ``i`` out of the calendar."""
    before = items[i].before
    after = items[i].next
    if after >= 0:
        items[after].before = before
    if before >= 0:
        items[before].next = after
    else:
        heads[(items[i].time >> k.SLOT_BITS) & _SLOTS_MASK] = after
