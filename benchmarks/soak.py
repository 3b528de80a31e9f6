"""Does a run of 10,000 solutions end as it began? Memory, time and files of the hub by number of solutions.

    python -m benchmarks.soak [solutions=10000] [window=500] [kill=0.9] [scoring=pseudo|real] [json=true]
                              [folder=DIR] [settings of a run...]

Starts a real run (offline composer, MLflow on, 30 feedback, 30 validation and 10 hold-out traces of 300 requests),
kills it with SIGKILL when ``kill`` of the solutions are made, resumes it, and lets it end. Printed for each window:
resident memory of the hub and of its zygotes, open files, threads, child processes, CPU milliseconds a solution
by thread, how late the event loop is, and at the end the sizes of what is left behind.

With ``scoring=pseudo`` no candidate is checked, compiled or simulated: :mod:`benchmarks.soak_scores` answers at once
in the hub, because 10,000 compilations are hours of CPU in other processes. Everything else in the hub is real in
either case: composer through litellm, completions, journal, stimuli, diversity, tracking, files, report.
``scoring=real`` has the real executor, zygotes and jailed children too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from metamuse.journal import read

ROOT = Path(__file__).parents[1]
SETS = {"feedback": 30, "validation": 30, "holdout": 10}
REQUESTS = 300


def write_traces(folder: Path) -> list[str]:
    """Write small traces; returns the settings of a run that name them."""
    for which, count in SETS.items():
        for i in range(count):
            rng = np.random.default_rng([len(which), i])
            keys = np.minimum(rng.pareto(0.6 + 0.03 * i, REQUESTS), 90).astype(int)
            (folder / f"{which}-{i:02d}.txt").write_text("\n".join(map(str, keys)) + "\n")
    return [f"problem.workloads.{which}={folder / which}-*.txt" for which in SETS]


class Soak:
    """One run, its measuring and its files.

    Args:
        folder: Where everything goes.
        solutions: Solutions to make.
        window: Solutions between two samples.
        real: Whether candidates are compiled and simulated.
        settings: Further settings of the run.
    """

    def __init__(
        self, folder: Path, solutions: int, window: int, real: bool, settings: list[str] | None = None
    ) -> None:
        self.folder = folder
        self.samples = folder / "samples.jsonl"
        self.window = window
        self.scoring = "real" if real else "pseudo"
        self.solutions = solutions
        traces = folder / "traces"
        traces.mkdir()
        self.settings = [
            "problem=cache", "problem.baselines='lru,sieve'", f"solutions={solutions}", "search.tune_trials=0",
            f"root={folder / 'runs'}", *write_traces(traces), *(settings or []),
        ]  # fmt: skip

    def start(self, run: str) -> subprocess.Popen[bytes]:
        """Begin a run (``new``) or go on with one."""
        command = [
            sys.executable, "-m", "benchmarks.soak_hub", str(self.samples), str(self.window), self.scoring, run,
            *self.settings,
        ]  # fmt: skip
        with (self.folder / "hub.log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT
            )

    @property
    def run(self) -> Path:
        """The run directory."""
        (found,) = (self.folder / "runs" / "cache").glob("r*")
        return found

    def taken(self) -> list[dict[str, Any]]:
        """The samples so far."""
        if not self.samples.exists():
            return []
        return [json.loads(line) for line in self.samples.read_text().splitlines()]

    def until(self, hub: subprocess.Popen[bytes], solutions: int) -> None:
        """Wait until so many solutions are made, then kill the hub."""
        while not any(s["solutions"] >= solutions for s in self.taken()):
            if hub.poll() is not None:
                raise RuntimeError(f"the run ended early, see {self.folder / 'hub.log'}")
            time.sleep(0.05)
        hub.send_signal(signal.SIGKILL)
        hub.wait()

    def __call__(self, kill: float) -> dict[str, Any]:
        """Run, kill, resume, end; returns all figures."""
        began = time.monotonic()
        hub = self.start("new")
        try:
            if kill:
                self.until(hub, int(kill * self.solutions))
                hub = self.start(str(self.run))
            code = hub.wait()
        finally:
            hub.kill()  # if this process is interrupted; one that has ended stays ended
        if code:
            raise RuntimeError(f"the run ended with {code}, see {self.folder / 'hub.log'}")
        run = self.run
        seconds = time.monotonic() - began
        ended = next(e["at"] for e in read(run / "journal.jsonl") if e["event"] == "end")
        return {
            "solutions": self.solutions,
            "scoring": self.scoring,
            "seconds": round(seconds, 1),
            "samples": self.taken(),
            "finishing_s": round((run / "report.html").stat().st_mtime - ended, 2),
            "sizes_mb": {
                "journal.jsonl": _size(run / "journal.jsonl"),
                "completions.jsonl": _size(run / "completions.jsonl"),
                "solutions/": sum(_size(p) for p in (run / "solutions").glob("*/*")),
                "leaderboard.csv": _size(run / "leaderboard.csv"),
                "report.html": _size(run / "report.html"),
                "mlflow.db": _size(run.parents[1] / "mlflow.db"),
            },
        }


def _size(path: Path) -> float:
    return path.stat().st_size / 2**20 if path.exists() else 0.0


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(
        f"{figures['solutions']} solutions, {figures['scoring']} scoring, {figures['seconds']:.0f} s in all"
    )
    print(
        f"{'solutions':>9} {'wall s':>7} {'RSS MB':>7} {'zygotes':>7} {'fds':>4} {'thr':>4} {'proc':>4}"
        f" {'loop':>6} {'compos':>6} {'mlflow':>6} {'other':>6} ms/solution   lag ms (median, 99 %, max), gc s (sum, max)"
    )
    for s in figures["samples"]:
        if s.get("event") == "first" and s["solutions"]:
            print(f"killed and resumed: {s['since_start_s']:.1f} s until the first event")
        cpu = s["cpu_ms"]
        print(
            f"{s['solutions']:>9} {s['seconds']:>7.1f} {s['rss_mb']:>7.1f} {s['zygotes_mb']:>7.1f} {s['fds']:>4}"
            f" {s['threads']:>4} {s['processes']:>4} {cpu['loop']:>6.1f} {cpu['composer']:>6.1f}"
            f" {cpu['mlflow']:>6.1f} {cpu['other']:>6.1f}               {s['lag_ms']} {s['gc_s']}"
        )
    print(
        f"results, report and the rest after the last event: {figures['finishing_s']:.1f} s until the report"
    )
    print("MB: " + ", ".join(f"{name} {size:.1f}" for name, size in figures["sizes_mb"].items()))


def main() -> None:
    """Read the arguments, run, print."""
    given = {"solutions": "10000", "window": "500", "kill": "0.9", "scoring": "pseudo", "json": "false"}
    settings = []
    for argument in sys.argv[1:]:
        key, _, value = argument.partition("=")
        if key in given or key == "folder":
            given[key] = value
        else:
            settings.append(argument)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given.get("folder") or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        real = given["scoring"] == "real"
        soak = Soak(folder, int(given["solutions"]), int(given["window"]), real, settings)
        figures = soak(float(given["kill"]))
    if given["json"] == "true":
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
