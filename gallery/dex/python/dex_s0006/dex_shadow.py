"""A tree's shadow: the exported policy at the misses of a compute server that another policy decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dex_engine import CENTRAL, OFFLOAD, Thread
from .hashing import hash64
from .shadow import Comparison, Report


class DexShadow:
    """Asks the policy what it would have done at each miss of a compute server, and does nothing.

    The cost of a decision is the time until the leaf is reached, by the thread's mean times: a read for each level from the
    missing node down, or one call. What an admission or a bypass changes later on, nobody knows without doing it: the cache is
    that of the policy in charge. So read ``counts`` beside the report: how often the two part, and where.

    Args:
        policy_class: The class ``Policy`` of the export.
        frames: Frames of the server; the policy's words are a table of twice as many, at least 64.
        threads: Compute threads over all servers.
        cpus: Cores of a memory server that take calls.
        height: Levels of the tree.
        window: Misses in a window of the comparison.

    Attributes:
        counts: Misses by ``(inner, theirs, ours)``: whether an inner node was missing, what was done, what would have been.
    """

    def __init__(
        self, policy_class: type[Any], frames: int, threads: int, cpus: int, height: int, window: int = 1_000
    ) -> None:
        self._make = policy_class, threads, cpus, height
        self._words = [0] * (1 << max(6, (2 * frames - 1).bit_length()))
        self._central = [0.0] * CENTRAL
        self._threads: dict[int, Thread] = {}
        self._window = window
        self._comparison = Comparison()
        self._sums = [0.0] * 5
        self._n = 0
        self.counts: dict[tuple[bool, int, int], int] = {}

    @property
    def fallback(self) -> str | None:
        """Why DEX's rule has taken over in a thread of the shadow, None while it has in none."""
        return next((one.fallback for one in self._threads.values() if one.fallback), None)

    def miss(
        self,
        thread: int,
        node: int,
        level: int,
        op: int,
        now: int,
        full: bool,
        may_offload: bool,
        seen: Sequence[float],
        action: int,
        parent: int | None = None,
    ) -> int:
        """A miss, and what the policy in charge did; returns what this one would have done.

        Args:
            thread: Number of the thread.
            node: A number for the node that is always the same.
            action: What was done.
            parent: The number of the node's parent: its word (8 of ``seen``) is then this policy's.
            level, op, now, full, may_offload, seen: As for :meth:`Thread.on_miss`.
        """
        policy = self._of(thread)
        place = self._place(node)
        if parent is not None:
            seen = [*seen[:8], float(self._words[self._place(parent)]), *seen[9:]]
        ours, self._words[place] = policy.on_miss(level, op, self._words[place], now, full, may_offload, seen)
        policy.publish(self._central, now)
        where = (level > 0, action, ours)
        self.counts[where] = self.counts.get(where, 0) + 1
        read, call = float(seen[1]), float(seen[2])
        costs = [call if done == OFFLOAD else (level + 1) * read for done in (action, ours)]
        for i, value in enumerate((*costs, float(level > 0), read, call)):
            self._sums[i] += value
        self._n += 1
        if self._n == self._window:
            here, there, inner, read, call = (total / self._n for total in self._sums)
            traffic = {
                "the share of misses at inner nodes": inner,
                "the mean time of a read": read,
                "the mean time of a call": call,
            }
            self._comparison.add(here, there, traffic)
            self._sums, self._n = [0.0] * 5, 0
        return ours

    def hit(self, thread: int, node: int, level: int, op: int, now: int) -> None:
        """A walk used a cached node, the deepest on its way."""
        place = self._place(node)
        self._words[place] = self._of(thread).on_hit(level, op, self._words[place], now)

    def done(self, thread: int, level: int, action: int, us: float) -> None:
        """A miss was served: what was done, and the microseconds that it took."""
        self._of(thread).on_done(level, action, us)

    def report(self) -> Report:
        """Microseconds a miss of both, over whole windows."""
        return self._comparison.report()

    def _place(self, node: int) -> int:
        return hash64(node, 0) & (len(self._words) - 1)

    def _of(self, thread: int) -> Thread:
        if thread not in self._threads:
            policy_class, threads, cpus, height = self._make
            self._threads[thread] = Thread(policy_class, thread, threads, cpus, height)
        return self._threads[thread]
