"""The loop of the paper (arXiv 2510.03851, §3): see :meth:`Discovery.solve` for one iteration.

One solution: see how the solutions so far perform, choose stimuli, turn them into observations, formulate a
design, write the code (all this in :mod:`metamuse.proposers.stimulated`, or in another proposer beside it), score it
on the feedback workloads, record it. Iterations overlap, but solution *i* learns exactly from the solutions up to
*i - lag*, in their logical order, so that neither the speed of the model nor the number of workers changes a run.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from metamuse.executor.base import Outcome
from metamuse.llm import AnswerError, BudgetExhausted, LLMBadAnswer, LLMReply, LLMRequest, LLMUnavailable
from metamuse.proposers.base import Proposer
from metamuse.racing import Field
from metamuse.recorder import Recorder
from metamuse.rejection import Known
from metamuse.scorer import RunStopped, Scorer, is_lost, recorded
from metamuse.state import Entry
from metamuse.waypoints import Waypoints
from problems.base import Problem


@dataclass(frozen=True)
class Settings:
    """How a search is run.

    Attributes:
        solutions: Attempts to make; failures are not made up for.
        seed: Seed of everything the hub draws.
        lag: Solution *i* learns from solutions up to *i - lag*; also how many may be under way at once.
        repairs: Repair turns after a candidate fails.
        duplicates: What duplicates are recognised by, see :data:`metamuse.rejection.CHOICES`.
        race: How many finalists are raced for over the validation workloads; 0: none, all are scored on all.
    """

    solutions: int
    seed: int
    lag: int
    repairs: int
    duplicates: str = "none"
    race: int = 0


class Discovery:
    """One run of the search.

    Args:
        problem: What to discover a policy for.
        settings: How.
        recorder: Where events go; its state holds what is known already (a resumed run).
        model: Whoever answers prompts.
        make_proposer: Makes what proposes candidates; called once the feedback workloads are known.
        scorer: Scores on feedback and validation workloads.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        recorder: Recorder,
        model: Any,
        make_proposer: Callable[[Waypoints], Proposer],
        scorer: Scorer,
    ) -> None:
        self.problem = problem
        self.settings = settings
        self.recorder = recorder
        self.state = recorder.state
        self.waypoints = Waypoints(problem, model, settings.seed, self._on_call)
        self.make_proposer = make_proposer
        self.scorer = scorer
        self._known = Known(settings.duplicates)
        self._field = Field(problem, self.state, settings.race) if settings.race else None
        self._known_calls = {call["key"] for call in self.state.calls}
        self._finished: dict[int, asyncio.Event] = {}
        self._order: list[Entry] = []
        self._exhausted: BudgetExhausted | None = None
        self._after: asyncio.Task[None]

    # -- the paper's loop

    async def search(self, after: asyncio.Task[None]) -> None:
        """Make all solutions that are not made yet.

        Args:
            after: The scoring of the baselines. Ideas form meanwhile; candidates are scored after it.

        Raises:
            UsageError: ``after`` failed.
            RunStopped: The model is out of reach.
            ExecutorBroken: Infrastructure fails again and again.
            BudgetExhausted: A cap is reached.
        """
        self._after = after
        self.proposer = self.make_proposer(self.waypoints)
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
        # 1-3. What exists already; stimuli that lead away from it (or towards the ideal); observations; a design; code.
        seen = self._seen(i)
        proposal = await self.proposer.propose(i, seen)
        source = proposal.source
        attempts: list[dict[str, Any]] = []

        # 4. Score it, as far as that can matter; a failure goes back to the model with its reason and an example.
        await asyncio.shield(self._after)
        for turn in range(self.settings.repairs + 1):
            if not attempts or source != attempts[-1]["source"]:
                outcome = await self._score(i, source, seen, turn)
            attempts.append({"source": source, "failure": outcome.failure})
            if outcome.failure is None or is_lost(outcome) or turn == self.settings.repairs:
                break
            try:
                source = await self.waypoints.repair(
                    proposal.brief, source, outcome.failure, f"{i}/repair/{turn}"
                )
            except (AnswerError, LLMBadAnswer):
                break  # an answer without code mends nothing: what failed is what there is
        result, taken = recorded(outcome), {}
        if "duplicate" in result.get("result", {}):
            taken = self._known.take_over(result["result"], self.state)
        name = proposal.design.get("name") or _title(result.get("result", {}).get("doc", ""))
        record = {"number": i, "name": name or f"solution {i}", "source": source, "attempts": attempts}
        if proposal.design:
            record["design"] = proposal.design
        return record | proposal.record | taken | result

    # -- around it

    async def _score(self, i: int, source: str, seen: list[Entry], turn: int) -> Outcome:
        payload: dict[str, Any] = {"op": "evaluate", "source": source, "sets": ["feedback", "validation"]}
        payload |= self._known.payload(seen)
        if self._field is not None:
            payload |= self._field.payload(seen)
        if turn < self.settings.repairs:
            payload["example"] = True
        return await self.scorer.run(f"s{i:04d}.{turn}", payload)

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

    async def _oldest_needed(self, i: int) -> None:
        """Wait until every solution that solution ``i`` learns from is finished."""
        if i >= self.settings.lag:
            await self._finished[i - self.settings.lag].wait()

    def _seen(self, i: int) -> list[Entry]:
        """The solutions that solution ``i`` may learn from."""
        count = max(0, i - self.settings.lag + 1)
        self._order += [self.state.solutions[j] for j in range(len(self._order), count)]
        return self._order[:count]

    def _on_call(self, request: LLMRequest, reply: LLMReply) -> None:
        if request.key in self._known_calls:
            return
        self._known_calls.add(request.key)
        fields = {k: v for k, v in asdict(reply).items() if k not in ("text", "finish_reason")}
        self.recorder.emit("call", key=request.key, purpose=request.purpose, **fields)


def _title(doc: str) -> str:
    """What a policy without a design calls itself: the beginning of its docstring."""
    return " ".join(re.split(r"[:.\n]", doc.strip(), maxsplit=1)[0].split())[:60]


def first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group, groups in it opened."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


__all__ = ["BudgetExhausted", "Discovery", "Settings", "first"]
