"""Records of runs beyond their directories (``tracking=mlflow|none``). Importing this imports no MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metamuse.errors import UsageError
from metamuse.tracking.base import Tracker
from metamuse.tracking.none import NullTracker


def database(config: Mapping[str, Any], root: Path) -> str:
    """URI of the tracking database: ``tracking.uri``, or SQLite in the folder of runs."""
    uri = config["tracking"].get("uri")
    return str(uri) if uri else f"sqlite:///{root.resolve() / 'mlflow.db'}"


def artifacts(config: Mapping[str, Any], root: Path) -> str | None:
    """Under which URI artifacts go: ``tracking.artifacts``, or the folder of runs; None if a server decides."""
    given = config["tracking"].get("artifacts")
    if given:
        return str(given) if "://" in str(given) else Path(given).resolve().as_uri()
    return None if remote(database(config, root)) else root.resolve().as_uri()


def remote(uri: str) -> bool:
    """Whether a URI names a server of MLflow's, not a database."""
    return uri.startswith(("http://", "https://"))


def check(config: Mapping[str, Any]) -> None:
    """Tell mistakes in the settings before anything starts.

    Raises:
        UsageError: There is one.
    """
    uri = config["tracking"].get("uri")
    if config["tracking"]["name"] != "mlflow" or not uri:
        return
    for key in ("uri", "artifacts"):
        value = str(config["tracking"].get(key) or "")
        if "@" in value and urlsplit(value).password is not None:
            raise UsageError(
                f"tracking.{key} holds a password, and settings are written into the run directory: take it out, and set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (a server) or PGPASSWORD or ~/.pgpass (PostgreSQL)."
            )
    if not remote(str(uri)) and not str(uri).startswith(("sqlite:", "databricks")):
        _check_driver(str(uri))


def _check_driver(uri: str) -> None:
    """Whether a database can be spoken to.

    Raises:
        UsageError: It cannot, for want of a package or because there is no such kind.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        make_url(uri).get_dialect().import_dbapi()
    except ModuleNotFoundError as error:
        raise UsageError(
            f"tracking.uri={uri} needs the Python package {error.name}, which is not installed; for PostgreSQL, "
            "pip install -c constraints.txt -e '.[postgresql]' in the checkout and tracking.uri=postgresql+psycopg2://…"
        ) from None
    except SQLAlchemyError:
        raise UsageError(
            f"tracking.uri={uri} is neither the address of an MLflow server (http://host:5000) nor a database such as "
            "postgresql+psycopg2://user@host/name."
        ) from None


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

        return MlflowTracker(database(config, root), artifacts(config, root))
    raise UsageError(f"tracking={name} is unknown; use tracking=mlflow or tracking=none.")


__all__ = ["Tracker", "artifacts", "check", "database", "make_tracker", "remote"]
