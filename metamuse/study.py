"""What is measured of everything a run compares: the baselines before, the finalists after the search.

Both get the same: the same workloads, the same number of trials to tune their constants
(:mod:`metamuse.tuning`), the same count of work per call. The hold-out set is opened in an executor of its own,
so that nothing the search learns from can see it, and every policy is scored there once.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np

from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.executor.base import Limits, Outcome
from metamuse.recorder import Recorder
from metamuse.scorer import RunStopped, Scorer, is_lost, recorded
from metamuse.state import Entry, most_work
from problems.base import SHIFT, Problem


class Study:
    """Measures baselines, bounds, the incumbent, and finalists.

    Args:
        problem: What they are policies for.
        recorder: Where results go.
        searching: Scores on feedback and validation workloads.
        holdout: Scores on hold-out and shifted workloads.
        trials: Trials a policy's constants are tuned in; 0 tunes none.
        simplify_trials: Trials in which a finalist is simplified; 0 simplifies none.
        finalists: Best solutions that are studied.
        racing: Whether candidates race, for which the first bound is known before any of them is scored.
        seed: Of the tuner.
        limits: Limits of one task.
        workers: Tasks at once, once the search is over; until then half of that, so that candidates go first.
    """

    def __init__(
        self,
        problem: Problem,
        recorder: Recorder,
        searching: Scorer,
        holdout: Scorer,
        *,
        trials: int,
        simplify_trials: int = 0,
        finalists: int,
        racing: bool = False,
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
        self.simplify_trials = simplify_trials
        self.n_finalists = finalists
        self.racing = racing
        self.seed = seed
        self.limits = limits
        self.workers = workers
        self._beside = max(1, workers // 2)
        self._slots = asyncio.Semaphore(self._beside)
        self._opening = asyncio.Lock()
        self._opened = False

    async def reference(self) -> None:
        """Score the baseline that everything is relative to, and the bound that races need.

        Raises:
            UsageError: It cannot be scored, so that nothing could be compared.
        """
        id = self.problem.reference
        if id not in self.state.entries:
            await self._enter(id, "baseline", self.problem.baselines[id])
        if id not in self.state.entries:
            raise RunStopped(f"the reference baseline {id} could not be scored, for no fault of its own")
        reference = self.state.entries[id]
        if not reference.ok:
            raise UsageError(f"The reference baseline {id} fails on these workloads: {reference.message}")
        for bound in self.problem.bounds[: self.racing]:
            if bound not in self.state.entries:
                await self._enter(bound, "bound", "")
            if bound not in self.state.entries:
                raise RunStopped(f"the bound {bound} could not be computed, for no fault of its own")

    def patience(self, factor: float, least: float) -> Limits:
        """Limits of a candidate: ``factor`` times what the reference took, at least ``least`` seconds."""
        took = self.state.entries[self.problem.reference].data.get("seconds_scoring", 0.0)
        wall = max(least, factor * took)
        return replace(self.searching.limits, wall_s=wall, cpu_s=wall)

    async def rivals(self, incumbent: str | None) -> None:
        """Score, tune and open the hold-out set for all that the finalists will be compared with.

        Runs beside the search, with half of the workers. The reference must have been scored.
        """
        policies = {id: ("baseline", source) for id, source in self.problem.rivals.items()}
        if incumbent is not None:
            policies["incumbent"] = ("incumbent", incumbent)
        policies |= dict.fromkeys(self.problem.bounds, ("bound", ""))

        async def study(id: str, kind: str, source: str) -> None:
            async with self._slots:
                if id not in self.state.entries:
                    await self._enter(id, kind, source)
            if id in self.state.entries:
                await self._study(self.state.entries[id])

        await asyncio.gather(*(study(id, *policy) for id, policy in policies.items()))

    async def finalists(self) -> None:
        """Study the best solutions."""
        order = ranking.ranked(self.problem, self.state, self.state.executable())

        async def study(entry: Entry) -> None:
            await self._study(entry)
            async with self._slots:
                await self._simplify(entry)

        await asyncio.gather(*(study(entry) for entry in order[: self.n_finalists]))

    def hurry(self) -> None:
        """The search is over: use all workers."""
        for _ in range(self.workers - self._beside):
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

    async def _enter(self, id: str, kind: str, source: str) -> None:
        """Score a baseline, bound or the incumbent on feedback and validation workloads, and tune it."""
        sets = ["feedback", "validation"]
        payload: dict[str, Any] = {"op": "bound", "bound": id, "sets": sets}
        trials: dict[str, Any] = {}
        if kind != "bound":
            payload = {"op": "evaluate", "source": source, "sets": sets, "metered": True}
            trials = self._tuning()
        outcome = await self.searching.run(id, payload | trials, self.limits)
        tuned = take_tuned(outcome)
        if outcome.failure is not None and trials and not is_lost(outcome):
            # Perhaps only the trials took too long, or one of them never ended.
            tuned = recorded(outcome)
            outcome = await self.searching.run(id, payload, self.limits)
            if outcome.result is not None and not outcome.result["constants"]:
                tuned = None
        if is_lost(outcome):
            return
        self.recorder.emit("entry", id=id, kind=kind, name=id, source=source, **recorded(outcome))
        if tuned is not None and outcome.failure is None:
            self.recorder.emit("tuned", of=id, trials=self.trials, **tuned)

    async def _study(self, entry: Entry) -> None:
        if not entry.ok:
            return
        async with self._slots:
            await self._tune(entry)
        async with self._slots:
            await self._open_holdout(entry, self.state.tuned.get(entry.id))

    async def _tune(self, entry: Entry) -> None:
        """Count the work of calls and tune the constants of a policy that was scored already."""
        untuned = self.trials and entry.data.get("constants") and entry.id not in self.state.tuned
        if entry.kind == "bound" or not (untuned or entry.work is None):
            return
        payload = metering(entry.source) | (self._tuning() if untuned else {})
        outcome = await self.searching.run(f"{entry.id}.tune", payload, self.limits)
        tuned = take_tuned(outcome)
        if outcome.result is not None and entry.work is None:
            self.recorder.emit("metered", id=entry.id, work=most_work(outcome.result["scores"]["validation"]))
        if untuned and not is_lost(outcome):
            self.recorder.emit("tuned", of=entry.id, trials=self.trials, **(tuned or recorded(outcome)))

    def _tuning(self) -> dict[str, Any]:
        reference = self.state.entries.get(self.problem.reference)
        if not self.trials or reference is None:
            return {}
        return tuning(reference.scores["validation"].values.tolist(), self.trials, self.seed)

    async def _open_holdout(self, entry: Entry, tuned: Entry | None) -> None:
        forms = [form for form in (entry, tuned) if form is not None and _unopened(form)]
        if not forms:
            return
        async with self._opening:
            if not self._opened:
                await self.describe(self.holdout)
                self._opened = True
        sets = [name for name in self.state.workloads if name == "holdout" or name.startswith(SHIFT)]
        if len(forms) == 2 and tuned is not None:
            # Both with one compilation; if anything fails, each by itself.
            payload = {"op": "evaluate", "source": entry.source, "sets": sets, "also": tuned.data["values"]}
            outcome = await self.holdout.run(f"{entry.id}.holdout", payload, self.limits)
            also = {} if outcome.result is None else outcome.result.pop("also")
            if "result" in also:
                self.recorder.emit("holdout", id=tuned.id, **also)
                self.recorder.emit("holdout", id=entry.id, **recorded(outcome))
                return
        for form in forms:
            await self._open_one(form, sets)

    async def _open_one(self, form: Entry, sets: list[str]) -> None:
        payload: dict[str, Any] = {"op": "evaluate", "source": form.source}
        if form.kind == "bound":
            payload = {"op": "bound", "bound": form.id}
        outcome = await self.holdout.run(f"{form.id}.holdout", payload | {"sets": sets}, self.limits)
        if is_lost(outcome):
            return
        extra = {}
        if outcome.failure is not None and len(sets) > 1:
            # What fails on shifted workloads only is worth knowing, and no failure on the others.
            alone = await self.holdout.run(f"{form.id}.holdout", payload | {"sets": ["holdout"]}, self.limits)
            if alone.failure is None:
                extra, outcome = {"shift_failure": list(outcome.failure)}, alone
        self.recorder.emit("holdout", id=form.id, **extra, **recorded(outcome))

    async def _simplify(self, entry: Entry) -> None:
        """Shorten the better form of a finalist, and the other one by the same pieces if that decides as before."""
        tuned = self.state.tuned.get(entry.id)
        forms = [form for form in (entry, tuned) if form is not None and form.ok]
        if not self.simplify_trials or not forms:
            return
        first, *others = ranking.ranked(self.problem, self.state, forms)
        if "simplified" in first.data:
            return
        task = {"source": first.source, "variants": {form.id: _values(form) for form in others}}
        sets = ["feedback", "validation"]
        payload = {"op": "simplify", **task, "sets": sets, "trials": self.simplify_trials}
        outcome = await self.searching.run(f"{entry.id}.simplify", payload, self.limits)
        if is_lost(outcome):
            return
        if outcome.result is None:
            self.recorder.emit("simplified", of=first.id, **recorded(outcome))
            return
        found = outcome.result["simplified"]
        if not found:
            return  # the simulator keeps no decisions
        agreement: dict[str, Any] = {}
        if found[""]["source"] != first.source:
            payload = {"op": "agreement", **task, "simplified": found[""]["source"], "sets": ["holdout"]}
            checked = await self.holdout.run(f"{entry.id}.agreement", payload, self.limits)
            if is_lost(checked):
                return
            agreement = {} if checked.result is None else checked.result["agreement"]
        # The first one last: a killed process may have recorded only some of them, and the guard looks at that one.
        for form in (*others, first):
            name = "" if form is first else form.id
            if name in found and "simplified" not in form.data:
                result = found[name] | {"holdout": agreement.get(name)}
                self.recorder.emit("simplified", of=form.id, result=result)

    async def watch(self) -> None:
        """Have the winner and its opponent show what they do, if the problem has something to show.

        Who these are is known when finalists and rivals are studied.
        """
        if type(self.problem).watch is Problem.watch:
            return
        shown = (ranking.best(self.problem, self.state), ranking.opponent(self.problem, self.state))
        for entry in shown:
            if entry is None or "figures" in entry.data:
                continue
            payload = {"op": "watch", "source": entry.source}
            outcome = await self.searching.run(f"{entry.id}.watch", payload, self.limits)
            if not is_lost(outcome):
                self.recorder.emit("watched", id=entry.id, **recorded(outcome))


def _values(form: Entry) -> dict[str, Any]:
    """The values of the marked constants in a policy's text."""
    if form.of:
        return dict(form.data["values"])
    return {name: constant["value"] for name, constant in form.data["constants"].items()}


def _unopened(form: Entry) -> bool:
    return form.ok and "holdout" not in form.scores and "holdout_failure" not in form.data


def tuning(reference: list[float], trials: int, seed: int) -> dict[str, Any]:
    """What a task is given so that it also tunes, given the reference's values on the validation workloads."""
    seed = int(np.random.SeedSequence(seed, spawn_key=(0x7E57,)).generate_state(1)[0])
    return {"tune": {"set": "validation", "reference": reference, "trials": trials, "seed": seed}}


def metering(source: str) -> dict[str, Any]:
    """The task that counts the work of a policy's calls."""
    return {
        "op": "evaluate",
        "source": source,
        "sets": ["validation"],
        "metered": True,
    }


def take_tuned(outcome: Outcome) -> dict[str, Any] | None:
    """Take what was tuned out of an outcome: fields of its journal event, or None if nothing was."""
    return None if outcome.result is None else outcome.result.pop("tuned", None)
