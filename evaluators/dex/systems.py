"""The other systems of the paper as recipes of verbs: one-sided, Sherman, SMART, and the last two on logical partitions.

None of them caches leaves and none asks a policy; what they differ in is which verbs an operation takes, what it waits
for, and whether a server's stream is that of its own range or that of the whole tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.base import Score
from evaluators.dex import layout as k
from evaluators.dex import simulator
from evaluators.dex.caching import cached
from evaluators.dex.cell import MIXES, NODE_BYTES, Cell
from evaluators.dex.heap import pop, push
from evaluators.dex.keys import make_streams
from evaluators.dex.memory import b1, compiled, f1, f2, i1, i2, s1
from evaluators.dex.mixing import UNIT, mix
from evaluators.dex.network import claim, hold, lock, verb
from evaluators.dex.world import World, assembled, common

#: A reader that meets a lock on a leaf reads again, so often at most.
_MOST_RETRIES = 8
#: Verbs of SMART an operation: reads, writes and atomics of an update, bytes of a read (paper, table 2).
_SMART = (1.44, 0.22, 0.22, 997.0 / 1.44)
_P_SMART = (1.15, 0.26, 0.0, 397.0 / 1.15)
_SCAN_READS = 100
_ONE_SIDED, _SHERMAN, _RADIX = range(3)


@dataclass(frozen=True)
class System:
    """A system.

    Attributes:
        id: Its name.
        kind: What an operation does.
        partitioned: Whether each server owns a range: nodes are read with one verb, locks are local.
        recipe: Of the radix trees, see ``_SMART``.
    """

    id: str
    kind: int
    partitioned: bool
    recipe: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


SYSTEMS = {
    system.id: system
    for system in (
        System("one-sided", _ONE_SIDED, False),
        System("p-one-sided", _ONE_SIDED, True),
        System("sherman", _SHERMAN, False),
        System("p-sherman", _SHERMAN, True),
        System("smart", _RADIX, False, _SMART),
        System("p-smart", _RADIX, True, _P_SMART),
    )
}


@compiled
def _count(table, server, place, size):  # type: ignore[no-untyped-def]
    if i1(table, k.INTS)[k.COUNTING] == 1:
        servers = i2(table, k.SERVERS)
        servers[server, place] += 1
        servers[server, k.BYTES] += size


@compiled
def _read(table, server, memory, t, private):  # type: ignore[no-untyped-def]
    """A node: one verb where nobody else writes it, else version, node, version."""
    base = f1(table, k.FLOATS)[k.READ_US]
    if not private:
        t = verb(table, server, memory, t, 0, 16, base)
        t = verb(table, server, memory, t, 0, 16, base)
        _count(table, server, k.READS, 16)
        _count(table, server, k.READS, 16)
    _count(table, server, k.READS, 1024)
    return verb(table, server, memory, t, 0, 1024, base)


@compiled
def _update(table, server, memory, leaf, t, private, hand_over):  # type: ignore[no-untyped-def]
    """Lock, read, write the entry, unlock; across servers the lock is a compare-and-swap, and giving it up a write."""
    floats = f1(table, k.FLOATS)
    where = server if private else 0
    if not private:
        t = verb(table, server, memory, t, 8, 0, floats[k.ATOMIC_US])
        _count(table, server, k.ATOMICS, 8)
    free = lock(table, where, leaf, t)
    end = free + (hand_over if free > t else 0.0)
    end = verb(table, server, memory, end, 0, 1024, floats[k.READ_US])
    _count(table, server, k.READS, 1024)
    end = verb(table, server, memory, end, 24, 0, floats[k.READ_US])
    _count(table, server, k.WRITES, 24)
    if not private:
        end = verb(table, server, memory, end, 16, 0, floats[k.READ_US])
        _count(table, server, k.WRITES, 16)
    hold(table, where, leaf, free, end)
    return end


@compiled
def _inner(table, server, parent, used, held, place, hands, capacity):  # type: ignore[no-untyped-def]
    """Whether a server has an inner node of the lowest level; it has it afterwards. CLOCK over the node's frames."""
    if place[server, parent] >= 0:
        used[server, place[server, parent]] = 1
        return True
    while used[server, hands[server]] == 1:
        used[server, hands[server]] = 0
        hands[server] = (hands[server] + 1) % capacity
    at = hands[server]
    if held[server, at] >= 0:
        place[server, held[server, at]] = -1
    held[server, at] = parent
    place[server, parent] = at
    hands[server] = (at + 1) % capacity
    return False


@compiled
def _tree_operation(table, server, leaf, kind, t, private, hand_over, levels):  # type: ignore[no-untyped-def]
    """Read ``levels`` nodes down to the leaf; an update locks it instead of reading it.

    Sherman takes memory in chunks of 32 MB, about a sub-tree of the full size, from the memory servers in turn.
    """
    ints = i1(table, k.INTS)
    path = leaf
    for _ in range(ints[k.LIMIT]):
        path //= ints[k.FANOUT]
    memory = path % ints[k.N_MEMORY]
    writes = kind == k.UPDATE or kind == k.INSERT
    for _ in range(levels - (1 if writes else 0)):
        t = _read(table, server, memory, t, private)
    if writes:
        return _update(table, server, memory, leaf, t, private, hand_over)
    if not private:
        for _ in range(_MOST_RETRIES):
            if lock(table, 0, leaf, t) <= t:
                break
            t = _read(table, server, memory, t, private)
    return t


