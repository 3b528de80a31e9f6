"""seccomp: the list of system calls that a task may make, as a filter in the kernel (classic BPF).

A task computes: it needs memory, clocks, its answer's pipe and its own end. It is denied the rest (EPERM),
so no call has to be known to be dangerous. In particular there is no way to open or inspect a file, to make
a socket, process or thread, or to touch another process.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import signal
import struct
from dataclasses import dataclass

from metamuse.executor import kernel

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL_PROCESS = 0x80000000
_MODE_FILTER = 2

# BPF: load a word of the call's description; jump if equal; return.
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
# Offsets in struct seccomp_data (both architectures are little-endian: the low word comes first).
_NUMBER, _ARCH, _ARGS = 0, 4, 16


@dataclass(frozen=True)
class Machine:
    """Numbers of one architecture.

    Attributes:
        audit: Its AUDIT_ARCH word.
        allowed: Calls that are allowed whatever their arguments.
        tgkill: Allowed for SIGABRT to the own process only (``abort`` needs it).
        prlimit64: Allowed for reading the own limits only (C libraries ask for the stack's).
    """

    audit: int
    allowed: dict[str, int]
    tgkill: int
    prlimit64: int


# The same number everywhere. Answered with ENOSYS as by an older kernel, because its arguments cannot be seen.
_CLONE3 = 435

MACHINES = {
    "x86_64": Machine(
        audit=0xC000003E,
        allowed={
            "read": 0, "write": 1, "close": 3, "readv": 19, "writev": 20,
            "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "madvise": 28,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131,
            "clock_gettime": 228, "clock_getres": 229, "gettimeofday": 96, "time": 201, "times": 100,
            "nanosleep": 35, "clock_nanosleep": 230, "restart_syscall": 219, "sched_yield": 24,
            "getcwd": 79, "getpid": 39, "getppid": 110, "gettid": 186, "getrusage": 98, "getrlimit": 97,
            "sysinfo": 99, "uname": 63, "getcpu": 309, "sched_getaffinity": 204,
            "futex": 202, "set_robust_list": 273, "rseq": 334, "membarrier": 324,
            "getrandom": 318, "exit": 60, "exit_group": 231,
        },
        tgkill=234,
        prlimit64=302,
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        allowed={
            "read": 63, "write": 64, "close": 57, "readv": 65, "writev": 66,
            "mmap": 222, "mprotect": 226, "munmap": 215, "brk": 214, "mremap": 216, "madvise": 233,
            "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sigaltstack": 132,
            "clock_gettime": 113, "clock_getres": 114, "gettimeofday": 169, "times": 153,
            "nanosleep": 101, "clock_nanosleep": 115, "restart_syscall": 128, "sched_yield": 124,
            "getcwd": 17, "getpid": 172, "getppid": 173, "gettid": 178, "getrusage": 165, "getrlimit": 163,
            "sysinfo": 179, "uname": 160, "getcpu": 168, "sched_getaffinity": 123,
            "futex": 98, "set_robust_list": 99, "rseq": 293, "membarrier": 283,
            "getrandom": 278, "exit": 93, "exit_group": 94,
        },
        tgkill=131,
        prlimit64=261,
    ),
}  # fmt: skip


def machine() -> Machine | None:
    """This machine's numbers, if they are known."""
    return MACHINES.get(platform.machine()) if kernel.LINUX else None


def missing() -> str | None:
    """Why no filter can be installed here; ``None`` if one can."""
    if not kernel.LINUX:
        return "this system has no seccomp"
    if machine() is None:
        return f"no filter is known for {platform.machine()}"
    try:
        kernel.prctl(kernel.PR_GET_SECCOMP)
    except OSError:
        return "the kernel has no seccomp"
    return None


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def program(numbers: Machine, pid: int) -> bytes:
    """The filter for one process as an array of BPF instructions (8 bytes each).

    Args:
        numbers: Of the architecture; any other one's calls (32-bit ones too) kill the process.
        pid: The process, the only one it may abort.
    """
    allow, deny = _op(_RETURN, _ALLOW), _op(_RETURN, _ERRNO | errno.EPERM)
    code = [_op(_LOAD, _ARCH), _op(_EQUAL, numbers.audit, if_true=1), _op(_RETURN, _KILL_PROCESS)]
    code.append(_op(_LOAD, _NUMBER))
    for number in numbers.allowed.values():
        code += [_op(_EQUAL, number, if_false=1), allow]
    code += [_op(_EQUAL, _CLONE3, if_false=1), _op(_RETURN, _ERRNO | errno.ENOSYS)]
    code += _with_arguments(numbers.tgkill, {_ARGS: pid, _ARGS + 16: signal.SIGABRT})
    # Own process (0), no new limits (third argument, a pointer in two words).
    code += _with_arguments(numbers.prlimit64, {_ARGS: 0, _ARGS + 16: 0, _ARGS + 20: 0})
    code.append(deny)
    return b"".join(code)


def _with_arguments(number: int, words: dict[int, int]) -> list[bytes]:
    """Allow a call if words of its arguments have the values given; else deny it."""
    checks: list[bytes] = []
    for i, (offset, value) in enumerate(words.items()):
        to_deny = 2 * (len(words) - i - 1) + 1
        checks += [_op(_LOAD, offset), _op(_EQUAL, value, if_false=to_deny)]
    checks += [_op(_RETURN, _ALLOW), _op(_RETURN, _ERRNO | errno.EPERM)]
    return [_op(_EQUAL, number, if_false=len(checks)), *checks]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def install(pid: int) -> int:
    """Bind this thread to the filter (needs no-new-privileges); returns its length in instructions.

    Raises:
        OSError: There is no filter for this machine, or the kernel refuses.
    """
    numbers = machine()
    if numbers is None:
        raise OSError(missing())
    code = program(numbers, pid)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.addressof(buffer))
    kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(filter_))
    return len(code) // 8
