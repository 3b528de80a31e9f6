"""The hub's side of ``executor=ray``."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import os
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from metamuse.answers import judge_of
from metamuse.errors import tell
from metamuse.executor.base import ExecutorBroken, ExecutorSetupError, Outcome, Task
from metamuse.executor.channel import Channel, Lost, outcome_of
from metamuse.executor.jail import SANDBOXES
from metamuse.executor.retrying import BREAKS_AFTER, RetryingExecutor
from metamuse.executor.statement import missing

_BOOT = (
    "import sys; sys.path[:] = {path!r}; from metamuse.executor.cluster.bridge import main; main({fd}, {hub})"
)
#: Ray's usage statistics leave the machine; nobody who starts a run has agreed to that.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONHASHSEED": "0"}

_tell_once = functools.cache(tell)


class RayExecutor(RetryingExecutor):
    """See :class:`metamuse.executor.base.Executor`. Executors of one process share their nodes.

    Args:
        entry: See :class:`metamuse.executor.local.LocalExecutor`; its module may offer ``place``
            (:mod:`metamuse.executor.placing`).
        config: The entry's argument (JSON values only).
        address: ``host:port`` of the cluster's head, or ``auto``; None: what RAY_ADDRESS says.
        workers: Tasks at once on each node; None: one for each of its CPUs.
        sandbox: As for the local executor; holds on every node.
        patience_s: How long a run waits for a node when there is none, in seconds.
        breaks_after: So many tasks in a row that failed as ``infrastructure`` break the executor.

    Raises:
        ExecutorSetupError: Ray is not installed, no cluster is named, or a setting makes no sense.
    """

    def __init__(
        self,
        entry: str,
        config: Mapping[str, Any],
        address: str | None = None,
        workers: int | None = None,
        sandbox: str = "auto",
        patience_s: float = 300.0,
        breaks_after: int = BREAKS_AFTER,
    ) -> None:
        if find_spec("ray") is None:
            raise ExecutorSetupError(
                "executor=ray needs Ray: in the checkout, pip install -c constraints.txt -e '.[ray]'."
            )
        address = address or os.environ.get("RAY_ADDRESS")
        if not address:
            raise ExecutorSetupError(
                "executor=ray needs a cluster: set executor.address=<host:port of its head>, or auto on a machine that "
                "is part of it (or the environment variable RAY_ADDRESS)."
            )
        if address.startswith("ray://"):
            raise ExecutorSetupError(
                f"executor.address={address}: Ray's client protocol is not supported; start the run on a machine of "
                "the cluster (ray job submit does) with executor.address=auto."
            )
        if sandbox not in SANDBOXES:
            raise ExecutorSetupError(
                f"executor.sandbox must be one of {', '.join(SANDBOXES)}, not {sandbox!r}"
            )
        # The bridge holds tasks back: it knows how much room there is.
        super().__init__(contextlib.nullcontext(), breaks_after, judge_of(entry, config))
        self.workers = workers or 1
        self._hello = {"do": "open", "entry": entry, "config": dict(config), "sandbox": sandbox}
        self._where = {"address": address, "workers": workers, "patience_s": patience_s}
        self._starting = asyncio.Lock()
        self._shared: _SharedBridge | None = None
        self._bridge: Channel | None = None
        self._session = -1
        self._layers: list[str] = []

    def layers(self) -> list[str]:
        return list(self._layers)

    async def start(self) -> None:
        self._shared = _SharedBridge.of(self._where)
        try:
            await self._living()
        except Lost as lost:
            raise ExecutorSetupError(f"{lost} before any node was ready") from None
        if weakness := missing(self._layers):
            _tell_once(weakness)

    async def attempt(self, task: Task) -> Outcome:
        try:
            bridge = await self._living()
        except ExecutorSetupError as error:
            raise ExecutorBroken(f"the Ray cluster is lost: {error}") from None
        header = {"do": "run", "session": self._session, "limits": dataclasses.asdict(task.limits)}
        answer, body = await bridge.call(header, json.dumps(task.payload).encode())
        if cause := answer.get("gone") or answer.get("error"):
            raise ExecutorBroken(cause)
        return outcome_of(task, answer, body)

    async def close(self) -> None:
        self._closed = True
        async with self._starting:
            if self._shared is not None:
                if self._bridge is not None and self._bridge.alive:
                    with contextlib.suppress(Lost):
                        await self._bridge.call({"do": "close", "session": self._session}, seconds=10.0)
                await self._shared.leave()
                self._shared = None

    async def _living(self) -> Channel:
        """The bridge with this executor's session; new ones if they are gone."""
        async with self._starting:
            if self._bridge is not None and self._bridge.alive:
                return self._bridge
            if self._closed or self._shared is None:
                raise Lost("the executor was closed")
            bridge = await self._shared.living()
            answer, _ = await bridge.call(self._hello)
            if "error" in answer:
                raise ExecutorSetupError(answer["error"])
            self._bridge, self._session = bridge, answer["session"]
            self._layers, self.workers = answer["layers"], answer["workers"]
            return bridge


class _SharedBridge:
    """The bridge to one cluster, for all executors of an event loop that use it."""

    _all: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _SharedBridge]] = (
        weakref.WeakKeyDictionary()
    )

    def __init__(self, where: dict[str, Any]) -> None:
        self._where = where
        self._users = 0
        self._gone = ""
        self._channel: Channel | None = None
        self._launching = asyncio.Lock()

    @classmethod
    def of(cls, where: dict[str, Any]) -> _SharedBridge:
        """The bridge to a cluster, for one user more, who has to leave it."""
        known = cls._all.setdefault(asyncio.get_running_loop(), {})
        shared = known.setdefault(json.dumps(where), cls(where))
        shared._users += 1
        return shared

    async def living(self) -> Channel:
        """The bridge, a new one if it is gone: after some patience, if a cluster was there.

        Raises:
            ExecutorSetupError: The cluster cannot be used.
            Lost: The bridge ended meanwhile.
        """
        async with self._launching:
            if self._channel is not None and self._channel.alive:
                return self._channel
            if self._gone:
                raise ExecutorSetupError(self._gone)
            again = self._channel is not None
            if self._channel is not None:
                await self._channel.close()
                tell("the connection to the Ray cluster is lost; connecting again")
            name = "the connection to the Ray cluster"
            self._channel = await Channel.launch(name, _BOOT, os.environ | _QUIET, _pass_on)
            again_s = self._where["patience_s"] if again else 0.0
            answer, _ = await self._channel.call({"do": "connect", **self._where, "again_s": again_s})
            if "error" in answer:
                await self._channel.close()
                self._gone = answer["error"]
                raise ExecutorSetupError(self._gone)
            return self._channel

    async def leave(self) -> None:
        """One user less; the last one ends it."""
        self._users -= 1
        if not self._users:
            self._all[asyncio.get_running_loop()].pop(json.dumps(self._where), None)
            if self._channel is not None:
                await self._channel.close()


def _pass_on(message: dict[str, Any]) -> None:
    tell(message["say"])
