"""The bridge: the process that is a driver of Ray for a hub, and passes its tasks to the nodes.

Protocol (:mod:`metamuse.executor.wire`), every message with the ``id`` that its answer bears: ``connect`` to a
cluster, ``open`` and ``close`` a session, ``run`` a task in it; ``cancel`` with the ``id`` of a ``run``. An answer to any
of them may be ``error``, a sentence; one to ``run`` may be ``gone``, a sentence. ``say``, without an ``id``, is for the user.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable
from typing import Any, NoReturn, TypeVar

import numpy as np

from evaluators.base import WorkloadError
from metamuse.errors import UsageError, describe
from metamuse.executor import kernel, placing
from metamuse.executor.cluster.identity import identity
from metamuse.executor.cluster.node import ScoringNode
from metamuse.executor.cluster.pool import Gone, Member, NodeLost, Pool, Session
from metamuse.executor.local import GRACE_S
from metamuse.executor.retrying import RETRIES
from metamuse.executor.wire import Decoder, encode

_CHUNK = 1 << 18
_KNOCK_S = 5.0
_AGAIN_S = 2.0
#: How long a node may take to say goodbye, seconds.
_CLOSE_S = 3.0
#: Set-ups of a zygote that a task may have to wait for on its node, in seconds.
_SET_UPS_S = 1800.0

T = TypeVar("T")


class RayLink:
    """See :class:`metamuse.executor.cluster.pool.Link`.

    Args:
        member: The machine.
    """

    _numbers = itertools.count()

    def __init__(self, member: Member) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._actor = (
            ray.remote(ScoringNode)
            .options(
                num_cpus=member.slots,
                scheduling_strategy=NodeAffinitySchedulingStrategy(member.id, soft=False),
                max_restarts=0,
                max_task_retries=0,
            )
            .remote(member.slots)
        )

    async def identity(self) -> dict[str, str]:
        return await self._answer(self._actor.identity.remote())

    async def open(self, session: Session) -> dict[str, Any]:
        setup = session.setup
        return await self._answer(
            self._actor.open.remote(
                session.number, setup["entry"], setup["config"], setup["sandbox"], session.placed
            )
        )

    async def run(self, session: int, limits: dict[str, Any], payload: bytes) -> dict[str, Any]:
        call = next(self._numbers)
        running = asyncio.ensure_future(self._answer(self._actor.run.remote(session, call, limits, payload)))
        # The node itself ends a task in time; this is for a node that hangs as a whole.
        patience = (1 + RETRIES) * (limits["wall_s"] + GRACE_S) + _SET_UPS_S
        try:
            done, _ = await asyncio.wait([running], timeout=patience)
        except asyncio.CancelledError:
            running.cancel()
            self._actor.cancel.remote(call)
            raise
        if not done:
            running.cancel()
            raise NodeLost("it does not answer")
        answer: dict[str, Any] = running.result()
        return answer

    async def close(self, session: int) -> None:
        await asyncio.wait_for(self._answer(self._actor.close.remote(session)), _CLOSE_S)

    def end(self) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor)

    async def _answer(self, reference: Awaitable[T]) -> T:
        try:
            return await reference
        except self._ray.exceptions.RayTaskError as error:
            # A fault of ours on the node; it is tried elsewhere.
            raise NodeLost(describe(error.cause or error)) from None
        except self._ray.exceptions.RayError as error:
            raise NodeLost(why_lost(str(error))) from None


class RayCluster:
    """See :class:`metamuse.executor.cluster.pool.Cluster`.

    Args:
        workers: Tasks at once on a node; None: one for each of its CPUs.
    """

    def __init__(self, workers: int | None) -> None:
        self._workers = workers

    async def members(self) -> list[Member]:
        import ray

        found = []
        for node in await asyncio.to_thread(ray.nodes):
            cpus = int(node["Resources"].get("CPU", 0))
            if node["Alive"] and cpus:
                name = f"{node['NodeManagerHostname']} ({node['NodeID'][:6]})"
                found.append(Member(node["NodeID"], name, min(cpus, self._workers or cpus)))
        return found

    def link(self, member: Member) -> RayLink:
        return RayLink(member)


class Bridge:
    """Does what the hub asks.

    Args:
        writer: To the hub.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._sessions = itertools.count()
        self._pool: Pool | None = None
        self._watching: asyncio.Task[None] | None = None

    def obey(self, header: dict[str, Any], body: bytes) -> None:
        """Begin to do what a message asks for."""
        id = header["id"]
        if header["do"] == "cancel":
            if id in self._calls:
                self._calls[id].cancel()
            return
        self._calls[id] = asyncio.create_task(self._reply(header, body))
        self._calls[id].add_done_callback(lambda call: self._calls.pop(id, None))

    async def end(self) -> None:
        """End all that runs on the cluster."""
        import ray

        for call in list(self._calls.values()):
            call.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._pool is not None:
            self._pool.end()
            await asyncio.to_thread(ray.shutdown)

    async def _reply(self, header: dict[str, Any], body: bytes) -> None:
        answer: dict[str, Any]
        try:
            answer = await getattr(self, f"_{header['do']}")(header, body)
        except Gone as error:
            answer = {"gone": str(error)}
        except (UsageError, WorkloadError) as error:
            answer = {"error": str(error)}
        except Exception as error:  # the hub waits for an answer, whatever it is
            answer = {"error": f"the connection to the Ray cluster failed: {describe(error)}"}
        answer_body = answer.pop("body", b"")
        self._writer.write(encode({**answer, "id": header["id"]}, answer_body))

    async def _connect(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        until = time.monotonic() + header["again_s"]
        while True:
            try:
                await asyncio.to_thread(connect, header["address"])
                break
            except UsageError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_AGAIN_S)
        here = await asyncio.to_thread(identity)
        self._pool = Pool(RayCluster(header["workers"]), here, header["patience_s"], self._say)
        await self._pool.look()
        self._watching = asyncio.create_task(self._pool.watch())
        self._watching.add_done_callback(_fail_aloud)
        return {}

    async def _open(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        assert self._pool is not None
        session = next(self._sessions)
        setup = {key: header[key] for key in ("entry", "config", "sandbox")}
        placed = await asyncio.to_thread(place, setup["entry"], setup["config"])
        layers = await self._pool.open(Session(session, setup, placed))
        return {"session": session, "layers": layers, "workers": self._pool.slots(session)}

    async def _close(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        assert self._pool is not None
        await self._pool.close(header["session"])
        return {}

    async def _run(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        assert self._pool is not None
        return await self._pool.run(header["session"], header["limits"], body)

    def _say(self, sentence: str) -> None:
        self._writer.write(encode({"say": sentence}))


def connect(address: str) -> None:
    """Become a driver of a cluster.

    Args:
        address: ``host:port`` of its head, or ``auto``: that of the node that runs on this machine.

    Raises:
        UsageError: There is no such cluster, or it is not one for this process.
    """
    import ray

    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        # Ray itself tries for a minute.
        try:
            socket.create_connection((host, int(port)), _KNOCK_S).close()
        except OSError as error:
            raise UsageError(
                f"No Ray cluster answers at {address} ({error.strerror or error}); ray status --address={address} "
                "says whether one is there."
            ) from None
    try:
        ray.init(
            address, namespace="metamuse", configure_logging=False, log_to_driver=False, logging_level="ERROR"
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise UsageError(why_unconnected(address, str(error))) from None


def why_unconnected(address: str, text: str) -> str:
    """A sentence for what Ray says when a driver cannot begin."""
    words = " ".join(text.split())
    if "Version mismatch" in words:
        rows = [row.strip() for row in text.splitlines() if row.strip().startswith(("Ray:", "Python:"))]
        theirs, ours = ", ".join(rows[:2]), ", ".join(rows[2:4])
        return f"The cluster at {address} runs {theirs}, and this process {ours}; they must be the same."
    if "Could not find any running Ray instance" in words:
        return (
            f"No Ray node runs on this machine (executor.address={address}): start one with ray start --head, or "
            "with ray start --address=<host:port of the head> to join a cluster."
        )
    if "node_ip_address.json" in words or "has an IP address of" in words or "Can't find a" in words:
        return (
            f"No node of the cluster at {address} runs on this machine, and a run needs one (it may have --num-cpus=0): "
            f"ray start --address={address}."
        )
    return f"Ray cannot use the cluster at {address}: {words[:400]}"


def why_lost(text: str) -> str:
    """What Ray says of a lost actor, in a few words."""
    words = " ".join(text.split())
    for sign, meaning in {
        "ModuleNotFoundError": "metamuse is not installed there, or not for Ray's Python",
        "OutOfMemory": "it ran out of memory, and Ray ended what scores there",
        "out of memory": "it ran out of memory, and Ray ended what scores there",
        "node died": "the machine or its Ray node died",
        "node was terminated": "the machine was taken away",
        "preempt": "the machine was taken away",
    }.items():
        if sign in words:
            return meaning
    return words[:200]


def place(entry: str, config: dict[str, Any]) -> Any:
    """Load the workloads and put them into the object store; None if the entry loads its own on every node.

    Raises:
        UsageError: They do not fit.
    """
    import ray

    data = placing.load(entry, config)
    if data is None:
        return None
    try:
        # An array of bytes is read in place by nodes; bytes would be copied.
        return ray.put(np.frombuffer(data, np.uint8))
    except (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError):
        raise UsageError(
            f"The workloads ({len(data) / 2**20:.0f} MiB) do not fit into Ray's object store on this machine; start its "
            "node with a larger --object-store-memory, or free the disk that it spills to."
        ) from None


def _fail_aloud(task: asyncio.Task[None]) -> None:
    """Without its watch a bridge is of no use; its end is told as such."""
    if not task.cancelled() and task.exception() is not None:
        print(describe(task.exception() or RuntimeError()), file=sys.stderr, flush=True)
        os._exit(1)


async def _serve(channel: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    bridge = Bridge(writer)
    decoder = Decoder()
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            for header, body in decoder.feed(data):
                bridge.obey(header, body)
    await bridge.end()


def main(descriptor: int, hub: int) -> NoReturn:
    """Run a bridge.

    Args:
        descriptor: Of the socket to the hub.
        hub: Process id of the hub, with whose end the bridge ends, and with that what it runs on the cluster.
    """
    if kernel.LINUX and not kernel.die_with_parent(signal.SIGKILL, hub):
        os._exit(0)
    asyncio.run(_serve(socket.socket(fileno=descriptor)))
    sys.stderr.flush()
    os._exit(0)
