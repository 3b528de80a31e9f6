"""Answers as models really write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.llm import AnswerError, check_schema, extract_code, extract_json, last_line, parse_answer

_POLICY = "class Policy:\n    def __init__(self, capacity, n_slots):\n        self.c = capacity\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"idea": "a } b"}',
        'Sure! Here it is:\n\n```json\n{"idea": "a } b"}\n```\nHope this helps {really}.',
        'Prose {not json} and then {"idea": "a } b",} done',
        '```\n{"idea": "a } b"}',
        "{'idea': 'a } b'}",
        '<think>{"idea": "draft"}</think>\n{"idea": "a } b"}',
    ],
    ids=["bare", "fence", "prose+comma", "open fence", "python", "thoughts"],
)
def test_json_is_found(text: str) -> None:
    assert extract_json(text, ["idea"]) == {"idea": "a } b"}


def test_json_line_breaks_and_commas_inside_strings_survive() -> None:
    assert extract_json('{"a": "x,\n}", "b": [1, 2,], }') == {"a": "x,\n}", "b": [1, 2]}


def test_json_with_the_required_keys_wins_over_an_earlier_one() -> None:
    assert extract_json('Example: {"idea": 1}. Answer: {"idea": 2, "why": 3}', ["idea", "why"])["idea"] == 2


def test_json_missing_keys_are_named() -> None:
    with pytest.raises(AnswerError, match='lacks "why"'):
        extract_json('{"idea": 1}', ["idea", "why"])
    with pytest.raises(AnswerError, match="no JSON object"):
        extract_json("I would rather not.", ["idea"])


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=4), st.text("abc. \n", max_size=20)
)
def test_json_round_trip_in_prose(value: dict[str, str], prose: str) -> None:
    assert extract_json(prose + json.dumps(value) + prose) == value


@given(st.text(alphabet="{}[]\"\\',:`~\n ab", max_size=200))
def test_any_text_gives_an_answer_or_an_answer_error(text: str) -> None:
    for extract in (extract_json, extract_code, last_line):
        try:
            extract(text)
        except AnswerError:
            continue


def test_many_open_braces_take_no_time() -> None:
    with pytest.raises(AnswerError):
        extract_json("{" * 100_000)


_SCHEMA = {
    "type": "object",
    "required": ["name", "items"],
    "properties": {
        "name": {"type": "string"},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["w"],
                "properties": {"w": {"type": "number", "maximum": 1}},
            },
        },
        "kind": {"type": "string", "enum": ["a", "b"]},
    },
}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"name": " ", "items": [{"w": 1}]}, '"name" must not be empty'),
        ({"name": 3, "items": [{"w": 1}]}, '"name" must be of type string, not int'),
        ({"name": "n", "items": []}, '"items" must have at least 1 items'),
        ({"name": "n", "items": [{}]}, r'"items"\[0\] lacks the key "w"'),
        ({"name": "n", "items": [{"w": True}]}, r'"items"\[0\]."w" must be of type number, not bool'),
        ({"name": "n", "items": [{"w": 2}]}, "must lie between -inf and 1, not 2"),
        ({"name": "n", "items": [{"w": 1}], "kind": "c"}, "one of a, b"),
    ],
)
def test_schema_names_the_first_difference(answer: object, sentence: str) -> None:
    with pytest.raises(AnswerError, match=sentence):
        parse_answer(json.dumps(answer), _SCHEMA)


def test_schema_accepts_what_fits() -> None:
    check_schema({"name": "n", "items": [{"w": 0.5}], "extra": 1}, _SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        f"Here:\n```python\n{_POLICY}```\nIt works because …",
        f"```\n{_POLICY}```",
        f"```py\nprint(1)\n```\nthen\n```python\n{_POLICY}\n```",
        f"```python\nclass Policy(:\n```\nFixed:\n```python\n{_POLICY}```",
        f"```python\n{_POLICY}",
        _POLICY,
        f"The idea is simple.\n\n{_POLICY}",
        "1. Code:\n   ```python\n" + "".join(f"   {line}\n" for line in _POLICY.splitlines()) + "   ```\n",
        json.dumps({"code": _POLICY}),
    ],
    ids=["fence", "plain fence", "second", "draft first", "cut off", "bare", "prose+bare", "list", "json"],
)
def test_code_is_found(text: str) -> None:
    assert extract_code(text) == _POLICY


def test_code_with_a_syntax_error_is_returned_for_repair() -> None:
    assert extract_code("```python\nclass Policy(:\n```") == "class Policy(:\n"


def test_code_that_is_not_there() -> None:
    with pytest.raises(AnswerError, match="class Policy"):
        extract_code("```python\nprint(1)\n```")


def test_last_line() -> None:
    assert last_line("Reasoning…\n\n  42 \n\n") == "42"
    with pytest.raises(AnswerError):
        last_line(" \n ")
