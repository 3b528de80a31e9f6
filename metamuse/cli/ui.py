"""``ui``: MLflow's UI on the run database."""

from __future__ import annotations

from pathlib import Path

from metamuse import config
from metamuse.cli import Invocation


def run(invocation: Invocation) -> int:
    """Start the UI; ends with Ctrl-C."""
    settings = config.compose(invocation.overrides)
    from metamuse.tracking import database, remote
    from metamuse.tracking.ui import ui

    uri = database(settings, Path(settings["root"]))
    if remote(uri):
        print(f"The runs are on the MLflow server {uri}; open that.")
        return 0
    return ui(uri, int(settings["port"]))
