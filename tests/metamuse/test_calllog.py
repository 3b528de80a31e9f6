"""Calls come back as they were put in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metamuse.calllog import CallLog

calls = st.fixed_dictionaries(
    {
        "at": st.floats(0, 1e10),
        "key": st.text(max_size=8),
        "purpose": st.sampled_from(["code", "repair"]),
        "model": st.sampled_from(["a", "b"]),
        "tokens_in": st.integers(0, 10**9),
        "tokens_out": st.integers(0, 10**9),
        "cost_usd": st.none() | st.floats(0, 1e6),
        "latency_s": st.floats(0, 1e6),
        "cached": st.booleans(),
    }
)


@given(st.lists(calls, max_size=20))
def test_calls_come_back_as_they_were(given: list[dict[str, Any]]) -> None:
    log = CallLog()
    for call in given:
        log.append({"event": "call", **call})
    assert list(log) == given
    assert log[1:-1] == given[1:-1]
    assert log[-1:] == given[-1:]
    assert len(log) == len(given)
