"""The actor on one node of a cluster: it owns the same zygotes that a hub owns on one machine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from metamuse.build import cache_folder
from metamuse.errors import UsageError
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.executor.cluster.identity import identity
from metamuse.executor.local import LocalExecutor

T = TypeVar("T")


class ScoringNode:
    """An asynchronous actor.

    Zygotes live and die with the thread that made them, and need a loop that can start processes: they get a loop
    and a thread of their own, whatever Ray uses for its methods.

    Args:
        workers: How many tasks run at once.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executors: dict[int, LocalExecutor] = {}
        self._placed: dict[int, contextlib.ExitStack] = {}
        self._running: dict[int, concurrent.futures.Future[Outcome]] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="zygotes", daemon=True).start()

    async def identity(self) -> dict[str, str]:
        """See :func:`metamuse.executor.cluster.identity.identity`."""
        return await asyncio.to_thread(identity)

    async def open(
        self, session: int, entry: str, config: dict[str, Any], sandbox: str, placed: Any
    ) -> dict[str, Any]:
        """Make the zygote of a session: ``{"layers": [...]}`` or ``{"error": sentence}``.

        Args:
            session: Number of the session, of which there is one for each executor of the hub.
            entry: See :class:`metamuse.executor.local.LocalExecutor`; so ``config`` and ``sandbox``.
            config: The entry's argument.
            sandbox: Which protections are asked for.
            placed: Bytes from the object store (:mod:`metamuse.executor.placing`), as an array; or None.
        """
        # Without a name in any folder it is gone when this process is; a zygote that has to be made again reads it again.
        with contextlib.ExitStack() as failed:
            try:
                file = failed.enter_context(tempfile.TemporaryFile())
                if placed is not None:
                    await asyncio.to_thread(file.write, memoryview(placed))
                    file.flush()
                path = None if placed is None else Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
                executor = LocalExecutor(
                    *(entry, config, self._workers, sandbox, cache_folder(), sys.maxsize),
                    placed=path,
                    judged=False,
                )
                await self._there(executor.set_up())
            except UsageError as error:
                return {"error": str(error)}
            except OSError as error:
                return {"error": f"its temporary folder {tempfile.gettempdir()}: {error.strerror}"}
            self._executors[session] = executor
            self._placed[session] = failed.pop_all()
        return {"layers": executor.layers()}

    async def run(self, session: int, call: int, limits: dict[str, Any], payload: bytes) -> dict[str, Any]:
        """Run one task; returns the answer's header and, under ``body``, what it says.

        Args:
            session: Of the zygote.
            call: Names the task for :meth:`cancel`.
            limits: Fields of :class:`metamuse.executor.base.Limits`.
            payload: JSON.
        """
        task = Task(str(call), json.loads(payload), Limits(**limits))
        running = asyncio.run_coroutine_threadsafe(self._executors[session].run(task), self._loop)
        self._running[call] = running
        try:
            outcome = await asyncio.wrap_future(running)
        finally:
            del self._running[call]
        figures = {"seconds": outcome.seconds, "cpu_s": outcome.cpu_s, "peak_mb": outcome.peak_mb}
        if outcome.failure is not None:
            return {**figures, "failure": list(outcome.failure), "body": b""}
        return {**figures, "body": json.dumps({"result": outcome.result}).encode()}

    async def cancel(self, call: int) -> None:
        """End a task's process."""
        if call in self._running:
            self._running[call].cancel()

    async def close(self, session: int) -> None:
        """End a session's zygote."""
        if (executor := self._executors.pop(session, None)) is not None:
            await self._there(executor.close())
            self._placed.pop(session).close()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
