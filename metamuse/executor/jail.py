"""What a task's process gives up before it touches a candidate.

Each layer covers holes of another, so all that exist are applied; what a system lacks is reported, never
passed over in silence. Order matters: a new user id and limits need calls that seccomp then denies.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metamuse.executor import kernel, landlock, seccomp
from metamuse.executor.base import Limits

#: How much protection is asked for: all there is, all or nothing, or none by the kernel (for debugging).
SANDBOXES = ("auto", "strict", "none")

#: Layers without which ``strict`` refuses to start.
DEMANDED = ("landlock", "seccomp")

_NOBODY = 65534
_PAGE = resource.getpagesize()


class JailError(RuntimeError):
    """A layer that was there when the zygote started could not be applied."""


@dataclass(frozen=True)
class Layer:
    """One layer of containment.

    Attributes:
        name: Short name.
        active: Whether it is in force.
        reason: What it does, or why it is absent.
    """

    name: str
    active: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {'active' if self.active else 'ABSENT'} ({self.reason})"


def lock_down(limits: Limits, parent: int, sandbox: str) -> list[Layer]:
    """Give up, in this process and for good, what a task does not need.

    Args:
        limits: Become rlimits (the wall clock is the parent's business).
        parent: Process id with whose end this process ends too.
        sandbox: One of :data:`SANDBOXES`.

    Returns:
        All layers, active or not.
    """
    with contextlib.suppress(OSError):  # a hint only: if memory runs out, a task goes before the hub
        Path("/proc/self/oom_score_adj").write_text("1000")
    room = _address_space() + limits.memory_mb * 2**20
    layers = [
        _try("process group", _new_session),
        # A change of identity clears the wish to die with the parent, so it comes first.
        _try("unprivileged", _drop_root),
        _try("dies with the hub", lambda: _die_with(parent)),
    ]
    if sandbox != "none":
        if kernel.LINUX:
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        layers.append(_try("landlock", _landlock))
    layers.append(_try("limits", lambda: _set_limits(limits, room)))  # Landlock needs a last descriptor
    if sandbox != "none":
        layers.append(_try("seccomp", _seccomp))
    else:
        layers += [Layer(name, False, "switched off by sandbox=none") for name in DEMANDED]
    return layers


def _try(name: str, layer: Callable[[], str]) -> Layer:
    try:
        return Layer(name, True, layer())
    except (OSError, ValueError) as error:
        return Layer(name, False, str(error))


def _new_session() -> str:
    os.setsid()
    return "every task has its own process and session, ended as a whole; its environment holds no keys"


def _drop_root() -> str:
    if os.geteuid() != 0:
        return "tasks run as the user who started the run"
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    return f"tasks give up root for user {_NOBODY}"


def _die_with(parent: int) -> str:
    if not kernel.LINUX:
        raise OSError(
            "this system cannot tie a process to its parent; after a kill -9 tasks end at their CPU limit"
        )
    if not kernel.die_with_parent(signal.SIGKILL, parent):
        os._exit(1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return "tasks end when the hub ends, however that happens"


def _set_limits(limits: Limits, room: int) -> str:
    """rlimits, soft = hard, so that no handler delays the end; ``room`` is the address space in bytes."""
    bounds = {
        "CPU": max(1, math.ceil(limits.cpu_s)),
        "FSIZE": 0,
        "CORE": 0,
        # No new descriptor of any kind: no file, no socket, no pipe. Open ones stay usable.
        "NOFILE": 0,
    }
    if os.geteuid() != 0:
        bounds["NPROC"] = 0  # counts all processes of the user, so 0 denies just the next one; root is exempt
    if kernel.LINUX:
        bounds["AS"] = room
    for name, value in bounds.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    if "AS" not in bounds:
        raise OSError(
            "CPU time, files and processes are limited, but memory is not: this system has no such limit"
        )
    return "CPU time, memory, new files, descriptors and processes"


def _address_space() -> int:
    """Size of this process's address space, in bytes (0 where the system does not say)."""
    if not kernel.LINUX:
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE


def own_bytes() -> int:
    """Resident memory of this process without mapped files; where the system does not say, the most it had."""
    if kernel.LINUX:
        _, resident, mapped, *_ = map(int, Path("/proc/self/statm").read_text().split())
        return (resident - mapped) * _PAGE
    return max_resident_bytes(resource.getrusage(resource.RUSAGE_SELF))


def max_resident_bytes(usage: resource.struct_rusage) -> int:
    """The most resident memory in a usage record (KiB on Linux, bytes on macOS)."""
    return usage.ru_maxrss * (1024 if kernel.LINUX else 1)


def _landlock() -> str:
    if not kernel.LINUX:
        raise OSError("this system has no Landlock; a task still cannot open files, by its limits")
    version = landlock.restrict()
    outside = ", signals" if version >= 6 else ""
    network = ", TCP" if version >= 4 else ""
    return f"version {version}: no access to files{network}{outside}"


def _seccomp() -> str:
    why = seccomp.missing()
    if why is not None:
        raise OSError(why)
    length = seccomp.install(os.getpid())
    return f"only {len(seccomp.MACHINES[os.uname().machine].allowed)} harmless system calls, {length} instructions"
