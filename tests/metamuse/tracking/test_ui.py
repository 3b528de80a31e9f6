"""``ui`` says what is wrong, and where to look."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from metamuse.errors import UsageError
from metamuse.tracking import ui as module
from metamuse.tracking.store import MlflowStore
from metamuse.tracking.ui import links, ui


def test_without_a_database(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tracking database"):
        ui(f"sqlite:///{tmp_path}/mlflow.db", 5000)


def test_a_port_in_use(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind((module.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port={port + 1}"):
            ui(f"sqlite:///{root}/mlflow.db", port)


def test_a_server_that_does_not_start(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "_command", lambda uri, port: ["python3", "-c", "import sys; sys.exit('no such thing')"]
    )
    with pytest.raises(UsageError, match="exit code 1 before it was up; it last said: no such thing"):
        ui(f"sqlite:///{root}/mlflow.db", 59_997)


def test_links_go_to_the_runs_of_our_experiments(root: Path) -> None:
    store = MlflowStore(f"sqlite:///{root}/mlflow.db", root.as_uri(), "metamuse/fake", "fake")
    assert links(root / "mlflow.db", 5050) == [
        f"metamuse/fake  http://127.0.0.1:5050/#/experiments/{store.experiment}/runs"
    ]
