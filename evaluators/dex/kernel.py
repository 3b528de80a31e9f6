"""The event loop: runs operations up to the next question to the policy. Compiled once, knows no policy.

A candidate's driver calls it by pointer, answers what it asks and calls it again; where the running operation stands is in
the arrays in between.
"""

from __future__ import annotations

import functools
from typing import Any

from numba import types

from evaluators.dex import layout as k
from evaluators.dex.ahead import look_ahead, look_at_drawn, look_below_drawn, look_beside
from evaluators.dex.cache import (
    cool_lowest,
    drop,
    fetched,
    install,
    mean_into,
    memory_of,
    rewarm,
    sample,
    shared,
    take,
    vacate,
    written,
)
from evaluators.dex.caching import cached
from evaluators.dex.heap import pop, push
from evaluators.dex.memory import b1, compiled, f1, f2, i1, i2, i3, ones, prefetch, s1, s2, u1
from evaluators.dex.mixing import mix
from evaluators.dex.network import call, hold, lock
from evaluators.dex.walk import leaf_of, node_at, word_of, word_place
from evaluators.digest import fold

SIGNATURE = types.int64(types.int64[:, ::1])
#: Rounds of sampling after which a policy that names no victim fails.
_MOST_ROUNDS = 1 << 16


@compiled
def start(table):  # type: ignore[no-untyped-def]
    """The next operation, of the thread that is free first; False if there is none."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    servers = i2(table, k.SERVERS)
    heap = s1(table, k.HEAP)
    clocks = f1(table, k.CLOCKS)
    while ints[k.SEATED] > 0:
        thread = int(pop(heap, clocks, ints[k.SEATED]))
        ints[k.SEATED] -= 1
        server = thread // ints[k.PER_SERVER]
        op = servers[server, k.NEXT]
        if op == ints[k.OPS]:
            continue
        servers[server, k.NEXT] = op + 1
        at = server * (ints[k.OPS] + ints[k.FILLING]) + ints[k.FILLING] + op
        ints[k.THREAD] = thread
        ints[k.SERVER] = server
        ints[k.OP] = op
        ints[k.KIND] = b1(table, k.OPERATIONS)[at]
        ints[k.LEAF] = s1(table, k.STREAM)[at]
        ints[k.LEFT] = ints[k.SCAN_LEAVES] - 1 if ints[k.KIND] == k.SCAN else 0
        ints[k.COUNTING] = 1 if op >= ints[k.WARM] else 0
        if op == ints[k.WARM]:
            f2(table, k.TIMES)[server, k.STARTED] = clocks[thread]
        floats[k.BEGAN] = clocks[thread]
        floats[k.T] = clocks[thread] + floats[k.LOCAL]
        if op + 2 < ints[k.OPS]:
            look_ahead(table, server, int(s1(table, k.STREAM)[at + 1]), int(s1(table, k.STREAM)[at + 2]))
        look_beside(table)
        return True
    return False


@compiled
def descend(table):  # type: ignore[no-untyped-def]
    """Walk to the first node that is not cached; True if the leaf is reached. NODE, LEVEL and PARENT say where."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    frame_of = s1(table, k.FRAME_OF)
    frames = s2(table, k.FRAMES)
    server = ints[k.SERVER]
    level = 0
    node = leaf_of(table, server, ints[k.LEAF], ints[k.OP])
    below = node
    # A hot node's parent is hot: the way up ends at the first hot node, the way down begins there.
    while True:
        frame = frame_of[node]
        if frame >= 0 and frames[frame, k.STATE] == k.HOT:
            break
        below = node
        level += 1
        node = node_at(table, server, ints[k.LEAF], level)
    while level > 0:
        frame = frame_of[below]
        if frame < 0:
            ints[k.NODE] = below
            ints[k.LEVEL] = level - 1
            ints[k.PARENT] = node
            return False
        rewarm(table, server, int(frame))
        floats[k.T] += floats[k.WARMING]
        level -= 1
        node = below
        if level > 1:
            below = node_at(table, server, ints[k.LEAF], level - 1)
        elif level == 1:
            below = leaf_of(table, server, ints[k.LEAF], ints[k.OP])
    ints[k.NODE] = node
    ints[k.LEVEL] = 0
    return True


