"""Golden questions to the threads of a tree as words for the test program, and its answers; floats by their bits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

MISS, HIT, SCORE, DONE, PUBLISH = range(1, 6)


def bits(values: Iterable[float]) -> array[int]:
    """Floats as whole numbers of the same bits."""
    out = array("q")
    out.frombytes(array("d", values).tobytes())
    return out


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    row = array("q", [case["threads"], case["cpus"], case["height"], len(case["recorded"])])
    row.extend(case["recorded"])
    row.extend([len(case["shown"]), *case["shown"], len(case["kind"])])
    words, times, full, may = iter(case["word"]), iter(case["now"]), iter(case["full"]), iter(case["may"])
    seen, us, central = iter(bits(case["seen"])), iter(bits(case["us"])), iter(bits(case["central"]))
    for kind, thread, level, what in zip(
        case["kind"], case["thread"], case["level"], case["what"], strict=True
    ):
        row.extend((kind, thread, level, what))
        if kind == DONE:
            row.append(next(us))
            continue
        row.extend((next(words), next(times)))
        if kind == MISS:
            row.extend((next(full), next(may)))
            row.extend(next(seen) for _ in case["shown"])
        elif kind == PUBLISH:
            row.extend(next(central) for _ in range(4))
    return row


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    actions, new = iter(case["action"]), iter(case["new"])
    scores, published = iter(bits(case["score"])), iter(bits(case["published"]))
    for i, kind in enumerate(case["kind"]):
        want: list[int] = []
        if kind == MISS:
            want = [next(actions), next(new)]
        elif kind == HIT:
            want = [next(new)]
        elif kind == SCORE:
            want = [next(scores)]
        elif kind == PUBLISH:
            want = [next(published) for _ in range(4)]
        have = [next(answers) for _ in want]
        if have != want:
            names = ("on_miss", "on_hit", "score", "", "publish")
            return f"{case['name']}, event {i}: {names[kind - 1]} gives {have}, in the simulator {want}"
    return ""
