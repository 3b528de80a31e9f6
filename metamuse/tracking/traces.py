"""The way of one solution from its stimuli to code, as spans of a trace: what was asked, answered, spent, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from metamuse.state import Entry, RunState
from metamuse.waypoints import digest


@dataclass(frozen=True)
class Span:
    """One call of the model.

    Attributes:
        name: The waypoint, and for a repair or a question that had to be asked again which one.
        began: Seconds since the epoch.
        ended: Seconds since the epoch.
        inputs: What the answer was made from.
        outputs: What was taken from the answer; empty for one that could not be used.
        call: The record of the call: tokens, cost, model, whether it came from the record of completions.
    """

    name: str
    began: float
    ended: float
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    call: dict[str, Any]


def spans(state: RunState, entry: Entry) -> list[Span]:
    """The calls that a solution came from, in the order of their ends.

    Observations that several solutions share are in the trace of each, at the time at which they were made.
    """
    number = int(re.sub(r"\D", "", entry.id))
    data = state.solutions[number].data
    observations = {
        f"observation/{name}": o
        for o in data.get("observations", [])
        for name in (o["word"], digest(o["word"]))
    }
    made: dict[str, Span] = {}
    for call in state.calls:
        key = call["key"]
        before = re.sub(r"/\d+$", "", key)
        observation = observations.get(key) or observations.get(before)
        if observation is None and not key.startswith(f"{number}/"):
            continue
        name = key.removeprefix(f"{number}/")
        inputs, outputs = _observed(observation) if observation else _answered(name, data)
        made[key] = Span(name, call["at"] - call["latency_s"], call["at"], inputs, outputs, call)
        if before != key and before in made:
            # A question is asked again where its answer could not be used.
            made[before] = replace(made[before], outputs={})
    return sorted(made.values(), key=lambda span: (span.ended, span.name))


def _observed(observation: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    asked = {"stimulus": observation["word"]}
    return asked, {key: observation[key] for key in ("properties", "property", "text")}


def _answered(name: str, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a call of the solution's own was made from, and gave; nothing for steps that only some methods take."""
    attempts = data.get("attempts", [])
    waypoint, _, turn = name.partition("/")
    if waypoint == "formulation":
        return {"observations": [o["text"] for o in data.get("observations", [])]}, data.get("design") or {}
    if waypoint == "code" and attempts:
        return {"design": data.get("design")}, {"source": attempts[0]["source"]}
    if waypoint == "repair":
        failed = int(turn.partition("/")[0])
        if failed + 1 < len(attempts):
            return attempts[failed], {"source": attempts[failed + 1]["source"]}
    return {}, {}
