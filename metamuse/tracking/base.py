"""What a tracker is to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from metamuse.state import RunState
from problems.base import Problem


class Tracker(Protocol):
    """Follows a run and keeps a record of it elsewhere.

    The run directory is the record; a tracker is a view of it. So a tracker never delays a run and never fails
    it: ``start`` and ``event`` return at once, and trouble is told once, as a sentence, when the run finishes.
    """

    def start(self, problem: Problem, state: RunState, folder: Path) -> None:
        """Begin to follow a run, a new one or one that goes on.

        Args:
            problem: What the run is about.
            state: What is known of it so far.
            folder: Its run directory; its name is the name of the run.
        """

    def event(self, state: RunState, event: dict[str, Any]) -> None:
        """Take in one event of the journal; ``state`` has it already."""

    def finish(self, state: RunState) -> None:
        """Write what is left to write (this may take seconds), and tell of trouble on standard error."""
