"""The arrays of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluators.dex import kernel
from evaluators.dex import layout as k
from evaluators.dex.cell import Cell
from evaluators.dex.memory import DTYPES, addresses, lined


@dataclass(frozen=True)
class World:
    """Everything one run reads and writes.

    Attributes:
        arrays: In the order of :data:`evaluators.dex.layout.KINDS`.
    """

    arrays: tuple[np.ndarray, ...]

    @cached_property
    def table(self) -> np.ndarray:
        """Where the arrays are; what the kernel is called with."""
        return addresses(self.arrays)

    @property
    def ints(self) -> np.ndarray:
        """int64: the system, and where the running operation stands."""
        return self.arrays[k.INTS]

    @property
    def floats(self) -> np.ndarray:
        """float64: costs, and the running operation's clock."""
        return self.arrays[k.FLOATS]

    @property
    def misses(self) -> np.ndarray:
        """int64[height, 3]: misses of each level by what was done (bypass, admit, offload)."""
        return self.arrays[k.MISSES]

    @property
    def servers(self) -> np.ndarray:
        """int64[servers, SERVER_SIZE]: counters."""
        return self.arrays[k.SERVERS]

    @property
    def times(self) -> np.ndarray:
        """float64[servers, TIMES_SIZE]."""
        return self.arrays[k.TIMES]


def _levels(cell: Cell) -> tuple[np.ndarray, int, int]:
    """LEVELS, how many nodes there are in all, and how many rows TWINS has."""
    table = np.zeros((cell.servers, cell.height, k.LEVEL_SIZE), dtype=np.int64)
    spare = room(cell)
    base = rows = 0
    for server in range(cell.servers):
        for level in range(cell.height):
            first, last = cell.range_of(server, level)
            row = table[server, level]
            row[k.FIRST], row[k.LAST], row[k.BASE], row[k.WIDTH] = first, last, base, last - first + 1
            if level > 0:
                row[k.SHARED_LEFT] = server > 0 and cell.range_of(server - 1, level)[1] == first
                row[k.SHARED_RIGHT] = (
                    server + 1 < cell.servers and cell.range_of(server + 1, level)[0] == last
                )
            base += last - first + 1
            if level == 0:
                base += spare
            if level == 1:
                row[k.ROW] = rows
                rows += last - first + 1
    return table, base, rows


def room(cell: Cell) -> int:
    """Leaves of a server that splits may make."""
    return min(1 << 16, cell.ops) if cell.inserts else 0


def places(cell: Cell) -> np.ndarray:
    """int32[sub-trees], the memory server of each: never that of the one before.

    DEX's bulk load inserts sorted keys; a sub-tree that splits hands its upper half to a random other server.
    """
    rng = np.random.default_rng(np.random.SeedSequence(cell.seed))
    count = cell.widths[min(cell.levels, cell.height - 1)]
    steps = 1 + (rng.random(count) * (cell.memory - 1)).astype(np.int64)
    return (np.cumsum(steps) % cell.memory).astype(np.int32)


def common(cell: Cell, leaves: np.ndarray, kinds: np.ndarray) -> dict[int, np.ndarray]:
    """The arrays that every simulated system has, by row of the table.

    Args:
        cell: What is run.
        leaves, kinds: Streams of all servers, one after the other.
    """
    ints = np.zeros(k.INTS_SIZE, dtype=np.int64)
    for place, value in (
        (k.N_SERVERS, cell.servers),
        (k.N_MEMORY, cell.memory),
        (k.PER_SERVER, cell.threads),
        (k.CPUS, cell.cpus),
        (k.HEIGHT, cell.height),
        (k.FANOUT, cell.fanout),
        (k.LIMIT, cell.levels),
        (k.OPS, cell.ops),
        (k.WARM, cell.warm),
        (k.SCAN_LEAVES, cell.scan_leaves),
        (k.LEAF_ROOM, room(cell)),
        (k.FILL, cell.fill),
        (k.PARENT_LOCK, int(cell.parent_lock)),
        (k.CENTRAL_FIFO, int(cell.central_queue)),
        (k.LOOKS, 2),
        (k.RANDOM, cell.seed << 40),
        (k.SEATED, cell.servers * cell.threads),
    ):
        ints[place] = value
    costs = cell.costs
    floats = np.zeros(k.FLOATS_SIZE)
    for place, cost in (
        (k.LOCAL, costs.local),
        (k.SOFTWARE, costs.software),
        (k.READ_US, costs.verb),
        (k.ATOMIC_US, costs.atomic),
        (k.WIRE, costs.wire),
        (k.SERVICE, costs.service),
        (k.SAMPLE_US, costs.sample),
        (k.LEAF_WRITE, costs.leaf_write),
        (k.WARMING, costs.rewarm),
        (k.LOOPBACK, costs.loopback),
        (k.BANDWIDTH, costs.bandwidth),
        (k.VERB, costs.nic_verb),
        (k.FIFO_US, costs.fifo),
    ):
        floats[place] = cost
    threads = cell.servers * cell.threads
    locks = lined((cell.servers, k.LOCK_PLACES, k.LOCK_SIZE), np.float64)
    locks[:, :, k.LOCK_NODE] = -1.0
    # Two directions of each NIC, the CPUs of each memory server, a section of each compute server that runs alone.
    resources = 2 * max(cell.servers, cell.memory) + cell.memory + cell.servers
    return {
        k.INTS: ints,
        k.FLOATS: floats,
        k.HEAP: np.arange(threads, dtype=np.int32),
        k.CLOCKS: np.zeros(threads),
        k.SERVERS: np.zeros((cell.servers, k.SERVER_SIZE), dtype=np.int64),
        k.TIMES: np.zeros((cell.servers, k.TIMES_SIZE)),
        k.STREAM: leaves,
        k.OPERATIONS: kinds,
        k.USED: np.zeros((resources, k.BINS)),
        k.BIN: np.full((resources, k.BINS), -1, dtype=np.int64),
        k.LOCKS: locks,
        k.LATENCIES: np.zeros(k.LATENCY_BINS, dtype=np.int64),
        k.MISSES: np.zeros((cell.height, 3), dtype=np.int64),
    }


