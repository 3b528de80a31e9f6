"""Frames, swizzling, sampling, the cooling map: the compute-side cache of a server (DEX, section 5)."""

from __future__ import annotations

from evaluators.dex import layout as k
from evaluators.dex.memory import compiled, f1, i1, i2, i3, inlined, lowest_bit, s1, s2
from evaluators.dex.mixing import mix, next_of
from evaluators.dex.network import verb
from evaluators.digest import fold

_TRIES = 8


@inlined
def index_of(levels, server, level, node):  # type: ignore[no-untyped-def]
    """A node's index in its level of the whole tree."""
    return levels[server, level, k.FIRST] + node - levels[server, level, k.BASE]


@compiled
def shared(table, server, level, node):  # type: ignore[no-untyped-def]
    """Whether an inner node's range crosses the border of the server's partition."""
    levels = i3(table, k.LEVELS)
    if level == 0:
        return False
    i = index_of(levels, server, level, node)
    if i == levels[server, level, k.FIRST] and levels[server, level, k.SHARED_LEFT] == 1:
        return True
    return i == levels[server, level, k.LAST] and levels[server, level, k.SHARED_RIGHT] == 1


@compiled
def memory_of(table, server, level, node):  # type: ignore[no-untyped-def]
    """The memory server of a node: a sub-tree rooted at the highest level that may be offloaded lies on one."""
    ints = i1(table, k.INTS)
    levels = i3(table, k.LEVELS)
    if level == 0 and node >= levels[server, 0, k.BASE] + levels[server, 0, k.WIDTH]:
        node = s1(table, k.TWIN)[node]  # a spare leaf lies where the leaf lies that it was split from
    i = index_of(levels, server, level, node)
    for _ in range(level, ints[k.LIMIT]):
        i //= ints[k.FANOUT]
    return int(s1(table, k.PLACES)[i])


@compiled
def child_bit(table, server, level, node):  # type: ignore[no-untyped-def]
    """The bit of a node in its parent's bitmap."""
    ints = i1(table, k.INTS)
    levels = i3(table, k.LEVELS)
    if level == 0 and node >= levels[server, 0, k.BASE] + levels[server, 0, k.WIDTH]:
        return s1(table, k.NEWS)[node]
    return index_of(levels, server, level, node) % ints[k.FANOUT]


@compiled
def parent_of(table, server, level, node):  # type: ignore[no-untyped-def]
    """A node's parent."""
    ints = i1(table, k.INTS)
    levels = i3(table, k.LEVELS)
    if level == 0 and node >= levels[server, 0, k.BASE] + levels[server, 0, k.WIDTH]:
        node = s1(table, k.TWIN)[node]
    i = index_of(levels, server, level, node) // ints[k.FANOUT]
    return levels[server, level + 1, k.BASE] + i - levels[server, level + 1, k.FIRST]


@compiled
def delegated(table, server, frame):  # type: ignore[no-untyped-def]
    """The frame that stands in for a sampled one: the way down along swizzled children to a node without any."""
    frames = s2(table, k.FRAMES)
    swizzled = i1(table, k.SWIZZLED)
    frame_of = s1(table, k.FRAME_OF)
    levels = i3(table, k.LEVELS)
    ints = i1(table, k.INTS)
    while True:
        level = int(frames[frame, k.AT])
        if level == 0:
            return frame
        node = int(frames[frame, k.HOLDS])
        bits = swizzled[node]
        if bits == 0:
            return frame
        start = mix(node) % ints[k.FANOUT]
        later = (bits >> start) << start
        bit = lowest_bit(later if later != 0 else bits)
        if bit < ints[k.FANOUT]:
            i = index_of(levels, server, level, node) * ints[k.FANOUT] + bit
            child = levels[server, level - 1, k.BASE] + i - levels[server, level - 1, k.FIRST]
        else:
            row = levels[server, 1, k.ROW] + node - levels[server, 1, k.BASE]
            child = int(s2(table, k.TWINS)[row, 1 + bit - ints[k.FANOUT]])
        frame = int(frame_of[child])


@compiled
def unlink(table, server, frame):  # type: ignore[no-untyped-def]
    """Take a hot frame's node out of its parent's bitmap."""
    frames = s2(table, k.FRAMES)
    swizzled = i1(table, k.SWIZZLED)
    level = int(frames[frame, k.AT])
    node = int(frames[frame, k.HOLDS])
    parent = parent_of(table, server, level, node)
    swizzled[parent] &= ~(1 << child_bit(table, server, level, node))


