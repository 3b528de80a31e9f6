"""A cell: a tree, a cluster, a mix of operations. One cell is one workload."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any

from evaluators.base import WorkloadError
from evaluators.dex.costs import Costs
from evaluators.dex.keys import Streams, make_streams
from evaluators.dex.layout import INSERT

#: Shares of lookups, updates, inserts and scans (paper, section 8.1).
MIXES = {
    "read-only": (1.0, 0.0, 0.0, 0.0),
    "read-intensive": (0.95, 0.05, 0.0, 0.0),
    "write-intensive": (0.5, 0.5, 0.0, 0.0),
    "insert-intensive": (0.5, 0.0, 0.5, 0.0),
    "scan-intensive": (0.0, 0.0, 0.05, 0.95),
}
#: Bytes of a node, and records that a scan reads.
NODE_BYTES, SCAN_RECORDS = 1024, 100
_MOST_KEYS, _MOST_OPS = 1 << 32, 1 << 26


#: Operations of cells whose streams are all kept.
_SMALL = 1 << 22


@lru_cache(maxsize=256)
def _small(arguments: tuple[Any, ...]) -> Streams:
    return make_streams(*arguments)


@lru_cache(maxsize=1)
def _large(arguments: tuple[Any, ...]) -> Streams:
    return make_streams(*arguments)


@dataclass(frozen=True)
class Cell:
    """What is simulated.

    Attributes:
        name: Name of the workload.
        keys: Keys of the tree.
        fanout: Keys a leaf and children an inner node hold (29 after a sorted bulk load).
        servers: Compute servers; each owns an equal range of leaves.
        memory: Memory servers; server i of each kind share a NIC.
        threads: Compute threads a server.
        cpus: Threads a memory server has for offloaded operations.
        cache_mb: Cache of a compute server, MiB.
        mix: One of :data:`MIXES`.
        theta: Skew of the Zipf distribution; 0 for uniform keys.
        ops: Operations of each server, those of the warm-up included.
        warm: Of them not counted.
        shifts: How often the hot set moves in the counted operations.
        flood: Share of the operations that are scans from anywhere, in every fourth sixteenth of the operations.
        cold: Whether the cache is empty at first; else the keys of earlier operations filled it.
        levels: Highest level that may be offloaded (M).
        fill: Keys in each leaf at first, for inserts.
        seed: Of keys and of the simulator's own draws.
        parent_lock: Whether a parent has at most one read or call under way (else a control, no system).
        central_queue: Whether all replacements of a server pass through one queue under a lock, instead of the cooling map.
        costs: What things take.
    """

    name: str
    keys: int = 200_000_000
    fanout: int = 29
    servers: int = 4
    memory: int = 4
    threads: int = 36
    cpus: int = 4
    cache_mb: float = 256.0
    mix: str = "read-intensive"
    theta: float = 0.99
    ops: int = 4_500_000
    warm: int = 3_000_000
    shifts: int = 0
    flood: float = 0.0
    cold: bool = False
    levels: int = 3
    fill: int = 29
    seed: int = 1
    parent_lock: bool = True
    central_queue: bool = False
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        whole = {"keys": (1000, _MOST_KEYS), "fanout": (4, 58), "servers": (1, 16), "memory": (1, 16)}
        whole |= {"threads": (1, 128), "cpus": (0, 64), "ops": (1, _MOST_OPS), "levels": (0, 8)}
        whole |= {"shifts": (0, 64), "fill": (1, 57), "warm": (0, self.ops - 1), "seed": (0, 1 << 31)}
        for name, (low, high) in whole.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise WorkloadError(
                    f"{self.name}: {name} is a whole number from {low} to {high}, not {value!r}"
                )
        if self.mix not in MIXES:
            raise WorkloadError(f"{self.name}: there is no mix {self.mix!r}; there are {', '.join(MIXES)}")
        for name, most in (("theta", 2.0), ("flood", 1.0)):
            if not 0.0 <= float(getattr(self, name)) < most:
                raise WorkloadError(f"{self.name}: {name} is at least 0 and below {most:g}")
        if self.leaves < 2 * self.servers:
            raise WorkloadError(f"{self.name}: too few keys for {self.servers} servers")
        if self.frames < 64:
            raise WorkloadError(f"{self.name}: a cache of {self.cache_mb} MiB has fewer than 64 frames")

    @property
    def leaves(self) -> int:
        """Leaves of the tree."""
        return -(-self.keys // self.fanout)

    @property
    def frames(self) -> int:
        """Frames of a server: never more than it has nodes."""
        most = sum(
            last - first + 1 for first, last in (self.range_of(0, level) for level in range(self.height))
        )
        return min(int(self.cache_mb * 1024 * 1024 / NODE_BYTES), most)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Nodes of each level, leaves first."""
        out = [self.leaves]
        while out[-1] > 1:
            out.append(-(-out[-1] // self.fanout))
        return tuple(out)

    @property
    def height(self) -> int:
        """Levels of the tree."""
        return len(self.widths)

    @property
    def scan_leaves(self) -> int:
        """Leaves a scan reads on average."""
        return round(1 + (SCAN_RECORDS - 1) / self.fanout)

    def range_of(self, server: int, level: int) -> tuple[int, int]:
        """First and last node of a level that a server may come to."""
        first = server * self.leaves // self.servers
        last = (server + 1) * self.leaves // self.servers - 1
        for _ in range(level):
            first //= self.fanout
            last //= self.fanout
        return first, last

    @property
    def inserts(self) -> bool:
        """Whether there are inserts."""
        return MIXES[self.mix][INSERT] > 0

    @property
    def filling(self) -> int:
        """Operations of each server's stream that fill its cache."""
        return 0 if self.cold else 4 * self.frames

    @property
    def streams(self) -> Streams:
        """Leaves and operations of all servers, the same for every policy; drawn once, those of large cells one at a time."""
        arguments = (
            self.keys, self.fanout, self.servers, self.theta, self.filling, self.ops, self.warm, self.shifts,
            self.flood, MIXES[self.mix], self.seed,
        )  # fmt: skip
        size = self.servers * (self.filling + self.ops)
        return (_small if size <= _SMALL else _large)(arguments)

    def digest(self) -> str:
        """A hash of everything that decides the result."""
        content = asdict(self) | {"name": ""}
        return hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:16]


def known() -> tuple[str, ...]:
    """Fields of a cell that a file may set."""
    return tuple(f.name for f in fields(Cell) if f.name not in ("name", "costs"))
