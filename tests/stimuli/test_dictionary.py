"""The dictionary: shares of several sources, distinct stimuli, and what cannot be drawn."""

from __future__ import annotations

import numpy as np
import pytest

from stimuli import Dictionary, StimulusError
from stimuli.dictionary import WordList
from stimuli.sources import Winners

WORDS = [f"word{n}" for n in range(30)]
WON = ["first mechanism", "second mechanism", "word3"]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_one_source_draws_as_a_plain_list_does() -> None:
    drawn = Dictionary([WordList(WORDS)]).draw(4, rng(7))
    assert drawn == tuple(WORDS[k] for k in rng(7).choice(30, size=4, replace=False))


def test_several_sources_share_the_places_of_a_set() -> None:
    dictionary = Dictionary([WordList(WORDS), Winners(WON)])
    for seed in range(200):
        drawn = dictionary.draw(5, rng(seed))
        assert len(set(drawn)) == 5
        assert all(drawn[k] in WORDS for k in (0, 2, 4))
        assert all(drawn[k] in WON for k in (1, 3))


def test_kinds_come_from_the_source() -> None:
    dictionary = Dictionary([WordList(WORDS), Winners(WON)])
    assert dictionary.kind("word1") == "word"
    assert dictionary.kind("first mechanism") == "mechanism"
    assert dictionary.kind("word3") == "word", "the first source that has it"
    assert len(dictionary) == 32


def test_too_few_stimuli_are_told() -> None:
    with pytest.raises(StimulusError, match="winners holds 3 stimuli, but a solution needs 4"):
        Dictionary([WordList(WORDS), Winners(WON)]).check(8)
    with pytest.raises(StimulusError, match="is empty"):
        Dictionary([WordList([])])
