"""RSDict and RSDict-SF: what they draw, what they keep, and that both depend on their arguments alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimuli import Lexicon, RSDict, RSDictSF, ScoredSolution, StimulusError, StimulusStrategy, TextEmbedder
from stimuli.targets import farthest_reachable
from tests.stimuli.fakes import WORDS, LookupEmbedder, linear_history, observe

N = 5


def make(**settings: Any) -> RSDictSF:
    arguments: dict[str, Any] = {"ideal": np.zeros(N), "warmup": 10, "schedule": "exploit"} | settings
    return RSDictSF(WORDS, arguments.pop("embedder", None) or LookupEmbedder(), **arguments)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), s=st.integers(1, len(WORDS)))
def test_sets_hold_distinct_words_of_the_dictionary(seed: int, s: int) -> None:
    for strategy in (RSDict(WORDS, s), make(s=s, k=3)):
        for words in strategy.candidates(10, rng(seed)):
            assert len(words) == len(set(words)) == s
            assert set(words) <= set(WORDS)


def test_words_are_drawn_uniformly() -> None:
    generator = rng(0)
    drawn = [word for _ in range(6000) for word in RSDict(WORDS[:10], 2).candidates(0, generator)[0]]
    counts = np.array([drawn.count(word) for word in WORDS[:10]])
    # Each count is binomial with mean 1200 and standard deviation 31.
    assert np.abs(counts - 1200).max() < 150


def test_warm_up_is_rsdict() -> None:
    for i in range(10):
        sets = make().candidates(i, rng(i))
        assert sets == RSDict(WORDS).candidates(i, rng(i))
        choice = make().choose(i, sets, [observe(sets[0])], linear_history(i, N, 0), rng(0))
        assert (choice.index, choice.target, choice.predicted) == (0, "none", None)
    assert len(make().candidates(10, rng(0))) == 2
    assert make().candidates(10, rng(0))[0] == RSDict(WORDS).candidates(10, rng(0))[0]


def test_exploit_keeps_the_set_predicted_nearer_to_the_ideal() -> None:
    history = linear_history(150, N, seed=1)
    truth = linear_history(40, N, seed=2, noise=0.0)
    better = 0
    for i in range(0, 40, 2):
        pair = truth[i : i + 2]
        texts = [record.observations for record in pair]
        choice = make(k=2).choose(10 + i, [("a",) * 4, ("b",) * 4], texts, history, rng(i))
        distances = [np.linalg.norm(record.embedding) for record in pair]
        better += int(np.argmin(distances) == choice.index)
        assert choice.target == "exploit"
        assert choice.predicted is not None
        np.testing.assert_array_equal(choice.target_embedding, np.zeros(N))
        np.testing.assert_allclose(choice.predicted, pair[choice.index].embedding, atol=0.05)
    assert better >= 18  # chance would be 10 of 20


def test_the_choice_is_the_nearest_of_many_predictions() -> None:
    history, truth = linear_history(150, N, seed=1), linear_history(8, N, seed=3, noise=0.0)
    sets = [("w",) * 4] * 8
    texts = [record.observations for record in truth]
    choice = make(k=8, schedule="explore").choose(11, sets, texts, history, rng(5))
    seen = np.array([record.embedding for record in history])
    np.testing.assert_array_equal(choice.target_embedding, farthest_reachable(seen, np.zeros(N), rng(5)))
    predictions = [make(k=2).choose(11, sets[:2], [text, text], history, rng(0)).predicted for text in texts]
    assert choice.target_embedding is not None
    distances = np.linalg.norm(np.array(predictions) - choice.target_embedding, axis=1)
    assert choice.index == int(np.argmin(distances))


def test_the_order_of_words_does_not_matter() -> None:
    history = linear_history(50, N, seed=1)
    shuffled = [ScoredSolution(record.embedding, record.observations[::-1]) for record in history]
    texts = [observe(WORDS[:4]), observe(WORDS[4:8])]
    first = make().choose(10, [WORDS[:4], WORDS[4:8]], texts, history, rng(0))
    turned = make().choose(10, [WORDS[:4], WORDS[4:8]], [text[::-1] for text in texts], shuffled, rng(0))
    assert first.index == turned.index
    assert first.predicted is not None
    assert turned.predicted is not None
    np.testing.assert_allclose(first.predicted, turned.predicted, rtol=1e-12)


def test_decisions_do_not_depend_on_what_was_asked_before() -> None:
    history = linear_history(600, N, seed=1)
    lag = 4

    def choices(strategy_of: Any, order: list[int]) -> dict[int, tuple[Any, ...]]:
        made = {}
        for i in order:
            strategy = strategy_of()
            sets = strategy.candidates(i, rng(i))
            texts = [observe(words) for words in sets]
            choice = strategy.choose(i, sets, texts, history[: i - lag], rng(10_000 + i))
            made[i] = (
                choice.index,
                choice.target,
                choice.predicted.tobytes(),
                choice.target_embedding.tobytes(),
            )
        return made

    numbers = [20, 21, 100, 259, 260, 261, 515, 516, 517, 600]
    shared = make(schedule=0.5)
    backwards = choices(lambda: shared, numbers[::-1])
    forwards = choices(lambda: shared, numbers)
    fresh = choices(lambda: make(schedule=0.5), numbers)
    assert backwards == forwards == fresh
    assert {choice[1] for choice in fresh.values()} == {"explore", "exploit"}


def test_schedules() -> None:
    history = linear_history(30, N, seed=1)

    def targets(schedule: str | float) -> list[str]:
        strategy = make(schedule=schedule)
        texts = [observe(WORDS[:4]), observe(WORDS[4:8])]
        return [
            strategy.choose(i, [WORDS[:4], WORDS[4:8]], texts, history, rng(i)).target for i in range(10, 60)
        ]

    assert targets("alternate") == ["explore", "exploit"] * 25
    assert set(targets("explore")) == set(targets(1)) == {"explore"}
    assert set(targets("exploit")) == set(targets(0.0)) == {"exploit"}
    assert 5 <= targets(0.3).count("explore") <= 25


def test_without_enough_history_or_choice_nothing_is_steered() -> None:
    texts = [observe(WORDS[:4]), observe(WORDS[4:8])]
    sets = [WORDS[:4], WORDS[4:8]]
    assert make().choose(10, sets, texts, linear_history(1, N, 0), rng(0)).target == "none"
    assert make().choose(10, sets[:1], texts[:1], linear_history(30, N, 0), rng(0)).target == "none"


def test_each_observation_is_embedded_once() -> None:
    embedder = LookupEmbedder()
    strategy = make(embedder=embedder)
    history = linear_history(40, N, seed=1)
    for i in range(20, 40):
        sets = strategy.candidates(i, rng(i))
        strategy.choose(i, sets, [observe(words) for words in sets], history[:i], rng(i))
    assert len(embedder.embedded) == len(set(embedder.embedded))


def test_a_changed_history_is_refused() -> None:
    strategy, history = make(), linear_history(30, N, seed=1)
    texts = [observe(WORDS[:4]), observe(WORDS[4:8])]
    strategy.choose(10, [WORDS[:4], WORDS[4:8]], texts, history, rng(0))
    with pytest.raises(StimulusError, match="changed during the run"):
        strategy.choose(11, [WORDS[:4], WORDS[4:8]], texts, linear_history(31, N, seed=2), rng(0))


@pytest.mark.parametrize("embedding", [np.zeros(N - 1), np.array([0.0, 0.0, np.nan, 0.0, 0.0])])
def test_a_bad_embedding_is_refused(embedding: np.ndarray) -> None:
    history = [*linear_history(5, N, seed=1), ScoredSolution(embedding, observe(WORDS[:4]))]
    texts = [observe(WORDS[:4]), observe(WORDS[4:8])]
    with pytest.raises(StimulusError, match="scored solution 5 is not 5 finite numbers"):
        make().choose(10, [WORDS[:4], WORDS[4:8]], texts, history, rng(0))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"s": 0}, "at least one stimulus"),
        ({"s": 61}, "60 stimuli"),
        ({"k": 0}, "k is 0"),
        ({"warmup": -1}, "negative"),
        ({"ideal": [np.inf]}, "finite"),
        ({"ideal": []}, "finite"),
        ({"schedule": "sometimes"}, "'sometimes'"),
        ({"schedule": 1.5}, "1.5"),
        ({"schedule": float("nan")}, "nan"),
        ({"schedule": True}, "True"),
    ],
)
def test_bad_settings_are_one_sentence(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(StimulusError, match=message):
        make(**bad)


def test_bad_calls_are_one_sentence() -> None:
    with pytest.raises(StimulusError, match="twice"):
        RSDict(["a", "b", "a"], 1)
    with pytest.raises(StimulusError, match="no candidate set"):
        RSDict(WORDS).choose(3, [], [], [], rng(0))
    with pytest.raises(StimulusError, match="observations for 1"):
        make().choose(10, [WORDS[:4], WORDS[4:8]], [observe(WORDS[:4])], [], rng(0))


def test_with_the_shipped_dictionary_and_embedding(lexicon: Lexicon) -> None:
    strategy: StimulusStrategy = RSDictSF(lexicon.words(), TextEmbedder(), np.zeros(3), warmup=0)
    generator = rng(1)
    history: list[ScoredSolution] = []
    for i in range(12):
        sets = strategy.candidates(i, generator)
        texts = [[lexicon.properties(word)[0] for word in words] for words in sets]
        choice = strategy.choose(i, sets, texts, history, generator)
        history.append(ScoredSolution(generator.uniform(size=3), tuple(texts[choice.index])))
    assert choice.predicted is not None
    assert np.isfinite(choice.predicted).all()
    assert strategy.describe() == {
        "strategy": "rsdict-sf",
        "s": 4,
        "words": 3000,
        "k": 2,
        "warmup": 0,
        "schedule": "alternate",
        "embedder": "wordllama-l2_supercat_256/0.4.0.post1",
    }
