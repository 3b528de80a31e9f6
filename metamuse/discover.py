"""The loop of the paper (arXiv 2510.03851, §3): see :meth:`Discovery.solve` for one iteration.

One solution: see how the solutions so far perform, choose stimuli, turn them into observations, formulate a
design, write the code, score it on the feedback workloads, record it. Iterations overlap, but solution *i*
learns exactly from the solutions up to *i - lag*, in their logical order, so that neither the speed of the
model nor the number of workers changes a run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from evaluators.base import FAILURE_CLASSES
from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, Limits, Outcome, Task
from metamuse.journal import Journal
from metamuse.llm import AnswerError, BudgetExhausted, LLMBadAnswer, LLMReply, LLMRequest, LLMUnavailable
from metamuse.state import Entry, RunState
from metamuse.waypoints import Observation, Waypoints
from problems.base import Problem
from stimuli import ScoredSolution, StimulusStrategy


@dataclass(frozen=True)
class Settings:
    """How a search is run.

    Attributes:
        solutions: Attempts to make; failures are not made up for.
        seed: Seed of everything the hub draws.
        lag: Solution *i* learns from solutions up to *i - lag*; also how many may be under way at once.
        repairs: Repair turns after a candidate fails.
        finalists: Best solutions that are scored on the hold-out set.
        max_failures: Consecutive infrastructure failures that stop the run.
        limits: Limits of one candidate.
    """

    solutions: int
    seed: int
    lag: int
    repairs: int
    finalists: int
    max_failures: int
    limits: Limits


class RunStopped(Exception):
    """The run cannot go on now; everything so far is kept and it can be resumed."""


class Discovery:
    """One run of the search.

    Args:
        problem: What to discover a policy for.
        settings: How.
        journal: Where every event goes first.
        state: What the journal says already (a resumed run), else empty but for the configuration.
        model: Whoever answers prompts.
        make_strategy: Makes the chooser of stimuli for a given number of feedback workloads.
        executor: Scores on feedback and validation workloads.
        observers: Told of the state after every event.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        journal: Journal,
        state: RunState,
        model: Any,
        make_strategy: Callable[[int], StimulusStrategy],
        executor: Executor,
        observers: list[Callable[[RunState, dict[str, Any]], None]] | None = None,
    ) -> None:
        self.problem = problem
        self.settings = settings
        self.journal = journal
        self.state = state
        self.waypoints = Waypoints(problem, model, settings.seed, self._on_call)
        self.make_strategy = make_strategy
        self.executor = executor
        self.limits = settings.limits
        self.observers = observers or []
        self._known_calls = {call["key"] for call in state.calls}
        self._finished: dict[int, asyncio.Event] = {}
        self._infrastructure = 0
        self._exhausted: BudgetExhausted | None = None
        self._after: asyncio.Task[None]

    # -- the paper's loop

    async def search(self, after: asyncio.Task[None]) -> None:
        """Make all solutions that are not made yet.

        Args:
            after: The scoring of the baselines. Ideas form meanwhile; candidates are scored after it.

        Raises:
            UsageError: ``after`` failed.
            RunStopped: Infrastructure fails again and again, or the model is out of reach.
            BudgetExhausted: A cap is reached.
        """
        self._after = after
        self.strategy = self.make_strategy(len(self.state.workloads["feedback"]))
        self._finished = {i: asyncio.Event() for i in range(self.settings.solutions)}
        try:
            async with asyncio.TaskGroup() as group:
                for i in range(self.settings.solutions):
                    if i in self.state.solutions:
                        self._finished[i].set()
                        continue
                    await self._oldest_needed(i)
                    if self._exhausted is not None:
                        break
                    group.create_task(self._make(i))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        await self._after
        if self._exhausted is not None:
            raise self._exhausted

    async def solve(self, i: int) -> dict[str, Any]:
        """One iteration: from stimuli to a scored solution. Returns the fields of its journal event."""
        record: dict[str, Any] = {"number": i, "name": f"solution {i}", "source": "", "attempts": []}
        draw, decide = (np.random.default_rng(s) for s in self._seeds(i).spawn(2))

        # 1-2. What exists already, and stimuli that lead away from it (or towards the ideal).
        candidates = self.strategy.candidates(i, draw)
        observed = await asyncio.gather(*(self._observe(words) for words in candidates))
        texts = [[o.text for o in observations] for observations in observed]
        choice = self.strategy.choose(i, candidates, texts, self._history(i), decide)
        observations = observed[choice.index]
        record |= {
            "stimuli": list(candidates[choice.index]),
            "candidates": [list(words) for words in candidates],
            "target": choice.target,
            "observations": [asdict(o) for o in observations],
        }

        # 3. One coherent design, then code.
        design = await self.waypoints.formulate(observations, f"{i}/formulation")
        record |= {"design": design, "name": design["name"]}
        source = await self.waypoints.write(design, f"{i}/code")

        # 4. Score it; a failure goes back to the model with its reason.
        await asyncio.shield(self._after)
        for turn in range(self.settings.repairs + 1):
            outcome = await self.evaluate(f"s{i:04d}.{turn}", source, ["feedback", "validation"])
            record["attempts"].append({"source": source, "failure": outcome.failure})
            record["source"] = source
            if outcome.failure is None or turn == self.settings.repairs:
                break
            source = await self.waypoints.repair(design, source, outcome.failure, f"{i}/repair/{turn}")
        return record | _outcome(outcome)

    # -- around it

    async def _make(self, i: int) -> None:
        began = time.perf_counter()
        try:
            record = await self.solve(i)
        except (AnswerError, LLMBadAnswer) as error:
            record = {"number": i, "name": f"solution {i}", "source": "", "attempts": []}
            record["failure"] = ["parse", str(error)]
        except BudgetExhausted as error:
            # Whatever is under way and can still finish does; nothing new begins.
            self._exhausted = self._exhausted or error
            self._finished[i].set()
            return
        except LLMUnavailable as error:
            raise RunStopped(str(error)) from error
        record["seconds"] = round(time.perf_counter() - began, 3)
        self._emit("solution", **record)
        self._finished[i].set()

    async def _observe(self, words: tuple[str, ...]) -> list[Observation]:
        return list(await asyncio.gather(*(self.waypoints.observe(word) for word in words)))

    async def _oldest_needed(self, i: int) -> None:
        """Wait until every solution that solution ``i`` learns from is finished."""
        if i >= self.settings.lag:
            await self._finished[i - self.settings.lag].wait()

    def _history(self, i: int) -> list[ScoredSolution]:
        history = []
        for j in range(i - self.settings.lag + 1):
            entry = self.state.solutions[j]
            if entry.ok:
                texts = tuple(o["text"] for o in entry.data["observations"])
                history.append(ScoredSolution(entry.scores["feedback"].values, texts))
        return history

    def _seeds(self, i: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.settings.seed, spawn_key=(i,))

    async def evaluate(self, id: str, source: str, sets: list[str], limits: Limits | None = None) -> Outcome:
        """Score a policy in the executor.

        Raises:
            RunStopped: Infrastructure failed ``max_failures`` times in a row.
        """
        payload = {"op": "evaluate", "source": source, "sets": sets}
        return await self._run(self.executor, Task(id, payload, limits or self.limits))

    async def _run(self, executor: Executor, task: Task) -> Outcome:
        outcome = await executor.run(task)
        if outcome.failure is not None and outcome.failure[0] == "infrastructure":
            self._infrastructure += 1
            if self._infrastructure >= self.settings.max_failures:
                raise RunStopped(
                    f"{self._infrastructure} evaluations in a row failed for no fault of theirs; the last: {outcome.failure[1]}"
                )
        else:
            self._infrastructure = 0
        return outcome

    async def score_baselines(self, incumbent: str | None, limits: Limits) -> None:
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
            outcome = await self._run(self.executor, Task(id, payload, limits))
            self._emit(
                "entry", id=id, kind=kind, name=id, source=payload.get("source", ""), **_outcome(outcome)
            )

        await asyncio.gather(*(score(*p) for p in payloads if p[0] not in self.state.entries))
        reference = self.state.entries[self.problem.reference]
        if not reference.ok:
            raise UsageError(
                f"The reference baseline {reference.id} fails on these workloads: {reference.message}"
            )

    def set_patience(self, factor: float, least: float) -> None:
        """Let candidates take ``factor`` times as long as the slowest baseline took, at least ``least`` seconds."""
        slowest = max(e.data.get("seconds_scoring", 0.0) for e in self.state.entries.values())
        wall = max(least, factor * slowest)
        self.limits = replace(self.limits, wall_s=wall, cpu_s=wall)

    async def score_holdout(self, executor: Executor, limits: Limits) -> None:
        """Score the finalists and everything they are compared with on the hold-out set, once."""
        order = ranking.ranked(self.problem, self.state, self.state.executable())
        entries = [e for e in [*order[: self.settings.finalists], *self.state.entries.values()] if e.ok]

        async def score(entry: Entry) -> None:
            payload: dict[str, Any] = {"op": "evaluate", "source": entry.source, "sets": ["holdout"]}
            if entry.kind == "bound":
                payload = {"op": "bound", "bound": entry.id, "sets": ["holdout"]}
            outcome = await self._run(executor, Task(f"{entry.id}.holdout", payload, limits))
            self._emit("holdout", id=entry.id, **_outcome(outcome))

        await asyncio.gather(*(score(e) for e in entries if "holdout" not in e.scores))

    async def record_workloads(self, executor: Executor) -> None:
        """Put names and hashes of the executor's workloads on record; a resumed run must find the same.

        Raises:
            UsageError: The workloads differ from those of the run's first part.
        """
        outcome = await self._run(executor, Task("workloads", {"op": "describe"}, self.limits))
        if outcome.result is None:
            raise RunStopped(f"The workloads could not be described: {outcome.failure}")
        for name, rows in outcome.result["workloads"].items():
            known = self.state.workloads.get(name)
            if known is not None and known != rows:
                raise UsageError(
                    f"The {name} workloads differ from those this run began with; a run goes on only with the same."
                )
            if known is None:
                self._emit("workloads", workloads={name: rows})

    def _on_call(self, request: LLMRequest, reply: LLMReply) -> None:
        if request.key in self._known_calls:
            return
        self._known_calls.add(request.key)
        fields = {k: v for k, v in asdict(reply).items() if k not in ("text", "finish_reason")}
        self._emit("call", key=request.key, purpose=request.purpose, **fields)

    def _emit(self, event: str, **fields: Any) -> None:
        record = self.journal.append(event, **fields)
        self.state.apply(record)
        for observer in self.observers:
            observer(self.state, record)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.failure is not None:
        kind, message = outcome.failure
        assert kind in FAILURE_CLASSES, kind
        return {"failure": [kind, message]}
    return {"result": outcome.result, "seconds_scoring": round(outcome.seconds, 3)}


__all__ = ["BudgetExhausted", "Discovery", "RunStopped", "Settings"]
