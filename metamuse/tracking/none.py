"""``tracking=none``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metamuse.state import RunState
from problems.base import Problem


class NullTracker:
    """Keeps no record beyond the run directory."""

    def start(self, problem: Problem, state: RunState, folder: Path) -> None:
        """Nothing to do."""

    def event(self, state: RunState, event: dict[str, Any]) -> None:
        """Nothing to do."""

    def finish(self, state: RunState) -> None:
        """Nothing to do."""