@compiled
def ask(table, node):  # type: ignore[no-untyped-def]
    """Prepare a question about a node: its word, and the time."""
    ints = i1(table, k.INTS)
    ints[k.WORD] = word_of(table, ints[k.SERVER], node)
    ints[k.NOW] = int(f1(table, k.FLOATS)[k.T])


@compiled
def keep_word(table, node):  # type: ignore[no-untyped-def]
    """Store the word that the policy gave back; a change costs."""
    ints = i1(table, k.INTS)
    words = u1(table, k.WORDS)
    floats = f1(table, k.FLOATS)
    place = word_place(table, ints[k.SERVER], node)
    floats[k.T] += k.CALL_US
    word = ints[k.WORD] & 0xFFFFFFFF
    if words[place] != word:
        words[place] = word
        floats[k.T] += k.WORD_US


@compiled
def describe(table):  # type: ignore[no-untyped-def]
    """What a policy is told at a miss."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    servers = i2(table, k.SERVERS)
    threads = f2(table, k.THREADS)
    free = s2(table, k.FREE)
    features = f1(table, k.FEATURES)
    server = ints[k.SERVER]
    thread = ints[k.THREAD]
    features[0] = floats[k.T]
    for i in range(k.THREAD_SIZE):
        features[1 + i] = threads[thread, i]
    features[7] = ones(i1(table, k.SWIZZLED)[ints[k.PARENT]])
    features[8] = word_of(table, server, ints[k.PARENT])
    features[9] = free[thread, 0]
    features[10] = ints[k.N_FRAMES]
    features[11] = ints[k.HEIGHT]
    features[12] = ints[k.FANOUT]
    features[13] = ints[k.LIMIT]
    features[14] = ints[k.CPUS]
    features[15] = ints[k.PER_SERVER]
    ints[k.FULL] = 1 if servers[server, k.UNTOUCHED] == 0 else 0
    look_at_drawn(table, server)
    may = ints[k.LEVEL] <= ints[k.LIMIT] and ints[k.KIND] != k.SCAN and ints[k.CPUS] > 0
    if may and shared(table, server, ints[k.LEVEL], ints[k.NODE]):
        may = False
    ints[k.MAY] = 1 if may else 0


@compiled
def act(table):  # type: ignore[no-untyped-def]
    """Begin what the policy decided; the phase in which it goes on."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    threads = f2(table, k.THREADS)
    servers = i2(table, k.SERVERS)
    server = ints[k.SERVER]
    thread = ints[k.THREAD]
    node = ints[k.NODE]
    level = ints[k.LEVEL]
    action = ints[k.ANSWER]
    if action == k.OFFLOAD and ints[k.MAY] == 0:
        action = k.ADMIT if level > 0 else k.BYPASS
    ints[k.ACTION] = action
    ints[k.DIGEST] = fold(ints[k.DIGEST], 4 * node + action)
    ints[k.DECISIONS] += 1
    if ints[k.COUNTING] == 1:
        i2(table, k.MISSES)[level, action] += 1
    if ints[k.PARENT_LOCK] == 1:
        floats[k.T] = lock(table, server, ints[k.PARENT], floats[k.T])
    floats[k.LATENCY] = floats[k.T]
    mean_into(threads, thread, k.MISS_MEAN, 1.0)
    mean_into(threads, thread, k.OFFLOAD_MEAN, 1.0 if action == k.OFFLOAD else 0.0)
    if level == 0:
        mean_into(threads, thread, k.REJECT_MEAN, 1.0 if action == k.BYPASS else 0.0)
        mean_into(threads, thread, k.HIT_MEAN, 0.0)
    memory = memory_of(table, server, level, node)
    began = floats[k.T]
    if action == k.OFFLOAD:
        end = call(table, server, memory, began)
        mean_into(threads, thread, k.RPC_MEAN, end - began)
        if ints[k.COUNTING] == 1:
            servers[server, k.RPCS] += 1
            servers[server, k.BYTES] += 96
            f2(table, k.TIMES)[server, k.RPC_US] += end - began
        floats[k.T] = end
        if ints[k.KIND] != k.LOOKUP:
            outdate(table)
        if ints[k.KIND] == k.INSERT:
            grow(table)
        return k.AFTER
    floats[k.T] = began + floats[k.SOFTWARE]
    if action == k.ADMIT:
        look_below_drawn(table, server)
        ints[k.ROUNDS] = 0
        return k.PROVIDE
    floats[k.T] = fetched(table, server, level, node, floats[k.T])
    mean_into(threads, thread, k.READ_MEAN, floats[k.T] - began)
    if ints[k.COUNTING] == 1:
        servers[server, k.REJECTED] += 1
    if ints[k.KIND] == k.UPDATE or ints[k.KIND] == k.INSERT:
        if ints[k.KIND] == k.INSERT:
            grow(table)
        floats[k.T] = written(table, server, memory, floats[k.T])
    return k.AFTER


