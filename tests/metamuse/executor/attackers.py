"""Arbitrary Python in a task's process, as if everything before the process layer had failed."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from metamuse.executor.wire import ANSWER_SIZE
from tests.metamuse.executor import handlers


def _pipe() -> int:
    """The descriptor of the answer: the last one that is open."""
    for descriptor in reversed(range(3, 256)):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"")
            return descriptor
    raise AssertionError("the task has no pipe")


def _for_ever(attack: Callable[[], Any]) -> Callable[[], NoReturn]:
    def again() -> NoReturn:
        while True:
            with contextlib.suppress(OSError, RuntimeError):
                attack()

    return again


def _daemon() -> None:
    """Leave a process in another session behind."""
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
    os._exit(0)


def _another_session() -> None:
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        os.setpgid(0, os.getppid())
    time.sleep(60)


def _stop() -> None:
    with contextlib.suppress(OSError):
        signal.raise_signal(signal.SIGSTOP)
    time.sleep(60)


def _deaf(then: Callable[[], Any]) -> Callable[[], None]:
    def attack() -> None:
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError):
                signal.signal(number, signal.SIG_IGN)
        then()

    return attack


def _burn() -> None:
    while True:
        pass


def _map_all() -> None:
    kept = []
    while True:
        try:
            kept.append(mmap.mmap(-1, 64 << 20))
        except OSError as error:
            raise MemoryError from error


def _deep() -> None:
    sys.setrecursionlimit(2**30)

    def down(x: Any) -> Any:
        return sorted([x], key=down)  # through C at each step, so that the C stack ends first

    down(1)


def _write(*pieces: bytes) -> Callable[[], None]:
    def attack() -> None:
        pipe = _pipe()
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(pipe, view) :]

    return attack


def _answer(text: bytes) -> bytes:
    return ANSWER_SIZE.pack(len(text)) + text


def _then(*steps: Callable[[], Any]) -> Callable[[], None]:
    def attack() -> None:
        for step in steps:
            step()

    return attack


def _sleep() -> None:
    time.sleep(60)


def _leave() -> None:
    os._exit(0)


def _flood() -> None:
    pipe = _pipe()
    while True:
        os.write(pipe, b"x" * 65536)


def _drip() -> None:
    pipe = _pipe()
    while True:
        os.write(pipe, b"\0")
        time.sleep(0.001)


#: Attack -> (failure class, part of the message, what it does). ``{}`` in a message is the limit.
ATTACKERS: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "a fork bomb": ("timeout", "longer than", _for_ever(os.fork)),
    "a thread bomb": ("timeout", "longer than", _for_ever(lambda: threading.Thread(target=_sleep).start())),
    "a daemon": ("crash", "without an answer", _daemon),
    "another session": ("timeout", "longer than", _another_session),
    "SIGSTOP to itself": ("timeout", "longer than", _stop),
    "deaf to all signals, asleep": ("timeout", "longer than", _deaf(_sleep)),
    "deaf to all signals, busy": ("timeout", "longer than", _deaf(_burn)),
    "all memory by mmap": ("memory", "MiB it may have", _map_all),
    "the C stack": ("crash", "SIGSEGV", _deep),
    "a jump to nowhere": ("crash", "SIGSEGV", lambda: ctypes.CFUNCTYPE(None)(8)()),
    "os._exit": ("crash", "without an answer", _leave),
    "the pipe closed, then busy": ("timeout", "longer than", lambda: _then(lambda: os.close(_pipe()), _burn)()),
    "the pipe closed, then gone": ("crash", "without an answer", lambda: _then(lambda: os.close(_pipe()), _leave)()),
    "an endless answer": ("crash", "more than the 1 MiB", _flood),
    "an endless answer in drips": ("timeout", "longer than", _drip),
    "half an answer, then silence": ("timeout", "longer than", _then(_write(ANSWER_SIZE.pack(100) + b"{"), _sleep)),
    "half an answer, then gone": ("crash", "without an answer", _then(_write(ANSWER_SIZE.pack(100) + b"{"), _leave)),
    "a length beyond all": ("crash", "without an answer", _then(_write(ANSWER_SIZE.pack(2**63) + b"{}"), _leave)),
    "more than it announced": ("crash", "without an answer", _then(_write(_answer(b"{}"), b"more"), _leave)),
    "deep JSON": ("crash", "cannot be read", _then(_write(_answer(b"[" * 100_000)), _leave)),
    "a number of 100,000 digits": ("crash", "cannot be read", _then(_write(_answer(b"9" * 100_000)), _leave)),
    "no UTF-8": ("crash", "cannot be read", _then(_write(_answer(b'{"result": "\xff\xfe"}')), _leave)),
    "nothing": ("crash", "cannot be read", _then(_write(_answer(b"")), _leave)),
    "a result that is no object": ("crash", "wrong form", _then(_write(_answer(b'{"result": 1}')), _leave)),
    "a result and a failure": (
        "crash", "wrong form", _then(_write(_answer(b'{"result": {}, "failure": ["crash", ""]}')), _leave),
    ),
    "a failure class of its own": ("crash", "wrong form", _then(_write(_answer(b'{"failure": ["ok", ""]}')), _leave)),
}  # fmt: skip


def setup(config: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The handlers' actions and the attacks: ``{"do": "attacker", "name": …}``."""
    handle = handlers.plain(config)

    def attack(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["do"] != "attacker":
            return handle(payload)
        ATTACKERS[payload["name"]][2]()
        return {"value": "unharmed"}

    return attack
