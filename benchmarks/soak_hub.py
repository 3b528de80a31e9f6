"""The hub of a soak (see :mod:`benchmarks.soak`): a run that measures its own process as it goes.

    python -m benchmarks.soak_hub SAMPLES WINDOW real|pseudo RUN|new [overrides...]

One JSON object a window of solutions is appended to the file SAMPLES.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import metamuse.run
from benchmarks.soak_scores import make_executor
from metamuse import rundir
from metamuse.config import compose
from metamuse.progress import Progress
from metamuse.run import Run
from metamuse.state import RunState

_TICK_S = 0.02
_CLOCK = os.sysconf("SC_CLK_TCK")


class Meter:
    """Samples this process once a window of solutions.

    Args:
        samples: The file to append to.
        window: Solutions a window.
        began: When this process began, seconds of the monotonic clock.
    """

    def __init__(self, samples: Path, window: int, began: float) -> None:
        self.samples = samples
        self.window = window
        self.began = began
        self.lags: list[float] = []
        self.collections: list[float] = []
        gc.callbacks.append(self._collected)
        self._collecting = 0.0
        self._done: int | None = None
        self._last: dict[str, float] = {}
        self._at = 0.0

    def update(self, state: RunState) -> None:
        """Look whether a window is full; called after every event, in the loop."""
        done = len(state.solutions)
        if self._done is None:
            asyncio.get_running_loop().call_later(_TICK_S, self._tick, time.monotonic() + _TICK_S)
            self._begin(done)
            self._write(done, 0, event="first")
        elif done // self.window > self._done // self.window:
            self._write(done, done - self._done)
            self._begin(done)

    def _begin(self, done: int) -> None:
        self._done, self._last, self._at = done, cpu_by_thread(), time.monotonic()
        self.lags, self.collections = [], []

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.perf_counter()
        else:
            self.collections.append(time.perf_counter() - self._collecting)

    def _tick(self, due: float) -> None:
        now = time.monotonic()
        self.lags.append(now - due)
        asyncio.get_running_loop().call_later(_TICK_S, self._tick, now + _TICK_S)

    def _write(self, done: int, news: int, **more: Any) -> None:
        cpu = {name: value - self._last.get(name, 0.0) for name, value in cpu_by_thread().items()}
        lags = sorted(self.lags) or [0.0]
        zygotes = [pid for pid in children(os.getpid()) if pid]
        sample = {
            "solutions": done,
            "since_start_s": round(time.monotonic() - self.began, 2),
            "seconds": round(time.monotonic() - self._at, 2),
            "rss_mb": round(resident_mb(os.getpid()), 1),
            "zygotes_mb": round(sum(map(resident_mb, zygotes)), 1),
            "fds": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(),
            "processes": len(zygotes),
            "cpu_ms": {name: round(1e3 * value / max(1, news), 2) for name, value in cpu.items()},
            "lag_ms": [
                round(1e3 * x, 1) for x in (lags[len(lags) // 2], lags[len(lags) * 99 // 100], lags[-1])
            ],
            "gc_s": [round(sum(self.collections), 2), round(max(self.collections, default=0.0), 2)],
            **more,
        }
        with self.samples.open("a", encoding="utf-8") as file:
            file.write(json.dumps(sample) + "\n")


def cpu_by_thread() -> dict[str, float]:
    """CPU seconds so far of the loop, the composer, MLflow's writer and all other threads."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    out = dict.fromkeys(("loop", "composer", "mlflow", "other"), 0.0)
    for task in Path("/proc/self/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        name = names.get(int(task.name), "").partition("_")[0]
        kind = {"MainThread": "loop", "mlflow": "mlflow", "metamuse-composer": "composer"}.get(name)
        if kind is not None:
            out[kind] += (int(fields[11]) + int(fields[12])) / _CLOCK
    out["other"] = time.process_time() - sum(v for k, v in out.items() if k != "other")
    return out


def resident_mb(pid: int) -> float:
    """Resident memory of a process, MiB; 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def children(pid: int) -> list[int]:
    """Process ids of the direct children of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(x) for x in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def main(began: float) -> int:
    """Run, measured."""
    samples, window, scoring, run, *overrides = sys.argv[1:]
    meter = Meter(Path(samples), int(window), began)

    class MeteredProgress(Progress):
        """Also tells the meter."""

        def update(self, state: RunState) -> None:
            super().update(state)
            meter.update(state)

    metamuse.run.Progress = MeteredProgress  # type: ignore[misc]
    if scoring == "pseudo":
        metamuse.run.make_executor = make_executor  # type: ignore[assignment]
    config = compose(overrides)
    if run == "new":
        return Run(config)()
    folder = rundir.find(Path(config["root"]), run)
    return Run(rundir.recorded_config(folder) | {"root": config["root"]}, folder)()


if __name__ == "__main__":
    sys.exit(main(time.monotonic()))
