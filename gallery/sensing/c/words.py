"""Golden wake-ups of soil sensor nodes as words for the test program, and its answers; floats by their bits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any


def bits(values: Iterable[float]) -> array[int]:
    """Floats as whole numbers of the same bits."""
    out = array("q")
    out.frombytes(array("d", values).tobytes())
    return out


def by_node(case: dict[str, Any]) -> dict[int, list[int]]:
    """The rows of every node, in order."""
    rows: dict[int, list[int]] = {}
    for i, node in enumerate(case["node"]):
        rows.setdefault(node, []).append(i)
    return rows


def asked(case: dict[str, Any]) -> array[int]:
    """The case as the test program reads it."""
    days, _, *costs = case["rest"]
    rows = by_node(case)
    out = array("q", [len(rows)])
    for node, mine in rows.items():
        out.append(len(mine))
        out += bits([days, case["stores"][node], *costs])
        for i in mine:
            out.append(case["tick"][i])
            out += bits(case["obs"][20 * i : 20 * i + 20])
    n = case["nodes"]
    dawns = len(case["day"]) // n
    out.extend([n, dawns])
    if dawns:
        out += bits([days, case["store_j"], *costs])
    for dawn in range(dawns):
        out.append(case["day"][dawn * n])
        out += bits(case["net"][8 * n * dawn : 8 * n * (dawn + 1)])
    return out


def difference(case: dict[str, Any], answers: Iterator[int]) -> str:
    """The first difference to the golden decisions, "" if there is none."""
    for node, mine in by_node(case).items():
        for i in mine:
            got = tuple(next(answers) for _ in range(4))
            want = (case["sleep"][i], case["co2"][i], case["packets"][i], case["listen"][i])
            if got != want:
                return f"{case['name']}, node {node}, tick {case['tick'][i]}: {got}, in the simulator {want}"
    orders = bits(case["order"])
    for i in range(len(case["day"])):
        got = (next(answers), next(answers))
        if got != (orders[i], case["forwards"][i]):
            return f"{case['name']}, day {case['day'][i]}: a node is told something else"
    return ""
