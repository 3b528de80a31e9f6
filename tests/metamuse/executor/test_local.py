"""Life and death of the executor's processes."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from metamuse.errors import UsageError
from metamuse.executor import local
from metamuse.executor.base import ExecutorBroken, ExecutorSetupError, Limits, Task
from metamuse.executor.jail import Layer
from metamuse.executor.local import LocalExecutor
from metamuse.executor.verdict import OutOfMemory
from metamuse.executor.zygote import Zygote, _AwakeClock, _Child, _demand
from tests.metamuse.executor.conftest import HANDLERS
from tests.support.capabilities import needs

ROOT = Path(__file__).resolve().parents[3]
LIMITS = Limits(wall_s=20, cpu_s=10, memory_mb=100)


def plain(workers: int = 2, sandbox: str = "auto", **config: object) -> LocalExecutor:
    return LocalExecutor(f"{HANDLERS}:plain", config, workers, sandbox=sandbox)


def task(do: str, limits: Limits = LIMITS, **payload: object) -> Task:
    return Task(do, {"do": do, **payload}, limits)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie that nobody has reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition: Callable[[], object], seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition did not come true in time"
        time.sleep(0.01)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@needs("linux")
def test_many_tasks_leak_nothing() -> None:
    async def main() -> None:
        executor = plain()
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        await executor.run(task("echo", x=0))

        def descriptors() -> tuple[int, int]:
            return len(os.listdir(f"/proc/{zygote}/fd")), len(os.listdir("/proc/self/fd"))

        before = descriptors()
        outcomes = await asyncio.gather(*(executor.run(task("echo", x=i)) for i in range(200)))
        assert [o.result for o in outcomes] == [{"value": i} for i in range(200)]
        assert descriptors() == before
        assert children(zygote) == []
        assert executor.zygote_pid == zygote
        await executor.close()
        assert not alive(zygote)

    asyncio.run(main())


@needs("linux")
def test_no_more_than_the_workers_run_at_once() -> None:
    async def main() -> None:
        executor = plain(workers=2)
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        runs = [asyncio.create_task(executor.run(task("sleep", s=0.1))) for _ in range(6)]
        most = 0
        while not all(r.done() for r in runs):
            most = max(most, len(children(zygote)))
            await asyncio.sleep(0.01)
        assert most == 2
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_tasks_survive_the_zygotes_death() -> None:
    async def main() -> None:
        executor = plain()
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        runs = [asyncio.create_task(executor.run(task("sleep", s=0.4))) for _ in range(2)]
        await until(lambda: len(children(zygote)) == 2)
        orphans = children(zygote)
        os.kill(zygote, signal.SIGKILL)
        assert [(await r).failure for r in runs] == [None, None]
        assert executor.zygote_pid not in (None, zygote)
        assert not any(map(alive, orphans))
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_signals_without_a_name_end_what_they_hit_and_nothing_else() -> None:
    """Real-time signals: nobody waits for ever, and the other tasks go on."""

    async def main() -> None:
        executor = plain()
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        hit = asyncio.create_task(executor.run(task("sleep", s=60)))
        await until(lambda: len(children(zygote)) == 1)
        child = children(zygote)[0]
        other = asyncio.create_task(executor.run(task("sleep", s=0.4)))
        os.kill(child, 35)
        async with asyncio.timeout(60):
            assert (await hit).failure == ("crash", "its process died of signal 35")
            assert (await other).failure is None
            assert executor.zygote_pid == zygote
            again = asyncio.create_task(executor.run(task("sleep", s=0.4)))
            await until(lambda: children(zygote))
            os.kill(zygote, 35)
            assert (await again).failure is None
        assert executor.zygote_pid not in (None, zygote)
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_who_is_gone_is_not_signalled_for_what_it_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It wrote too much after the last look and ended: its number may be another process's by now."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.write(theirs, b"x" * 30_000)
    os.close(theirs)
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    child = _Child(1, pid, ours, Limits(10, 10, 100, result_mb=0.01), 0.0, 0)
    loop = object.__new__(Zygote)
    loop._children = {pid: child}
    loop._clock, loop._oom = _AwakeClock(), OutOfMemory()
    loop._selector = selectors.DefaultSelector()
    loop._selector.register(ours, selectors.EVENT_READ, pid)
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(loop, "send", lambda header, body=b"": sent.append(header))
    signalled: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signalled.append(pid))
    loop._reap()
    assert not signalled and not loop._children
    assert sent[0]["failure"] == ("crash", "its process wrote more than the 0.01 MiB that an answer may have")


@needs("linux")
def test_a_pause_of_the_machine_is_not_the_candidates_fault() -> None:
    """A laptop's lid, a paused container: longer than the limit, and no time for anybody."""

    async def main() -> None:
        executor = plain()
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        limits = Limits(wall_s=4, cpu_s=10, memory_mb=100)
        run = asyncio.create_task(executor.run(task("sleep", s=1.5, limits=limits)))
        await until(lambda: children(zygote))
        paused = [zygote, *children(zygote)]
        for pid in paused:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(limits.wall_s + 1)
        for pid in paused:
            os.kill(pid, signal.SIGCONT)
        outcome = await run
        assert outcome.failure is None
        assert outcome.seconds < limits.wall_s
        assert executor.zygote_pid == zygote
        assert (await executor.run(task("sleep", s=60, limits=Limits(1, 10, 100)))).failure is not None
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_retries_are_bounded() -> None:
    async def main() -> None:
        executor = plain()
        await executor.start()
        run = asyncio.create_task(executor.run(task("sleep", s=15)))
        killed: list[int] = []

        def fresh() -> bool:
            return executor.zygote_pid not in (None, *killed)

        for _ in range(3):  # while it runs the task or is still being set up
            await until(fresh)
            killed.append(executor.zygote_pid or 0)
            os.kill(killed[-1], signal.SIGKILL)
        outcome = await run
        assert outcome.failure == ("infrastructure", "the scoring process died of SIGKILL (3 tries)")
        await executor.close()

    asyncio.run(main())