@compiled
def link(table, server, frame):  # type: ignore[no-untyped-def]
    """Put a hot frame's node into its parent's bitmap."""
    frames = s2(table, k.FRAMES)
    swizzled = i1(table, k.SWIZZLED)
    level = int(frames[frame, k.AT])
    node = int(frames[frame, k.HOLDS])
    parent = parent_of(table, server, level, node)
    swizzled[parent] |= 1 << child_bit(table, server, level, node)


@compiled
def install(table, server, frame, level, node):  # type: ignore[no-untyped-def]
    """Put a node into an empty frame."""
    ints = i1(table, k.INTS)
    frames = s2(table, k.FRAMES)
    frame_of = s1(table, k.FRAME_OF)
    frames[frame, k.HOLDS] = node
    frames[frame, k.STATE] = k.HOT
    frames[frame, k.WRITTEN] = 0
    frames[frame, k.AT] = level
    frame_of[node] = frame
    if level + 1 < ints[k.HEIGHT]:
        link(table, server, frame)


@compiled
def vacate(table, thread, frame, node):  # type: ignore[no-untyped-def]
    """Evict a cooling frame's node (it is out of the map already); the frame is the thread's."""
    frames = s2(table, k.FRAMES)
    free = s2(table, k.FREE)
    s1(table, k.FRAME_OF)[node] = -1
    frames[frame, k.HOLDS] = -1
    frames[frame, k.STATE] = k.EMPTY
    free[thread, 0] += 1
    free[thread, free[thread, 0]] = frame


@compiled
def bucket_of(table, server, node):  # type: ignore[no-untyped-def]
    """A node's row of the cooling map."""
    ints = i1(table, k.INTS)
    return server * ints[k.BUCKETS] + mix(node) % ints[k.BUCKETS]


@compiled
def rewarm(table, server, frame):  # type: ignore[no-untyped-def]
    """A cooling node is used: back to the hot ones (its second chance)."""
    frames = s2(table, k.FRAMES)
    drop(table, server, frame)
    frames[frame, k.STATE] = k.HOT
    link(table, server, frame)


@compiled
def drop(table, server, frame):  # type: ignore[no-untyped-def]
    """Take a frame out of the cooling map."""
    cooling = s2(table, k.COOLING)
    frames = s2(table, k.FRAMES)
    row = bucket_of(table, server, int(frames[frame, k.HOLDS]))
    n = int(cooling[row, 0])
    place = 1
    while cooling[row, place] != frame:
        place += 1
    for i in range(place, n):
        cooling[row, i] = cooling[row, i + 1]
        cooling[row, k.COOL_NODE + i] = cooling[row, k.COOL_NODE + i + 1]
    cooling[row, 0] = n - 1


@compiled
def cool(table, server, thread, frame, t):  # type: ignore[no-untyped-def]
    """Cool a hot frame; returns the time. A dirty page is written back at once, a full bucket gives up its oldest."""
    ints = i1(table, k.INTS)
    frames = s2(table, k.FRAMES)
    cooling = s2(table, k.COOLING)
    node = int(frames[frame, k.HOLDS])
    level = int(frames[frame, k.AT])
    ints[k.DIGEST] = fold(ints[k.DIGEST], 4 * node + 3)
    if frames[frame, k.WRITTEN] == 1:
        frames[frame, k.WRITTEN] = 0
        t = written(table, server, memory_of(table, server, level, node), t)
        if ints[k.COUNTING] == 1:
            i2(table, k.SERVERS)[server, k.WRITE_BACKS] += 1
    unlink(table, server, frame)
    frames[frame, k.STATE] = k.COOL
    row = bucket_of(table, server, node)
    n = int(cooling[row, 0])
    if n == k.SLOTS:
        vacate(table, thread, int(cooling[row, n]), int(cooling[row, k.COOL_NODE + n]))
        n -= 1
    for i in range(n, 0, -1):
        cooling[row, i + 1] = cooling[row, i]
        cooling[row, k.COOL_NODE + i + 1] = cooling[row, k.COOL_NODE + i]
    cooling[row, 1] = frame
    cooling[row, k.COOL_NODE + 1] = node
    cooling[row, 0] = n + 1
    return t


