"""One database for the session: making one runs all of MLflow's migrations."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metamuse.tracking.store import MlflowStore


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables and no experiment of ours."""
    root = tmp_path_factory.mktemp("mlflow")
    MlflowStore(f"sqlite:///{root}/mlflow.db", root, "unused", "unused")
    return root / "mlflow.db"


@pytest.fixture
def root(empty_database: Path, tmp_path: Path) -> Path:
    """A folder of runs whose database has its tables already."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return tmp_path
