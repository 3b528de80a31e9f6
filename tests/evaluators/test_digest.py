"""The digest of decisions: the same in both modes, and it tells decisions apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from evaluators.digest import fold

INT64 = st.integers(-(2**63), 2**63 - 1)


@njit
def fold_compiled(digest: int, decision: int) -> int:
    return fold(digest, decision)


def digest(decisions: list[int]) -> int:
    made = 0
    for decision in decisions:
        made = fold(made, decision)
    return made


@settings(deadline=None)  # the first call compiles
@given(INT64, INT64)
def test_both_modes_agree(before: int, decision: int) -> None:
    assert fold(before, decision) == fold_compiled(before, decision)
    assert fold(np.int64(before), np.int64(decision)) == fold(before, decision)  # type: ignore[arg-type]


@given(st.lists(st.integers(-1, 40), min_size=1, max_size=30), st.data())
def test_one_other_decision_is_told(decisions: list[int], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(decisions) - 1))
    other = data.draw(st.integers(-1, 40).filter(lambda x: x != decisions[i]))
    assert digest(decisions) != digest([*decisions[:i], other, *decisions[i + 1 :]])


def test_order_and_number_count() -> None:
    assert digest([1, 2]) != digest([2, 1])
    assert len({digest([0] * n) for n in range(50)}) == 50
    assert len({digest([a, b]) for a in range(200) for b in range(200)}) == 40_000
