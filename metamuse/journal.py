"""The append-only record of a run. The state of a run is a fold over it; nothing else is needed to resume.

One JSON object a line, with ``event``, ``at`` (seconds since the epoch, for people) and ``clock`` (seconds of a
monotonic clock of no fixed origin, for durations). Each line is on disk before anything follows from it. A torn
last line, as a killed process or a full disk leaves it, is dropped when the file is opened again.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metamuse.errors import StorageError, UsageError
from metamuse.place import Event, Place

#: Version of the events, recorded in the first one. A change that an older reader misunderstands is a new number.
FORMAT = 1


class Journal:
    """The journal of one run directory, held open (and locked) for appending. Not thread-safe.

    The kernel releases the lock with the process, however it ends.

    Args:
        path: The file; created if missing.

    Raises:
        UsageError: Another process works on this run, or the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"Cannot write the run's journal {path}: {error.strerror}.") from None
        try:
            self._lock()
            _sync_folder(path.parent)
            self._end = _whole_lines(path)
        except BaseException:
            self.close()
            raise
        self._torn = True

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(
                    f"Another process works on this run ({self.path.parent}); wait for it or stop it."
                ) from None
            # Some network file systems have no locks. Refusing would make them useless.
            print(
                f"metamuse: The file system of {self.path} has no locks ({error.strerror}), so nothing keeps a "
                "second process from working on this run; see to it that there is none.",
                file=sys.stderr,
            )

    def append(self, event: str, **fields: Any) -> Event:
        """Write one event and force it to disk.

        Raises:
            StorageError: The disk is full or gone. Nothing of the event counts, and it may be tried again.
        """
        now = {"at": round(time.time(), 3), "clock": round(time.monotonic(), 3)}
        record = {"event": event, **now, **fields}
        line = _line(record)
        try:
            if self._torn:
                os.ftruncate(self._fd, self._end)
            self._torn = True  # until all of it is known to be on disk, whatever interrupts this
            written = 0
            while written < len(line):
                written += os.pwrite(self._fd, line[written:], self._end + written)
            os.fsync(self._fd)
        except OSError as error:
            raise StorageError(
                f"Cannot write {self.path}: {error.strerror}; mend that, then resume the run."
            ) from None
        place = Place(self.path, self._end, len(line))
        self._end += len(line)
        self._torn = False
        return Event(record, place)

    def close(self) -> None:
        """Release the file and its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read(path: Path) -> Iterator[Event]:
    """The events of a journal, in order; a torn last line is left out.

    Raises:
        UsageError: A line before the last is damaged, or the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            offset = 0
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                yield Event(_event(path, number, line), Place(path, offset, len(line)))
                offset += len(line)
    except OSError as error:
        raise UsageError(f"Cannot read the run's journal {path}: {error.strerror}.") from None


def at_work(folder: Path) -> bool:
    """Whether a process works on the run of a directory: it then holds the lock of its journal."""
    with open(folder / "journal.jsonl", "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    return False


def _line(record: dict[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which models do emit: only escapes keep it
        return json.dumps(record).encode() + b"\n"


def _event(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
        if not isinstance(event["event"], str) or not isinstance(event["at"], int | float):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UsageError(
            f"Line {number} of {path} is damaged: keep a copy of the file, cut it off before that line "
            f"(head -n {number - 1}), and the run goes on from there."
        ) from None
    return event  # type: ignore[no-any-return]  # it has been indexed like the mapping it is


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with open(path, "rb") as file:
        end = 0
        for line in file:
            if line.endswith(b"\n"):
                end += len(line)
    return end


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file survive a power failure too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems have no such thing
            raise UsageError(f"Cannot write the run directory {folder}: {error.strerror}.") from None
    finally:
        os.close(descriptor)
