"""The nodes of a cluster that score: who is there, who is fit, who has room, and what to do when one is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from metamuse.errors import UsageError
from metamuse.executor.cluster.identity import differences

#: Seconds between two looks at who is there.
POLL_S = 2.0
#: So many lost nodes fail one task: then it is more likely that the task loses them.
LOSSES = 8
#: A node that is lost again and again is tried again after so many seconds at most.
_LONGEST_PAUSE_S = 60.0
#: How long the start of a session waits for further nodes once one is ready, seconds.
_GATHER_S = 30.0
#: After so many seconds it is said that a node may have no processors to spare.
_BUSY_S = 20.0


class NodeLost(Exception):  # says what happened, and is always caught
    """A node does not answer any more."""


class Gone(UsageError):
    """No node is left and none has come back: the run stops and can be resumed."""


@dataclass(frozen=True)
class Member:
    """A machine of the cluster as Ray lists it: its id, its name for people, tasks it may run at once."""

    id: str
    name: str
    slots: int


@dataclass(frozen=True)
class Session:
    """What one executor of the hub has every node set up.

    Attributes:
        number: Of the session.
        setup: ``entry``, ``config`` and ``sandbox``.
        placed: Where the workloads are: a reference into the object store, or None.
    """

    number: int
    setup: dict[str, Any]
    placed: Any


class Link(Protocol):
    """A connection to a node; every method raises :class:`NodeLost`."""

    async def identity(self) -> dict[str, str]:
        """See :func:`metamuse.executor.cluster.identity.identity`; waits until the node has processors to spare."""

    async def open(self, session: Session) -> dict[str, Any]:
        """See :meth:`metamuse.executor.cluster.node.ScoringNode.open`."""

    async def run(self, session: int, limits: dict[str, Any], payload: bytes) -> dict[str, Any]:
        """See :meth:`metamuse.executor.cluster.node.ScoringNode.run`; cancelling it ends the task's process."""

    async def close(self, session: int) -> None:
        """End a session."""

    def end(self) -> None:
        """End whatever runs there."""


class Cluster(Protocol):
    """What the pool needs of Ray."""

    async def members(self) -> list[Member]:
        """The machines that are alive and have processors for tasks."""

    def link(self, member: Member) -> Link:
        """Begin to use a machine."""


@dataclass
class _Node:
    member: Member
    link: Link
    busy: int = 0
    #: Layers of containment, by session that is set up.
    ready: dict[int, list[str]] = field(default_factory=dict)
    #: Why a session cannot be set up.
    unfit: dict[int, str] = field(default_factory=dict)


