"""The set of integers against Python's."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.cache.integers import at_least, contains, empty_set, insert, remove, smallest


@settings(max_examples=60, deadline=None)
@given(universe=st.sampled_from([1, 2, 63, 64, 65, 4095, 4096, 4097, 300_000]), data=st.data())
def test_is_a_set(universe, data) -> None:
    words, starts = empty_set(universe)
    members: set[int] = set()
    numbers = st.one_of(st.integers(0, universe - 1), st.integers(max(0, universe - 70), universe - 1))
    for x in data.draw(st.lists(numbers, max_size=60)):
        if x in members:
            members.remove(x)
            remove(words, starts, x)
        else:
            members.add(x)
            insert(words, starts, x)
        assert contains(words, x) == (x in members)
        if members:
            assert smallest(words, starts) == min(members)
        probe = data.draw(numbers)
        assert at_least(words, starts, probe) == min((m for m in members if m >= probe), default=-1)