def test_how_many_failures_break_an_executor_can_be_said() -> None:
    async def main() -> None:
        executor = LocalExecutor(f"{HANDLERS}:plain", {}, 1, breaks_after=2)
        await executor.start()
        await executor.run(task("bug"))
        with pytest.raises(ExecutorBroken, match="2 tasks in a row"):
            await executor.run(task("bug"))
        await executor.close()

    asyncio.run(main())


def test_what_is_a_tasks_own_failure_begins_the_count_anew() -> None:
    async def main() -> None:
        executor = LocalExecutor(f"{HANDLERS}:plain", {}, 1, breaks_after=2)
        await executor.start()
        for do in ("bug", "policy error", "bug", "echo", "bug"):
            await executor.run(task(do, x=1))
        with pytest.raises(ExecutorBroken, match=r"2 tasks in a row .* ZeroDivisionError: in the scorer"):
            await executor.run(task("not json"))
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_cancelling_ends_the_process() -> None:
    async def main() -> None:
        executor = plain(workers=1)
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        run = asyncio.create_task(executor.run(task("sleep", s=15)))
        await until(lambda: children(zygote))
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await until(lambda: not children(zygote))
        assert (await executor.run(task("echo", x=1))).result == {"value": 1}
        await executor.close()

    asyncio.run(main())


@needs("linux")
def test_closing_ends_what_runs() -> None:
    async def main() -> None:
        executor = plain()
        await executor.start()
        zygote = executor.zygote_pid
        assert zygote is not None
        run = asyncio.create_task(executor.run(task("sleep", s=15)))
        await until(lambda: children(zygote))
        pids = [zygote, *children(zygote)]
        await executor.close()
        assert (await run).failure == ("infrastructure", "the executor was closed")
        await until(lambda: not any(map(alive, pids)))

    asyncio.run(main())


@needs("linux")
def test_nothing_outlives_a_hub_that_is_killed() -> None:
    script = f"""
import asyncio
from metamuse.executor.base import Limits, Task
from metamuse.executor.local import LocalExecutor

async def main():
    executor = LocalExecutor({HANDLERS + ":plain"!r}, {{}}, 2)
    await executor.start()
    print(executor.zygote_pid, flush=True)
    limits = Limits(100, 100, 100)
    await asyncio.gather(*(executor.run(Task(do, {{"do": do, "s": 90}}, limits)) for do in ("sleep", "burn")))

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        zygote = int(hub.stdout.readline())
        wait_for(lambda: len(children(zygote)) == 2)
        pids = [zygote, *children(zygote)]
        hub.kill()
    wait_for(lambda: not any(map(alive, pids)), 3.0)


def test_an_unknown_entry_is_one_sentence() -> None:
    executor = LocalExecutor("metamuse.nowhere:make", {}, 1)
    with pytest.raises(ExecutorSetupError, match=r"No module named 'metamuse\.nowhere'"):
        asyncio.run(executor.start())


@needs("landlock", "seccomp")
def test_strict_starts_where_all_layers_exist() -> None:
    async def main() -> list[str]:
        executor = plain(sandbox="strict")
        await executor.start()
        await executor.close()
        return executor.layers()

    assert not [line for line in asyncio.run(main()) if "ABSENT" in line]


def test_strict_refuses_where_a_layer_is_missing() -> None:
    layers = [Layer("landlock", False, "the kernel has no Landlock"), Layer("seccomp", True, "")]
    with pytest.raises(UsageError, match=r"sandbox=strict needs .*: landlock \(the kernel has no Landlock\)"):
        _demand(layers)


def test_without_sandbox_tasks_run_and_the_absence_is_stated() -> None:
    async def main() -> None:
        executor = plain(sandbox="none")
        await executor.start()
        assert (await executor.run(task("echo", x=1))).result == {"value": 1}
        assert len([line for line in executor.layers() if "switched off" in line]) == 2
        await executor.close()

    asyncio.run(main())


@pytest.mark.parametrize(("workers", "sandbox"), [(0, "auto"), (1, "firejail")])
def test_wrong_settings_are_refused_at_once(workers: int, sandbox: str) -> None:
    with pytest.raises(ExecutorSetupError, match=r"executor\.(workers|sandbox) must be"):
        plain(workers, sandbox)


def test_a_system_without_linuxs_layers_runs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: kernel calls that exist only on Linux must not even be tried."""
    boot = local._BOOT.replace("from metamuse.executor.zygote", _NOT_LINUX + "from metamuse.executor.zygote")
    monkeypatch.setattr(local, "_BOOT", boot)

    async def main() -> list[str]:
        executor = plain()
        await executor.start()
        assert (await executor.run(task("echo", x=1))).result == {"value": 1}
        slow = await executor.run(task("sleep", Limits(0.2, 5, 100), s=10))
        assert slow.failure is not None
        assert slow.failure[0] == "timeout"
        await executor.close()
        return executor.layers()

    absent = {line.partition(":")[0] for line in asyncio.run(main()) if "ABSENT" in line}
    assert absent == {"dies with the hub", "landlock", "limits", "seccomp"}


_NOT_LINUX = (
    "from metamuse.executor import kernel; kernel.LINUX = False; kernel.prctl = kernel.syscall = None; "
)
