"""Landlock: a Linux process gives up access to files, TCP and the processes outside for good.

Source: the kernel's ``Documentation/userspace-api/landlock.rst``. A task needs no file at all (everything
is imported and loaded before the fork), so the ruleset handles every right the kernel knows and grants none.
"""

from __future__ import annotations

import ctypes
import os
import struct

from metamuse.executor import kernel

# The same numbers on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_GET_VERSION = 1


def abi() -> int:
    """Version of the kernel's Landlock; 0 if there is none."""
    if not kernel.LINUX:
        return 0
    try:
        return kernel.syscall(_CREATE_RULESET, 0, 0, _GET_VERSION)
    except OSError:
        return 0


def _rights(version: int) -> tuple[int, int, int]:
    """All rights of a version: (file rights, network rights, scopes)."""
    files = (1 << 13) - 1  # execute, read, write, list, remove, make ...
    files |= sum(1 << bit for bit, since in ((13, 2), (14, 3), (15, 5)) if version >= since)
    network = 0b11 if version >= 4 else 0  # bind and connect of TCP
    scopes = 0b11 if version >= 6 else 0  # abstract unix sockets, signals
    return files, network, scopes


def restrict() -> int:
    """Give up every right (needs no-new-privileges); returns the version that is in force.

    Raises:
        OSError: The kernel has no Landlock or refuses.
    """
    version = abi()
    if version < 1:
        raise OSError("the kernel has no Landlock")
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", *_rights(version)), 24)
    ruleset = kernel.syscall(_CREATE_RULESET, ctypes.addressof(attributes), size, 0)
    try:
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version
