"""The offline composer answers the hub's own prompts."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest

from metamuse.llm import ComposerCall, LLMReply, LLMRequest
from metamuse.llm.composer import _composer, answer
from metamuse.waypoints import Waypoints, brief, observed
from problems.cache.problem import CacheProblem

CONFIG = {"sizes": "unit", "capacity": 0.1, "warmup": 0.0, "ghost_budget": 2.0}


class Model:
    """Answers with the composer and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[LLMRequest] = []

    async def complete(self, request: LLMRequest) -> LLMReply:
        self.asked.append(request)
        return LLMReply(ask(request), 0, 0, 0.0, 0.0, "composer/offline", False, "stop")


def ask(request: LLMRequest, seed: int | None = None) -> str:
    seed = request.seed if seed is None else seed
    return answer(request.messages, ComposerCall(request.purpose, request.key, seed, 1.0, None))


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def ways(model: Model) -> Waypoints:
    return Waypoints(CacheProblem(CONFIG), model, 1, lambda request, reply: None)


async def _solve(ways: Waypoints, words: list[str]) -> tuple[list[str], dict[str, str], str]:
    observations = [await ways.observe(word) for word in words]
    design = await ways.formulate(observed(o.text for o in observations), "s0/formulation")
    return [o.text for o in observations], design, await ways.write(brief(design), "s0/code")


def test_all_waypoints_are_answered_in_their_format(ways: Waypoints, model: Model) -> None:
    words = ["river", "court", "lamp", "winter"]
    observations, design, code = asyncio.run(_solve(ways, words))
    assert len(model.asked) == 6, "nothing had to be asked twice"
    assert set(design) == set(CacheProblem.design_keys)
    assert "class Policy:" in code
    for word, text in zip(words, observations, strict=True):
        assert word not in text.lower().split()


def test_properties_are_those_of_the_word(ways: Waypoints) -> None:
    observation = asyncio.run(ways.observe("river"))
    assert observation.property in observation.properties
    assert any("stream" in p for p in observation.properties)


def test_answers_depend_on_messages_and_seed_alone(ways: Waypoints, model: Model) -> None:
    asyncio.run(_solve(ways, ["stone", "music", "bread", "king"]))
    first = [ask(request) for request in model.asked]
    _composer.cache_clear()
    assert [ask(request) for request in reversed(model.asked)] == first[::-1]
    assert len({ask(model.asked[0], seed) for seed in range(20)}) > 5


def test_an_unknown_word_stands_for_itself(ways: Waypoints) -> None:
    observation = asyncio.run(ways.observe("zzyzx-42"))
    assert observation.properties == ("zzyzx-42",)
    assert observation.text


def test_every_mechanism_is_reached_about_equally_often() -> None:
    composer = _composer("cache")
    lexicon = composer.lexicon
    texts = [f"{word}, {prop}" for word in lexicon.words() for prop in lexicon.properties(word)[:5:2]]
    odds = composer.odds(texts)
    share = odds.mean(axis=0)
    count = len(composer.library.mechanisms)
    assert odds.sum(axis=1) == pytest.approx(np.ones(len(texts)))
    assert share.min() > 0.3 / count
    assert share.max() < 3.0 / count
    # The word matters: most of the odds are on a few mechanisms.
    assert np.median(np.sort(odds, axis=1)[:, -5:].sum(axis=1)) > 0.6


@pytest.mark.parametrize(
    ("word", "mechanism"), [("drought", "drought"), ("ghost", "ghosts"), ("jury", "court")]
)
def test_obvious_words_reach_their_mechanism(word: str, mechanism: str) -> None:
    composer = _composer("cache")
    best = int(np.argmax(composer.odds([word])[0]))
    assert composer.library.mechanisms[best].id == mechanism


def test_own_observations_are_recognised() -> None:
    composer = _composer("cache")
    for mechanism in composer.library.mechanisms:
        for amount in mechanism.amounts:
            assert composer.recognise(mechanism.sentence.format(amount=amount)) is mechanism


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Leave it to chance whether an object that was missed is brought in at all.", {"admit_lottery"}),
        ("Every season halve all the counters so that old popularity does not last.", {"age_halve"}),
        (
            "Keep ghosts of departed objects and give them a better place when they come back.",
            {"memory_boost"},
        ),
    ],
)
def test_observations_from_elsewhere_find_a_mechanism_like_them(text: str, parts: set[str]) -> None:
    assert parts & set(_composer("cache").recognise(text).parts)


def test_a_repair_is_another_module(ways: Waypoints) -> None:
    async def run() -> tuple[str, str]:
        _, design, code = await _solve(ways, ["stone", "music", "bread", "king"])
        return code, await ways.repair(brief(design), code, ("crash", "division by zero"), "s0/repair")

    code, repaired = asyncio.run(run())
    assert repaired.strip() != code.strip()
    assert len(repaired) < len(code)
    assert "class Policy:" in repaired


def test_a_complaint_about_an_answer_is_answered_again(ways: Waypoints, model: Model) -> None:
    asyncio.run(ways.observe("river"))
    request = model.asked[0]
    again = [
        *request.messages,
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "Answer again."},
    ]
    call = ComposerCall("observation", "k", 9, 1.0, None)
    assert answer(again, call).startswith("{")


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": "Word: river"}],
        [
            {"role": "system", "content": "Problem (cache-v1): x"},
            {"role": "user", "content": "Write a poem."},
        ],
    ],
)
def test_other_prompts_are_refused(messages: list[dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=re.escape("the offline composer")):
        answer(messages, ComposerCall("code", "k", 1, 1.0, None))
