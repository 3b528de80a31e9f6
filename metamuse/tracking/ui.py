"""MLflow's UI on the run database."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from metamuse.errors import UsageError

HOST = "127.0.0.1"
START_SECONDS = 180.0


def ui(uri: str, port: int) -> int:
    """Serve MLflow's UI until Ctrl-C; prints where to open it. Returns the exit code.

    Raises:
        UsageError: There is no database yet, the port is taken, or the server does not start.
    """
    path = Path(uri.removeprefix("sqlite:///"))
    local = uri.startswith("sqlite:///")
    if local and not path.is_file():
        raise UsageError(f"There is no tracking database {path} yet; a run with tracking=mlflow makes it.")
    if _listening(port):
        raise UsageError(f"Port {port} is in use; choose another with port={port + 1}.")
    print("starting MLflow's UI …", flush=True)
    # The server is talkative; what it says matters only if it does not come up.
    log = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the server
    server = subprocess.Popen(
        _command(uri, port), env=_environment(), start_new_session=True, stdout=log, stderr=subprocess.STDOUT
    )
    # The server is in a session of its own: whatever ends this command has to end it, too (not SIGHUP under nohup).
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        _wait(server, port, log)
        for line in links(path if local else None, port):
            print(line)
        print("Ctrl-C ends it.", flush=True)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(server)
        for number, handler in before.items():
            signal.signal(number, handler)


def links(database: Path | None, port: int) -> list[str]:
    """Where each experiment's runs are, newest experiment last.

    MLflow opens on its page for traces otherwise, where the runs of a search are hard to find.
    """
    base = f"http://{HOST}:{port}"
    if database is None:
        return [base]
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "select experiment_id, name from experiments where lifecycle_stage = 'active' and name like 'metamuse/%' order by experiment_id"
        ).fetchall()
    return [f"{name}  {base}/#/experiments/{id}/runs" for id, name in rows] or [base]


def _command(uri: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri,
        "--host", HOST, "--port", str(port), "--workers", "1",
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    """Settings without which the server reaches for the network, or hangs where there is none."""
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        # Job runners (of judges and the like, which nothing here uses) are seven more processes.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    return quiet | os.environ


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _wait(server: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _listening(port):
        if server.poll() is not None:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            last = f"; it last said: {said[-1]}" if said else ""
            raise UsageError(
                f"MLflow's server ended with exit code {server.returncode} before it was up{last}."
            )
        if time.monotonic() > deadline:
            raise UsageError(f"MLflow's server is not up after {START_SECONDS:.0f} s.")
        time.sleep(0.2)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server with the processes it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
