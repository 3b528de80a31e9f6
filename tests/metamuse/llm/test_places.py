"""Places come back as they were put in, and take little room."""

from __future__ import annotations

import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from metamuse.llm.places import Places


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0), st.integers(0)).map(
    lambda line: (digest(line[0]), line[1], line[2] % 2**62, line[3] % 2**62)
)))  # fmt: skip
def test_places_are_those_of_their_digest(lines: list[tuple[str, str, int, int]]) -> None:
    places = Places()
    for line in lines:
        places.add(*line)
    for number in range(6):
        assert list(places.find(digest(number))) == [line[1:] for line in lines if line[0] == digest(number)]


def test_a_place_is_some_200_bytes() -> None:
    places = Places()
    tracemalloc.start()
    for number in range(10_000):
        places.add(digest(number), "openai/some-model", 20_000 * number, 20_000)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / 10_000 < 250
