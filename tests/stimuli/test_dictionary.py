"""The dictionary: shares of several sources, distinct stimuli, and what cannot be drawn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


class Named(WordList):
    """A list of words under a name."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        super().__init__(words)
        self.name = name


def dictionary(*pools: Sequence[str]) -> Dictionary:
    return Dictionary([Named(f"source{i}", pool) for i, pool in enumerate(pools)])


def shares_of(s: int, n: int) -> list[int]:
    return [len(range(k, s, n)) for k in range(n)]


def as_before(
    pools: Sequence[Sequence[str]], s: int, seed: int, tries: int
) -> tuple[tuple[str, ...], np.random.Generator] | None:
    """What was drawn, and the generator after it, when nothing but drawing again was there; None if that does not end."""
    generator = rng(seed)
    drawn: list[list[str]] = []
    taken: set[str] = set()
    for pool, share in zip(pools, shares_of(s, len(pools)), strict=True):
        for _ in range(tries):
            picks = [pool[k] for k in generator.choice(len(pool), size=share, replace=False)]
            if not taken.intersection(picks):
                break
        else:
            return None
        taken.update(picks)
        drawn.append(picks)
    return tuple(drawn[k % len(drawn)][k // len(drawn)] for k in range(s)), generator


def there_is_a_set(pools: Sequence[Sequence[str]], s: int) -> bool:
    """By trying."""

    def rest(at: int, taken: frozenset[str]) -> bool:
        if at == len(pools):
            return True
        left = [word for word in pools[at] if word not in taken]
        share = shares_of(s, len(pools))[at]
        return any(rest(at + 1, taken.union(picks)) for picks in itertools.combinations(left, share))

    return rest(0, frozenset())


def is_good(drawn: Sequence[str], pools: Sequence[Sequence[str]], s: int) -> bool:
    return len(set(drawn)) == s and all(drawn[k] in pools[k % len(pools)] for k in range(s))


POOLS = st.lists(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True), min_size=1, max_size=4
)


@settings(max_examples=400, deadline=None)
@given(POOLS, st.integers(1, 8), st.integers(0, 2**32))
def test_every_draw_ends_and_those_that_ended_are_the_same(pools: list[list[str]], s: int, seed: int) -> None:
    made = dictionary(*pools)
    try:
        made.check(s)
    except StimulusError:
        assert not there_is_a_set(pools, s)
        return
    assert there_is_a_set(pools, s)
    generator = rng(seed)
    drawn = made.draw(s, generator)
    assert is_good(drawn, pools, s)
    before = as_before(pools, s, seed, tries=3000)
    if before is not None:
        assert drawn == before[0]
        assert generator.bit_generator.state == before[1].bit_generator.state


def test_two_sources_with_the_same_words() -> None:
    made = dictionary(["a", "b"], ["a", "b"])
    with pytest.raises(StimulusError) as told:
        made.check(4)
    assert str(told.value) == (
        "The stimulus sources source0 and source1 hold 2 different stimuli together, but a solution needs 4 distinct"
        " ones of them."
    )
    with pytest.raises(StimulusError):
        made.draw(4, rng(0))
    made.check(2)
    assert {made.draw(2, rng(seed)) for seed in range(50)} == {("a", "b"), ("b", "a")}


def test_a_small_source_within_another() -> None:
    """The first must leave the second what it needs: no such draw ended before."""
    large, small = [f"word{n}" for n in range(100)], [f"word{n}" for n in range(50)]
    made = dictionary(large, small)
    made.check(100)
    for seed in range(5):
        assert is_good(made.draw(100, rng(seed)), [large, small], 100)
    with pytest.raises(StimulusError, match="source0 and source1 hold 100 different stimuli together"):
        dictionary(large, [*small, "word50"]).check(102)


def test_so_much_is_taken_that_drawing_again_would_not_end() -> None:
    first, second = [f"word{n}" for n in range(50)], [f"word{n}" for n in range(100)]
    made = dictionary(first, second)
    assert is_good(made.draw(100, rng(3)), [first, second], 100)


def test_a_source_is_named_once() -> None:
    with pytest.raises(StimulusError) as told:
        Dictionary([WordList(["a", "b"]), Winners(WON), WordList(["c"])])
    assert str(told.value) == "The stimulus source words is named 2 times; name each source once."
