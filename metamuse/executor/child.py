"""The process of one task, from the fork to its end. Never returns."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from evaluators.base import PolicyError
from metamuse.executor.base import Limits
from metamuse.executor.jail import JailError, lock_down
from metamuse.executor.wire import encode_answer

Handler = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Cell:
    """Where tasks of a zygote run.

    Attributes:
        parent: Process id of the zygote.
        null: Descriptor of the null device.
        sandbox: See :data:`metamuse.executor.jail.SANDBOXES`.
        layers: Names of the layers that must be active.
    """

    parent: int
    null: int
    sandbox: str
    layers: frozenset[str]


def serve(handler: Handler, payload: bytes, limits: Limits, pipe: int, cell: Cell) -> NoReturn:
    """Lock down, handle one payload, write the answer into the pipe, end."""
    status = 1
    try:
        # Prepared while there is memory: the answer for the case that even an error cannot be told.
        too_much = _failure("memory", f"it needs more than the {limits.memory_mb} MiB it may have")
        try:
            _leave_parent(pipe, cell)
            active = {layer.name for layer in lock_down(limits, cell.parent, cell.sandbox) if layer.active}
            if not cell.layers <= active:
                raise JailError(f"could not be applied: {', '.join(sorted(cell.layers - active))}")
            answer = _attempt(handler, payload, limits)
        except MemoryError:
            answer = too_much
        except BaseException as error:  # whatever it is, the hub must hear of it
            answer = _failure("infrastructure", describe(error))
        _write(pipe, answer)
        status = 0
    finally:
        # Nothing of the zygote's may run here: no destructors, no exit handlers, no flushing of its buffers.
        os._exit(status)


def _leave_parent(pipe: int, cell: Cell) -> None:
    """Undo what a fork inherits: signal handling and every descriptor but the pipe."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for standard in (0, 1, 2):
        os.dup2(cell.null, standard)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, os.sysconf("SC_OPEN_MAX"))
    os.umask(0o077)


def _attempt(handler: Handler, payload: bytes, limits: Limits) -> bytes:
    try:
        result = handler(json.loads(payload))
        if not isinstance(result, dict):
            raise TypeError(f"the handler returned a {type(result).__name__}, not a dict")
        answer = encode_answer({"result": result})
    except PolicyError as error:
        return _failure(error.kind, error.message)
    if len(answer) > limits.result_mb * 2**20:
        return _failure(
            "crash", f"its answer has {len(answer) / 2**20:.1f} MiB, more than {limits.result_mb:g}"
        )
    return answer


def _failure(kind: str, message: str) -> bytes:
    return encode_answer({"failure": [kind, message]})


def describe(error: BaseException) -> str:
    """An exception in one line, with the place where it was raised."""
    place = ""
    with contextlib.suppress(OSError):  # looking up source lines may be denied in here
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]
