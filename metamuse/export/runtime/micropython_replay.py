"""Runs under MicroPython: whether the policy's module decides there as in the simulator. ``test_micropython.py`` starts it."""

from __future__ import annotations

import struct
import sys
from typing import Any

from policy import Policy  # type: ignore[import-not-found]  # of the export

from metamuse.export.runtime.soil_node import Gateway, SoilNode


def rows(path: str) -> Any:
    """Floats of a file, so many at a time as are asked for."""
    with open(path, "rb") as file:
        count = yield
        while count is not None:
            count = yield struct.unpack("<" + str(count) + "d", file.read(8 * count))


def made(*board: float) -> Any:
    """A node that raises what its policy raises."""
    node: Any = SoilNode
    return node(Policy, *board, strict=True)


def replay(path: str) -> int | None:
    """How many wake-ups and days were equal; None at the first that is not."""
    source = rows(path)
    next(source)
    done = 0
    for _ in range(int(source.send(1)[0])):
        for _ in range(int(source.send(1)[0])):
            count = int(source.send(1)[0])
            node = made(*source.send(8))
            for _ in range(count):
                row = source.send(25)
                action = node.decide(int(row[0]), row[1:21])
                if tuple(int(x) for x in action) != tuple(int(x) for x in row[21:]):
                    print("tick", int(row[0]), "decides", tuple(action), "and not", row[21:])
                    return None
                done += 1
        nodes, days = (int(x) for x in source.send(2))
        if days:
            gateway = Gateway(Policy, nodes, source.send(8), strict=True)
            for _ in range(days):
                day = int(source.send(1)[0])
                told = gateway.decide(day, source.send(8 * nodes))
                want = source.send(2 * nodes)
                if [x for one in told for x in one] != [
                    x if i % 2 == 0 else bool(x) for i, x in enumerate(want)
                ]:
                    print("day", day, "is another one")
                    return None
                done += nodes
    return done


if __name__ == "__main__":
    equal = replay(sys.argv[1] if len(sys.argv) > 1 else "golden.rows")
    print("equal", equal)
