"""Programs that index where nothing is, and what numbers do that are no numbers.

What an attack does only late (see ``LATE``) no probe sees interpreted: it meets compiled code.
"""

from __future__ import annotations

from tests.hostile.case import bins, cache, cases
from tests.hostile.programs.loops import LATE

_ROWS = "self.a = np.zeros((4, 4), dtype=np.int64)\nself.b = np.zeros(8, dtype=np.int64)\nself.f = 0.0\nself.g = 9223372036854775805"


def late(attack: str) -> str:
    """An attack in compiled code only."""
    lines = "\n".join("    " + line for line in attack.splitlines())
    return cache(f"if {LATE}:\n{lines}", init=_ROWS)


CASES = [
    *cases(
        "out of bounds",
        "cache",
        [
            ("crash", "a write far away (a segmentation fault in C)", late("self.b[2 ** 40] = 1"), "IndexError"),
            ("crash", "a write just behind", late("self.b[8] = 1"), "IndexError"),
            ("crash", "a write in front", late("self.b[-9] = 1"), "IndexError"),
            ("crash", "the row behind the last, written", late("row = self.a[4]\nrow[0] = 1"), "IndexError"),
            ("crash", "the row behind the last, filled", late("self.a[4] = 1"), "IndexError"),
            ("crash", "a far row, written", late("row = self.a[2 ** 30]\nrow[0] = 1"), "IndexError"),
            ("crash", "two indices", late("self.a[3, 4] = 1"), "IndexError"),
            ("crash", "an array of indices", late("self.b[np.arange(100)] = 1"), "IndexError"),
            ("crash", "an array of indices, read", late("x = self.b[np.arange(100000)]\nself.f = x[-1]"), "IndexError"),
            ("crash", "a mask that is too long", late("self.b[np.ones(100) > 0] = 1"), "IndexError"),
            ("crash", "a local array", late("x = np.zeros(3)\nx[now] = 1.0"), "IndexError"),
            ("crash", "a slice given too much", late("self.b[2:4] = np.zeros(5, dtype=np.int64)"), "ValueError"),
            ("crash", "in place with a shorter array, which reads behind it", late("x = np.zeros(1000)\nx += np.zeros(3)\nself.f = x.sum()"), "ValueError"),
            ("crash", "arrays of different lengths", late("x = np.zeros(3) + np.zeros(4)\nself.f = x[0]"), "ValueError"),
            ("crash", "np.where of different lengths", late("x = np.where(np.zeros(9) < 1, np.zeros(2), np.zeros(9))\nself.f = x[8]"), "ValueError"),
            ("crash", "a tuple's element", late("t = (1, 2, 3)\nself.f = t[now]"), "IndexError"),
            ("crash", "an id of a list", late("self.order.push_front(2 ** 40)"), "IndexError"),
            ("crash", "a list's sentinel", late("self.order.remove(-1)"), "IndexError"),
            ("ok", "a slice beyond the end, which Python cuts", late("self.f = self.b[3:2 ** 40].sum()")),
        ],
    ),
    *cases(
        "out of bounds",
        "binpacking",
        [
            ("crash", "an id of a heap", bins("self.h.push(-1, 0.5)", init="self.h = Heap(9)"), "IndexError"),
            ("crash", "a level of buckets", bins("self.b.put(0, 2 ** 40)", init="self.b = Buckets(capacity)"), "IndexError"),
            ("crash", "an index of a vector", bins("self.v.set(2 ** 62, 1)", init="self.v = Vector()"), "IndexError"),
            ("crash", "an index of a tree", bins("self.t.set(-1, 1)", init="self.t = Tree()"), "IndexError"),
            ("crash", "a full ring", bins("self.r.push(item)", init="self.r = Ring(2)"), "full"),
            ("crash", "an empty stack", bins("x = self.s.pop()", init="self.s = Stack(2)"), "empty"),
            ("crash", "behind the bins", bins("x = remaining[10 ** 9]"), "IndexError"),
        ],
    ),
    *cases(
        "overflow",
        "cache",
        [
            ("crash", "an integer that overflows, interpreted", cache("x = (now + 2 ** 62) * 4"), "64 bits"),
            ("crash", "an index that wrapped around, compiled", late("i = (now + 2 ** 62) * 4\nself.b[i] = 1"), "OverflowError"),
            ("crash", "the lowest integer as an index", late("i = -2 ** 63 + 0 * now\nself.b[i] = 1"), "OverflowError"),
            ("crash", "a number beyond its narrow array", cache("self.c[0] = 200 + now", init="self.c = np.zeros(4, dtype=np.int8)")),
            ("crash", "a shift by 64", cache("x = 1 << (64 + now)"), "shift"),
            ("crash", "a check that a wrapped sum took away", late("i = self.g\nif i >= 0 and i + 3 <= self.b.size:\n    self.b[i] = 77"), "OverflowError"),
            ("crash", "a check that a wrapped product took away", late("i = self.g\nif i >= 0 and i * 2 < self.b.size:\n    self.b[i] = 77"), "OverflowError"),
            ("crash", "an index that was no integer before", late("x = np.zeros(2, dtype=np.int64)\nx[0] = 1e300\nself.b[x[0]] = 1"), "Error"),
            ("crash", "an index out of shifts by 64", late("x = np.ones(2, dtype=np.int64) << np.full(2, 64)\nself.b[x[0]] = 1"), "shift"),
            ("contract", "a step beyond the last integer", late("self.b[3::self.g] = 1"), "the step of a slice"),
            ("illegal", "a slot beyond all", cache("return 2 ** 62"), "not a slot"),
            ("illegal", "the slot -1", cache("return -1"), "not a slot"),
            ("illegal", "the incoming object", cache("return slot"), "incoming"),
            ("ok", "the lowest integer through -1", late("x = -2 ** 63 // (0 * now - 1)\ny = -2 ** 63 % (0 * now - 1)\nself.f = 1.0 * (x + y)")),
        ],
    ),
    *cases(
        "overflow",
        "binpacking",
        [
            ("illegal", "a bin that is not open", bins("return n_open")),
            ("illegal", "a bin without room", bins("if n_open > 0 and remaining[0] < item:\n    return 0")),
        ],
    ),
    *cases(
        "NaN and infinity",
        "cache",
        [
            ("crash", "int(nan)", cache("x = int(math.nan * now)"), "NaN"),
            ("crash", "int(inf), compiled", late("self.b[0] = int(math.inf)"), "OverflowError"),
            ("crash", "a NaN among priorities", cache("self.h.push(slot, math.nan)", init="self.h = Heap(n_slots)"), "not a number"),
            ("crash", "a division by zero", cache("x = 1 / (now - now)"), "ZeroDivisionError"),
            ("crash", "a logarithm of zero", cache("x = math.log(0.0 * now)"), "ValueError"),
            ("contract", "NaN as a victim", cache("return math.nan"), "use int(x)"),
            (
                "ok",
                "scores that are all NaN, which no comparison prefers",
                cache("best = self.order.back()\nlow = math.inf\nfor i in range(3):\n    if math.nan * i < low:\n        best = slot\n        low = 0.0\nif best != self.order.back():\n    return best"),
            ),
            ("ok", "NaN through np.argmin and np.sort", cache("a = np.full(5, math.nan)\na[1] = math.inf\nb = np.sort(a)\nself.n = int(np.argmin(b)) + int(np.argsort(a)[0])", init="self.n = 0")),
            ("ok", "infinite priorities", cache("self.h.push(slot, math.inf)\nself.h.push(slot, -math.inf)", init="self.h = Heap(n_slots)")),
        ],
    ),
]  # fmt: skip
