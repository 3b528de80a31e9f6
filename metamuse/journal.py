"""The append-only record of a run. The state of a run is a fold over it; nothing else is needed to resume.

One JSON object a line, with ``event`` and ``at`` (seconds since the epoch). A torn last line, as a killed
process leaves it, is dropped when the file is opened again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metamuse.errors import UsageError


class Journal:
    """The journal of one run directory, held open (and locked) for appending.

    Args:
        path: The file; created if missing.

    Raises:
        UsageError: Another process works on this run, or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(path, "ab")  # noqa: SIM115  # held for the life of the run
        except OSError as error:
            raise UsageError(f"Cannot write the run's journal {path}: {error.strerror}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise UsageError(
                f"Another process works on this run ({path.parent}); wait for it or stop it."
            ) from None
        self._drop_torn_line()

    def _drop_torn_line(self) -> None:
        data = self.path.read_bytes()
        good = data.rfind(b"\n") + 1
        if good != len(data):
            os.truncate(self.path, good)

    def append(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write one event and force it to disk.

        Raises:
            UsageError: The disk is full or gone; the line may be torn, which the next opening mends.
        """
        record = {"event": event, "at": round(time.time(), 3), **fields}
        line = json.dumps(record, ensure_ascii=False, allow_nan=True).encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UsageError(
                f"Cannot write {self.path}: {error.strerror}; mend that, then resume the run."
            ) from None
        return record

    def close(self) -> None:
        """Release the file and its lock."""
        with contextlib.suppress(OSError):  # what could not be flushed was reported when it was written
            self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal, in order; a torn last line is left out."""
    with open(path, "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)
