"""The hub's end of a trusted process that runs tasks: calls and answers over a socket, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from metamuse.executor.base import Outcome, Task
from metamuse.executor.verdict import signal_name
from metamuse.executor.wire import Decoder, encode, parse_answer

_CLOSE_S = 5.0
_CHUNK = 1 << 18
_LAST_WORDS = 2000

#: Header and body.
Answer = tuple[dict[str, Any], bytes]


class Lost(Exception):  # says what happened, and is always caught
    """A try at a task came to nothing for no fault of the task."""


class Channel:
    """The hub's end of one process. Belongs to the event loop that launches it.

    Args:
        name: The process in messages.
        process: It.
        reader: Of its socket.
        writer: Of its socket.
        note: Takes messages that answer no call.
    """

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        note: Callable[[dict[str, Any]], None],
    ) -> None:
        self.pid = process.pid
        self.alive = True
        self._name = name
        self._process = process
        self._reader = reader
        self._writer = writer
        self._note = note
        self._last_words = bytearray()
        self._calls: dict[int, asyncio.Future[Answer]] = {}
        self._count = 0
        self._hearing = asyncio.create_task(self._hear())
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def launch(
        cls,
        name: str,
        boot: str,
        environment: Mapping[str, str],
        note: Callable[[dict[str, Any]], None] = lambda message: None,
    ) -> Channel:
        """Start the process.

        Args:
            name: See the class.
            boot: What Python runs in it: a text with the places ``path``, ``fd`` and ``hub``.
            environment: Its whole environment.
            note: See the class.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            path = [os.path.abspath(entry) for entry in sys.path]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-P", "-c", boot.format(path=path, fd=theirs.fileno(), hub=os.getpid())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is the hub's to handle
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(name, process, reader, writer, note)

    async def call(
        self, header: Mapping[str, Any], body: bytes = b"", seconds: float | None = None
    ) -> Answer:
        """Send a message and wait for its answer. Cancelling it has the process give up what it does for it.

        Args:
            header: The message; ``id`` is added.
            body: Goes with it.
            seconds: How long to wait before the process is taken for hung and killed; None: for ever.

        Raises:
            Lost: There is no answer; try again.
        """
        if not self.alive:
            raise Lost(f"{self._name} is gone")
        self._count += 1
        id = self._count
        call: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._calls[id] = call
        self._writer.write(encode({**header, "id": id}, body))
        try:
            return await (call if seconds is None else _within(call, seconds))
        except asyncio.CancelledError:
            self._writer.write(encode({"do": "cancel", "id": id}))
            raise
        except TimeoutError:
            self.kill()
            raise Lost(f"{self._name} does not answer") from None
        finally:
            self._calls.pop(id, None)

    def kill(self) -> None:
        """End the process at once; the kernel ends its children with it."""
        self.alive = False
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def close(self) -> None:
        """Close the channel, whereupon the process ends its children and itself; insist if it does not."""
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
            self._note(header)
            return
        call = self._calls.get(header["id"])
        if call is not None and not call.done():
            call.set_result((header, body))

    def _give_up(self, reason: str) -> None:
        for call in self._calls.values():
            if not call.done():
                call.set_exception(Lost(reason))
                call.exception()  # if nobody waits any more, that is no error of its own

    async def _epitaph(self) -> str:
        """How the process ended, with the end of what it printed."""
        try:
            code = await asyncio.wait_for(self._process.wait(), 1.0)
        except TimeoutError:
            return f"{self._name} closed its channel"
        except asyncio.CancelledError:
            return "the executor was closed"
        how = f"died of {signal_name(-code)}" if code < 0 else f"ended with exit status {code}"
        words = self._last_words.decode(errors="replace").strip().splitlines()
        return f"{self._name} {how}" + (f": {words[-1]}" if words else "")

    async def _hear(self) -> None:
        """Keep the end of what the process prints on stderr."""
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_CHUNK):
            self._last_words += data
            del self._last_words[:-_LAST_WORDS]


async def _within(call: asyncio.Future[Answer], seconds: float) -> Answer:
    """Wait for an answer; a pause of the whole machine counts as one second of the time.

    Raises:
        TimeoutError: It did not come.
    """
    for _ in range(math.ceil(seconds)):
        await asyncio.wait([call], timeout=1.0)
        if call.done():
            return call.result()
    raise TimeoutError


def outcome_of(task: Task, answer: dict[str, Any], body: bytes) -> Outcome:
    """The outcome that an answer tells.

    Raises:
        Lost: For no fault of the task; try again.
    """
    if answer.get("retry"):
        raise Lost(answer["failure"][1])
    result, failure = (None, tuple(answer["failure"])) if "failure" in answer else parse_answer(body)
    return Outcome(task.id, result, failure, answer["seconds"], answer["cpu_s"], answer["peak_mb"])
