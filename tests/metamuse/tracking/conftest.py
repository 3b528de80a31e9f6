"""One database for the session: making one runs all of MLflow's migrations."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from metamuse.tracking.store import MlflowStore


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables and no experiment of ours."""
    root = tmp_path_factory.mktemp("mlflow")
    MlflowStore(f"sqlite:///{root}/mlflow.db", root.as_uri(), "unused", "unused")
    return root / "mlflow.db"


@pytest.fixture
def root(empty_database: Path, tmp_path: Path) -> Path:
    """A folder of runs whose database has its tables already."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return tmp_path
