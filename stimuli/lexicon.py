"""The lexicon: about 3,000 everyday words with what WordNet says about them.

Its words are the dictionary that stimuli are drawn from; its glosses and relations are what the offline
composer knows of a word. ``stimuli/build_lexicon.py`` derives the data, ``stimuli/data/README.md`` tells
their source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from stimuli.base import StimulusError

_PHRASES: dict[str, str] = {
    "is_a": "a kind of {}",
    "kinds": "has kinds such as {}",
    "has_part": "has parts: {}",
    "has_member": "has members: {}",
    "made_of": "made of {}",
    "part_of": "part of {}",
    "member_of": "member of {}",
    "substance_of": "material of {}",
    "opposite": "the opposite of {}",
    "attribute": "measured as {}",
    "similar": "similar to {}",
    "entails": "involves to {}",
    "causes": "causes to {}",
    "manner_of": "in a {} way",
    "related": "related to {}",
}
_VERB_PHRASES = {"is_a": "a way to {}", "kinds": "done in ways such as {}"}
_NOUN_PHRASES = {"attribute": "can be {}"}


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a word."""

    pos: str
    """Part of speech: noun, verb, adjective or adverb."""
    gloss: str
    """Definition, clauses separated by semicolons."""
    synonyms: tuple[str, ...]
    relations: Mapping[str, tuple[str, ...]]
    """Relation (``is_a``, ``kinds``, ``has_part``, ``opposite``, ...) -> at most 4 words or phrases."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word with its one or two commonest senses, the commonest first."""

    word: str
    count: int
    """How often the hand-tagged SemCor corpus uses the word, in all senses."""
    senses: tuple[Sense, ...]

    @property
    def pos(self) -> str:
        """Part of speech of the commonest sense."""
        return self.senses[0].pos

    @property
    def gloss(self) -> str:
        """Definition of the commonest sense."""
        return self.senses[0].gloss


class Lexicon:
    """Read-only access to the lexicon; the data are read on first use (about 20 ms).

    Args:
        path: a file that ``stimuli/build_lexicon.py`` wrote; the shipped one if None.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    @cached_property
    def _data(self) -> dict[str, dict[str, object]]:
        source = self._path or resources.files("stimuli") / "data" / "lexicon.json"
        try:
            data = json.loads(source.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise StimulusError(f"Cannot read the lexicon {source}: {error}.") from error
        if not isinstance(data, dict):
            raise StimulusError(f"The lexicon {source} is not a JSON object of words.")
        return data

    def words(self) -> tuple[str, ...]:
        """All words, in alphabetical order."""
        return tuple(sorted(self._data))

    def entry(self, word: str) -> Entry | None:
        """What the lexicon holds on ``word``; None for a word it does not have."""
        raw = self._data.get(word)
        return None if raw is None else _entry(word, raw)

    def properties(self, word: str) -> list[str]:
        """Short distinct phrases that say what ``word`` is, has and does; empty for an unknown word.

        The phrases of the commonest sense come first; within a sense the clauses of the gloss, then synonyms,
        then relations, e.g. river -> "a large natural stream of water", "larger than a creek", "a kind of
        stream", ...
        """
        entry = self.entry(word)
        phrases: dict[str, None] = {}
        for sense in entry.senses if entry else ():
            phrases.update(dict.fromkeys(_clauses(sense.gloss)))
            if sense.synonyms:
                phrases[f"also called {', '.join(sense.synonyms)}"] = None
            special = {"verb": _VERB_PHRASES, "noun": _NOUN_PHRASES}.get(sense.pos, {})
            for relation, template in _PHRASES.items():
                if targets := sense.relations.get(relation):
                    phrases[special.get(relation, template).format(", ".join(targets))] = None
        return list(phrases)


def _entry(word: str, raw: dict[str, object]) -> Entry:
    count, senses = raw["count"], raw["senses"]
    assert isinstance(count, int)
    assert isinstance(senses, list)
    return Entry(
        word,
        count,
        tuple(
            Sense(
                sense["pos"],
                sense["gloss"],
                tuple(sense["synonyms"]),
                {relation: tuple(targets) for relation, targets in sense["relations"].items()},
            )
            for sense in senses
        ),
    )


def _clauses(gloss: str) -> list[str]:
    """Clauses of a definition, each remark in parentheses a clause of its own."""
    clauses = []
    for clause in re.split(r";\s*", gloss):
        remarks = re.findall(r"\(([^()]*)\)", clause)
        outside = re.sub(r"\s+", " ", re.sub(r"\s*\([^()]*\)", "", clause)).strip(" ,.")
        clauses += [part for part in (outside, *(remark.strip() for remark in remarks)) if len(part) > 2]
    return clauses
