"""What a machine may lack, and the tests that then cannot say anything: the one place where this is listed.

A test names what it needs with ``@needs("landlock")``. Where that is missing it is skipped with the reason;
where the name is in METAMUSE_REQUIRE (comma list, or ``all``) it fails instead, so that a machine meant to
have it cannot lose it unnoticed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

import pytest

from metamuse.executor import landlock, seccomp


def _linux() -> str | None:
    return None if sys.platform.startswith("linux") else "the test looks into /proc, which only Linux has"


def _landlock() -> str | None:
    return (
        None if landlock.abi() >= 1 else "the kernel has no Landlock (Linux 5.13 or newer, enabled at boot)"
    )


#: Name of a capability -> why it is missing, or None.
CAPABILITIES: dict[str, Callable[[], str | None]] = {
    "linux": _linux,
    "landlock": _landlock,
    "seccomp": seccomp.missing,
    "compiler": lambda: None if shutil.which("cc") else "there is no C compiler",
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
    if any(name in required or "all" in required for name in lacking):
        pytest.fail(f"METAMUSE_REQUIRE: {reason}", pytrace=False)
    return reason
