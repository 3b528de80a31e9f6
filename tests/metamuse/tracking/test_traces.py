"""The way of a solution as spans."""

from __future__ import annotations

from typing import Any

from metamuse.state import RunState
from metamuse.tracking import traces
from metamuse.waypoints import digest
from tests.support.fake_run import FakeProblem, events


def call(key: str, at: float, purpose: str = "code") -> dict[str, Any]:
    """The record of an answer."""
    return {
        "event": "call", "at": at, "key": key, "purpose": purpose, "model": "m", "tokens_in": 1, "tokens_out": 2,
        "cost_usd": None, "latency_s": 0.25, "cached": False,
    }  # fmt: skip


def state_with(calls: list[dict[str, Any]]) -> RunState:
    """A run of two solutions with these answers instead of its own; the second solution was repaired."""
    made = [e for e in events(FakeProblem(), solutions=2, failing=0.0) if e["event"] != "call"]
    for event in made:
        if event["event"] == "solution" and event["number"] == 1:
            event["attempts"] = [
                {"source": "first", "failure": ["compile", "no"]},
                {"source": "second", "failure": None},
            ]
    return RunState.fold([*made[:2], *calls, *made[2:]])


def test_only_what_led_to_the_solution_is_in_its_trace() -> None:
    """Calls of other solutions and observations of other words are left out; passages are known by their digest."""
    state = state_with([])
    words = state.solutions[1].data["stimuli"]
    state = state_with(
        [
            call(f"observation/{words[0]}", 1.0),
            call(f"observation/{digest(words[1])}", 2.0),
            call("observation/elsewhere", 3.0),
            call("0/code", 4.0),
            call("1/code", 5.0),
            call("11/code", 6.0),
        ]
    )
    names = [span.name for span in traces.spans(state, state.solutions[1])]
    assert names == [f"observation/{words[0]}", f"observation/{digest(words[1])}", "code"]


def test_times_answers_and_repairs() -> None:
    """Spans end when the answer came; a repair starts from the failure; an unusable answer has no outputs."""
    state = state_with(
        [
            call("1/code", 10.0),
            call("1/code/1", 11.0),
            call("1/repair/0", 12.0, "repair"),
            call("1/plan", 13.0),
        ]
    )
    first, again, repair, other = traces.spans(state, state.solutions[1])
    assert (first.began, first.ended) == (9.75, 10.0)
    assert first.outputs == {}
    assert again.name == "code/1"
    assert again.outputs == {"source": "first"}
    assert repair.inputs == {"source": "first", "failure": ["compile", "no"]}
    assert repair.outputs == {"source": "second"}
    assert (other.inputs, other.outputs) == ({}, {})
