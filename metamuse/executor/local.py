"""Runs tasks on the cores of this machine: one zygote, one fresh process per task."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import math
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metamuse.errors import tell
from metamuse.executor.base import ExecutorBroken, ExecutorSetupError, Outcome, Task
from metamuse.executor.jail import SANDBOXES
from metamuse.executor.statement import missing
from metamuse.executor.wire import Decoder, encode, parse_answer

#: How often a task is run again after its process or the zygote was lost for no fault of the task.
RETRIES = 2
BREAKS_AFTER = 5
#: Seconds beyond a task's wall limit after which the zygote itself is taken for hung.
GRACE_S = 15.0
_CLOSE_S = 5.0
_CHUNK = 1 << 18
_LAST_WORDS = 2000

_BOOT = "import sys; sys.path[:] = {path!r}; from metamuse.executor.zygote import main; main({fd}, {hub})"
#: Where shared libraries are found is part of how Python is installed; nothing else is inherited.
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


#: A command may use several executors.
_tell_once = functools.cache(tell)


#: An answer of the zygote: header and body.
_Answer = tuple[dict[str, Any], bytes]


class _Lost(Exception):  # says what happened, and is always caught
    """A try at a task came to nothing for no fault of the task."""


class LocalExecutor:
    """See :class:`metamuse.executor.base.Executor`.

    Belongs to the event loop, and on Linux to the thread, that starts it: the kernel ends the zygote with it.

    Args:
        entry: ``module:function``, imported in the zygote; called with ``config`` it returns the handler
            of payloads. Both are trusted: what they load, candidates' processes share.
        config: The function's argument (JSON values only).
        workers: How many tasks run at once; more wait.
        sandbox: ``auto`` (every layer the system has), ``strict`` (refuse to start without Landlock and
            seccomp) or ``none`` (neither; for debugging).
        cache_dir: Where Numba keeps machine code of trusted kernels between runs.
        breaks_after: So many tasks in a row that failed as ``infrastructure`` break the executor.
    """

    def __init__(
        self,
        entry: str,
        config: Mapping[str, Any],
        workers: int,
        sandbox: str = "auto",
        cache_dir: Path | None = None,
        breaks_after: int = BREAKS_AFTER,
    ) -> None:
        if workers < 1:
            raise ExecutorSetupError(f"executor.workers must be at least 1, not {workers}")
        if sandbox not in SANDBOXES:
            raise ExecutorSetupError(
                f"executor.sandbox must be one of {', '.join(SANDBOXES)}, not {sandbox!r}"
            )
        self._hello = {"entry": entry, "config": dict(config), "sandbox": sandbox}
        self._cache_dir = cache_dir
        self._breaks_after = breaks_after
        self._slots = asyncio.Semaphore(workers)
        self._starting = asyncio.Lock()
        self._zygote: _ZygoteProcess | None = None
        self._layers: list[str] = []
        self._failures: list[str] = []
        self._closed = False

    @property
    def zygote_pid(self) -> int | None:
        """Process id of the zygote, if one runs."""
        return self._zygote.pid if self._zygote is not None and self._zygote.alive else None

    def layers(self) -> list[str]:
        return list(self._layers)

    async def start(self) -> None:
        try:
            await self._living()
        except _Lost as lost:
            raise ExecutorSetupError(f"the scoring process ended while it was set up: {lost}") from None
        if weakness := missing(self._layers):
            _tell_once(weakness)

    async def run(self, task: Task) -> Outcome:
        async with self._slots:
            self._check()
            outcome = await self._run(task)
        if outcome.failure is None or outcome.failure[0] != "infrastructure":
            self._failures.clear()
        elif not self._closed:
            self._failures.append(outcome.failure[1])
            self._check()
        return outcome

    async def close(self) -> None:
        self._closed = True
        async with self._starting:
            if self._zygote is not None:
                await self._zygote.close()

    def _check(self) -> None:
        if len(self._failures) >= self._breaks_after:
            raise ExecutorBroken(
                f"{self._breaks_after} tasks in a row failed for no fault of theirs: {self._failures[0]}"
            )

    async def _run(self, task: Task) -> Outcome:
        cause = ""
        for _ in range(1 + RETRIES):
            if self._closed:
                return _infrastructure(task, "the executor was closed")
            try:
                zygote = await self._living()
                return await zygote.run(task)
            except _Lost as lost:
                cause = str(lost)
        return _infrastructure(task, f"{cause} ({1 + RETRIES} tries)")

    async def _living(self) -> _ZygoteProcess:
        """The zygote, a new one if it is gone."""
        async with self._starting:
            if self._zygote is not None and self._zygote.alive:
                return self._zygote
            if self._zygote is not None:
                await self._zygote.close()
            if self._closed:
                raise _Lost("the executor was closed")
            self._zygote = await _ZygoteProcess.launch(self._environment())
            self._layers = await self._zygote.set_up(self._hello)
            return self._zygote

    def _environment(self) -> dict[str, str]:
        """The zygote's whole environment, built from nothing: no keys, no proxies, no home."""
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        # The order of sets of strings must not differ between runs.
        environment |= {
            "PATH": "/nonexistent",
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "0",
        }
        if self._cache_dir is not None:
            environment["NUMBA_CACHE_DIR"] = str(self._cache_dir.absolute())
        return environment


