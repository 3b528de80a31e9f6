"""Handlers that the executor's tests run: harmless ones, hostile ones and broken ones."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluators.base import PolicyError, WorkloadError

Action = Callable[[dict[str, Any]], Any]


def plain(config: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A handler that imports nothing heavy: ``{"do": name, ...}`` gives ``{"value": ...}``."""
    match config.get("fail"):
        case "workload":
            raise WorkloadError("trace.csv, row 7: the size is negative")
        case "bug":
            raise KeyError("capacity")
        case "exit":
            print("the licence has expired", file=sys.stderr, flush=True)
            os._exit(3)
    return lambda payload: {"value": ACTIONS[payload["do"]](payload)}


def numeric(config: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """As :func:`plain`, with compiled code."""
    import numba
    import numpy as np

    from evaluators.cache.belady import belady_misses
    from metamuse.policy.compiled import kit_functions

    @numba.njit("int64(int64)", nogil=True)
    def spin(n: int) -> int:
        while n != 0:
            n += 2 * (n & 1) - 1 if n > 0 else 3
        return n

    def compile_one(payload: dict[str, Any]) -> Any:
        space: dict[str, Any] = {}
        exec(payload["source"], space)
        return numba.njit(space["f"])(payload["x"])

    more = {
        "spin": lambda p: int(spin(1)),
        "compile": compile_one,
        "kernel with a cache on disk": lambda p: belady_misses(np.tile(np.arange(30), 5), 30, 10),
        "class translated from its source": lambda p: "Heap__push" in kit_functions("Heap"),
        "late import of numpy": lambda p: float(np.ma.ones(2).sum()),
        "allocate": lambda p: float(np.ones(p["mb"] << 17).sum()),
    }
    ACTIONS.update(more)
    return plain(config)


def _denied(attack: Callable[[], Any]) -> str:
    """Name of the error that an attack meets, or ``done``."""
    try:
        attack()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except (RuntimeError, ValueError) as error:  # threading and resource say it so
        return str(error)
    return "done"


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (b"127.0.0.1", 9))


def _tcp() -> None:
    with socket.socket() as sock, contextlib.suppress(ConnectionRefusedError):  # refused means: got through
        sock.connect((b"127.0.0.1", 9))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _call(name: str, *arguments: int) -> Callable[[], None]:
    def attack() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    return attack


#: What hostile code might try; each does harm if nothing stops it.
ATTACKS: dict[str, Callable[[], Any]] = {
    "read a file": lambda: Path("/etc/passwd").read_text(),
    "read the environment of the hub": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "list a folder": lambda: os.listdir("/"),
    "inspect a file": lambda: os.stat("/etc/passwd"),
    "write a file": lambda: Path("/tmp/metamuse-attack").write_text("x"),
    "remove a file": lambda: os.unlink("/tmp/metamuse-attack"),
    "open a TCP socket": _tcp,
    "send by UDP": _udp,
    "make a socket pair": socket.socketpair,
    "fork": _fork,
    "start a thread": _thread,
    "start a program": lambda: subprocess.run(["/bin/true"], check=False),
    "replace the program": lambda: os.execv("/bin/true", ["true"]),
    "signal the zygote": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "signal every process": lambda: os.kill(-1, 0),
    "change its user": lambda: os.setuid(0),
    "change a priority": lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
    "share memory": _call("shmget", 0, 4096, 0o1666),
    "trace a process": _call("ptrace", 16, os.getppid(), 0, 0),
}


def _raise_limit(_: dict[str, Any]) -> str:
    import resource

    return _denied(lambda: resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000)))


def _raw_answer(payload: dict[str, Any]) -> None:
    """Write an answer of one's own and end."""
    data = payload["bytes"].encode("latin-1") + b"x" * payload.get("more", 0)
    for descriptor in range(3, 256):
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:
            continue
    os._exit(0)


def _writable_descriptors(_: dict[str, Any]) -> list[int]:
    found = []
    for descriptor in range(256):
        try:
            os.write(descriptor, b"")
        except OSError as error:
            if error.errno == errno.EBADF:
                continue
        found.append(descriptor)
    return found


def _raise(error: BaseException) -> None:
    raise error


def _burn(_: dict[str, Any]) -> None:
    while True:
        pass


def _hoard(_: dict[str, Any]) -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


ACTIONS: dict[str, Action] = {
    "echo": lambda p: p["x"],
    "pid": lambda p: os.getpid(),
    "zygote": lambda p: os.getppid(),
    "environment": lambda p: dict(os.environ),
    "hash": lambda p: hash(p["x"]),
    "sleep": lambda p: time.sleep(p["s"]),
    "burn": _burn,
    "hoard": _hoard,
    "exit": lambda p: os._exit(p["status"]),
    "system exit": lambda p: sys.exit(0),
    "segfault": lambda p: ctypes.string_at(0),
    "abort": lambda p: os.abort(),
    "print": lambda p: print("{'value': 1}", flush=True),
    "text": lambda p: "x" * p["n"],
    "not json": lambda p: {1, 2},
    "policy error": lambda p: _raise(PolicyError("illegal", "victim() returned 7", line=3)),
    "long policy error": lambda p: _raise(PolicyError("illegal", "x" * p["n"])),
    "bug": lambda p: _raise(ZeroDivisionError("in the scorer")),
    "attack": lambda p: _denied(ATTACKS[p["name"]]),
    "raise limit": _raise_limit,
    "raw answer": _raw_answer,
    "descriptors": _writable_descriptors,
}
