"""Records of runs beyond their directories (``tracking=mlflow|none``). Importing this imports no MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metamuse.errors import UsageError
from metamuse.tracking.base import Tracker
from metamuse.tracking.none import NullTracker


def database(config: Mapping[str, Any], root: Path) -> str:
    """URI of the tracking database: ``tracking.uri``, or SQLite in the folder of runs."""
    uri = config["tracking"].get("uri")
    return str(uri) if uri else f"sqlite:///{root.resolve() / 'mlflow.db'}"


def make_tracker(config: Mapping[str, Any], root: Path) -> Tracker:
    """The configured tracker.

    Raises:
        UsageError: There is no such tracker.
    """
    name = config["tracking"]["name"]
    if name == "none":
        return NullTracker()
    if name == "mlflow":
        from metamuse.tracking.mlflow_tracker import MlflowTracker

        return MlflowTracker(database(config, root), root)
    raise UsageError(f"tracking={name} is unknown; use tracking=mlflow or tracking=none.")


__all__ = ["Tracker", "database", "make_tracker"]
