"""Events that know where in a journal they stand, so that long ones need not be kept in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a journal; it never changes, for journals only grow.

    Attributes:
        path: The journal.
        offset: Where the line begins, bytes.
        size: Its length, bytes.
    """

    path: Path
    offset: int
    size: int

    def read(self) -> dict[str, Any]:
        """The event again.

        Raises:
            OSError: The journal is gone.
        """
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            event: dict[str, Any] = json.loads(file.read(self.size))
        return event


class Event(dict[str, Any]):
    """One event of a journal.

    Attributes:
        place: Where it stands.
    """

    def __init__(self, fields: dict[str, Any], place: Place) -> None:
        super().__init__(fields)
        self.place = place
