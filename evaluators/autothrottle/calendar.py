"""The calendar: a ring of slots, each a list of items in order of time; equal times are in order of insertion."""

from __future__ import annotations

import numpy as np

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.compiling import inlined

_SLOTS_MASK = (1 << k.SLOTS_BITS) - 1


@inlined
def schedule(items, heads, i, time):  # type: ignore[no-untyped-def]
    """Put item ``i`` into the calendar."""
    items[i, k.TIME] = time
    slot = (time >> k.SLOT_BITS) & _SLOTS_MASK
    before = np.int64(-1)
    after = np.int64(heads[slot])
    while after >= 0 and items[after, k.TIME] <= time:
        before = after
        after = items[after, k.NEXT]
    items[i, k.NEXT] = after
    items[i, k.BEFORE] = before
    if after >= 0:
        items[after, k.BEFORE] = i
    if before >= 0:
        items[before, k.NEXT] = i
    else:
        heads[slot] = i


@inlined
def unschedule(items, heads, i):  # type: ignore[no-untyped-def]
    """Take item ``i`` out of the calendar."""
    before = items[i, k.BEFORE]
    after = items[i, k.NEXT]
    if after >= 0:
        items[after, k.BEFORE] = before
    if before >= 0:
        items[before, k.NEXT] = after
    else:
        heads[(items[i, k.TIME] >> k.SLOT_BITS) & _SLOTS_MASK] = after