@compiled
def outdate(table):  # type: ignore[no-untyped-def]
    """A leaf was written by its memory server: a cached copy of it is dropped."""
    ints = i1(table, k.INTS)
    frame = int(s1(table, k.FRAME_OF)[leaf_of(table, ints[k.SERVER], ints[k.LEAF], ints[k.OP])])
    if frame >= 0 and s2(table, k.FREE)[ints[k.THREAD], 0] < k.FREE_ROOM:
        drop(table, ints[k.SERVER], frame)
        vacate(table, ints[k.THREAD], frame, int(s2(table, k.FRAMES)[frame, k.HOLDS]))


@compiled
def grow(table):  # type: ignore[no-untyped-def]
    """Insert the operation's key; a leaf that is full is split, its upper half is a new leaf on the same server.

    A third of the keys are new when they come for the first time, the others are upserts. The new leaf is written at once
    and gets a pointer in the parent. Where the parent's pointers are used up, or the leaf has been split before, a split
    costs its writes but makes no node.
    """
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    levels = i3(table, k.LEVELS)
    servers = i2(table, k.SERVERS)
    twin = s1(table, k.TWIN)
    if len(twin) == 1:
        return
    news = s1(table, k.NEWS)
    server = ints[k.SERVER]
    key = mix(ints[k.OP] + (server << 40))
    if key % 3 != 0:
        return
    leaf = levels[server, 0, k.BASE] + ints[k.LEAF]
    bit = 1 << ((key // 3) % k.NEW_BITS)
    if news[leaf] & bit:
        return
    news[leaf] |= bit
    if ints[k.COUNTING] == 1:
        servers[server, k.NEW_KEYS] += 1
    held = ints[k.FILL] + ones(int(news[leaf]))
    if twin[leaf] >= 0:
        held //= 2
    if held < k.LEAF_KEYS:
        return
    floats[k.T] = written(table, server, memory_of(table, server, 0, leaf), floats[k.T])
    if ints[k.COUNTING] == 1:
        servers[server, k.SPLITS] += 1
    parent = node_at(table, server, ints[k.LEAF], 1)
    twins = s2(table, k.TWINS)
    row = levels[server, 1, k.ROW] + parent - levels[server, 1, k.BASE]
    n = int(twins[row, 0])
    if twin[leaf] < 0 and ints[k.FANOUT] + n < k.POINTERS and servers[server, k.SPARE] < ints[k.LEAF_ROOM]:
        spare = levels[server, 0, k.BASE] + levels[server, 0, k.WIDTH] + servers[server, k.SPARE]
        servers[server, k.SPARE] += 1
        twins[row, 0] = n + 1
        twins[row, n + 1] = spare
        twin[spare] = leaf
        news[spare] = ints[k.FANOUT] + n
        twin[leaf] = spare
    else:
        news[leaf] = 0


@compiled
def provide(table):  # type: ignore[no-untyped-def]
    """Find a frame for the missing node; the phase in which it goes on."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    servers = i2(table, k.SERVERS)
    server = ints[k.SERVER]
    thread = ints[k.THREAD]
    free = s2(table, k.FREE)
    if free[thread, 0] > 0:
        ints[k.FRAME] = take(table, server, thread)
        return k.FETCH
    if servers[server, k.UNTOUCHED] > 0:
        servers[server, k.UNTOUCHED] -= 1
        ints[k.FRAME] = server * ints[k.N_FRAMES] + servers[server, k.UNTOUCHED]
        return k.FETCH
    if ints[k.FROZEN] == 1:
        ints[k.FRAME] = -1
        return k.FETCH
    if ints[k.CENTRAL_FIFO] == 1:
        times = f2(table, k.TIMES)
        floats[k.T] = max(floats[k.T], times[server, k.FIFO_UNTIL]) + floats[k.FIFO_US]
        times[server, k.FIFO_UNTIL] = floats[k.T]
    floats[k.T] = sample(table, server, ints[k.PARENT], floats[k.T])
    ints[k.ROUNDS] += 1
    return k.CHOOSE


@compiled
def look(table):  # type: ignore[no-untyped-def]
    """Write down what a policy may know of the sampled frames."""
    ints = i1(table, k.INTS)
    looked = i2(table, k.LOOKED)
    frames = s2(table, k.FRAMES)
    sampled = s1(table, k.SAMPLED)
    for i in range(ints[k.FOUND]):
        frame = int(sampled[i])
        looked[i, k.LOOKED_LEVEL] = frames[frame, k.AT]
        looked[i, k.LOOKED_DIRTY] = frames[frame, k.WRITTEN]
        looked[i, k.LOOKED_WORD] = word_of(table, ints[k.SERVER], int(frames[frame, k.HOLDS]))
    ints[k.NOW] = int(f1(table, k.FLOATS)[k.T])


@compiled
def choose(table):  # type: ignore[no-untyped-def]
    """Cool the lowest of the sampled frames and take a frame, if that is possible."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    server = ints[k.SERVER]
    thread = ints[k.THREAD]
    floats[k.T] = cool_lowest(table, server, thread, floats[k.T])
    ints[k.FRAME] = take(table, server, thread)
    if ints[k.FRAME] >= 0:
        return k.FETCH
    if ints[k.ROUNDS] > _MOST_ROUNDS:
        ints[k.FAULT] = 1
        return k.START
    return k.PROVIDE


@compiled
def fetch(table):  # type: ignore[no-untyped-def]
    """Read the missing node into its frame."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    server = ints[k.SERVER]
    thread = ints[k.THREAD]
    began = floats[k.LATENCY]
    floats[k.T] = fetched(table, server, ints[k.LEVEL], ints[k.NODE], floats[k.T])
    mean_into(f2(table, k.THREADS), thread, k.READ_MEAN, floats[k.T] - began)
    if ints[k.COUNTING] == 1:
        i2(table, k.SERVERS)[server, k.ADMITTED] += 1
    if ints[k.FRAME] >= 0:
        install(table, server, ints[k.FRAME], ints[k.LEVEL], ints[k.NODE])


@compiled
def at_leaf(table):  # type: ignore[no-untyped-def]
    """What an operation does at its leaf, which is cached."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    server = ints[k.SERVER]
    node = ints[k.NODE]
    if ints[k.KIND] == k.UPDATE or ints[k.KIND] == k.INSERT:
        began = lock(table, server, node, floats[k.T])
        floats[k.T] = began + floats[k.LEAF_WRITE]
        hold(table, server, node, began, floats[k.T])
        s2(table, k.FRAMES)[s1(table, k.FRAME_OF)[node], k.WRITTEN] = 1
        if ints[k.KIND] == k.INSERT:
            grow(table)


@compiled
def finish(table):  # type: ignore[no-untyped-def]
    """The end of an operation, or of a scan's leaf; the phase in which it goes on."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    server = ints[k.SERVER]
    levels = i3(table, k.LEVELS)
    if ints[k.LEFT] > 0 and ints[k.LEAF] + 1 < levels[server, 0, k.WIDTH]:
        ints[k.LEFT] -= 1
        ints[k.LEAF] += 1
        look_beside(table)
        floats[k.T] += floats[k.LOCAL]
        return k.DESCEND
    thread = ints[k.THREAD]
    clocks = f1(table, k.CLOCKS)
    servers = i2(table, k.SERVERS)
    clocks[thread] = floats[k.T]
    servers[server, k.DONE_OPS] += 1
    times = f2(table, k.TIMES)
    times[server, k.ENDED] = max(times[server, k.ENDED], floats[k.T])
    if ints[k.COUNTING] == 1:
        latency = int((floats[k.T] - floats[k.BEGAN]) / k.LATENCY_STEP)
        i1(table, k.LATENCIES)[min(latency, k.LATENCY_BINS - 1)] += 1
    push(s1(table, k.HEAP), clocks, ints[k.SEATED], thread)
    ints[k.SEATED] += 1
    ints[k.FINISHED] += 1
    return k.START


def _advance(table):  # type: ignore[no-untyped-def]
    """Run to the next question, or until STOP operations are finished; what is asked."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    phase = ints[k.PHASE]
    while True:
        if phase == k.START:
            if ints[k.FAULT] != 0 or ints[k.FINISHED] >= ints[k.STOP] or not start(table):
                ints[k.PHASE] = k.START
                return k.FINISHED_ALL
            phase = k.DESCEND
        if phase == k.DESCEND:
            if descend(table):
                if ints[k.COUNTING] == 1:
                    i2(table, k.SERVERS)[ints[k.SERVER], k.LEAF_HITS] += 1
                mean_into(f2(table, k.THREADS), ints[k.THREAD], k.HIT_MEAN, 1.0)
                mean_into(f2(table, k.THREADS), ints[k.THREAD], k.MISS_MEAN, 0.0)
                if ints[k.USES_HIT] == 1:
                    ask(table, ints[k.NODE])
                    ints[k.PHASE] = k.AT_LEAF
                    return k.ASK_HIT
                at_leaf(table)
                phase = finish(table)
                continue
            if ints[k.USES_HIT] == 1:
                level = ints[k.LEVEL]
                ask(table, ints[k.PARENT])
                ints[k.LEVEL] = level + 1
                ints[k.PHASE] = k.MISS
                return k.ASK_HIT
            describe(table)
            ask(table, ints[k.NODE])
            ints[k.PHASE] = k.DECIDED
            return k.ASK_MISS
        if phase == k.AT_LEAF:
            keep_word(table, ints[k.NODE])
            at_leaf(table)
            phase = finish(table)
        elif phase == k.MISS:
            keep_word(table, ints[k.PARENT])
            ints[k.LEVEL] -= 1
            describe(table)
            ask(table, ints[k.NODE])
            ints[k.PHASE] = k.DECIDED
            return k.ASK_MISS
        elif phase == k.DECIDED:
            if ints[k.USES_NOTE] == 1:
                keep_word(table, ints[k.NODE])
            phase = act(table)
        elif phase == k.PROVIDE:
            phase = provide(table)
            if phase == k.CHOOSE and ints[k.USES_SCORE] == 1 and ints[k.FOUND] > 2:
                floats[k.T] += ints[k.FOUND] * k.CALL_US
                look(table)
                ints[k.PHASE] = k.CHOOSE
                return k.ASK_SCORE
            if phase == k.CHOOSE:
                f1(table, k.SCORES)[:] = 0.0
        elif phase == k.CHOOSE:
            phase = choose(table)
        elif phase == k.FETCH:
            fetch(table)
            phase = k.AFTER
        elif phase == k.AFTER:
            # The read or call is over, and with it the parent's lock.
            if ints[k.PARENT_LOCK] == 1:
                hold(table, ints[k.SERVER], ints[k.PARENT], floats[k.LATENCY], floats[k.T])
            phase = k.TOLD
            if ints[k.USES_DONE] == 1:
                floats[k.LATENCY] = floats[k.T] - floats[k.LATENCY]
                floats[k.T] += k.CALL_US
                ints[k.PHASE] = k.TOLD
                return k.ASK_DONE
        elif phase == k.TOLD:
            phase = k.CENTRALLY
            if ints[k.USES_PUBLISH] == 1:
                floats[k.T] += k.CALL_US
                ints[k.NOW] = int(floats[k.T])
                ints[k.PHASE] = k.CENTRALLY
                ints[k.ANSWER] = 0
                return k.ASK_PUBLISH
            ints[k.ANSWER] = 0
        elif phase == k.CENTRALLY:
            for _ in range(ints[k.ANSWER]):
                times = f2(table, k.TIMES)
                floats[k.T] = max(floats[k.T], times[ints[k.SERVER], k.CENTRAL_UNTIL]) + k.CENTRAL_US
                times[ints[k.SERVER], k.CENTRAL_UNTIL] = floats[k.T]
            if ints[k.ACTION] == k.ADMIT and ints[k.FRAME] >= 0:
                phase = k.DESCEND
                if ints[k.LEVEL] == 0:
                    at_leaf(table)
                    phase = finish(table)
            elif ints[k.ACTION] == k.ADMIT:
                phase = descend_uncached(table)
            else:
                phase = finish(table)


@compiled
def descend_uncached(table):  # type: ignore[no-untyped-def]
    """A node was read but not kept (nothing is, where the cache is frozen): read the way below it, too."""
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    server = ints[k.SERVER]
    level = ints[k.LEVEL]
    while level > 0:
        level -= 1
        node = node_at(table, server, ints[k.LEAF], level)
        floats[k.T] = fetched(table, server, level, node, floats[k.T] + floats[k.SOFTWARE])
        if ints[k.COUNTING] == 1:
            i2(table, k.MISSES)[level, k.ADMIT] += 1
    if ints[k.KIND] == k.UPDATE or ints[k.KIND] == k.INSERT:
        node = node_at(table, server, ints[k.LEAF], 0)
        floats[k.T] = written(table, server, memory_of(table, server, 0, node), floats[k.T])
    return finish(table)


def _fill(table):  # type: ignore[no-untyped-def]
    """Touch the nodes of the streams' first operations, until the frames are used up: everything is admitted, no time passes."""
    ints = i1(table, k.INTS)
    servers = i2(table, k.SERVERS)
    frame_of = s1(table, k.FRAME_OF)
    stream = s1(table, k.STREAM)
    for server in range(ints[k.N_SERVERS]):
        first = server * (ints[k.OPS] + ints[k.FILLING])
        for at in range(first, first + ints[k.FILLING]):
            leaf = int(stream[at])
            later = int(stream[min(at + k.AHEAD, first + ints[k.FILLING] - 1)])
            prefetch(frame_of, node_at(table, server, later, 0))
            prefetch(frame_of, node_at(table, server, later, 1))
            prefetch(i1(table, k.SWIZZLED), node_at(table, server, later, 1))
            level = 0
            while frame_of[node_at(table, server, leaf, level)] < 0:
                level += 1
            while level > 0 and servers[server, k.UNTOUCHED] > 0:
                level -= 1
                servers[server, k.UNTOUCHED] -= 1
                frame = server * ints[k.N_FRAMES] + servers[server, k.UNTOUCHED]
                install(table, server, frame, level, node_at(table, server, leaf, level))
            if servers[server, k.UNTOUCHED] == 0:
                break
    return 0


# The places on disk are found now: a jailed process that is the first to need one could no longer write there.
_ADVANCE, _FILL = cached(_advance), cached(_fill)


def _made(made: Any) -> Any:
    made.compile(SIGNATURE)
    made.disable_compile()
    return made


@functools.cache
def advance() -> Any:
    """The event loop, compiled for :data:`SIGNATURE` once a machine, then from Numba's cache."""
    return _made(_ADVANCE)


@functools.cache
def fill() -> Any:
    """Fills the caches before the first operation."""
    return _made(_FILL)
