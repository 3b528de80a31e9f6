"""The zygote: a trusted, warm process that forks one child per task and watches it.

It imports and loads everything once, before any candidate is seen. Then a single-threaded loop takes tasks
from the hub, forks, collects answers, enforces the wall clock and reaps. It ends when the hub's end of the
channel closes. It never reads what a child wrote, it only passes it on.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from evaluators.base import WorkloadError
from metamuse.errors import UsageError
from metamuse.executor import child, kernel
from metamuse.executor.base import Limits
from metamuse.executor.jail import DEMANDED, Layer, lock_down, max_resident_bytes, own_bytes
from metamuse.executor.readiness import make_ready
from metamuse.executor.verdict import End, OutOfMemory, failure_of
from metamuse.executor.wire import ANSWER_SIZE, Decoder, encode

_CHUNK = 1 << 18
#: While tasks run the loop turns at least this often, seconds.
_TURN_S = 1.0
#: What one turn counts at most, seconds: if it took longer, the machine or its container was paused.
_LONGEST_TURN_S = 2.0
_PROBE_LIMITS = Limits(wall_s=10, cpu_s=10, memory_mb=256)


@dataclass
class _Child:
    """A task under way; times in seconds of the zygote's clock."""

    id: int
    pid: int
    pipe: int
    limits: Limits
    began: float
    shared: int
    killed: str = ""
    reaped: bool = False
    answer: bytearray = field(default_factory=bytearray)

    @property
    def deadline(self) -> float:
        return self.began + self.limits.wall_s

    @property
    def body(self) -> bytes | None:
        """The answer without its length, if it is complete."""
        if len(self.answer) < ANSWER_SIZE.size:
            return None
        (size,) = ANSWER_SIZE.unpack_from(self.answer)
        body = bytes(self.answer[ANSWER_SIZE.size :])
        return body if len(body) == size else None

    def kill(self, reason: str) -> None:
        """End its process and whatever it left in its group."""
        self.killed = self.killed or reason
        if self.reaped:
            return  # its number may be another process's by now
        _kill_group(self.pid)
        os.kill(self.pid, signal.SIGKILL)  # it may not have made its own group yet


class _AwakeClock:
    """Seconds that this process could run: a pause of the machine is not the candidate's fault."""

    def __init__(self) -> None:
        self._awake = 0.0
        self._last = time.monotonic()

    def __call__(self) -> float:
        now = time.monotonic()
        self._awake += min(now - self._last, _LONGEST_TURN_S)
        self._last = now
        return self._awake