def assembled(arrays: dict[int, np.ndarray]) -> World:
    """A world of the arrays given by row; the others are empty."""
    empty = [np.zeros((0,) * int(kind[1]), dtype=DTYPES[kind[0]]) for kind in k.KINDS]
    return World(tuple(arrays.get(row, none) for row, none in enumerate(empty)))


def make_world(cell: Cell, filled: bool = True) -> World:
    """Fresh arrays; the roots are cached, and what earlier operations touched unless the cell is cold or not ``filled``."""
    frames = cell.frames
    levels, nodes, rows = _levels(cell)
    words = 1 << max(6, (2 * frames - 1).bit_length())
    buckets = max(k.PROBES, frames // (10 * k.SLOTS))
    arrays = common(cell, cell.streams.leaves, cell.streams.kinds)
    ints = arrays[k.INTS]
    ints[k.N_FRAMES], ints[k.BUCKETS], ints[k.WORD_MASK] = frames, buckets, words - 1
    ints[k.FILLING] = cell.filling
    costs = cell.costs
    threads = cell.servers * cell.threads
    held = np.zeros((cell.servers * frames, k.FRAME_SIZE), dtype=np.int32)
    held[:, k.HOLDS] = -1
    servers = arrays[k.SERVERS]
    servers[:, k.UNTOUCHED] = frames
    leafy = nodes if cell.inserts else 1
    means = np.zeros((threads, k.THREAD_SIZE))
    means[:, k.READ_MEAN] = costs.software + costs.verb
    means[:, k.RPC_MEAN] = costs.wire + costs.service
    arrays |= {
        k.THREADS: means,
        k.FREE: np.zeros((threads, k.FREE_ROOM + 3), dtype=np.int32),
        k.LEVELS: levels,
        k.FRAME_OF: np.full(nodes, -1, dtype=np.int32),
        k.SWIZZLED: np.zeros(nodes, dtype=np.int64),
        k.FRAMES: held,
        k.COOLING: lined((cell.servers * buckets, k.COOLING_SIZE), np.int32),
        k.WORDS: np.zeros(cell.servers * words, dtype=np.uint32),
        k.FEATURES: np.zeros(k.FEATURE_SIZE),
        k.SAMPLED: np.zeros(k.MOST_LOOKS, dtype=np.int32),
        k.SCORES: np.zeros(k.MOST_LOOKS),
        k.CENTRAL: np.zeros((cell.servers, k.CENTRAL_WORDS)),
        k.NEWS: np.zeros(leafy, dtype=np.int32),
        k.TWIN: np.full(leafy, -1, dtype=np.int32),
        k.TWINS: np.zeros((rows if cell.inserts else 1, k.TWIN_COLUMNS), dtype=np.int32),
        k.LOOKED: np.zeros((k.MOST_LOOKS, k.LOOKED_SIZE), dtype=np.int64),
        k.PLACES: places(cell),
    }
    world = assembled(arrays)
    frame_of = world.arrays[k.FRAME_OF]
    for server in range(cell.servers):
        servers[server, k.UNTOUCHED] -= 1
        frame = server * frames + int(servers[server, k.UNTOUCHED])
        root = int(levels[server, cell.height - 1, k.BASE])
        held[frame] = (root, k.HOT, 0, cell.height - 1)
        frame_of[root] = frame
    if filled and not cell.cold:
        kernel.fill()(world.table)
    return world