class _ZygoteProcess:
    """The hub's end of one zygote."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self.alive = True
        self._process = process
        self._reader = reader
        self._writer = writer
        self._last_words = bytearray()
        self._calls: dict[int, asyncio.Future[_Answer]] = {}
        self._count = 0
        self._hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._hearing = asyncio.create_task(self._hear())
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def launch(cls, environment: dict[str, str]) -> _ZygoteProcess:
        """Start the process."""
        ours, theirs = socket.socketpair()
        with theirs:
            path = [os.path.abspath(entry) for entry in sys.path]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-P", "-c", _BOOT.format(path=path, fd=theirs.fileno(), hub=os.getpid())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is the hub's to handle
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def set_up(self, hello: dict[str, Any]) -> list[str]:
        """Have the handler made; returns the layers.

        Raises:
            ExecutorSetupError: It cannot be made.
            _Lost: The process ended meanwhile.
        """
        try:
            self._writer.write(encode(hello))
            answer = await self._hello
        except _Lost:
            await self.close()
            raise
        except asyncio.CancelledError:
            self.kill()  # it may be busy loading for long
            await self.close()
            raise
        if "error" in answer:
            await self.close()
            raise ExecutorSetupError(answer["error"])
        layers: list[str] = answer["layers"]
        return layers

    async def run(self, task: Task) -> Outcome:
        """One try at a task.

        Raises:
            _Lost: For no fault of the task; try again.
        """
        if not self.alive:
            raise _Lost("the scoring process is gone")
        self._count += 1
        id = self._count
        call: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._calls[id] = call
        header = {"do": "run", "id": id, "limits": dataclasses.asdict(task.limits)}
        self._writer.write(encode(header, json.dumps(task.payload).encode()))
        try:
            answer, body = await _within(call, task.limits.wall_s + GRACE_S)
        except asyncio.CancelledError:
            self._writer.write(encode({"do": "cancel", "id": id}))
            raise
        except TimeoutError:
            self.kill()
            raise _Lost("the scoring process does not answer") from None
        finally:
            self._calls.pop(id, None)
        return _outcome(task, answer, body)

    def kill(self) -> None:
        """End the zygote at once; the kernel ends its children with it."""
        self.alive = False
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def close(self) -> None:
        """Close the channel, whereupon the zygote ends its children and itself; insist if it does not."""
        self.alive = False
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), _CLOSE_S)
        except (TimeoutError, asyncio.CancelledError):
            self.kill()
            await self._process.wait()
        self._listening.cancel()
        self._hearing.cancel()
        await asyncio.gather(self._listening, self._hearing, return_exceptions=True)
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        decoder = Decoder()
        try:
            while data := await self._reader.read(_CHUNK):
                for header, body in decoder.feed(data):
                    self._take(header, body)
        except ConnectionError:
            pass  # its end, told in the same words as a regular one
        finally:
            self.alive = False
            self._give_up(await self._epitaph())

    def _take(self, header: dict[str, Any], body: bytes) -> None:
        if "id" not in header:
            self._hello.set_result(header)
            return
        call = self._calls.get(header["id"])
        if call is not None and not call.done():
            call.set_result((header, body))

    def _give_up(self, reason: str) -> None:
        waiting: list[asyncio.Future[Any]] = [self._hello, *self._calls.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(_Lost(reason))
                future.exception()  # if nobody waits any more, that is no error of its own

    async def _epitaph(self) -> str:
        """How the zygote ended, with the end of what it printed."""
        try:
            code = await asyncio.wait_for(self._process.wait(), 1.0)
        except TimeoutError:
            return "the scoring process closed its channel"
        except asyncio.CancelledError:
            return "the executor was closed"
        how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        words = self._last_words.decode(errors="replace").strip().splitlines()
        return f"the scoring process {how}" + (f": {words[-1]}" if words else "")

    async def _hear(self) -> None:
        """Keep the end of the zygote's stderr."""
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_CHUNK):
            self._last_words += data
            del self._last_words[:-_LAST_WORDS]


async def _within(call: asyncio.Future[_Answer], seconds: float) -> _Answer:
    """Wait for an answer; a pause of the whole machine counts as one second of the time.

    Raises:
        TimeoutError: It did not come.
    """
    for _ in range(math.ceil(seconds)):
        await asyncio.wait([call], timeout=1.0)
        if call.done():
            return call.result()
    raise TimeoutError


def _outcome(task: Task, answer: dict[str, Any], body: bytes) -> Outcome:
    if answer.get("retry"):
        raise _Lost(answer["failure"][1])
    result, failure = (None, tuple(answer["failure"])) if "failure" in answer else parse_answer(body)
    return Outcome(task.id, result, failure, answer["seconds"], answer["cpu_s"], answer["peak_mb"])


def _infrastructure(task: Task, message: str) -> Outcome:
    return Outcome(task.id, None, ("infrastructure", message), 0.0, 0.0, 0.0)
