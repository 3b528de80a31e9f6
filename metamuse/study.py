"""What is measured of everything a run compares: the baselines before, the finalists after the search.

Both get the same: the same workloads, the same number of trials to tune their constants
(:mod:`metamuse.tuning`), the same count of work per call. The hold-out set is opened in an executor of its own,
so that nothing the search learns from can see it, and every policy is scored there once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.executor.base import Limits
from metamuse.recorder import Recorder
from metamuse.scorer import RunStopped, Scorer, recorded
from metamuse.state import Entry
from problems.base import SHIFT, Problem

#: Workloads on which the work of a policy's calls is counted; a count needs no average.
METERED = 3


class Study:
    """Measures baselines, bounds, the incumbent, and finalists.

    Args:
        problem: What they are policies for.
        recorder: Where results go.
        searching: Scores on feedback and validation workloads.
        holdout: Scores on hold-out and shifted workloads.
        trials: Trials a policy's constants are tuned in; 0 tunes none.
        finalists: Best solutions that are studied.
        seed: Of the tuner.
        limits: Limits of one task.
        workers: Tasks at once, once the search is over; until then one, so that candidates do not wait.
    """

    def __init__(
        self,
        problem: Problem,
        recorder: Recorder,
        searching: Scorer,
        holdout: Scorer,
        *,
        trials: int,
        finalists: int,
        seed: int,
        limits: Limits,
        workers: int,
    ) -> None:
        self.problem = problem
        self.recorder = recorder
        self.state = recorder.state
        self.searching = searching
        self.holdout = holdout
        self.trials = trials
        self.n_finalists = finalists
        self.seed = seed
        self.limits = limits
        self.workers = workers
        self._slots = asyncio.Semaphore(1)
        self._opening = asyncio.Lock()
        self._opened = False

    async def baselines(self, incumbent: str | None) -> None:
        """Score every baseline, bound and the incumbent on feedback and validation workloads.

        Raises:
            UsageError: The reference cannot be scored, so that nothing could be compared.
        """
        sets = ["feedback", "validation"]
        policies = [(id, "baseline", source) for id, source in self.problem.rivals.items()]
        if incumbent is not None:
            policies.append(("incumbent", "incumbent", incumbent))
        payloads = [
            (id, kind, {"op": "evaluate", "source": source, "sets": sets}) for id, kind, source in policies
        ]
        payloads += [(id, "bound", {"op": "bound", "bound": id, "sets": sets}) for id in self.problem.bounds]

        async def score(id: str, kind: str, payload: dict[str, Any]) -> None:
            outcome = await self.searching.run(id, payload, self.limits)
            source = payload.get("source", "")
            self.recorder.emit("entry", id=id, kind=kind, name=id, source=source, **recorded(outcome))

        await asyncio.gather(*(score(*p) for p in payloads if p[0] not in self.state.entries))
        reference = self.state.entries[self.problem.reference]
        if not reference.ok:
            raise UsageError(
                f"The reference baseline {reference.id} fails on these workloads: {reference.message}"
            )

    def patience(self, factor: float, least: float) -> Limits:
        """Limits of a candidate: ``factor`` times what the slowest baseline took, at least ``least`` seconds."""
        slowest = max(e.data.get("seconds_scoring", 0.0) for e in self.state.entries.values())
        wall = max(least, factor * slowest)
        return replace(self.searching.limits, wall_s=wall, cpu_s=wall)

    async def rivals(self) -> None:
        """Study whatever the finalists will be compared with. Runs beside the search, one task at a time."""
        await self._study(list(self.state.entries.values()))

    async def finalists(self) -> None:
        """Study the best solutions."""
        order = ranking.ranked(self.problem, self.state, self.state.executable())
        await self._study(order[: self.n_finalists])

    def hurry(self) -> None:
        """The search is over: use all workers."""
        for _ in range(self.workers - 1):
            self._slots.release()

    async def describe(self, scorer: Scorer) -> None:
        """Put names and hashes of an executor's workloads on record; a resumed run must find the same.

        Raises:
            UsageError: The workloads differ from those of the run's first part.
        """
        outcome = await scorer.run("workloads", {"op": "describe"}, self.limits)
        if outcome.result is None:
            raise RunStopped(f"The workloads could not be described: {outcome.failure}")
        for name, rows in outcome.result["workloads"].items():
            known = self.state.workloads.get(name)
            if known is not None and known != rows:
                raise UsageError(
                    f"The {name} workloads differ from those this run began with; a run goes on only with the same."
                )
            if known is None:
                self.recorder.emit("workloads", workloads={name: rows})

    async def _study(self, entries: Iterable[Entry]) -> None:
        await asyncio.gather(*(self._one(e) for e in entries if e.ok))

    async def _one(self, entry: Entry) -> None:
        async with self._slots:
            await self._tune(entry)
            await self._measure(entry)
        tuned = self.state.tuned.get(entry.id)
        for found in [entry] if tuned is None or not tuned.ok else [entry, tuned]:
            async with self._slots:
                await self._open_holdout(found)

    async def _tune(self, entry: Entry) -> None:
        if not self.trials or not entry.data.get("constants") or entry.id in self.state.tuned:
            return
        reference = self.state.entries[self.problem.reference].scores["validation"].values
        payload = tuning(entry.source, reference.tolist(), self.trials, self.seed)
        outcome = await self.searching.run(f"{entry.id}.tune", payload, self.limits)
        self.recorder.emit("tuned", of=entry.id, trials=self.trials, **recorded(outcome))

    async def _measure(self, entry: Entry) -> None:
        """Count the work of calls, on a few workloads."""
        if entry.kind == "bound" or entry.work is not None:
            return
        outcome = await self.searching.run(f"{entry.id}.meter", metering(entry.source))
        if outcome.result is not None:
            self.recorder.emit("metered", id=entry.id, work=most_work(outcome.result))

    async def _open_holdout(self, entry: Entry) -> None:
        if "holdout" in entry.scores or not entry.ok:
            return
        async with self._opening:
            if not self._opened:
                await self.holdout.executor.start()
                await self.describe(self.holdout)
                self._opened = True
        sets = [name for name in self.state.workloads if name == "holdout" or name.startswith(SHIFT)]
        payload: dict[str, Any] = {"op": "evaluate", "source": entry.source}
        if entry.kind == "bound":
            payload = {"op": "bound", "bound": entry.id}
        outcome = await self.holdout.run(f"{entry.id}.holdout", payload | {"sets": sets}, self.limits)
        extra = {}
        if outcome.failure is not None and len(sets) > 1:
            # What fails on shifted workloads only is worth knowing, and no failure on the others.
            alone = await self.holdout.run(
                f"{entry.id}.holdout", payload | {"sets": ["holdout"]}, self.limits
            )
            if alone.failure is None:
                extra, outcome = {"shift_failure": list(outcome.failure)}, alone
        self.recorder.emit("holdout", id=entry.id, **extra, **recorded(outcome))


def tuning(source: str, reference: list[float], trials: int, seed: int) -> dict[str, Any]:
    """The task that tunes a policy's constants on the validation workloads, given the reference's values there."""
    seed = int(np.random.SeedSequence(seed, spawn_key=(0x7E57,)).generate_state(1)[0])
    return {
        "op": "tune",
        "source": source,
        "set": "validation",
        "reference": reference,
        "trials": trials,
        "seed": seed,
    }


def metering(source: str) -> dict[str, Any]:
    """The task that counts the work of a policy's calls."""
    return {
        "op": "evaluate",
        "source": source,
        "sets": ["validation"],
        "first": METERED,
        "metered": True,
    }


def most_work(result: dict[str, Any]) -> dict[str, Any]:
    """The work of the most expensive call, from the answer to :func:`metering`."""
    work: list[dict[str, Any]] = [row["work"] for row in result["scores"]["validation"]]
    return max(work, key=lambda found: int(found["max"]))
