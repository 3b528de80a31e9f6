"""Programs that never end."""

from __future__ import annotations

from tests.hostile.case import bins, cache, cases

KIND = "endless loops"

#: Numbers of requests that no probe reaches: what happens then happens in compiled code only.
LATE = "now > 2000"

CASES = [
    *cases(
        KIND,
        "cache",
        [
            ("timeout", "victim() never returns", cache("while now >= 0:\n    pass")),
            ("timeout", "__init__ never ends", cache(init="x = 0\nwhile x >= 0:\n    x = (x + 1) % 1000")),
            ("timeout", "a loop in compiled code only", cache(f"while {LATE}:\n    self.n += 1", init="self.n = 0")),
            ("timeout", "an end that is never reached: x != nan", cache("x = 0.0\nwhile x != math.nan:\n    x += 1.0")),
            ("timeout", "a step that rounding swallows", cache("x = 1e16\nwhile x < 2e16:\n    x += 1.0")),
            ("timeout", "range(10 ** 18)", cache("for i in range(10 ** 18):\n    self.n += i % 3", init="self.n = 0")),
            (
                "timeout",
                "a circle in pointers of its own",
                cache("x = slot\nwhile x >= 0:\n    x = self.after[x]", init="self.after = np.zeros(n_slots, dtype=np.int64)"),
            ),
            (
                "timeout",
                "exponential recursion without recursion: 26 methods, each calling the next twice",
                cache(
                    "self.n = self.f0(now)",
                    init="self.n = 0",
                    methods="\n".join(
                        f"def f{i}(self, x):\n    return self.f{i + 1}(x) + self.f{i + 1}(x + 1)" for i in range(26)
                    )
                    + "\ndef f26(self, x):\n    self.n += 1\n    return x + self.n % 7",
                ),
            ),
            (
                "contract",
                "exponential recursion",
                cache("x = self.fib(90)", methods="def fib(self, n):\n    return n if n < 2 else self.fib(n - 1) + self.fib(n - 2)"),
                "write a loop",
            ),
            (
                "contract",
                "mutual recursion of functions",
                cache("x = a(1)", top="def a(x):\n    return b(x)\n\ndef b(x):\n    return a(x)\n"),
                "write a loop",
            ),
        ],
    ),
    *cases(
        KIND,
        "binpacking",
        [
            ("timeout", "choose() never returns", bins("i = 0\nwhile i < 10:\n    i = i * 2")),
            (
                "timeout",
                "three nested loops of 100,000",
                bins("for i in range(100000):\n    for j in range(100000):\n        for k in range(100000):\n            self.n += i ^ j ^ k", init="self.n = 0"),
            ),
        ],
    ),
]  # fmt: skip
