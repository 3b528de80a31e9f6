"""OR-Library text (J. E. Beasley): the number of instances; then, for each, its name, a line
`capacity items best_known_bins`, and the sizes, one a line (any white space will do).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.binpacking import decimals
from evaluators.binpacking.instance import Instance, quoted, repeated

_REASON = {decimals.NOT_A_NUMBER: "is no number", decimals.TOO_LONG: "has more digits than 64 bits hold"}


class OrLibrary:
    """One file of instances.

    Args:
        path: Name of the file for messages.
        data: Its content.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._data = data
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        self._at = 0  # where the unread part begins

    def instances(self) -> list[Instance]:
        """All instances of the file.

        Raises:
            WorkloadError: The file is not of this form, is cut off, or its counts are wrong.
        """
        at, first = self._line("the number of instances")
        if not _is_count(first):
            raise self._fault(at, f"expected the number of instances (or JSON), found {quoted(first)}")
        instances = [self._instance() for _ in range(int(first))]
        if self._data[self._at :].strip():
            at, line = self._line("more")
            raise self._fault(at, f"{quoted(line)} follows after the last of {first} instances")
        twice = repeated([instance.name for instance in instances])
        if twice is not None:
            raise WorkloadError(f"{self._path}: two instances are called {quoted(twice)}")
        return instances

    def _instance(self) -> Instance:
        _, name = self._line("the name of the next instance")
        at, header = self._line(f"the line `capacity items best` of {name}")
        fields = header.split()
        if len(fields) not in (2, 3) or not _is_count(fields[1]):
            raise self._fault(at, f"expected `capacity items best` of {quoted(name)}, found {quoted(header)}")
        count = int(fields[1])
        if count > len(self._data):  # every size takes a byte
            raise self._fault(at, f"{name} claims {count:,} items, more than the file can hold")
        mantissas = np.zeros(count + 1, dtype=np.int64)
        shifts = np.zeros(count + 1, dtype=np.int64)
        _, _, code = decimals.parse(_bytes(fields[0]), 0, mantissas[:1], shifts[:1])
        if code != decimals.OK:
            raise self._fault(
                at, f"the capacity of {name}, {quoted(fields[0])}, {_REASON.get(code, 'is no number')}"
            )
        begin = self._at
        done, self._at, code = decimals.parse(self._bytes, begin, mantissas[1:], shifts[1:])
        if code == decimals.END:
            raise self._fault(self._at, f"the file ends after {done:,} of {count:,} items of {name}")
        if code != decimals.OK:
            word = self._data[self._at : self._at + 100].split(maxsplit=1)[0].decode("utf-8", "replace")
            raise self._fault(
                self._at, f"item {done + 1:,} of {count:,} of {name}, {quoted(word)}, {_REASON[code]}"
            )

        def where(i: int) -> str:
            scratch = np.zeros((2, i + 1), dtype=np.int64)
            end = int(decimals.parse(self._bytes, begin, scratch[0], scratch[1])[1])
            return f"item {i + 1:,} (line {self._line_number(end):,})"

        return Instance(name, mantissas, shifts, where)

    def _line(self, expected: str) -> tuple[int, str]:
        """The next line that is not blank, and where it begins."""
        while self._at < len(self._data):
            begin = self._at
            end = self._data.find(b"\n", begin)
            self._at = end + 1 if end >= 0 else len(self._data)
            line = self._data[begin : self._at].strip()
            if line:
                return begin, line.decode("utf-8", "replace")
        raise self._fault(self._at, f"the file ends before {expected}")

    def _line_number(self, position: int) -> int:
        return self._data.count(b"\n", 0, position) + 1

    def _fault(self, position: int, what: str) -> WorkloadError:
        return WorkloadError(f"{self._path}: line {self._line_number(position):,}: {what}")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
