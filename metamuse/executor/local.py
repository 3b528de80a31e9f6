"""Runs tasks on the cores of this machine: one zygote, one fresh process per task."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metamuse.answers import judge_of
from metamuse.errors import tell
from metamuse.executor.base import ExecutorSetupError, Outcome, Task
from metamuse.executor.channel import Channel, Lost, outcome_of
from metamuse.executor.jail import SANDBOXES
from metamuse.executor.retrying import BREAKS_AFTER, RetryingExecutor
from metamuse.executor.statement import missing

#: Seconds beyond a task's wall limit after which the zygote itself is taken for hung.
GRACE_S = 15.0

_BOOT = "import sys; sys.path[:] = {path!r}; from metamuse.executor.zygote import main; main({fd}, {hub})"
#: Where shared libraries are found is part of how Python is installed; nothing else is inherited.
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


#: A command may use several executors.
_tell_once = functools.cache(tell)


class LocalExecutor(RetryingExecutor):
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
        placed: A file with what the entry's module would load (:mod:`metamuse.executor.placing`), which the
            function then gets as a second argument; None: it loads it itself.
        judged: Whether answers are judged (:mod:`metamuse.answers`); a node of a cluster leaves that to the hub.
    """

    def __init__(
        self,
        entry: str,
        config: Mapping[str, Any],
        workers: int,
        sandbox: str = "auto",
        cache_dir: Path | None = None,
        breaks_after: int = BREAKS_AFTER,
        placed: Path | None = None,
        judged: bool = True,
    ) -> None:
        if workers < 1:
            raise ExecutorSetupError(f"executor.workers must be at least 1, not {workers}")
        if sandbox not in SANDBOXES:
            raise ExecutorSetupError(
                f"executor.sandbox must be one of {', '.join(SANDBOXES)}, not {sandbox!r}"
            )
        answers = judge_of(entry, config) if judged else None
        super().__init__(asyncio.Semaphore(workers), breaks_after, answers)
        self.workers = workers
        self._hello = {
            "entry": entry,
            "config": dict(config),
            "sandbox": sandbox,
            "placed": None if placed is None else str(placed),
        }
        self._cache_dir = cache_dir
        self._starting = asyncio.Lock()
        self._zygote: Channel | None = None
        self._layers: list[str] = []

    @property
    def zygote_pid(self) -> int | None:
        """Process id of the zygote, if one runs."""
        return self._zygote.pid if self._zygote is not None and self._zygote.alive else None

    def layers(self) -> list[str]:
        return list(self._layers)

    async def start(self) -> None:
        await self.set_up()
        if weakness := missing(self._layers):
            _tell_once(weakness)

    async def set_up(self) -> None:
        """As :meth:`start`, without a word about layers that are absent.

        Raises:
            ExecutorSetupError: As for :meth:`start`.
        """
        try:
            await self._living()
        except Lost as lost:
            raise ExecutorSetupError(f"the scoring process ended while it was set up: {lost}") from None

    async def attempt(self, task: Task) -> Outcome:
        zygote = await self._living()
        header = {"do": "run", "limits": dataclasses.asdict(task.limits)}
        payload = json.dumps(task.payload).encode()
        answer, body = await zygote.call(header, payload, task.limits.wall_s + GRACE_S)
        return outcome_of(task, answer, body)

    async def close(self) -> None:
        self._closed = True
        async with self._starting:
            if self._zygote is not None:
                await self._zygote.close()

    async def _living(self) -> Channel:
        """The zygote, a new one if it is gone."""
        async with self._starting:
            if self._zygote is not None and self._zygote.alive:
                return self._zygote
            if self._zygote is not None:
                await self._zygote.close()
            if self._closed:
                raise Lost("the executor was closed")
            self._zygote = await Channel.launch("the scoring process", _BOOT, self._environment())
            self._layers = await self._prepare(self._zygote)
            return self._zygote

    async def _prepare(self, zygote: Channel) -> list[str]:
        """Have the handler made; returns the layers.

        Raises:
            ExecutorSetupError: It cannot be made.
            Lost: The process ended meanwhile.
        """
        try:
            answer, _ = await zygote.call(self._hello)
        except Lost:
            await zygote.close()
            raise
        except asyncio.CancelledError:
            zygote.kill()  # it may be busy loading for long
            await zygote.close()
            raise
        if "error" in answer:
            await zygote.close()
            raise ExecutorSetupError(answer["error"])
        layers: list[str] = answer["layers"]
        return layers

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
