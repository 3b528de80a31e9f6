"""A cache's shadow: the exported policy on the keys of a cache that another policy runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cache_engine import HIT, Engine
from .hashing import hash64
from .shadow import Comparison, Report

#: Seeds of the hash that samples keys, and of the one that a policy sees.
_SAMPLE_SEED, _KEY_SEED = 0x5A3D, 0x51ED
_ONE = 1 << 63


class CacheShadow:
    """Counts what the policy would have missed, beside what the cache in charge did miss. It holds keys, no values.

    With ``sample`` it looks at that part of all keys, in a cache that is smaller by as much (spatial sampling, SHARDS,
    FAST '15): a tenth of the cost, and miss ratios that are about right from some ten thousand objects on.

    Args:
        policy_class: The class ``Policy`` of the export.
        capacity: Room of the cache in charge.
        max_objects: Most objects that fit; by default ``capacity``.
        ghosts: ``GHOSTS`` of the export.
        window: Requests (of the sample) in a window of the comparison.
        sample: Part of all keys that is looked at.
        key_hash: A stable whole number for a key.

    Raises:
        ValueError: A number makes no sense.
    """

    def __init__(
        self,
        policy_class: type[Any],
        capacity: int,
        max_objects: int | None = None,
        ghosts: float = 0.0,
        window: int = 5_000,
        sample: float = 1.0,
        key_hash: Callable[[Any], int] = hash,
    ) -> None:
        if not 0.0 < sample <= 1.0 or window < 1:
            raise ValueError("sample is in 0..1, and a window has at least one request")
        room = max(1, round(capacity * sample))
        most = max(1, round((capacity if max_objects is None else max_objects) * sample))
        self._engine = Engine(policy_class, room, min(most, room), ghosts, self._left)
        self._below = int(sample * _ONE)
        self._window = window
        self._key_hash = key_hash
        self._seen: set[Any] = set()
        self._comparison = Comparison()
        self._requests = self._missed = self._shadow_missed = self._new = 0
        self._size = 0

    @property
    def fallback(self) -> str | None:
        """Why FIFO has taken over in the shadow, None while it has not."""
        return self._engine.fallback

    def request(self, key: Any, hit: bool, size: int = 1) -> None:
        """One lookup of the cache in charge, and whether it was a hit there."""
        hashed = self._key_hash(key)
        if hash64(hashed, _SAMPLE_SEED) >= self._below:
            return
        self._requests += 1
        self._missed += not hit
        self._shadow_missed += self._engine.request(key, hash64(hashed, _KEY_SEED), max(1, size)) != HIT
        self._size += size
        if key not in self._seen:
            self._new += 1
            self._seen.add(key)
        if self._requests == self._window:
            n = self._window
            traffic = {"the share of keys new in a window": self._new / n, "the mean size": self._size / n}
            self._comparison.add(self._missed / n, self._shadow_missed / n, traffic)
            self._requests = self._missed = self._shadow_missed = self._new = self._size = 0
            self._seen.clear()

    def report(self) -> Report:
        """Miss ratios of both, over whole windows."""
        return self._comparison.report()

    def _left(self, key: Any) -> None:
        """Values are not kept here, so nothing has to go."""
