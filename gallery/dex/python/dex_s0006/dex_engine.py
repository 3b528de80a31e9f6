"""A compute thread's caching and offloading policy: what to do at a node of the tree that is not cached."""

from __future__ import annotations

import logging
import math
from collections.abc import MutableSequence, Sequence
from typing import Any

from .hashing import hash64

#: What is done at a missing node.
BYPASS, ADMIT, OFFLOAD = range(3)
#: Operations.
LOOKUP, UPDATE, INSERT, SCAN = range(4)
#: Numbers that a policy is shown at a miss, central numbers of a server, most frames that it looks at.
SEEN, CENTRAL, MOST_LOOKS = 16, 4, 8
_LARGEST_WORD = (1 << 32) - 1

_log = logging.getLogger(__name__)


class Rule:
    """DEX's own rule, which takes over: one missing leaf in ten is cached, inner nodes are offloaded by cost.

    Args:
        thread: Number of the thread.
    """

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._count = 0

    def on_miss(self, level: int, op: int, full: bool, may_offload: bool, seen: Sequence[float]) -> int:
        """See :meth:`Thread.on_miss`; of ``seen`` only the mean times of reads and of calls (1, 2) are looked at."""
        if level == 0:
            if op != SCAN and not full:
                return ADMIT
            self._count += 1
            return ADMIT if hash64(self._count, self._thread) >> 10 < 900719925474099 else BYPASS
        if may_offload and full and seen[2] < (level + 1) * (seen[1] + 0.04) * 1.2:
            return OFFLOAD
        return ADMIT


class Thread:
    """The policy of one compute thread. Not thread-safe; what threads share, words and central numbers, is handed over.

    Args:
        policy_class: The class ``Policy`` of the export.
        thread: Number of the thread, over all servers.
        threads: How many there are.
        cpus: Cores of a memory server that take calls.
        height: Levels of the tree.
        strict: Raise what the policy raises instead of falling back.

    Attributes:
        looks: Frames that are looked at when one is needed, 2 to 8.
        scores: Whether the policy scores them; if not, the first two are cooled.
        fallback: Why the policy is asked no more, None while it is. Then :class:`Rule` decides, and all frames score alike.
    """

    def __init__(
        self,
        policy_class: type[Any],
        thread: int,
        threads: int,
        cpus: int,
        height: int,
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self.fallback: str | None = None
        self.looks = 2
        array = getattr(policy_class, "rt__array", list)
        self._seen: Any = array([0.0] * SEEN)
        self._central: Any = array([0.0] * CENTRAL)
        self._rule = Rule(thread)
        self.policy = policy_class(thread, threads, cpus, height)
        self._note = getattr(self.policy, "note", None)
        self._on_hit = getattr(self.policy, "on_hit", None)
        self._score = getattr(self.policy, "score", None)
        self._on_done = getattr(self.policy, "on_done", None)
        self._publish = getattr(self.policy, "publish", None)
        self.scores = self._score is not None
        if hasattr(self.policy, "looks"):
            try:
                self.looks = _within("looks", int(self.policy.looks()), 2, MOST_LOOKS)
            except Exception as error:
                self._failed(error)

    def on_miss(
        self, level: int, op: int, word: int, now: int, full: bool, may_offload: bool, seen: Sequence[float]
    ) -> tuple[int, int]:
        """A node is missing: what is done (BYPASS, ADMIT, OFFLOAD), and its new word.

        Args:
            level: Level of the node, 0 for a leaf.
            op: LOOKUP, UPDATE, INSERT or SCAN.
            word: The node's word, 0 at first.
            now: Microseconds.
            full: Whether all frames are in use.
            may_offload: Whether the memory server may finish the operation.
            seen: Sixteen numbers, see the README.
        """
        if self.fallback is None:
            try:
                if not all(map(math.isfinite, seen)):
                    raise ValueError("a number that is shown is not finite")
                for i in range(SEEN):
                    self._seen[i] = float(seen[i])
                new = word
                if self._note is not None:
                    new = _within("note", int(self._note(level, op, word, now)), 0, _LARGEST_WORD)
                action = int(self.policy.on_miss(level, op, new, bool(full), bool(may_offload), self._seen))
                _within("on_miss", action, ADMIT if level > 0 else BYPASS, OFFLOAD)
                if action == OFFLOAD and not may_offload:
                    action = ADMIT if level > 0 else BYPASS
                return action, new
            except Exception as error:
                self._failed(error)
        return self._rule.on_miss(level, op, bool(full), bool(may_offload), seen), word

    def on_hit(self, level: int, op: int, word: int, now: int) -> int:
        """A walk used a cached node, the deepest on its way: the node's new word."""
        if self.fallback is None and self._on_hit is not None:
            try:
                return _within("on_hit", int(self._on_hit(level, op, word, now)), 0, _LARGEST_WORD)
            except Exception as error:
                self._failed(error)
        return word

    def score(self, level: int, dirty: bool, word: int, now: int) -> float:
        """What a frame that was looked at is worth; the two lowest are cooled."""
        if self.fallback is None and self._score is not None:
            try:
                return _finite("score", float(self._score(level, bool(dirty), word, now)))
            except Exception as error:
                self._failed(error)
        return 0.0

    def on_done(self, level: int, action: int, us: float) -> None:
        """A miss was served: what was done, and the microseconds that it took."""
        if self.fallback is None and self._on_done is not None:
            try:
                self._on_done(level, action, float(us))
            except Exception as error:
                self._failed(error)

    def publish(self, central: MutableSequence[float], now: int) -> None:
        """After each miss: the server's four central numbers are brought up to date, in place."""
        if self.fallback is None and self._publish is not None:
            try:
                self._central[:] = [float(x) for x in central]
                for slot in range(CENTRAL):
                    value = _finite("publish", float(self._publish(slot, self._central, now)))
                    central[slot] = self._central[slot] = value
            except Exception as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self.strict:
            raise error
        self.fallback = f"{type(error).__name__}: {error}"
        _log.error("the policy failed, DEX's rule takes over: %s", self.fallback)


def _within(method: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{method} returned {value}, it must be in {low}..{high}")
    return value


def _finite(method: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{method} returned {value}, it must be a finite number")
    return value
