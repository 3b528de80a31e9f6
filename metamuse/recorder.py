"""Where every event of a run goes: first to the journal, then into the state, then to whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metamuse.journal import Journal
from metamuse.state import RunState

Observer = Callable[[RunState, dict[str, Any]], None]


class Recorder:
    """Records events.

    Args:
        journal: Where every event goes first.
        state: What the journal says already.
        observers: Told of the state after every event; what they raise ends the run.
    """

    def __init__(self, journal: Journal, state: RunState, observers: list[Observer] | None = None) -> None:
        self.journal = journal
        self.state = state
        self.observers = observers or []

    def emit(self, event: str, **fields: Any) -> None:
        """Record one event."""
        record = self.journal.append(event, **fields)
        self.state.apply(record)
        for observer in self.observers:
            observer(self.state, record)
