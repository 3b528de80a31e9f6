"""``ui``: MLflow's UI on the run database."""

from __future__ import annotations

from pathlib import Path

from metamuse import config
from metamuse.cli import Invocation


def run(invocation: Invocation) -> int:
    """Start the UI; ends with Ctrl-C."""
    settings = config.compose(invocation.overrides)
    from metamuse.tracking import database
    from metamuse.tracking.ui import ui

    return ui(database(settings, Path(settings["root"])), int(settings["port"]))
