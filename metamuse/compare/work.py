"""Carries out a comparison: one ordinary run after another, in one folder, with the executors of the first."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metamuse import rundir
from metamuse.compare.figures import Figures, figures
from metamuse.compare.plan import Plan
from metamuse.errors import UsageError, tell
from metamuse.interrupts import EXIT_CODE, ending_in_order
from metamuse.journal import read
from metamuse.run import Run

Say = Callable[[str], None]


class Stopped(Exception):  # a state, named as such in messages
    """A run cannot go on now; the comparison can be gone on with later."""


class Comparison:
    """The runs of one comparison.

    Args:
        plan: What is compared.
        folder: Where.
        say: Told of every run.
    """

    def __init__(self, plan: Plan, folder: Path, say: Say) -> None:
        self.plan = plan
        self.folder = folder
        self.say = say
        self.problem = Run(plan.config(*plan.runs()[0], folder), quiet=True).problem

    def __call__(self) -> int:
        """Make all runs that are not made yet; returns 0, 1 if one cannot go on, or 130 if interrupted."""
        # A call that is cancelled before it began leaves litellm a coroutine nobody awaits.
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
        try:
            return asyncio.run(ending_in_order(self._work(), self._last_words))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._last_words()
            return EXIT_CODE

    def _last_words(self) -> None:
        tell(f"interrupted; go on with: python -m metamuse compare run={self.folder}")

    async def _work(self) -> int:
        known = self.runs()
        missing = [key for key in self.plan.runs() if not (key in known and ended(known[key]))]
        if not missing:
            return 0
        # All arms are scored alike, so that one pair of executors serves all runs.
        executors = Run(self.plan.config(*missing[0], self.folder), quiet=True).executors()
        try:
            self.say("starting the compiler and loading the workloads")
            await asyncio.gather(*(executor.start() for executor in executors))
            for arm, seed in missing:
                run = Run(self.plan.config(arm, seed, self.folder), known.get((arm, seed)), quiet=True)
                began = time.monotonic()
                await run.work(executors, self._baselines())
                assert run.folder is not None, "work on a run begins with its folder"
                if not ended(run.folder):
                    tell(
                        f"{arm} with seed {seed} cannot go on. Go on with: python -m metamuse compare run={self.folder}"
                    )
                    return 1
                self.say(self._line(run.folder, time.monotonic() - began))
        finally:
            for executor in executors:
                await executor.close()
        return 0

    def _baselines(self) -> list[dict[str, Any]]:
        """What a finished run says of baselines and workloads: the same in all runs, unless tuning draws by seed."""
        if self.plan.first["search"]["tune_trials"]:
            return []
        done = next((folder for folder in self.runs().values() if ended(folder)), None)
        if done is None:
            return []
        events = [
            {k: v for k, v in event.items() if k not in ("at", "clock")}
            for event in read(done / "journal.jsonl")
        ]
        ids = {event["id"] for event in events if event["event"] == "entry"}
        told = ("entry", "metered", "holdout")
        return [e for e in events if e["event"] == "workloads" or (e["event"] in told and e["id"] in ids)]

    def _line(self, folder: Path, seconds: float) -> str:
        run = figures(self.problem, folder)
        count = self.plan.runs().index((run.arm, run.seed)) + 1
        best = "" if run.validation is None else f", best {run.validation.mean():+.2f} % on validation"
        return (
            f"[{count}/{len(self.plan.runs())}] {run.arm}, seed {run.seed}: {run.executable} of {run.attempted} "
            f"executable, {run.distinct} distinct{best}; {run.calls} calls, {seconds:.0f} s"
        )

    def runs(self) -> dict[tuple[str, int], Path]:
        """The run of each arm and seed that has begun: its journal says which it is."""
        found: dict[tuple[str, int], Path] = {}
        for path in sorted(self.folder.glob(f"{self.problem.name}/r*/journal.jsonl")):
            try:
                config = rundir.recorded_config(path.parent)
            except UsageError:
                continue  # it ended before it began
            found.setdefault((config["arm"], config["seed"]), path.parent)
        return found

    def figures(self) -> list[Figures]:
        """What counts of the runs that have ended, in the order of the plan."""
        known = self.runs()
        return [
            figures(self.problem, known[key])
            for key in self.plan.runs()
            if key in known and ended(known[key])
        ]


def ended(folder: Path) -> bool:
    """Whether a run has come to its end, its budget's included."""
    last = ""
    for event in read(folder / "journal.jsonl"):
        last = event["event"] if event["event"] in ("session", "end") else last
    return last == "end"
