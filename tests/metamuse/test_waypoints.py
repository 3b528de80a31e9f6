"""Waypoints: what is asked, how often, and what happens to answers that cannot be used."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from metamuse import config
from metamuse.build import make_problem
from metamuse.llm import AnswerError, LLMReply, LLMRequest
from metamuse.waypoints import REASKS, Observation, Waypoints, brief, observed

GOOD = json.dumps({"properties": ["wet", "long"], "property": "wet", "observation": "old ones\nfloat up"})


class Fake:
    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.requests: list[LLMRequest] = []

    async def complete(self, request: LLMRequest) -> LLMReply:
        self.requests.append(request)
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return LLMReply(text, 10, 5, 0.0, 0.01, "fake", False, "stop")


@pytest.fixture(scope="module")
def problem() -> Any:
    return make_problem(config.compose(["problem=cache"]))


def make(problem: Any, model: Fake, seed: int = 0) -> tuple[Waypoints, list[str]]:
    keys: list[str] = []
    return Waypoints(problem, model, seed, lambda request, reply: keys.append(request.key)), keys


def test_a_word_is_observed_once(problem: Any) -> None:
    model = Fake(GOOD)
    waypoints, keys = make(problem, model)

    async def ask() -> list[Observation]:
        return await asyncio.gather(
            *(waypoints.observe("river") for _ in range(5)), waypoints.observe("tide")
        )

    seen = asyncio.run(ask())
    assert sorted(keys) == ["observation/river", "observation/tide"]
    assert seen[0].text == "old ones float up"
    assert seen[0] == seen[4]


def test_an_observation_keeps_nothing_of_the_call(problem: Any) -> None:
    """Libraries leave objects in the context of a call; there are thousands of calls."""
    left: ContextVar[Fake] = ContextVar("left")
    there: list[weakref.ref[Fake]] = []

    class Leaving(Fake):
        async def complete(self, request: LLMRequest) -> LLMReply:
            left.set(Fake())
            there.append(weakref.ref(left.get()))
            return await super().complete(request)

    async def ask() -> None:
        waypoints, _ = make(problem, Leaving(GOOD))
        await asyncio.gather(waypoints.observe("river"), waypoints.observe("river"))
        gc.collect()
        assert [ref() for ref in there] == [None]
        assert (await waypoints.observe("river")).word == "river"

    asyncio.run(ask())


def test_prompts_keep_their_prefix(problem: Any) -> None:
    model = Fake(GOOD)
    waypoints, _ = make(problem, model)

    async def ask() -> None:
        await waypoints.observe("river")
        await waypoints.observe("tide")

    asyncio.run(ask())
    first, second = model.requests
    assert first.messages[0] == second.messages[0], "the system message does not change between calls"
    assert first.messages[1]["content"] == "Word: river"
    assert first.seed != second.seed


def test_seeds_follow_from_run_seed_and_key(problem: Any) -> None:
    seeds = []
    for run_seed in (0, 0, 1):
        model = Fake(GOOD)
        waypoints, _ = make(problem, model, run_seed)
        asyncio.run(waypoints.observe("river"))
        seeds.append(model.requests[0].seed)
    assert seeds[0] == seeds[1] != seeds[2]


def test_an_unusable_answer_is_sent_back_with_the_reason(problem: Any) -> None:
    model = Fake("I would rather not.", GOOD)
    waypoints, keys = make(problem, model)
    asyncio.run(waypoints.observe("river"))
    assert keys == ["observation/river", "observation/river/1"]
    assert "cannot be used" in model.requests[1].messages[-1]["content"]


def test_asking_again_is_bounded(problem: Any) -> None:
    model = Fake("nonsense")
    waypoints, keys = make(problem, model)
    with pytest.raises(AnswerError):
        asyncio.run(waypoints.observe("river"))
    assert len(keys) == REASKS + 1


def test_the_design_has_the_problems_keys(problem: Any) -> None:
    keys = list(problem.design_keys)
    model = Fake(json.dumps({k: f"text of {k}" for k in keys}))
    waypoints, _ = make(problem, model)
    design = asyncio.run(waypoints.formulate(observed(["do it"]), "0/formulation"))
    assert list(design) == keys
    prompt = model.requests[0].messages[0]["content"] + model.requests[0].messages[1]["content"]
    assert "- do it" in prompt
    assert all(f'"{k}"' in prompt for k in keys)


def test_a_missing_key_is_named_to_the_model(problem: Any) -> None:
    keys = list(problem.design_keys)
    good = json.dumps(dict.fromkeys(keys, "x"))
    bad = json.dumps(dict.fromkeys(keys[1:], "x"))
    model = Fake(bad, good)
    waypoints, _ = make(problem, model)
    asyncio.run(waypoints.formulate(observed([]), "0/formulation"))
    assert keys[0] in model.requests[1].messages[-1]["content"]


def test_the_code_prompt_states_language_contract_and_design(problem: Any) -> None:
    model = Fake("```python\nclass Policy:\n    pass\n```")
    waypoints, _ = make(problem, model)
    source = asyncio.run(waypoints.write(brief({"name": "n", "idea": "tides"}), "0/code"))
    assert source.strip() == "class Policy:\n    pass"
    system, user = (m["content"] for m in model.requests[0].messages)
    for piece in ("metamuse.policykit", "def victim(self, slot, key, size, now)", "# tune:"):
        assert piece in system
    assert "tides" in user


def test_repair_shows_code_and_error(problem: Any) -> None:
    model = Fake("```python\nclass Policy:\n    x = 1\n```")
    waypoints, _ = make(problem, model)
    asyncio.run(
        waypoints.repair(
            brief({"idea": "tides"}), "class Policy: ...", ("illegal", "line 3: no such slot"), "0/repair/0"
        )
    )
    text = model.requests[0].messages[-1]["content"]
    assert "line 3: no such slot" in text
    assert "class Policy: ..." in text
    assert "illegal" in text


def test_templates_have_no_unfilled_fields() -> None:
    folder = Path(__file__).parents[2] / "metamuse" / "prompts"
    for template in folder.glob("*.md"):
        text = template.read_text()
        if template.name != "language.md":
            text.format_map(
                dict.fromkeys(
                    "version task word situation keys observations language contract design code kind error "
                    "count earlier reference designs programs task words".split(),
                    "x",
                )
            )
