"""The generator on a hand-made database in WordNet's file format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stimuli import build_lexicon

LICENCE = "  1 Made for a test.  \n  2 Use it freely.  \n"

DATA = {
    "noun": [
        # offset lexfile type count words... pointers... | gloss
        '00000100 17 n 01 stream 0 001 ~ 00000200 n 0000 | a body of running water; "a stream ran by"',
        # The opposite is that of "river", the derivation that of "big stream" only.
        "00000200 17 n 02 river 0 big_stream 0 004 @ 00000100 n 0000 @i 00000300 n 0000 ! 00000400 n 0101"
        " + 00000500 n 0201 | wet",
        "00000300 15 n 01 Thames 0 000 | a water of England",
        "00000310 15 n 01 Stream 0 000 | a village",
        "00000400 17 n 01 desert 0 001 ! 00000200 n 0101 | land without water",
        "00000500 04 n 01 step 0 000 | one move of a foot",
        "00000600 04 n 01 steps 0 000 | a way up",
        "00000700 10 n 01 obscenity 0 000 | what is not said",
        "00000800 05 n 01 rude 0 001 ;u 00000700 n 0000 | not said at work",
    ],
    "verb": ["00000900 38 v 01 step 0 000 01 + 02 00 | move a foot"],
    "adj": ["00001000 00 a 01 slow(p) 0 000 | not fast"],
    "adv": ["00001100 02 r 01 slowly 0 001 \\ 00001000 a 0101 | in a slow way"],
}
COUNTS = [
    "river%1:17:00:: 1 9",
    "stream%1:17:00:: 1 8",
    "stream%1:15:00:: 2 8",
    "step%2:38:00:: 1 7",
    "step%1:04:00:: 1 3",
    "slow%3:00:00:: 1 6",
    "slowly%4:02:00:: 1 6",
    "steps%1:04:00:: 1 5",
    "thames%1:15:00:: 1 9",
    "rude%1:05:00:: 1 9",
    "about%4:02:00:: 1 9",
    "desert%1:17:00:: 1 0",
]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    for pos, lines in DATA.items():
        (tmp_path / f"data.{pos}").write_text(LICENCE + "\n".join(lines) + "\n", encoding="ascii")
        index: dict[str, list[str]] = {}
        for line in lines:
            fields = line.split()
            for k in range(int(fields[3], 16)):
                index.setdefault(fields[4 + 2 * k].lower().split("(")[0], []).append(fields[0])
        text = "".join(
            f"{lemma} {pos[0]} {len(at)} 0 {len(at)} 0 {' '.join(at)}\n"
            for lemma, at in sorted(index.items())
        )
        (tmp_path / f"index.{pos}").write_text(LICENCE + text, encoding="ascii")
    (tmp_path / "cntlist.rev").write_text("\n".join(COUNTS) + "\n", encoding="ascii")
    return tmp_path


def test_selection_and_entries(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_lexicon, "MIN_GLOSSES", 0)
    out = tmp_path / "made" / "lexicon.json"
    assert build_lexicon.main([str(database), str(out)]) == 0
    lexicon = json.loads(out.read_text(encoding="ascii"))
    # Out: Thames (proper), rude (marked an obscenity), steps and slowly (forms), about (not in the database).
    assert list(lexicon) == ["desert", "river", "slow", "step", "stream"]
    assert lexicon["river"] == {
        "count": 9,
        "senses": [
            {
                "pos": "noun",
                "gloss": "wet",
                "synonyms": ["big stream"],
                "relations": {"is_a": ["stream"], "opposite": ["desert"]},
            }
        ],
    }
    # The second sense of "stream" is a proper name.
    assert [sense["gloss"] for sense in lexicon["stream"]["senses"]] == ["a body of running water"]
    assert [sense["pos"] for sense in lexicon["step"]["senses"]] == ["verb", "noun"]
    licence = out.with_name("WORDNET-LICENSE").read_text(encoding="ascii")
    assert licence == "Made for a test.\nUse it freely.\n"


def test_words_absent_from_definitions_are_left_out(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_lexicon, "MIN_GLOSSES", 1)
    build_lexicon.build(database, tmp_path / "lexicon.json")
    lexicon = json.loads((tmp_path / "lexicon.json").read_text(encoding="ascii"))
    # "slow" is used in a definition; "stream" only in an example, which does not count. With "step" gone its
    # plural is absent as well.
    assert list(lexicon) == ["slow"]


def test_a_missing_database_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_lexicon.main([str(tmp_path), str(tmp_path / "out.json")]) == 2
    assert "Cannot read the WordNet file" in capsys.readouterr().err


def test_a_malformed_line_is_named(database: Path, tmp_path: Path) -> None:
    (database / "data.verb").write_text("00000900 38 v zz step\n", encoding="ascii")
    with pytest.raises(build_lexicon.WordNetFormatError, match=r"data\.verb: cannot read the line"):
        build_lexicon.build(database, tmp_path / "out.json")


@pytest.mark.parametrize(
    ("gloss", "expected"),
    [
        ('sound loudly; "the bells rang"; "it rang"', "sound loudly"),
        ("one thing; another", "one thing; another"),
        ('"only an example"', "only an example"),
    ],
)
def test_definition_drops_examples(gloss: str, expected: str) -> None:
    assert build_lexicon.definition(gloss) == expected


@pytest.mark.parametrize(
    ("form", "base"), [("steps", "step"), ("studies", "study"), ("stopped", "stop"), ("making", "make")]
)
def test_base_forms(form: str, base: str) -> None:
    assert base in build_lexicon.base_forms(form)
