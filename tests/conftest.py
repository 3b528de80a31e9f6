"""Fixtures that several packages' tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real workloads named by METAMUSE_DATA; its tests carry the marker `realdata`."""
    folder = os.environ.get("METAMUSE_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.fail(f"tests marked realdata need METAMUSE_DATA to name the data folder, not {folder!r}")
    return Path(folder)
