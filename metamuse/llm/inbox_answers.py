"""Reads the outbox: files that a person, an editor or a script writes, at their own pace."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Collection
from pathlib import Path

from metamuse.errors import StorageError
from metamuse.llm.inbox_text import decoded, split

#: ``0007.md``, ``7.txt``, ``0007-formulation.md``, ``0007 (1).md``. Editors call their temporary files otherwise.
_NUMBERED = re.compile(r"0*(\d{1,9})(?:\D.*)?\.(?:md|markdown|txt|json|py)", re.IGNORECASE | re.DOTALL)
_READ = re.compile(r"[^.~#].*\.(?:md|markdown|txt|json|py)", re.IGNORECASE | re.DOTALL)


def answers_in(name: str, data: bytes) -> dict[int, str]:
    """The answers in a file, by number; empty if it is empty or its name and content name no number.

    Args:
        name: The file's name.
        data: Its content.
    """
    text = decoded(data)
    several = split(text)
    numbered = _NUMBERED.fullmatch(name)
    # Under the name of one prompt, lines like those above several answers may be part of the answer.
    if numbered is None or int(numbered[1]) in several:
        return several
    return {int(numbered[1]): text} if text else {}


class Outbox:
    """A folder of answers.

    Args:
        folder: Where they appear; made if it does not exist.
        settle_s: Seconds for which a file must not have changed before it is read.
        clock: Seconds; monotonic.
    """

    def __init__(
        self, folder: Path, settle_s: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._read: dict[Path, dict[int, str]] = {}

    def files(self) -> list[Path]:
        """The files that may hold answers, those changed last at the end.

        Raises:
            StorageError: The folder cannot be read or made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            paths = [path for path in self.folder.iterdir() if _READ.fullmatch(path.name)]
        except OSError as error:
            raise StorageError(f"Cannot read {self.folder}: {error.strerror}") from None
        found = []
        for path in paths:
            with contextlib.suppress(FileNotFoundError):  # renamed while we look
                found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found) if path.is_file()]

    def take(self, wanted: Collection[int]) -> dict[int, str]:
        """The answers that are there and complete, of the prompts with these numbers.

        Raises:
            StorageError: The folder or a file cannot be read.
        """
        found: dict[int, str] = {}
        for path in self.files():
            if self._is_settled(path):
                found |= {n: text for n, text in self._read[path].items() if n in wanted}
        return found

    def _is_settled(self, path: Path) -> bool:
        """Whether a file has not changed for a while; reads it, once, if so."""
        try:
            status = path.stat()
            signature = (status.st_size, status.st_mtime_ns)
            now = self._clock()
            before, since = self._seen.get(path, (None, now))
            if signature != before:
                self._seen[path] = (signature, now)
                self._read.pop(path, None)
                return False
            if now - since < self._settle_s:
                return False
            if path not in self._read:
                self._read[path] = answers_in(path.name, path.read_bytes())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(f"Cannot read the answer {path}: {error.strerror}") from None
        return True
