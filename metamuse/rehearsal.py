"""What a search would ask a model: its proposer proposes, and a model that says nothing of worth answers.

So the calls of every way to search are counted by running it, not by a table beside it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metamuse.discover import Settings
from metamuse.llm import LLMReply, LLMRequest
from metamuse.proposers import Proposer
from metamuse.state import Entry, RunState, Scores
from metamuse.waypoints import Waypoints
from problems.base import Problem

#: Proposals that are rehearsed; the rest is counted like the last quarter of them.
MOST = 1000
#: Length of a module and of a sentence of an answer, characters.
_MODULE = 4000
_SENTENCE = 200
_WORKLOADS = 2
_WANTED = re.compile(r"^Mechanisms wanted: (\d+)", re.MULTILINE)


@dataclass
class Calls:
    """What was asked, by waypoint.

    Attributes:
        number: Calls; of ``repair`` as many as there are candidates.
        messages: Messages of all prompts together.
        prompt_bytes: Bytes of all prompts together.
    """

    number: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    prompt_bytes: Counter[str] = field(default_factory=Counter)

    def count(self, request: LLMRequest) -> None:
        """Take in one call."""
        self.number[request.purpose] += 1
        self.messages[request.purpose] += len(request.messages)
        size = sum(len(message["content"].encode("utf-8", "replace")) for message in request.messages)
        self.prompt_bytes[request.purpose] += size

    def copy(self) -> Calls:
        """As it is now."""
        return Calls(self.number.copy(), self.messages.copy(), self.prompt_bytes.copy())

    def grown(self, since: Calls, times: float) -> Calls:
        """This, and so many times what was added since an earlier one."""

        def grow(now: Counter[str], then: Counter[str]) -> Counter[str]:
            return Counter({key: round(n + times * (n - then[key])) for key, n in now.items()})

        return Calls(
            grow(self.number, since.number),
            grow(self.messages, since.messages),
            grow(self.prompt_bytes, since.prompt_bytes),
        )


def rehearse(
    problem: Problem, settings: Settings, make_proposer: Callable[[RunState, Waypoints], Proposer]
) -> Calls:
    """What a search would ask if every answer could be used and every candidate were repaired once.

    Args:
        problem: What it is for.
        settings: How it is run.
        make_proposer: Makes what proposes.
    """
    return asyncio.run(_rehearse(problem, settings, make_proposer))


async def _rehearse(
    problem: Problem, settings: Settings, make_proposer: Callable[[RunState, Waypoints], Proposer]
) -> Calls:
    calls = Calls()
    waypoints = Waypoints(problem, _Model(calls), settings.seed, lambda request, reply: None)
    state = RunState(workloads={"feedback": [{}] * _WORKLOADS})
    level = _scores(np.ones(_WORKLOADS))
    state.entries[problem.reference] = Entry(problem.reference, "baseline", "", "ok", scores=level)
    proposer = make_proposer(state, waypoints)
    entries: list[Entry] = []
    count = min(settings.solutions, MOST)
    last_quarter = count - max(1, count // 4)
    before = calls.copy()
    for i in range(count):
        if i == last_quarter:
            before = calls.copy()
        proposal = await proposer.propose(i, entries[: max(0, i - settings.lag + 1)])
        await waypoints.repair(proposal.brief, proposal.source, ("compile", "x" * _SENTENCE), f"{i}/repair")
        # Without observations: where stimuli lead to changes no count.
        entry = Entry(
            f"s{i:04d}", "solution", "", "ok", source=proposal.source, data={"design": proposal.design}
        )
        entry.scores = _scores(np.random.default_rng(i).random(_WORKLOADS))
        entries.append(entry)
    await waypoints.close()
    return calls.grown(before, (settings.solutions - count) / (count - last_quarter))


def _scores(values: np.ndarray) -> dict[str, Scores]:
    return {"feedback": Scores(("",) * len(values), values, "feedback", ())}


class _Model:
    """Answers every waypoint with something of the usual form and length."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self._said = 0

    async def complete(self, request: LLMRequest) -> LLMReply:
        """See :class:`metamuse.waypoints.Model`."""
        self.calls.count(request)
        return LLMReply(self._answer(request), 0, 0, 0.0, 0.0, "nobody", False, "stop")

    def _answer(self, request: LLMRequest) -> str:
        if request.json_schema is None:
            return "```python\nclass Policy:\n    pass\n" + "#" * _MODULE + "\n```"
        wanted = _WANTED.search(request.messages[1]["content"])
        count = int(wanted[1]) if wanted else 3
        answer: dict[str, Any] = {}
        for key, kind in request.json_schema["properties"].items():
            listed = kind["type"] == "array"
            answer[key] = [self._sentence() for _ in range(count)] if listed else self._sentence()
        return json.dumps(answer)

    def _sentence(self) -> str:
        self._said += 1
        return f"{self._said} ".ljust(_SENTENCE, "x")
