"""In which order a run does what it does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from metamuse.run import Run
from metamuse.scorer import RunStopped


class Steps:
    """A study and a search at once, whose baselines take longer than the finalists."""

    def __init__(self, **lost: str) -> None:
        self.done: list[str] = []
        self.searching = SimpleNamespace(lost={})
        self.holdout = SimpleNamespace(lost=lost)

    async def reference(self) -> None:
        self.done.append("reference")

    async def rivals(self, incumbent: str | None) -> None:
        await asyncio.sleep(0.05)
        self.done.append("rivals")

    async def search(self, after: asyncio.Task[None]) -> None:
        await after
        self.done.append("search")

    def hurry(self) -> None:
        pass

    async def finalists(self) -> None:
        self.done.append("finalists")

    async def watch(self) -> None:
        self.done.append("watch")


def explore(steps: Steps) -> Any:
    run = object.__new__(Run)
    run.incumbent = None
    run.config = {"executor": {"wall_s": 1}}
    progress = SimpleNamespace(stage=lambda words: None)
    return asyncio.run(run._explore(steps, steps, progress))  # type: ignore[arg-type]  # all it asks of them


def test_winner_and_opponent_show_themselves_once_it_is_known_who_they_are() -> None:
    steps = Steps()
    assert explore(steps) is None
    assert steps.done == ["reference", "search", "finalists", "rivals", "watch"]


def test_a_run_that_lost_something_is_not_done() -> None:
    with pytest.raises(RunStopped, match=r"the evaluation arc came to nothing .* \(its node is gone\)"):
        explore(Steps(arc="its node is gone"))
    with pytest.raises(RunStopped, match=r"2 evaluations came to nothing .* first lru \(its node is gone\)"):
        explore(Steps(lru="its node is gone", arc="another one is gone"))
