"""Replays golden questions to the threads of a tree on disaggregated memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MISS, HIT, SCORE, DONE, PUBLISH = range(1, 6)


def differences(case: dict[str, Any], thread_of: Callable[..., Any]) -> str:
    """The first difference between threads and the golden answers of a case, "" if there is none."""
    threads = [thread_of(n, case["threads"], case["cpus"], case["height"]) for n in case["recorded"]]
    shown, words, times = case["shown"], iter(case["word"]), iter(case["now"])
    full, may, seen = iter(case["full"]), iter(case["may"]), iter(case["seen"])
    actions, new, scores, us = iter(case["action"]), iter(case["new"]), iter(case["score"]), iter(case["us"])
    central, published = iter(case["central"]), iter(case["published"])
    features = [0.0] * 16
    for i, kind in enumerate(case["kind"]):
        thread, level, what = threads[case["thread"][i]], case["level"][i], case["what"][i]
        if kind == DONE:
            thread.on_done(level, what, next(us))
            continue
        word, now = next(words), next(times)
        got: Any
        want: Any
        if kind == MISS:
            for place in shown:
                features[place] = next(seen)
            got = thread.on_miss(level, what, word, now, bool(next(full)), bool(next(may)), features)
            want = next(actions), next(new)
        elif kind == HIT:
            got, want = thread.on_hit(level, what, word, now), next(new)
        elif kind == SCORE:
            got, want = thread.score(level, bool(what), word, now), next(scores)
        else:
            got, want = [next(central) for _ in range(4)], [next(published) for _ in range(4)]
            thread.publish(got, now)
        if got != want:
            asked = ("on_miss", "on_hit", "score", "", "publish")[kind - 1]
            return f"{case['name']}, event {i}: {asked} gives {got!r}, in the simulator {want!r}"
    return ""


def made(thread, threads, cpus, height):
    """A thread whose errors are raised."""
    from .dex_engine import Thread
    from .policy import Policy

    return Thread(Policy, thread, threads, cpus, height, strict=True)
