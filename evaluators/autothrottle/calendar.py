"""The calendar: a ring of slots, each a list of items in order of time; equal times are in order of insertion."""

from __future__ import annotations

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.compiling import inlined

_SLOTS_MASK = (1 << k.SLOTS_BITS) - 1


@inlined
def schedule(items, heads, i, time):  # type: ignore[no-untyped-def]
    """Put item ``i`` into the calendar."""
    item = items[i]
    item.time = time
    slot = (time >> k.SLOT_BITS) & _SLOTS_MASK
    after = heads[slot]
    if after < 0 or items[after].time > time:
        item.next = after
        heads[slot] = i
        return
    before = after
    after = items[before].next
    while after >= 0 and items[after].time <= time:
        before = after
        after = items[before].next
    item.next = after
    items[before].next = i


@inlined
def unschedule(items, heads, i):  # type: ignore[no-untyped-def]
    """Take item ``i`` out of the calendar. Its slot holds few others, so that nobody need know who is before him."""
    slot = (items[i].time >> k.SLOT_BITS) & _SLOTS_MASK
    before = heads[slot]
    if before == i:
        heads[slot] = items[i].next
        return
    while items[before].next != i:
        before = items[before].next
    items[before].next = items[i].next
