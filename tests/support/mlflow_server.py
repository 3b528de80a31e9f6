"""An MLflow server on PostgreSQL, and an object store, as a team has them; each a real process that can be killed."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.capabilities import POSTGRESQL

_START_S = 240.0
_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "DO_NOT_TRACK": "true",
}


class PostgreSQL:
    """A database server in a temporary folder, reached through a socket in it; durable only as long as this lasts."""

    def __init__(self) -> None:
        # PostgreSQL refuses to run as root.
        self.user = "nobody" if os.geteuid() == 0 else getpass.getuser()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if os.geteuid() == 0:
            os.chown(self._folder, pwd.getpwnam(self.user).pw_uid, -1)
        data = self._folder / "data"
        self._run(["initdb", "-D", str(data), "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
        self._server = subprocess.Popen(
            [f"{POSTGRESQL}/postgres", "-D", data, "-k", self._folder, "-h", "", "-F"],
            **self._as_user(),
        )
        self._wait()
        self._run(["createdb", "-h", str(self._folder), "mlflow"])

    @property
    def uri(self) -> str:
        """Of the database ``mlflow``."""
        return f"postgresql+psycopg2://{self.user}@/mlflow?host={self._folder}"

    def _as_user(self) -> dict[str, Any]:
        who: dict[str, Any] = {"user": self.user, "group": "nogroup", "extra_groups": []}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self._folder}
        return quiet | (who if os.geteuid() == 0 else {})

    def _run(self, command: list[str]) -> None:
        subprocess.run([f"{POSTGRESQL}/{command[0]}", *command[1:]], check=True, **self._as_user())

    def _wait(self) -> None:
        until = time.monotonic() + _START_S
        ready = [f"{POSTGRESQL}/pg_isready", "-q", "-h", str(self._folder)]
        while subprocess.run(ready, check=False).returncode:
            assert self._server.poll() is None and time.monotonic() < until, "PostgreSQL did not start"
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and remove the folder."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(30)
        shutil.rmtree(self._folder)


class _Web:
    """A process that answers HTTP on a port of its own.

    Args:
        module: What Python runs.
        path: What answers once it is up.
        arguments: Of the module; ``{port}`` becomes the port.
        environment: Beside this process's.
    """

    def __init__(self, module: str, path: str, arguments: list[str], environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._path = path
        self._command = [sys.executable, "-m", module, *(a.format(port=self.port) for a in arguments)]
        self._environment = os.environ | environment
        self.start()

    def start(self) -> None:
        """Start it, again on the same port; returns when it answers."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(
            self._command, env=self._environment, start_new_session=True, **quiet
        )
        until = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < until, f"{self._command} did not start"
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL to it and all it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(urllib.request.urlopen(self.uri + self._path, timeout=5).status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class MlflowServer(_Web):
    """``mlflow server``.

    Args:
        database: URI of its database.
        artifacts: Where it keeps artifacts, which it passes on by itself.
        environment: Beside this process's.
    """

    def __init__(self, database: str, artifacts: str, environment: dict[str, str] | None = None) -> None:
        arguments = [
            *("server", "--backend-store-uri", database.replace("{", "{{"), "--serve-artifacts"),
            *(
                "--artifacts-destination",
                artifacts,
                "--host",
                "127.0.0.1",
                "--port",
                "{port}",
                "--workers",
                "1",
            ),
        ]
        super().__init__("mlflow", "/health", arguments, _QUIET | (environment or {}))


class ObjectStore(_Web):
    """A server that speaks S3, with one bucket named ``runs``."""

    def __init__(self) -> None:
        super().__init__("moto.server", "/moto-api/data.json", ["-p", "{port}"], {})
        self.environment = {
            "MLFLOW_S3_ENDPOINT_URL": self.uri,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        request = urllib.request.Request(f"{self.uri}/runs", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
