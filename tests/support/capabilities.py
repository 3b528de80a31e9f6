"""What a machine may lack, and the tests that then cannot say anything: the one place where this is listed.

A test names what it needs with ``@needs("landlock")``. Where that is missing it is skipped with the reason;
where the name is in METAMUSE_REQUIRE (comma list, or ``all``, see RARE) it fails instead, so that a machine meant to
have it cannot lose it unnoticed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from metamuse.executor import landlock, seccomp


def _linux() -> str | None:
    return None if sys.platform.startswith("linux") else "the test looks into /proc, which only Linux has"


def _landlock() -> str | None:
    return (
        None if landlock.abi() >= 1 else "the kernel has no Landlock (Linux 5.13 or newer, enabled at boot)"
    )


def _cgroup2() -> str | None:
    controllers = CGROUP / "cgroup.controllers"
    if not controllers.is_file() or "cpu" not in controllers.read_text().split():
        return f"{CGROUP} is no cgroup v2 hierarchy with the cpu controller (METAMUSE_CGROUP names another)"
    enabled = "cpu" in (CGROUP / "cgroup.subtree_control").read_text().split()
    return None if enabled and os.access(CGROUP, os.W_OK) else f"{CGROUP} may not be written"


#: A cgroup v2 hierarchy in which a test may make groups.
CGROUP = Path(os.environ.get("METAMUSE_CGROUP", "/sys/fs/cgroup"))

#: An interpreter with Ray Serve, which does not share an environment with MetaMuse.
RAY_PYTHON = os.environ.get("METAMUSE_RAY_PYTHON", "")

#: The folder of PostgreSQL's programs, where Debian puts them or on the PATH; "" without one.
POSTGRESQL = str(
    next(
        (path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)),
        os.path.dirname(shutil.which("initdb") or ""),
    )
)

#: ``micropython.mjs`` of the npm package @micropython/micropython-webassembly-pyscript, which node runs.
MICROPYTHON_PORT = os.environ.get("METAMUSE_MICROPYTHON_PORT", "")


def micropython() -> str:
    """The command of a MicroPython with floats of 64 bits, "" if there is none."""
    if shutil.which("node") and Path(MICROPYTHON_PORT).is_file():
        return shlex.join(["node", str(Path(__file__).with_name("micropython.mjs")), MICROPYTHON_PORT])
    return shutil.which("micropython") or ""


def _cross() -> str | None:
    lacking = [name for name in ("avr-gcc", "arm-none-eabi-gcc") if not shutil.which(name)]
    return f"there is no {' and no '.join(lacking)} (Debian: gcc-avr avr-libc gcc-arm-none-eabi libnewlib-arm-none-eabi)" if lacking else None  # fmt: skip


#: Capabilities that few machines have: ``all`` does not mean them, only their own names do.
RARE = frozenset(["cgroup2", "cross-compilers", "micropython", "postgresql", "ray", "ray-serve", "s3"])

#: Name of a capability -> why it is missing, or None.
CAPABILITIES: dict[str, Callable[[], str | None]] = {
    "linux": _linux,
    "landlock": _landlock,
    "seccomp": seccomp.missing,
    "compiler": lambda: None if shutil.which("cc") else "there is no C compiler",
    "cgroup2": _cgroup2,
    "grpc": lambda: None if find_spec("grpc") else "grpcio is not installed",
    "postgresql": lambda: (
        None
        if POSTGRESQL and find_spec("psycopg2")
        else "there is no PostgreSQL server (initdb), or no psycopg2"
    ),
    "ray": lambda: None if find_spec("ray") else "ray is not installed",
    "s3": lambda: None if find_spec("moto") and find_spec("flask_cors") else "moto[server] is not installed",
    "ray-serve": lambda: (
        None if shutil.which(RAY_PYTHON) else "METAMUSE_RAY_PYTHON names no Python with ray[serve]"
    ),
    "cross-compilers": _cross,
    "micropython": lambda: (
        None
        if micropython()
        else "there is no micropython, and METAMUSE_MICROPYTHON_PORT names no port for node"
    ),
    "bash": lambda: None if shutil.which("bash") else "there is no bash",
}


def needs(*names: str) -> pytest.MarkDecorator:
    """Mark a test as one that needs these capabilities.

    Raises:
        pytest.fail.Exception: One is required by METAMUSE_REQUIRE and missing (the module is not collected).
    """
    reason = _lacking(names)
    return pytest.mark.skipif(bool(reason), reason=reason or "has all it needs")


def demand(*names: str) -> None:
    """The same inside a test, where only some of its parameters need them."""
    reason = _lacking(names)
    if reason:
        pytest.skip(reason)


def _lacking(names: tuple[str, ...]) -> str:
    """What is missing, "" if nothing is; fails if that is required."""
    lacking = {name: why for name in names if (why := CAPABILITIES[name]()) is not None}
    reason = "; ".join(f"capability {name} is missing: {why}" for name, why in lacking.items())
    required = os.environ.get("METAMUSE_REQUIRE", "").split(",")
    if any(name in required or ("all" in required and name not in RARE) for name in lacking):
        pytest.fail(f"METAMUSE_REQUIRE: {reason}", pytrace=False)
    return reason
