"""Messages between the processes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.executor.wire import ANSWER_SIZE, MAX_MESSAGE, Decoder, encode, encode_answer, parse_answer

headers = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


@given(messages=st.lists(st.tuples(headers, st.binary(max_size=50)), max_size=5), cut=st.integers(1, 40))
def test_messages_survive_any_fragmentation(
    messages: list[tuple[dict[str, object], bytes]], cut: int
) -> None:
    stream = b"".join(encode(header, body) for header, body in messages)
    decoder = Decoder()
    found = [m for i in range(0, len(stream), cut) for m in decoder.feed(stream[i : i + cut])]
    assert found == messages


def test_an_answer_is_read_as_written() -> None:
    body = encode_answer({"result": {"value": float("inf")}})[ANSWER_SIZE.size :]
    assert parse_answer(body) == ({"value": float("inf")}, None)
    body = encode_answer({"failure": ["memory", "m" * 10_000]})[ANSWER_SIZE.size :]
    assert parse_answer(body) == (None, ("memory", "m" * MAX_MESSAGE))


def test_a_failures_message_can_be_shown_and_written() -> None:
    _, failure = parse_answer(json.dumps({"failure": ["crash", "a\x1b[2J\ud800\n\tb"]}).encode())
    assert failure == ("crash", "a\ufffd[2J\ufffd\n\tb")


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"result": 1},
        {"failure": ["victory", "x"]},
        {"failure": ["crash", 1]},
        {"result": {}, "failure": None},
    ],
)
def test_other_forms_are_crashes(answer: object) -> None:
    result, failure = parse_answer(json.dumps(answer).encode())
    assert result is None
    assert failure == ("crash", "its process wrote an answer of the wrong form")


@given(st.binary(max_size=40))
def test_any_bytes_are_classified(body: bytes) -> None:
    result, failure = parse_answer(body)
    assert (result is None) != (failure is None)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"result": {"x": ' + b"9" * 5000 + b"}}"])
def test_json_bombs_are_crashes(body: bytes) -> None:
    _, failure = parse_answer(body)
    assert failure is not None
    assert failure[0] == "crash"
