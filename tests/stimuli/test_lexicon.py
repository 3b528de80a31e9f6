"""The shipped dictionary is clean and says something about every word."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from stimuli import Lexicon, StimulusError
from stimuli.build_lexicon import FUNCTION_WORDS, NUMERALS, OFFENSIVE


def test_words_are_plain_distinct_and_sorted(lexicon: Lexicon) -> None:
    words = lexicon.words()
    assert len(words) == 3000
    assert list(words) == sorted(set(words))
    assert [word for word in words if not re.fullmatch("[a-z]{3,}", word)] == []


def test_no_function_words_numerals_or_offensive_words(lexicon: Lexicon) -> None:
    assert set(lexicon.words()).isdisjoint(FUNCTION_WORDS | NUMERALS | OFFENSIVE)
    # Spot checks that do not come from the generator's own lists.
    assert set(lexicon.words()).isdisjoint(
        {"the", "and", "monday", "london", "american", "nazi", "iii", "steps"}
    )


def test_everyday_words_are_there_and_rare_ones_are_not(lexicon: Lexicon) -> None:
    words = set(lexicon.words())
    assert words >= {"river", "clock", "memory", "divide", "slow", "bridge", "forget", "heavy", "map"}
    assert words.isdisjoint({"thyroglobulin", "micelle", "nilpotent", "gastrocnemius"})


def test_related_words_are_not_offensive(lexicon: Lexicon) -> None:
    for word in lexicon.words():
        entry = lexicon.entry(word)
        assert entry is not None
        for sense in entry.senses:
            shown = [*sense.synonyms, *(target for targets in sense.relations.values() for target in targets)]
            assert OFFENSIVE.isdisjoint(part for target in shown for part in re.split("[ -]", target)), word


def test_every_entry_has_a_definition_and_properties(lexicon: Lexicon) -> None:
    for word in lexicon.words():
        entry = lexicon.entry(word)
        assert entry is not None
        assert entry.word == word
        assert entry.count > 0
        assert 1 <= len(entry.senses) <= 2
        assert {sense.pos for sense in entry.senses} <= {"noun", "verb", "adjective", "adverb"}
        assert all(sense.gloss and '"' not in sense.gloss for sense in entry.senses), word
        properties = lexicon.properties(word)
        assert len(set(properties)) == len(properties) > 0, word
        assert all(phrase.strip() == phrase and len(phrase) > 2 for phrase in properties), word


def test_properties_come_from_gloss_and_relations(lexicon: Lexicon) -> None:
    assert lexicon.properties("river")[:4] == [
        "a large natural stream of water",
        "larger than a creek",
        "a kind of stream",
        "has parts: rapid, waterfall, estuary",
    ]
    assert "the opposite of fast" in lexicon.properties("slow")


def test_unknown_words(lexicon: Lexicon) -> None:
    assert lexicon.entry("xyzzy") is None
    assert lexicon.properties("xyzzy") == []


def test_licence_travels_with_the_data() -> None:
    licence = (resources.files("stimuli") / "data" / "WORDNET-LICENSE").read_text(encoding="ascii")
    assert licence.startswith("This software and database is being provided to you")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "lexicon.json"
    if content is not None:
        path.write_text(content, encoding="ascii")
    with pytest.raises(StimulusError, match=r"lexicon\.json"):
        Lexicon(path).words()
