"""Programs that want more memory or write more output than there is."""

from __future__ import annotations

from tests.hostile.case import bins, cache, cases
from tests.hostile.programs.loops import LATE

CASES = [
    *cases(
        "memory bombs",
        "cache",
        [
            ("memory", "an array of 64 GiB in __init__", cache(init="self.a = np.zeros(2 ** 33)")),
            ("memory", "a square array that is filled", cache(init="self.a = np.ones((30000, 30000))")),
            ("memory", "a tuple that doubles", cache(init="t = (1, 2)\nfor i in range(60):\n    t = t + t\nself.n = len(t)")),
            ("memory", "a constant of 10 billion elements", cache(top="BOMB = (1, 2) * 10 ** 10\n")),
            ("memory", "a heap for a billion ids", cache(init="self.h = Heap(10 ** 9)")),
            ("memory", "a sketch of 2 ** 40 counters", cache(init="self.s = Sketch(2 ** 40)")),
            ("memory", "an array in victim()", cache("self.x = int(np.zeros(10 ** 10).sum())", init="self.x = 0")),
            (
                "memory",
                "an array in compiled code only",
                cache(f"if {LATE}:\n    a = np.ones(10 ** 9 + now)\n    self.x = a[-1]", init="self.x = 0.0"),
            ),
            (
                "memory",
                "an array that doubles",
                cache("a = np.ones(1000)\nwhile now >= 0:\n    a = np.ones(2 * a.size)"),
            ),
            ("memory", "np.arange of floats", cache(init="self.n = np.arange(0.0, 1e9, 1.0).size")),
            ("crash", "an array beyond the address space", cache(init="self.a = np.zeros(2 ** 62)"), "too big"),
            ("crash", "a shape whose product wraps around", cache(init="self.a = np.zeros((2 ** 33, 2 ** 33))"), "too big"),
        ],
    ),
    *cases(
        "memory bombs",
        "binpacking",
        [("memory", "a vector for 10 billion bins", bins(init="self.v = Vector(0, 10 ** 10)"))],
    ),
    *cases(
        "output bombs",
        "cache",
        [
            ("ok", "a docstring of 50,000 characters", cache(top='"""' + "idea " * 10_000 + '"""\n')),
            ("ok", "a name of 20,000 characters", cache(f"self.{'x' * 20_000} = now", init=f"self.{'x' * 20_000} = 0")),
            ("contract", "an undefined name of 50,000 characters", cache("return " + "x" * 50_000), "is not defined"),
            ("contract", "print in a loop", cache("while True:\n    print(slot)"), "print"),
            ("parse", "a text of 100,000 characters", cache(top="# " + "x" * 100_000 + "\n"), "at most 64000"),
        ],
    ),
]  # fmt: skip
