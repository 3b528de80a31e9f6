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
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from metamuse.llm import AnswerError, BudgetExhausted, LLMBadAnswer, LLMReply, LLMRequest, LLMUnavailable
from metamuse.recorder import Recorder
from metamuse.scorer import RunStopped, Scorer, recorded
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
    """

    solutions: int
    seed: int
    lag: int
    repairs: int


class Discovery:
    """One run of the search.

    Args:
        problem: What to discover a policy for.
        settings: How.
        recorder: Where events go; its state holds what is known already (a resumed run).
        model: Whoever answers prompts.
        make_strategy: Makes the chooser of stimuli for a given number of feedback workloads.
        scorer: Scores on feedback and validation workloads.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        recorder: Recorder,
        model: Any,
        make_strategy: Callable[[int], StimulusStrategy],
        scorer: Scorer,
    ) -> None:
        self.problem = problem
        self.settings = settings
        self.recorder = recorder
        self.state = recorder.state
        self.waypoints = Waypoints(problem, model, settings.seed, self._on_call)
        self.make_strategy = make_strategy
        self.scorer = scorer
        self._known_calls = {call["key"] for call in self.state.calls}
        self._finished: dict[int, asyncio.Event] = {}
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
            raise first(errors) from None
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
            payload = {"op": "evaluate", "source": source, "sets": ["feedback", "validation"]}
            outcome = await self.scorer.run(f"s{i:04d}.{turn}", payload)
            record["attempts"].append({"source": source, "failure": outcome.failure})
            record["source"] = source
            if outcome.failure is None or turn == self.settings.repairs:
                break
            source = await self.waypoints.repair(design, source, outcome.failure, f"{i}/repair/{turn}")
        return record | recorded(outcome)

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
        self.recorder.emit("solution", **record)
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

    def _on_call(self, request: LLMRequest, reply: LLMReply) -> None:
        if request.key in self._known_calls:
            return
        self._known_calls.add(request.key)
        fields = {k: v for k, v in asdict(reply).items() if k not in ("text", "finish_reason")}
        self.recorder.emit("call", key=request.key, purpose=request.purpose, **fields)


def first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group, groups in it opened."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


__all__ = ["BudgetExhausted", "Discovery", "Settings", "first"]