@compiled
def written(table, server, memory, t):  # type: ignore[no-untyped-def]
    """End of the write of a page."""
    if i1(table, k.INTS)[k.COUNTING] == 1:
        servers = i2(table, k.SERVERS)
        servers[server, k.WRITES] += 1
        servers[server, k.BYTES] += 1024
    return verb(table, server, memory, t, 1024, 0, f1(table, k.FLOATS)[k.READ_US])


@compiled
def fetched(table, server, level, node, t):  # type: ignore[no-untyped-def]
    """End of the read of a page; shared inner nodes are read optimistically: version, page, version."""
    memory = memory_of(table, server, level, node)
    base = f1(table, k.FLOATS)[k.READ_US]
    reads = 1
    read = 1024
    if shared(table, server, level, node):
        t = verb(table, server, memory, t, 0, 16, base)
        t = verb(table, server, memory, t, 0, 16, base)
        reads = 3
        read += 32
    if i1(table, k.INTS)[k.COUNTING] == 1:
        servers = i2(table, k.SERVERS)
        servers[server, k.READS] += reads
        servers[server, k.BYTES] += read
    return verb(table, server, memory, t, 0, 1024, base)


@compiled
def sample(table, server, pinned, t):  # type: ignore[no-untyped-def]
    """Look at random frames; what stands in for them is in SAMPLED, each once. Returns the time."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    frames = s2(table, k.FRAMES)
    sampled = s1(table, k.SAMPLED)
    found = 0
    for _ in range(ints[k.LOOKS]):
        t += floats[k.SAMPLE_US]
        if ints[k.COUNTING] == 1:
            i2(table, k.SERVERS)[server, k.SAMPLES] += 1
        for _ in range(_TRIES):
            frame = server * ints[k.N_FRAMES] + next_of(ints, k.RANDOM) % ints[k.N_FRAMES]
            if frames[frame, k.STATE] != k.HOT:
                continue
            frame = delegated(table, server, frame)
            if frames[frame, k.HOLDS] == pinned or frames[frame, k.AT] + 1 == ints[k.HEIGHT]:
                continue
            new = True
            for i in range(found):
                if sampled[i] == frame:
                    new = False
            if new:
                sampled[found] = frame
                found += 1
                break
    ints[k.FOUND] = found
    return t


@compiled
def cool_lowest(table, server, thread, t):  # type: ignore[no-untyped-def]
    """Cool the two sampled frames with the lowest scores, the first of equal ones; all if nobody scored them."""
    ints = i1(table, k.INTS)
    sampled = s1(table, k.SAMPLED)
    scores = f1(table, k.SCORES)
    for _ in range(min(2, ints[k.FOUND])):
        best = 0
        for i in range(1, ints[k.FOUND]):
            if scores[i] < scores[best]:
                best = i
        t = cool(table, server, thread, int(sampled[best]), t)
        ints[k.FOUND] -= 1
        for i in range(best, ints[k.FOUND]):
            sampled[i] = sampled[i + 1]
            scores[i] = scores[i + 1]
    return t


@compiled
def take(table, server, thread):  # type: ignore[no-untyped-def]
    """A frame from the thread's own, or the oldest of a random bucket or one of those after it; -1 if there is none."""
    ints = i1(table, k.INTS)
    free = s2(table, k.FREE)
    cooling = s2(table, k.COOLING)
    if free[thread, 0] == 0:
        first = next_of(ints, k.RANDOM) % ints[k.BUCKETS]
        for i in range(k.PROBES):
            row = server * ints[k.BUCKETS] + (first + i) % ints[k.BUCKETS]
            n = int(cooling[row, 0])
            if n > 0:
                cooling[row, 0] = n - 1
                vacate(table, thread, int(cooling[row, n]), int(cooling[row, k.COOL_NODE + n]))
                break
    if free[thread, 0] == 0:
        return -1
    free[thread, 0] -= 1
    return int(free[thread, free[thread, 0] + 1])


@compiled
def mean_into(means, thread, place, value):  # type: ignore[no-untyped-def]
    """One more value in a moving average over about the last fifty."""
    means[thread, place] += (value - means[thread, place]) * 0.02
