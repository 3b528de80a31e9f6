"""One contract for all sources, and what is particular to some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stimuli import StimulusError
from stimuli.sources import CommonWords, DomainWords, Properties, Source, TextFiles, Winners
from stimuli.sources.files import LONGEST, SHORTEST, passages

TEXT = """The first paragraph tells how the night shift drained the queue by hand, one entry at a time.

Too short.

def shed(load):
    while load > limit: drop the oldest entry that nobody waits for any more
"""

MAKERS: dict[str, Callable[[Path], Source]] = {
    "common": lambda folder: CommonWords(),
    "properties": lambda folder: Properties(),
    "domain": lambda folder: DomainWords("cache", ["recency", "ghost entry", "scan"]),
    "files": lambda folder: TextFiles(str(_notes(folder))),
    "winners": lambda folder: Winners(
        ["an object waits twice", "what was hit moves up", "an object waits twice"]
    ),
}


def _notes(folder: Path) -> Path:
    path = folder / "notes, old [1].md"
    path.write_text(TEXT, encoding="utf-8")
    return folder / "*.md"


@pytest.mark.parametrize("name", MAKERS)
def test_the_contract(name: str, tmp_path: Path) -> None:
    first, again = (MAKERS[name](tmp_path) for _ in range(2))
    stimuli = first.stimuli()
    assert first.name == name
    assert first.kind in ("word", "passage", "mechanism")
    assert stimuli
    assert len(set(stimuli)) == len(stimuli)
    assert all(text and text == " ".join(text.split()) for text in stimuli), "one line each"
    assert stimuli == again.stimuli()
    assert len(first.card) > 60
    assert "hosted model" in first.card, "a card says what leaves the machine"


def test_properties_do_not_name_their_thing() -> None:
    phrases = Properties().stimuli()
    assert len(phrases) > 2000
    assert all(3 <= len(phrase.split()) <= 12 for phrase in phrases)


def test_paragraphs_and_blocks_of_code_are_passages(tmp_path: Path) -> None:
    first, second = TextFiles(str(_notes(tmp_path))).stimuli()
    assert first.startswith("The first paragraph")
    assert second.startswith("def shed(load): while")


def test_long_passages_are_cut_at_ends_of_sentences() -> None:
    text = " ".join(f"Sentence number {n} has exactly seven words." for n in range(60))
    cut = list(passages(text))
    assert len(cut) > 1
    assert all(SHORTEST <= len(p.split()) <= LONGEST and p.endswith(".") for p in cut)
    assert sum(len(p.split()) for p in cut) >= len(text.split()) - SHORTEST


def test_what_is_no_text_is_left_out() -> None:
    assert not list(passages("A" * 5000 + " b c d e f g h i j"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (lambda folder: TextFiles(None), "stimuli.files="),
        (lambda folder: TextFiles(str(folder / "none*.txt")), "nothing matches"),
        (lambda folder: TextFiles(str(_short(folder))), "no passage"),
        (lambda folder: TextFiles(str(_binary(folder))), "not UTF-8"),
        (lambda folder: Winners(None), "stimuli.runs="),
        (lambda folder: Winners([]), "no executable solution"),
        (lambda folder: DomainWords("queues", None), "problems/queues/prompts/words.txt"),
    ],
)
def test_mistakes_are_one_sentence(source: Callable[[Path], Source], message: str, tmp_path: Path) -> None:
    with pytest.raises(StimulusError, match=message):
        source(tmp_path).stimuli()


def _short(folder: Path) -> Path:
    path = folder / "short.txt"
    path.write_text("Nothing here.", encoding="utf-8")
    return path


def _binary(folder: Path) -> Path:
    path = folder / "paper.pdf"
    path.write_bytes(b"%PDF-1.7\n\xff\xfe\x00")
    return path