class Zygote:
    """The loop.

    Args:
        channel: Connected to the hub.
        handler: Handles payloads, in the children.
        cell: Where they run.
    """

    def __init__(
        self, channel: socket.socket, decoder: Decoder, handler: child.Handler, cell: child.Cell
    ) -> None:
        self._channel = channel
        self._decoder = decoder
        self._handler = handler
        self._cell = cell
        self._children: dict[int, _Child] = {}
        self._outgoing = bytearray()
        self._selector = selectors.DefaultSelector()
        self._oom = OutOfMemory()
        self._clock = _AwakeClock()
        self._wakeup, woken = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # it only has to wake the loop
        channel.setblocking(False)
        self._selector.register(channel, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Queue a message to the hub."""
        self._outgoing += encode(header, body)
        self._flush()

    def serve(self) -> None:
        """Serve until the hub is gone; then end what still runs."""
        try:
            while True:
                for key, events in self._selector.select(self._patience()):
                    if key.fileobj is self._channel:
                        if events & selectors.EVENT_WRITE:
                            self._flush()
                        if events & selectors.EVENT_READ:
                            self._receive()
                    elif key.fd == self._wakeup:
                        self._drain_wakeup()
                    elif key.data in self._children:
                        self._collect(self._children[key.data])
                self._enforce()
                self._reap()
        except (EOFError, ConnectionError):
            return
        finally:
            for task in self._children.values():
                task.kill("hub")

    def _patience(self) -> float | None:
        waiting = [c.deadline for c in self._children.values() if not c.killed]
        return min(_TURN_S, max(0.0, min(waiting) - self._clock())) if waiting else None

    def _receive(self) -> None:
        data = self._channel.recv(_CHUNK)
        if not data:
            raise EOFError
        for header, body in self._decoder.feed(data):
            self._obey(header, body)

    def _obey(self, header: dict[str, Any], body: bytes) -> None:
        if header["do"] == "run":
            self._fork(header["id"], Limits(**header["limits"]), body)
        elif header["do"] == "cancel":
            for task in self._children.values():
                if task.id == header["id"]:
                    task.kill("cancelled")

    def _fork(self, id: int, limits: Limits, payload: bytes) -> None:
        ours, theirs = os.pipe()
        began, shared = self._clock(), own_bytes()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(ours)
            os.close(theirs)
            self._report(
                id, ("infrastructure", f"no process could be made for it: {error.strerror}"), retry=True
            )
            return
        if pid == 0:
            child.serve(self._handler, payload, limits, theirs, self._cell)
        os.close(theirs)
        os.set_blocking(ours, False)
        self._children[pid] = _Child(id, pid, ours, limits, began, shared)
        self._selector.register(ours, selectors.EVENT_READ, pid)

    def _collect(self, task: _Child) -> None:
        """Read what a child has written so far."""
        while task.pipe >= 0:
            try:
                data = os.read(task.pipe, _CHUNK)
            except BlockingIOError:
                return
            task.answer += data
            too_long = len(task.answer) > ANSWER_SIZE.size + task.limits.result_mb * 2**20
            if too_long:
                task.kill("oversize")
            if too_long or not data:
                self._selector.unregister(task.pipe)
                os.close(task.pipe)
                task.pipe = -1

    def _drain_wakeup(self) -> None:
        while True:
            try:
                os.read(self._wakeup, 4096)
            except BlockingIOError:
                return

    def _enforce(self) -> None:
        now = self._clock()
        for task in self._children.values():
            if not task.killed and now >= task.deadline:
                task.kill("wall")

    def _reap(self) -> None:
        for pid, task in list(self._children.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if not ended:
                continue
            task.reaped = True
            seconds = self._clock() - task.began
            _kill_group(pid)  # leftovers; a number is not given away while a group bears it
            self._collect(task)
            if task.pipe >= 0:
                self._selector.unregister(task.pipe)
                os.close(task.pipe)
            del self._children[pid]
            end = End(
                status=status,
                killed=task.killed,
                answered=task.body is not None,
                cpu_s=usage.ru_utime + usage.ru_stime,
                peak_mb=max(0.0, (max_resident_bytes(usage) - task.shared) / 2**20),
                out_of_memory=os.WIFSIGNALED(status) and self._oom.happened(),
            )
            self._conclude(task, end, seconds)

    def _conclude(self, task: _Child, end: End, seconds: float) -> None:
        failure = failure_of(end, task.limits)
        figures = {"seconds": seconds, "cpu_s": end.cpu_s, "peak_mb": end.peak_mb}
        if failure is None:
            self.send({"id": task.id, **figures}, task.body or b"")
        else:
            self._report(task.id, failure, retry=failure[0] == "infrastructure", **figures)

    def _report(self, id: int, failure: tuple[str, str], retry: bool, **figures: float) -> None:
        self.send({"id": id, "failure": failure, "retry": retry, **figures})

    def _flush(self) -> None:
        while self._outgoing:
            try:
                sent = self._channel.send(self._outgoing)
            except BlockingIOError:
                break
            del self._outgoing[:sent]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        self._selector.modify(self._channel, events)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # empty, not made yet, or (macOS) only zombies are left in it


def probe(sandbox: str) -> list[Layer]:
    """The layers that hold here, found out by locking down a child."""
    ours, theirs = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            layers = lock_down(_PROBE_LIMITS, parent, sandbox)
            os.write(theirs, json.dumps([[x.name, x.active, x.reason] for x in layers]).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    if not text:
        raise UsageError(f"a trial of the sandbox failed with status {os.waitstatus_to_exitcode(status)}")
    return [Layer(*row) for row in json.loads(text)]


def _demand(layers: list[Layer]) -> None:
    absent = [f"{x.name} ({x.reason})" for x in layers if x.name in DEMANDED and not x.active]
    if absent:
        raise UsageError(
            f"sandbox=strict needs what is missing here: {', '.join(absent)}; sandbox=auto runs without it"
        )


def _make_handler(entry: str, config: dict[str, Any], placed: str | None) -> child.Handler:
    module, _, function = entry.partition(":")
    make = getattr(importlib.import_module(module), function)
    if placed is None:
        handler: child.Handler = make(config)
    else:
        from metamuse.executor.placing import unpack

        handler = make(config, unpack(Path(placed)))
    return handler


def main(descriptor: int, hub: int) -> NoReturn:
    """Run a zygote.

    Args:
        descriptor: Of the socket to the hub.
        hub: Process id of the hub, with whose end the zygote ends.
    """
    if kernel.LINUX and not kernel.die_with_parent(signal.SIGKILL, hub):
        os._exit(0)
    channel = socket.socket(fileno=descriptor)
    decoder = Decoder()
    try:
        while not (messages := decoder.feed(channel.recv(_CHUNK) or _end())):
            pass
    except (EOFError, ConnectionError):
        os._exit(0)
    hello = messages[0][0]
    try:
        layers = probe(hello["sandbox"])
        if hello["sandbox"] == "strict":
            _demand(layers)
        handler = _make_handler(hello["entry"], hello["config"], hello["placed"])
        make_ready({"metamuse", "evaluators", "problems", hello["entry"].partition(".")[0].partition(":")[0]})
    except Exception as error:
        expected = isinstance(error, UsageError | WorkloadError)
        text = str(error) if expected else f"the scorer could not be set up: {child.describe(error)}"
        channel.sendall(encode({"id": hello["id"], "error": text}))
        os._exit(1)
    # Relative paths have been read; from here on no folder of the user's is anybody's working directory.
    os.chdir("/")
    active = frozenset(layer.name for layer in layers if layer.active)
    cell = child.Cell(os.getpid(), os.open(os.devnull, os.O_RDWR), hello["sandbox"], active)
    gc.collect()
    gc.freeze()  # what exists now is never garbage: collections in children leave its pages shared
    zygote = Zygote(channel, decoder, handler, cell)
    zygote.send({"id": hello["id"], "layers": [str(layer) for layer in layers]})
    zygote.serve()
    sys.stderr.flush()
    os._exit(0)


def _end() -> NoReturn:
    raise EOFError
