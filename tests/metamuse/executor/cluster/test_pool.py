"""Nodes that come, go, break and differ, without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from metamuse.errors import UsageError
from metamuse.executor.cluster import pool
from metamuse.executor.cluster.pool import LOSSES, Gone, Member, NodeLost, Pool, Session

HERE = {"Python": "3.11.7", "numpy": "2.1"}
LAYERS = ["seccomp: active (calls)", "landlock: active (files)"]
SESSION = Session(0, {"entry": "m:f", "config": {}, "sandbox": "auto"}, None)


class Node:
    """A machine that does what a test says, and the link to it."""

    def __init__(self, there: dict[str, str] = HERE, layers: list[str] = LAYERS, error: str = "") -> None:
        self.there, self.layers, self.error = there, layers, error
        self.dead = asyncio.Event()
        self.answer: dict[str, Any] = {"body": b"1"}
        self.took_s = 0.0
        self.running = self.most = self.done = self.links = 0

    async def identity(self) -> dict[str, str]:
        return self.there

    async def open(self, session: Session) -> dict[str, Any]:
        return {"error": self.error} if self.error else {"layers": self.layers}

    async def run(self, session: int, limits: dict[str, Any], payload: bytes) -> dict[str, Any]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            async with asyncio.timeout(self.took_s):
                await self.dead.wait()
            raise NodeLost("the machine died")
        except TimeoutError:
            self.done += 1
            return self.answer
        finally:
            self.running -= 1

    async def close(self, session: int) -> None:
        return

    def end(self) -> None:
        return


class Machines:
    """A cluster of them, by name."""

    def __init__(self, slots: int = 1, **nodes: Node) -> None:
        self.nodes = nodes
        self.slots = slots

    async def members(self) -> list[Member]:
        return [Member(name, name, self.slots) for name, node in self.nodes.items() if not node.dead.is_set()]

    def link(self, member: Member) -> Node:
        self.nodes[member.name].links += 1
        return self.nodes[member.name]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "POLL_S", 0.01)


def with_pool(
    machines: Callable[[], Machines],
    work: Callable[[Machines, Pool, list[str]], Coroutine[Any, Any, None]],
    patience_s: float = 0.2,
) -> None:
    async def main() -> None:
        said: list[str] = []
        found = machines()
        tested = Pool(found, HERE, patience_s, said.append)
        watching = asyncio.create_task(tested.watch())
        async with asyncio.timeout(10):
            await work(found, tested, said)
        watching.cancel()
        tested.end()

    asyncio.run(main())


def test_all_nodes_are_used_and_none_beyond_its_room() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        for node in machines.nodes.values():
            node.took_s = 0.01
        assert await tested.open(SESSION) == LAYERS
        assert tested.slots(0) == 4
        await asyncio.gather(*(tested.run(0, {}, b"") for _ in range(20)))
        assert [node.most for node in machines.nodes.values()] == [2, 2]
        assert sum(node.done for node in machines.nodes.values()) == 20
        assert not said

    with_pool(lambda: Machines(2, a=Node(), b=Node()), work)


def test_a_lost_nodes_tasks_run_elsewhere() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        a, b = machines.nodes.values()
        a.took_s = 60.0
        await tested.open(SESSION)
        runs = [asyncio.create_task(tested.run(0, {}, b"")) for _ in range(4)]
        while not a.running:
            await asyncio.sleep(0.01)
        a.dead.set()
        assert await asyncio.gather(*runs) == [{"body": b"1"}] * 4
        assert b.done == 4
        assert said == ["node a is lost (the machine died); its tasks run again"]

    with_pool(lambda: Machines(a=Node(), b=Node()), work)


def test_a_task_that_loses_node_after_node_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_LONGEST_PAUSE_S", 0.0)

    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        async def lose(*_: Any) -> dict[str, Any]:
            raise NodeLost("it ran out of memory")

        machines.nodes["a"].run = lose  # type: ignore[method-assign]
        await tested.open(SESSION)
        answer = await tested.run(0, {}, b"")
        assert answer["failure"] == [
            "infrastructure",
            f"{LOSSES} nodes were lost while it ran, the last so: it ran out of memory",
        ]
        assert machines.nodes["a"].links == LOSSES

    with_pool(lambda: Machines(a=Node()), work)


def test_what_one_machine_cannot_another_may() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        a, b = machines.nodes.values()
        a.answer = {"failure": ["infrastructure", "no process could be made for it"], "body": b""}
        await tested.open(SESSION)
        for _ in range(3):
            assert await tested.run(0, {}, b"") == b.answer
        b.answer = a.answer
        assert await tested.run(0, {}, b"") == a.answer

    with_pool(lambda: Machines(a=Node(), b=Node()), work)


def test_a_node_that_comes_later_is_used() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        await tested.open(SESSION)
        machines.nodes["b"] = Node()
        while tested.slots(0) < 2:
            await asyncio.sleep(0.01)
        machines.nodes["a"].dead.set()
        await tested.run(0, {}, b"")
        assert machines.nodes["b"].done == 1

    with_pool(lambda: Machines(a=Node()), work)


def test_a_machine_that_would_compute_otherwise_is_not_used() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        await tested.open(SESSION)
        await tested.run(0, {}, b"")
        assert not machines.nodes["a"].done
        await asyncio.sleep(0.05)
        assert said == [
            "node a is not used: scores would not be comparable, it has numpy 1.26 instead of 2.1; install the same there"
        ]
        assert machines.nodes["a"].links == 1

    with_pool(lambda: Machines(a=Node({"Python": "3.11.7", "numpy": "1.26"}), b=Node()), work)


def test_if_no_machine_can_be_used_it_is_said_why() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        with pytest.raises(
            UsageError, match=r"^no node of the cluster can be used: sandbox=strict needs .* landlock$"
        ):
            await tested.open(SESSION)
        assert not said

    with_pool(lambda: Machines(a=Node(error="sandbox=strict needs what is missing here: landlock")), work)


def test_a_session_that_cannot_be_set_up_is_no_fault_of_the_nodes() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        a = machines.nodes["a"]
        await tested.open(SESSION)
        a.error = "trace.csv, row 7: the size is negative"
        with pytest.raises(UsageError, match="row 7"):
            await tested.open(Session(1, SESSION.setup, None))
        a.error = ""
        await tested.open(Session(2, SESSION.setup, None))
        assert await tested.run(0, {}, b"") == await tested.run(2, {}, b"") == a.answer

    with_pool(lambda: Machines(a=Node()), work)


def test_a_cluster_without_nodes_is_one_sentence_after_some_patience() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        with pytest.raises(UsageError, match=r"no node with a processor for tasks \(after 0\.2 s\)"):
            await tested.open(SESSION)

    with_pool(Machines, work)


def test_what_is_stated_of_containment_holds_on_every_node() -> None:
    weak = [LAYERS[0], "landlock: ABSENT (the kernel has none)"]

    async def at_the_start(machines: Machines, tested: Pool, said: list[str]) -> None:
        assert await tested.open(SESSION) == [LAYERS[0], "landlock: ABSENT (the kernel has none) on node b"]
        assert tested.slots(0) == 2

    async def later(machines: Machines, tested: Pool, said: list[str]) -> None:
        assert await tested.open(SESSION) == LAYERS
        machines.nodes["b"] = Node(layers=weak)
        while not said:
            await asyncio.sleep(0.01)
        assert said == [
            "node b is not used: it contains candidates less than was stated at the start: landlock: ABSENT (the kernel has none)"
        ]
        await asyncio.gather(*(tested.run(0, {}, b"") for _ in range(4)))
        assert machines.nodes["b"].done == 0

    with_pool(lambda: Machines(a=Node(), b=Node(layers=weak)), at_the_start)
    with_pool(lambda: Machines(a=Node()), later)


def test_without_any_node_a_run_waits_and_then_stops() -> None:
    async def work(machines: Machines, tested: Pool, said: list[str]) -> None:
        a = machines.nodes["a"]
        await tested.open(SESSION)
        a.dead.set()
        run = asyncio.create_task(tested.run(0, {}, b""))
        await asyncio.sleep(0.05)
        machines.nodes["b"] = Node()  # within the patience
        assert await run == {"body": b"1"}
        machines.nodes["b"].dead.set()
        with pytest.raises(Gone, match=r"has had no node for 0\.2 s"):
            await tested.run(0, {}, b"")
        assert any("waiting up to 0.2 s for one" in sentence for sentence in said)

    with_pool(lambda: Machines(a=Node()), work)
