"""Computes published tables again: scores the baselines that a table names, and hands the scores to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import problems.base
from evaluators.base import Score
from metamuse.build import limits, make_executor, make_problem
from metamuse.errors import UsageError
from metamuse.evaluation import Candidates, Handler, Placed
from metamuse.executor.base import Outcome, Task
from problems.tables import Table, all_tables

SET = "table"


class TableFailed(Exception):  # a state, named as such in messages
    """A baseline that the table needs could not be scored."""


def find(name: str) -> Table:
    """The table of that name.

    Raises:
        UsageError: There is none.
    """
    tables = all_tables()
    if name not in tables:
        raise UsageError(f"There is no table {name}; there are {', '.join(tables)}.")
    return tables[name]


def place(config: Mapping[str, Any]) -> Placed:
    """Load the table's workloads, see :func:`metamuse.evaluation.place`.

    Args:
        config: ``problem`` (its configuration), ``table`` (name) and ``folder`` (of its data).
    """
    problem = problems.base.make(config["problem"])
    workloads = all_tables()[config["table"]].workloads(problem, Path(config["folder"]))
    return problem, {SET: workloads}, {SET: 0.0}


def setup(config: Mapping[str, Any], placed: Placed | None = None) -> Handler:
    """Prepare a zygote, see :func:`metamuse.evaluation.setup`.

    Args:
        config: See :func:`place`.
        placed: What that loaded elsewhere.
    """
    candidates = Candidates(*(placed or place(config)))
    candidates.warm()
    return candidates


def score(
    config: dict[str, Any], table: Table, folder: Path, scored: Callable[[str], None]
) -> dict[str, list[Score]]:
    """Score the table's baselines on its workloads.

    Args:
        config: The whole configuration, of the table's problem.
        table: The table.
        folder: The folder of its data.
        scored: Called with a baseline's id when it is done.

    Raises:
        UsageError: The data cannot be read.
        TableFailed: A baseline failed.
    """
    return asyncio.run(_score(config, table, folder, scored))


async def _score(
    config: dict[str, Any], table: Table, folder: Path, scored: Callable[[str], None]
) -> dict[str, list[Score]]:
    problem = make_problem(config)
    setup = {"table": table.name, "folder": str(folder)}
    executor = make_executor(config, setup, "metamuse.tables:setup")
    limit = limits(config, float(config["executor"]["trusted_wall_s"]))

    async def one(policy: str) -> Outcome:
        payload = {"op": "evaluate", "source": problem.baselines[policy], "sets": [SET]}
        outcome = await executor.run(Task(policy, payload, limit))
        scored(policy)
        return outcome

    try:
        await executor.start()
        outcomes = await asyncio.gather(*(one(policy) for policy in table.policies))
    finally:
        await executor.close()
    return {outcome.id: _scores(outcome) for outcome in outcomes}


def _scores(outcome: Outcome) -> list[Score]:
    if outcome.result is None:
        assert outcome.failure is not None
        raise TableFailed(f"The baseline {outcome.id} failed ({': '.join(outcome.failure)}).")
    rows: Sequence[Mapping[str, Any]] = outcome.result["scores"][SET]
    return [Score(row["workload"], row["value"], row["details"]) for row in rows]
