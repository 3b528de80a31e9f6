"""Where the completions of a record stand: found by their digest, kept in some 200 bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from sys import intern

#: Bytes of a digest that are kept: two calls of a run share them by a chance of 1e-30.
_KEPT = 16


class Places:
    """Models, offsets and sizes of the lines of a file, by digest; several may share one."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}
        self._further: dict[bytes, list[int]] = {}
        self._models: list[str] = []
        self._offsets = array("q")
        self._sizes = array("q")

    def add(self, digest: str, model: str, offset: int, size: int) -> None:
        """Take in a line.

        Args:
            digest: Hexadecimal.
            model: Who answered.
            offset: Where the line begins, bytes.
            size: Its length, bytes.

        Raises:
            ValueError: The digest is none.
        """
        key, number = _key(digest), len(self._models)
        self._models.append(intern(model))
        self._offsets.append(offset)
        self._sizes.append(size)
        if self._first.setdefault(key, number) != number:
            self._further.setdefault(key, []).append(number)

    def find(self, digest: str) -> Iterator[tuple[str, int, int]]:
        """Model, offset and size of each line of that digest, in the order in which they were added."""
        key = _key(digest)
        if key in self._first:
            for number in (self._first[key], *self._further.get(key, ())):
                yield self._models[number], self._offsets[number], self._sizes[number]


def _key(digest: str) -> bytes:
    return bytes.fromhex(digest[: 2 * _KEPT])
