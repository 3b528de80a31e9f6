"""What the kernel has the processor load before it comes to it.

The arrays of a tree of the full size are far larger than the processor's caches; without this the kernel waits for memory
most of the time. Streams and draws are known in advance, and nothing here changes anything.
"""

from __future__ import annotations

from evaluators.dex import layout as k
from evaluators.dex.cache import bucket_of, parent_of
from evaluators.dex.memory import compiled, f3, i1, i3, prefetch, s1, s2, u1
from evaluators.dex.mixing import mix
from evaluators.dex.walk import node_at, uses_words, word_place


@compiled
def look_ahead(table, server, soon, later):  # type: ignore[no-untyped-def]
    """What the server's next operation and the one after it look at first; of leaves that were split, the lower half."""
    frame_of = s1(table, k.FRAME_OF)
    levels = i3(table, k.LEVELS)
    base = levels[server, 0, k.BASE]
    prefetch(frame_of, base + later)
    prefetch(frame_of, node_at(table, server, later, 1))
    if len(s1(table, k.TWIN)) > 1:
        prefetch(s1(table, k.TWIN), base + later)
    node = base + soon
    frame = frame_of[node]
    if frame >= 0:
        prefetch(s2(table, k.FRAMES), int(frame))
        return
    parent = node_at(table, server, soon, 1)
    prefetch(i1(table, k.SWIZZLED), parent)
    prefetch(f3(table, k.LOCKS), server * k.LOCK_PLACES + (parent & (k.LOCK_PLACES - 1)))
    if uses_words(table):
        prefetch(u1(table, k.WORDS), word_place(table, server, node))
        prefetch(u1(table, k.WORDS), word_place(table, server, parent))
    frame = frame_of[parent]
    if frame >= 0:
        prefetch(s2(table, k.FRAMES), int(frame))


@compiled
def look_beside(table):  # type: ignore[no-untyped-def]
    """The frame of a scan's next leaf."""
    ints = i1(table, k.INTS)
    levels = i3(table, k.LEVELS)
    server = ints[k.SERVER]
    if ints[k.LEFT] > 0 and ints[k.LEAF] + 1 < levels[server, 0, k.WIDTH]:
        frame = s1(table, k.FRAME_OF)[levels[server, 0, k.BASE] + ints[k.LEAF] + 1]
        if frame >= 0:
            prefetch(s2(table, k.FRAMES), int(frame))


@compiled
def drawn(table, server, i):  # type: ignore[no-untyped-def]
    """The frame that the i-th next draw names, without drawing it."""
    ints = i1(table, k.INTS)
    return server * ints[k.N_FRAMES] + mix(ints[k.RANDOM] + i) % ints[k.N_FRAMES]


@compiled
def look_at_drawn(table, server):  # type: ignore[no-untyped-def]
    """The frames that a round of sampling would look at first."""
    prefetch(s2(table, k.FRAMES), drawn(table, server, 1))
    prefetch(s2(table, k.FRAMES), drawn(table, server, 2))


@compiled
def look_below_drawn(table, server):  # type: ignore[no-untyped-def]
    """The next step after :func:`look_at_drawn`: what cooling those frames, or standing in for them, would touch."""
    frames = s2(table, k.FRAMES)
    swizzled = i1(table, k.SWIZZLED)
    for i in range(1, 3):
        frame = drawn(table, server, i)
        if frames[frame, k.STATE] == k.HOT:
            node = int(frames[frame, k.HOLDS])
            if frames[frame, k.AT] > 0:
                prefetch(swizzled, node)
            else:
                prefetch(swizzled, parent_of(table, server, 0, node))
                prefetch(s2(table, k.COOLING), bucket_of(table, server, node))
