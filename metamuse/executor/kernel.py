"""Calls of the Linux kernel that Python's library does not offer, through ctypes (nothing to install)."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

LINUX = sys.platform.startswith("linux")

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_GET_SECCOMP = 21
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int = 0, pointer: int = 0) -> int:
    """``prctl(2)``.

    Raises:
        OSError: The kernel refuses.
    """
    arguments = (ctypes.c_ulong(value), ctypes.c_ulong(pointer), ctypes.c_ulong(0), ctypes.c_ulong(0))
    return _checked(_libc().prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def syscall(number: int, *arguments: int) -> int:
    """A system call by number; pointers are passed as addresses.

    Raises:
        OSError: The kernel refuses.
    """
    return _checked(
        _libc().syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)), f"syscall {number}"
    )


def die_with_parent(signal: int, parent: int) -> bool:
    """Have the kernel send this process a signal when its parent ends; ``False`` if it ended already."""
    prctl(PR_SET_PDEATHSIG, signal)
    return os.getppid() == parent