class Pool:
    """Runs tasks on the nodes of a cluster.

    Args:
        cluster: Ray.
        here: What nodes have to be like, see :mod:`metamuse.executor.cluster.identity`.
        patience_s: How long to wait for a node when there is none, in seconds.
        say: Tells the user a sentence.
    """

    def __init__(
        self, cluster: Cluster, here: dict[str, str], patience_s: float, say: Callable[[str], None]
    ) -> None:
        self._cluster = cluster
        self._here = here
        self._patience_s = patience_s
        self._say = say
        self._nodes: dict[str, _Node] = {}
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, str] = {}
        self._losses: dict[str, int] = {}
        self._pause: dict[str, float] = {}
        self._sessions: dict[int, Session] = {}
        self._stated: dict[int, set[str]] = {}
        self._changed = asyncio.Condition()
        self._reasons: set[str] = set()
        self._unsaid: list[str] = []

    def slots(self, session: int) -> int:
        """How many tasks of a session run at once now."""
        return sum(node.member.slots for node in self._able(session))

    async def watch(self) -> None:
        """Look who is there, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(POLL_S)

    async def look(self) -> None:
        """Look who is there: use those who have come, forget those who have gone."""
        members = {member.id: member for member in await self._cluster.members()}
        for key in [key for key in self._joining if key.partition("/")[0] not in members]:
            self._joining.pop(key).cancel()
        for id in [id for id in self._nodes if id not in members]:
            self._forget(self._nodes[id], "it left the cluster")
        if len(self._stated) == len(
            self._sessions
        ):  # else a refusal may be why a session cannot start, which is told
            while self._unsaid:
                self._say(self._unsaid.pop(0))
        now = time.monotonic()
        for id, member in members.items():
            known = id in self._nodes or id in self._joining or id in self._refused
            if not known and now >= self._pause.get(id, 0.0):
                self._joining[id] = asyncio.create_task(self._join(member))
        async with self._changed:
            self._changed.notify_all()

    async def open(self, session: Session) -> list[str]:
        """Have all nodes set up a session; returns when one is ready and the others had time to be.

        Returns:
            The layers of containment that all of them have.

        Raises:
            UsageError: No node can be used; says why.
        """
        self._sessions[session.number] = session
        for node in list(self._nodes.values()):
            self._joining[f"{node.member.id}/{session.number}"] = asyncio.create_task(
                self._prepare(node, session)
            )
        began = first = time.monotonic()
        while True:
            ready = [node for node in self._nodes.values() if session.number in node.ready]
            now = time.monotonic()
            if ready and (not self._joining or now - first > _GATHER_S):
                break
            if not ready:
                first = now
            if not ready and not self._joining:
                reasons = {
                    *self._refused.values(),
                    *(n.unfit.get(session.number, "") for n in self._nodes.values()),
                }
                if reasons - {""}:
                    del self._sessions[session.number]
                    self._unsaid.clear()
                    raise UsageError(
                        f"no node of the cluster can be used: {'; '.join(sorted(reasons - {''}))}"
                    )
                if now - began > self._patience_s:
                    del self._sessions[session.number]
                    raise UsageError(
                        f"the Ray cluster has no node with a processor for tasks (after {self._patience_s:g} s)"
                    )
            await self._change()
        layers = _common([(node.member.name, node.ready[session.number]) for node in ready])
        self._stated[session.number] = _active(layers)
        return layers

    async def close(self, session: int) -> None:
        """End a session on all nodes."""
        self._sessions.pop(session, None)
        self._stated.pop(session, None)
        nodes = [node for node in self._nodes.values() if node.ready.pop(session, None) is not None]
        await asyncio.gather(*(node.link.close(session) for node in nodes), return_exceptions=True)

    async def run(self, session: int, limits: dict[str, Any], payload: bytes) -> dict[str, Any]:
        """Run one task wherever there is room, again if its node is lost; see :meth:`Link.run`.

        Raises:
            Gone: No node is left.
        """
        lost, answer, avoid = 0, {}, ""
        while True:
            node = await self._take(session, avoid)
            try:
                answer = await node.link.run(session, limits, payload)
            except NodeLost as error:
                self._forget(node, str(error))
                lost += 1
                if lost >= LOSSES:
                    message = f"{lost} nodes were lost while it ran, the last so: {error}"
                    return {
                        "failure": ["infrastructure", message],
                        "seconds": 0.0,
                        "cpu_s": 0.0,
                        "peak_mb": 0.0,
                    }
                continue
            finally:
                node.busy -= 1
                async with self._changed:
                    self._changed.notify_all()
            # What is wrong with one machine, a full disk for instance, may be right on another.
            failed = answer.get("failure", [""])[0] == "infrastructure"
            if not failed or avoid or len(self._able(session)) < 2:
                return answer
            avoid = node.member.id

    def end(self) -> None:
        """End everything on all nodes."""
        for joining in self._joining.values():
            joining.cancel()
        for node in self._nodes.values():
            node.link.end()

    # -- nodes come and go

    async def _join(self, member: Member) -> None:
        """Make a machine a node, if it is fit."""
        link = self._cluster.link(member)
        node = _Node(member, link)
        try:
            there = await self._arrival(member, link)
            if unlike := differences(self._here, there):
                self._refuse(node, f"scores would not be comparable, it has {unlike}; install the same there")
                return
            self._nodes[member.id] = node
            for session in list(self._sessions.values()):
                await self._set_up(node, session)
        except NodeLost as error:
            self._forget(node, str(error))
        except asyncio.CancelledError:
            link.end()
            raise
        finally:
            self._joining.pop(member.id, None)
            async with self._changed:
                self._changed.notify_all()

    async def _arrival(self, member: Member, link: Link) -> dict[str, str]:
        arriving = asyncio.ensure_future(link.identity())
        try:
            done, _ = await asyncio.wait([arriving], timeout=_BUSY_S)
            if not done:
                self._say(
                    f"waiting for node {member.name}: it is slow, or other work holds the {member.slots} CPUs that are "
                    "asked for (executor.workers=<fewer> asks for less)"
                )
            return await arriving
        finally:
            arriving.cancel()

    async def _prepare(self, node: _Node, session: Session) -> None:
        """Set up a new session on a node that is there."""
        try:
            await self._set_up(node, session)
        except NodeLost as error:
            self._forget(node, str(error))
        finally:
            self._joining.pop(f"{node.member.id}/{session.number}", None)
            async with self._changed:
                self._changed.notify_all()

    async def _set_up(self, node: _Node, session: Session) -> None:
        answer = await node.link.open(session)
        self._losses.pop(node.member.id, None)
        if "error" in answer:
            self._refuse(node, answer["error"], session)
            return
        stated = self._stated.get(session.number, set())
        if absent := stated - _active(answer["layers"]):
            why = [line for line in answer["layers"] if line.partition(":")[0] in absent]
            less = f"it contains candidates less than was stated at the start: {'; '.join(why)}"
            self._refuse(node, less, session)
            return
        if session.number in self._sessions:
            node.ready[session.number] = answer["layers"]

    def _refuse(self, node: _Node, why: str, session: Session | None = None) -> None:
        """Never use a machine, or not for one session; a reason that many have is said once."""
        if why not in self._reasons:
            self._unsaid.append(f"node {node.member.name} is not used: {why}")
            self._reasons.add(why)
        if session is not None:
            node.unfit[session.number] = why
            return
        self._refused[node.member.id] = why
        node.link.end()

    def _forget(self, node: _Node, why: str) -> None:
        """A node is lost; what ran there runs again. It may come back."""
        id = node.member.id
        node.link.end()
        if self._nodes.get(id, node) is not node:
            return  # it is back already
        if self._nodes.pop(id, None) is not None:
            self._say(f"node {node.member.name} is lost ({why}); its tasks run again")
        self._losses[id] = self._losses.get(id, 0) + 1
        self._pause[id] = time.monotonic() + min(_LONGEST_PAUSE_S, 2.0 ** self._losses[id])

    # -- room

    def _able(self, session: int) -> list[_Node]:
        return [node for node in self._nodes.values() if session in node.ready]

    async def _take(self, session: int, avoid: str) -> _Node:
        """The emptiest node with room, one task of which is taken.

        Raises:
            Gone: There has been no node for too long.
        """
        missed: float | None = None
        while True:
            able = self._able(session)
            fit = [node for node in able if node.member.id != avoid] or able
            free = [node for node in fit if node.busy < node.member.slots]
            if free:
                node = min(free, key=lambda node: node.busy / node.member.slots)
                node.busy += 1
                return node
            if able or self._joining:
                missed = None
            elif missed is None:
                missed = time.monotonic()
                self._say(f"the Ray cluster has no node left; waiting up to {self._patience_s:g} s for one")
            elif time.monotonic() - missed > self._patience_s:
                raise Gone(f"the Ray cluster has had no node for {self._patience_s:g} s")
            await self._change()

    async def _change(self) -> None:
        """Wait until something has changed, at most for a look."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait(), POLL_S)
            except TimeoutError:
                return


def _active(layers: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in layers if ": active (" in line}


def _common(found: list[tuple[str, list[str]]]) -> list[str]:
    """The layers that all nodes have, and of the others where and why one is absent."""
    out = []
    for i, line in enumerate(found[0][1]):
        absent = [(name, lines[i]) for name, lines in found if ": active (" not in lines[i]]
        out.append(line if not absent else f"{absent[0][1]} on node {absent[0][0]}")
    return out
