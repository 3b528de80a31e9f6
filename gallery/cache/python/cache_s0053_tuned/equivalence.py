"""Replays golden requests of a cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cache_engine import HIT, KEY_SEED, REFUSED, STORED
from .hashing import hash64


def differences(case: dict[str, Any], engine_of: Callable[..., Any]) -> str:
    """The first difference between an engine and the golden decisions of a case, "" if there is none."""
    evicted: list[int] = []
    sizes = case.get("sizes")
    engine = engine_of(case["capacity"], case["max_objects"], evicted.append, sizes is not None)
    at = 0
    for now, key in enumerate(case["ids"]):
        evicted.clear()
        outcome = engine.request(key, hash64(key, KEY_SEED), 1 if sizes is None else sizes[now])
        got = {HIT: 0, STORED: 1, REFUSED: 2}.get(outcome, 1)
        want: list[int] = []
        while at < len(case["evicted"]) and case["evicted_at"][at] == now:
            want.append(case["evicted"][at])
            at += 1
        if got != case["outcome"][now] or want != evicted:
            words = "a hit", "a miss", "a refused miss"
            return (
                f"{case['name']}, request {now} (object {key}): {words[got]} that evicts {evicted}, in the simulator "
                f"{words[case['outcome'][now]]} that evicts {want}"
            )
    return ""


def made(capacity, max_objects, on_evict, sizes):
    """A cache as in the simulator, whose errors are raised."""
    from .cache_engine import Engine
    from .policy import Policy

    return Engine(Policy, capacity, max_objects, 2.0, on_evict, smallest=1, strict=True)
