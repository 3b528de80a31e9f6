"""A cache of cachetools whose evictions a policy decides."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import cachetools

from metamuse.export.runtime.cache_engine import KEY_SEED, STORED, Engine
from metamuse.export.runtime.hashing import hash64

#: Most objects there is room for where values have sizes and nothing else is said.
OBJECTS = 65_536


class PolicyCache(cachetools.Cache):  # type: ignore[misc, type-arg]  # cachetools ships no types
    """A :class:`cachetools.Cache` that evicts, and refuses, what its policy says.

    Like every cache of cachetools it is not thread-safe: share one between threads under a lock, as in
    ``@cached(cache, lock=threading.Lock())``; reading, too, changes the policy's state.

    - ``cache[key]``, ``get`` and ``setdefault`` of a cached key are hits; assigning to a cached key is one, too.
    - Assigning to another key is a miss with its insertion. A policy that filters admissions may *refuse*: then nothing
      is stored and nothing is raised, as if the value had been evicted at once, and ``refused`` counts it. So do not
      rely on ``cache[key]`` right after ``cache[key] = value``; ``setdefault`` gives the value all the same.
    - A value larger than ``maxsize`` raises ``ValueError`` and leaves everything as it was.
    - ``del``, ``pop`` and ``clear`` tell the policy that the object was evicted; ``popitem`` takes the one that the policy
      would give up next, and ``popitem`` of an empty cache raises ``KeyError``.

    Args:
        maxsize: Room, a whole number: values, or the sum of their sizes.
        getsizeof: Size of a value, a whole number of at least 0 (the policy is shown at least 1); by default all
            values have the size 1.
        max_objects: Most values at once, for which the policy's memory is allotted now; by default ``maxsize``, and at
            most ``OBJECTS`` with ``getsizeof``. A smaller value counts as ``maxsize / max_objects``.
        key_hash: A stable whole number for a key. The default, ``hash``, differs between processes for texts; give
            another one where a restart must decide the same.
        strict: Raise what the policy raises instead of falling back to FIFO.

    Attributes:
        refused: Values that were not admitted.

    Raises:
        ValueError: A size makes no sense, or ``getsizeof`` is given and the policy knows unit sizes only.
    """

    policy_class: type[Any]
    ghosts: float = 0.0
    takes_sizes: bool = True

    def __init__(
        self,
        maxsize: int,
        getsizeof: Callable[[Any], int] | None = None,
        *,
        max_objects: int | None = None,
        key_hash: Callable[[Hashable], int] = hash,
        strict: bool = False,
    ) -> None:
        super().__init__(maxsize, getsizeof)
        if getsizeof is not None and not self.takes_sizes:
            raise ValueError(
                "this policy was found for values of one size and fails with sizes: leave getsizeof out"
            )
        if not isinstance(maxsize, int):
            raise ValueError(f"maxsize must be a whole number, not {maxsize!r}")
        if max_objects is None:
            max_objects = maxsize if getsizeof is None else min(maxsize, OBJECTS)
        room, most = max(1, maxsize), max(1, max_objects)
        self.refused = 0
        self._key_hash = key_hash
        self._values: dict[Hashable, Any] = {}
        self._sizes: dict[Hashable, int] = {}
        self._used = 0
        self._engine = Engine(self.policy_class, room, most, self.ghosts, self._left, strict=strict)

    @property
    def currsize(self) -> int:
        """The sum of the sizes of all cached values."""
        return self._used

    @property
    def fallback(self) -> str | None:
        """Why FIFO has taken over from the policy, None while it has not."""
        return self._engine.fallback

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._values!r}, maxsize={self.maxsize!r}, currsize={self.currsize!r})"
        )

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __getitem__(self, key: Any) -> Any:
        if key not in self._values:
            return self.__missing__(key)
        value = self._values[key]
        self._request(key, self._sizes[key])
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        size = self.getsizeof(value)
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"the size of a value must be a whole number of at least 0, not {size!r}")
        if size > self.maxsize:
            raise ValueError("value too large")
        if key in self._values:
            self._used += size - self._sizes[key]
            self._values[key], self._sizes[key] = value, size
            self._request(key, size)
        elif self._request(key, size) == STORED:
            self._values[key], self._sizes[key] = value, size
            self._used += size
            if not self._engine.holds(key):  # the policy gave it up at once
                self._left(key)
        else:
            self.refused += 1

    def __delitem__(self, key: Any) -> None:
        if key not in self._values:
            raise KeyError(key)
        self._engine.remove(key)

    def popitem(self) -> tuple[Any, Any]:
        """Take out the value that the policy would give up next, with its key.

        Raises:
            KeyError: The cache is empty.
        """
        if not self._values:
            raise KeyError(f"{type(self).__name__} is empty")
        key = self._engine.loser()
        value = self._values[key]
        self._engine.remove(key)
        return key, value

    def clear(self) -> None:
        """Take out everything."""
        for key in list(self._values):
            self._engine.remove(key)

    def _request(self, key: Hashable, size: int) -> int:
        hashed = hash64(self._key_hash(key), KEY_SEED)
        return self._engine.request(key, hashed, max(1, size))

    def _left(self, key: Hashable) -> None:
        """An object has left the cache."""
        if key in self._values:
            del self._values[key]
            self._used -= self._sizes.pop(key)
