"""What every executor does; how tasks end is in test_failures.py and test_jail.py, for every executor, too."""

from __future__ import annotations

import asyncio

import pytest

from metamuse.errors import UsageError
from metamuse.executor.base import ExecutorBroken, ExecutorSetupError, Limits, Task
from metamuse.executor.retrying import BREAKS_AFTER
from tests.metamuse.executor.conftest import Make

LIMITS = Limits(wall_s=20, cpu_s=10, memory_mb=100)


def task(do: str, limits: Limits = LIMITS, **payload: object) -> Task:
    return Task(do, {"do": do, **payload}, limits)


def test_each_task_gets_its_own_answer(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> None:
        executor = make("plain")
        await executor.start()
        assert executor.workers == 2
        outcomes = await asyncio.gather(*(executor.run(task("echo", x=i)) for i in range(50)))
        assert [o.result for o in outcomes] == [{"value": i} for i in range(50)]
        await executor.close()

    runner.run(main())


def test_a_float_comes_back_to_the_last_digit(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> None:
        executor = make("plain")
        await executor.start()
        numbers = [0.1 + 0.2, 1e-308, 2.0**-1074, 1 / 3, 1.7976931348623157e308]
        assert (await executor.run(task("echo", x=numbers))).result == {"value": numbers}
        await executor.close()

    runner.run(main())


def test_executors_of_one_process_work_beside_each_other(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> None:
        both = [make("plain"), make("plain")]
        await asyncio.gather(*(executor.start() for executor in both))
        runs = [executor.run(task("echo", x=i)) for i in range(6) for executor in both]
        assert [o.result for o in await asyncio.gather(*runs)] == [{"value": i // 2} for i in range(12)]
        await both[0].close()
        assert (await both[1].run(task("echo", x=7))).result == {"value": 7}
        await both[1].close()

    runner.run(main())


def test_a_cancelled_task_makes_room(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> None:
        executor = make("plain")
        await executor.start()
        slow = task("sleep", s=100, limits=Limits(200, 10, 100))
        runs = [asyncio.create_task(executor.run(slow)) for _ in range(2)]
        await asyncio.sleep(0.5)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        assert all(run.cancelled() for run in runs)
        async with asyncio.timeout(60):
            assert (await executor.run(task("echo", x=1))).result == {"value": 1}
        await executor.close()

    runner.run(main())


def test_closing_ends_what_runs(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> None:
        executor = make("plain")
        await executor.start()
        run = asyncio.create_task(executor.run(task("sleep", s=100, limits=Limits(200, 10, 100))))
        await asyncio.sleep(0.5)
        async with asyncio.timeout(60):
            await executor.close()
            assert (await run).failure == ("infrastructure", "the executor was closed")

    runner.run(main())


def test_a_broken_handler_breaks_the_executor_with_the_first_cause(
    make: Make, runner: asyncio.Runner
) -> None:
    async def main() -> None:
        executor = make("plain")
        await executor.start()
        for _ in range(BREAKS_AFTER - 1):
            assert (await executor.run(task("bug"))).failure is not None
        with pytest.raises(ExecutorBroken, match="ZeroDivisionError: in the scorer"):
            await executor.run(task("bug"))
        with pytest.raises(ExecutorBroken):
            await executor.run(task("echo", x=1))
        await executor.close()

    runner.run(main())


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        ("workload", r"trace\.csv, row 7: the size is negative$"),
        ("bug", r"the scorer could not be set up: KeyError: 'capacity' \(.*handlers\.py, line \d+\)$"),
        ("exit", r"ended while it was set up: .* exit status 3: the licence has expired$"),
    ],
)
def test_errors_in_set_up_are_one_sentence(
    make: Make, runner: asyncio.Runner, fail: str, message: str
) -> None:
    async def main() -> None:
        executor = make("plain", fail=fail)
        with pytest.raises(ExecutorSetupError, match=message) as caught:
            await executor.start()
        assert isinstance(caught.value, UsageError)
        await executor.close()

    runner.run(main())


def test_layers_are_stated(make: Make, runner: asyncio.Runner) -> None:
    async def main() -> list[str]:
        executor = make("plain", sandbox="none")
        await executor.start()
        await executor.close()
        return executor.layers()

    assert len([line for line in runner.run(main()) if "switched off by sandbox=none" in line]) == 2
