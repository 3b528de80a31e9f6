"""A model that answers from its questions alone, and histories of solutions."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Any

import numpy as np

from metamuse import config, proposers
from metamuse.build import make_problem
from metamuse.llm import LLMReply, LLMRequest
from metamuse.proposers import Program, Proposer
from metamuse.state import Entry, RunState, Scores
from metamuse.steering import make_strategy
from metamuse.waypoints import Waypoints
from problems.base import Problem
from stimuli import Dictionary
from stimuli.sources import CommonWords
from tests.support.fake_run import POLICY

WORKLOADS = 3
#: Settings that choose each proposer.
ARMS = {
    "rsdict_sf": ["stimuli=rsdict_sf", "stimuli.warmup=2"],
    "rsdict": ["stimuli=rsdict"],
    "rsdict_sf_nowr": ["stimuli=rsdict_sf", "stimuli.warmup=2", "search.waypoints=off"],
    "unstimulated": ["search.method=unstimulated"],
    "repeated_sampling": ["search.method=repeated_sampling"],
    "repeated_sampling_previous": ["search.method=repeated_sampling", "search.previous=3"],
    "one_shot": ["search.method=one_shot"],
    "plansearch": ["search.method=plansearch"],
    "islands": ["search.method=islands"],
    "evolution": ["search.method=evolution"],
    "refined": ["stimuli=rsdict", "search.refine=0.5"],
}
_WANTED = re.compile(r"^Mechanisms wanted: (\d+)", re.MULTILINE)


class Model:
    """Answers with a function of the question and its seed.

    Args:
        unusable: A pattern; calls whose key it matches get an answer that cannot be used.
    """

    def __init__(self, unusable: str = "(?!)") -> None:
        self.unusable = re.compile(unusable)
        self.requests: list[LLMRequest] = []

    async def complete(self, request: LLMRequest) -> LLMReply:
        self.requests.append(request)
        text = "I would rather not." if self.unusable.match(request.key) else self._answer(request)
        return LLMReply(text, 10, 5, 0.0, 0.01, "fake", False, "stop")

    def _answer(self, request: LLMRequest) -> str:
        content = json.dumps([dict(m) for m in request.messages]) + str(request.seed)
        mark = hashlib.sha256(content.encode()).hexdigest()[:8]
        if request.json_schema is None:
            return f"```python\n# {mark}\n{POLICY}```"
        wanted = _WANTED.search(request.messages[1]["content"])
        answer: dict[str, Any] = {}
        for key, kind in request.json_schema["properties"].items():
            several = [f"{key} {mark} {k}" for k in range(int(wanted[1]) if wanted else 3)]
            answer[key] = several if kind["type"] == "array" else f"{key} {mark}"
        return json.dumps(answer)

    def keys(self, purpose: str) -> list[str]:
        return [r.key for r in self.requests if r.purpose == purpose]


def solution(i: int, values: list[float] | None = None, failed: bool = False, **data: Any) -> Entry:
    """A finished solution; lower values are better."""
    if failed:
        return Entry(f"s{i:04d}", "solution", "", "compile", "it does not")
    if values is None:
        values = np.random.default_rng(i).uniform(0.2, 0.8, WORKLOADS).tolist()
    scores = {"feedback": Scores(("a", "b", "c"), np.array(values), "feedback", ())}
    data.setdefault("design", {"name": f"name {i}", "idea": f"idea {i}"})
    return Entry(f"s{i:04d}", "solution", "", "ok", scores=scores, source=f"# {i}\n{POLICY}", data=data)


@cache
def _configured(arm: str) -> tuple[dict[str, Any], Problem]:
    settings = config.compose(["problem=cache", "solutions=20", "seed=3", *ARMS[arm]])
    proposers.check(settings)
    return settings, make_problem(settings)


@cache
def _dictionary() -> Dictionary:
    return Dictionary([CommonWords()])


def build(arm: str, model: Model) -> tuple[Proposer, Waypoints]:
    """A proposer of a run of 20 solutions on the cache problem that asks ``model``."""
    settings, problem = _configured(arm)
    state = RunState(config=settings)
    reference = Scores(("a", "b", "c"), np.full(WORKLOADS, 0.8), "feedback", ())
    state.entries[problem.reference] = Entry(
        problem.reference, "baseline", "", "ok", scores={"feedback": reference}
    )
    waypoints = Waypoints(problem, model, 3, lambda request, reply: None)
    dictionary = _dictionary()
    founder = Program("fifo", "FOUNDER = 1", 0.0)

    def strategy() -> Any:
        return make_strategy(settings, dictionary, problem, WORKLOADS)

    return proposers.make_proposer(settings, waypoints, state, dictionary, strategy, founder), waypoints
