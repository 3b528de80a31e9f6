"""Scores the corpus as a run does: static check, compiler, probes and simulator in the executor's jailed children."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metamuse.config import compose
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.executor.local import LocalExecutor
from tests.hostile.case import HONEST, Case

#: Programs that must run into their limit are given little time, the others more than a busy machine needs.
SHORT_S, LONG_S = 4.0, 90.0
MEMORY_MB = 1024
#: Seconds from the limit to the end of the process.
SLACK_S = 2.0


@dataclass(frozen=True)
class Result:
    """What became of a case.

    Attributes:
        case: The case.
        outcome: How its task ended.
        limit: Its limit, in seconds of wall time.
        honest: What the honest policy scored right afterwards (None: it was not asked).
    """

    case: Case
    outcome: Outcome
    limit: float
    honest: list[float] | str | None

    @property
    def got(self) -> str:
        """Failure class, or ``ok``."""
        return self.outcome.failure[0] if self.outcome.failure else "ok"

    @property
    def score(self) -> list[float] | str:
        """The scores on the workloads, or the failure."""
        return values(self.outcome)

    @property
    def message(self) -> str:
        """Of the failure."""
        return self.outcome.failure[1] if self.outcome.failure else ""


def write_workloads(folder: Path) -> dict[str, str]:
    """Small workloads, long enough that most of them comes after anything a probe saw: files by problem."""
    rng = random.Random(20251124)
    for i in range(2):
        ids = [str(min(int(rng.paretovariate(0.7)), 400)) for _ in range(6000)]
        (folder / f"trace-{i}.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
        items = [rng.randint(1, 70) for _ in range(600)]
        text = "\n".join(["100", str(len(items)), *map(str, items)]) + "\n"
        (folder / f"items-{i}.txt").write_text(
            "1\n p\n" + text.replace("100\n600\n", "100 600 1\n", 1), encoding="utf-8"
        )
    return {"cache": str(folder / "trace-*.txt"), "binpacking": str(folder / "items-*.txt")}


def values(outcome: Outcome) -> list[float] | str:
    """The scores on the workloads, or the failure."""
    if outcome.result is None:
        return str(outcome.failure)
    return [row["value"] for row in outcome.result["scores"]["given"]]


async def run(corpus: Iterable[Case], workloads: dict[str, str], workers: int = 2) -> list[Result]:
    """Score cases, those of which anything runs each followed by the honest policy of its problem."""
    places = asyncio.Semaphore(workers)
    async with AsyncExitStack() as stack:
        executors: dict[str, LocalExecutor] = {}
        for problem, patterns in workloads.items():
            setup = {"problem": compose([f"problem={problem}"])["problem"], "sets": {"given": patterns}}
            executors[problem] = LocalExecutor("metamuse.evaluation:setup", setup, workers)
            stack.push_async_callback(executors[problem].close)
            await executors[problem].start()

        async def evaluate(problem: str, source: str, seconds: float) -> Outcome:
            payload: dict[str, Any] = {"op": "evaluate", "source": source, "sets": ["given"]}
            limits = Limits(seconds, seconds, MEMORY_MB)
            return await executors[problem].run(Task("hostile", payload, limits))

        async def one(number: int, case: Case) -> Result:
            limit = SHORT_S if case.expect == "timeout" else LONG_S
            async with places:
                outcome = await evaluate(case.problem, case.source, limit)
                # Nothing has run of a text that was refused: an honest policy after some of those will do.
                if case.expect in ("parse", "contract") and number % 10:
                    return Result(case, outcome, limit, None)
                honest = await evaluate(case.problem, HONEST[case.problem], LONG_S)
            return Result(case, outcome, limit, values(honest))

        return await asyncio.gather(*(one(*numbered) for numbered in enumerate(corpus)))
