"""Hostile processes: each is classified in time, leaves nothing behind and holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metamuse.executor.base import Limits, Outcome, Task
from metamuse.executor.local import LocalExecutor
from tests.metamuse.executor.attackers import ATTACKERS
from tests.support.capabilities import needs

ENTRY = "tests.metamuse.executor.attackers:setup"
WALL_S = 1.0
LIMITS = Limits(wall_s=WALL_S, cpu_s=10, memory_mb=128, result_mb=1.0)
PATIENT = Limits(wall_s=60, cpu_s=60, memory_mb=128)

Attack = Callable[[str], tuple[Outcome, Outcome, set[int], int | None]]


def _processes_of(zygote: int | None) -> set[int]:
    """Whatever was forked from the zygote, directly or not, in whatever session: it bears its command line."""
    command = Path(f"/proc/{zygote}/cmdline").read_bytes()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes() == command:
                found.add(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture(scope="module", params=["auto", "none"])
def attack(request: pytest.FixtureRequest) -> Iterator[Attack]:
    """Runs an attack and then a harmless task: their outcomes, the processes that are left, the zygote."""
    with asyncio.Runner() as runner:
        executor = LocalExecutor(ENTRY, {}, workers=2, sandbox=request.param)
        runner.run(executor.start())

        def one(name: str) -> tuple[Outcome, Outcome, set[int], int | None]:
            outcome = runner.run(executor.run(Task(name, {"do": "attacker", "name": name}, LIMITS)))
            after = runner.run(executor.run(Task("echo", {"do": "echo", "x": name}, PATIENT)))
            return outcome, after, _processes_of(executor.zygote_pid), executor.zygote_pid

        yield one
        runner.run(executor.close())


@needs("linux")
@pytest.mark.parametrize("name", ATTACKERS)
def test_it_is_classified_in_time_and_leaves_nothing(attack: Attack, name: str) -> None:
    kind, message, _ = ATTACKERS[name]
    outcome, after, left, zygote = attack(name)
    assert outcome.failure is not None
    assert outcome.failure[0] == kind, outcome.failure
    assert message in outcome.failure[1]
    assert outcome.seconds < WALL_S + 2.0
    assert after.result == {"value": name}
    assert left == {zygote}, "a process is left behind, or the zygote was replaced"


def test_a_hanging_task_delays_no_other() -> None:
    async def main() -> None:
        executor = LocalExecutor(ENTRY, {}, workers=2)
        await executor.start()
        name = "deaf to all signals, busy"
        hanging = asyncio.create_task(executor.run(Task(name, {"do": "attacker", "name": name}, PATIENT)))
        for i in range(10):
            assert (await executor.run(Task("echo", {"do": "echo", "x": i}, PATIENT))).result == {"value": i}
        assert not hanging.done()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await executor.close()

    asyncio.run(main())


def test_a_message_of_a_failure_is_cut() -> None:
    async def main() -> Outcome:
        executor = LocalExecutor("tests.metamuse.executor.handlers:plain", {}, workers=1)
        await executor.start()
        outcome = await executor.run(Task("long", {"do": "long policy error", "n": 500_000}, PATIENT))
        await executor.close()
        return outcome

    failure = asyncio.run(main()).failure
    assert failure is not None
    assert failure[0] == "illegal"
    assert len(failure[1]) == 4000