@cached
def _run(table, kind, private, recipe, walk, section, hand_over, used, held, place, hands, capacity):  # type: ignore[no-untyped-def]
    ints = i1(table, k.INTS)
    floats = f1(table, k.FLOATS)
    servers = i2(table, k.SERVERS)
    times = f2(table, k.TIMES)
    clocks = f1(table, k.CLOCKS)
    heap = s1(table, k.HEAP)
    stream = s1(table, k.STREAM)
    kinds = b1(table, k.OPERATIONS)
    sections = 2 * max(ints[k.N_SERVERS], ints[k.N_MEMORY]) + ints[k.N_MEMORY]
    while ints[k.SEATED] > 0:
        thread = int(pop(heap, clocks, ints[k.SEATED]))
        ints[k.SEATED] -= 1
        server = thread // ints[k.PER_SERVER]
        op = servers[server, k.NEXT]
        if op == ints[k.OPS]:
            continue
        servers[server, k.NEXT] = op + 1
        at = server * ints[k.OPS] + op
        leaf = int(stream[at])
        what = int(kinds[at])
        ints[k.COUNTING] = 1 if op >= ints[k.WARM] else 0
        if op == ints[k.WARM]:
            times[server, k.STARTED] = clocks[thread]
        began = clocks[thread]
        t = began + walk
        if kind == _RADIX:
            draw = mix(at) * UNIT
            reads = int(recipe[0] + draw)
            lone = section * recipe[0]
            t += lone + claim(table, sections + server, t, lone, 1.0)
            changes = what == k.UPDATE or what == k.INSERT
            for i in range(reads + (_SCAN_READS if what == k.SCAN else 0)):
                _count(table, server, k.READS, int(recipe[3]))
                t = verb(
                    table, server, (leaf + i) % ints[k.N_MEMORY], t, 0, int(recipe[3]), floats[k.READ_US]
                )
            if changes and draw < recipe[1]:
                _count(table, server, k.WRITES, 16)
                t = verb(table, server, leaf % ints[k.N_MEMORY], t, 16, 0, floats[k.READ_US])
            if changes and draw < recipe[2]:
                _count(table, server, k.ATOMICS, 8)
                t = verb(table, server, leaf % ints[k.N_MEMORY], t, 8, 0, floats[k.ATOMIC_US])
        else:
            for i in range(ints[k.SCAN_LEAVES] if what == k.SCAN else 1):
                levels = ints[k.HEIGHT]
                if kind == _SHERMAN and _inner(
                    table, server, (leaf + i) // ints[k.FANOUT], used, held, place, hands, capacity
                ):
                    levels = 1
                t = _tree_operation(table, server, leaf + i, what, t, private, hand_over, levels)
        clocks[thread] = t
        servers[server, k.DONE_OPS] += 1
        times[server, k.ENDED] = max(times[server, k.ENDED], t)
        if ints[k.COUNTING] == 1:
            latency = int((t - began) / k.LATENCY_STEP)
            i1(table, k.LATENCIES)[min(latency, k.LATENCY_BINS - 1)] += 1
        push(heap, clocks, ints[k.SEATED], thread)
        ints[k.SEATED] += 1


def run_system(system: System, cell: Cell) -> Score:
    """Run a cell's operations on another system; details as of :func:`evaluators.dex.simulator.score`.

    Without partitions every server draws from the whole tree. The inner nodes that a server caches are there at first, as
    many as fit.
    """
    if system.partitioned:
        starts = [cell.range_of(server, 0)[0] for server in range(cell.servers)]
        size = cell.filling + cell.ops
        parts = [slice(s * size + cell.filling, (s + 1) * size) for s in range(cell.servers)]
        streams = cell.streams
        leaves = np.concatenate([np.add(streams.leaves[p], f) for p, f in zip(parts, starts, strict=True)])
        kinds = np.concatenate([streams.kinds[p] for p in parts])
    else:
        total = cell.ops * cell.servers
        streams = make_streams(
            cell.keys,
            cell.fanout,
            1,
            cell.theta,
            0,
            total,
            total - 1,
            0,
            cell.flood,
            MIXES[cell.mix],
            cell.seed,
        )
        leaves, kinds = streams.leaves, streams.kinds
    world: World = assembled(common(cell, leaves.astype(np.int32), kinds))
    inner = -(-cell.leaves // cell.fanout) + 1
    capacity = max(1, min(inner, int(cell.cache_mb * 1024 * 1024 / NODE_BYTES)))
    held = np.full((cell.servers, capacity), -1, dtype=np.int32)
    place = np.full((cell.servers, inner), -1, dtype=np.int32)
    for server in range(cell.servers):
        first, last = cell.range_of(server, 1) if system.partitioned else (0, inner - 1)
        kept = np.arange(first, min(last + 1, first + capacity))
        held[server, : len(kept)] = kept
        place[server, kept] = np.arange(len(kept))
    costs = cell.costs
    _run(
        world.table,
        system.kind,
        system.partitioned,
        system.recipe,
        costs.walk,
        costs.section,
        costs.hand_over,
        np.zeros((cell.servers, capacity), dtype=np.int8),
        held,
        place,
        np.zeros(cell.servers, dtype=np.int64),
        capacity,
    )
    return simulator.score(cell, world, {}, None)
