"""No index reaches beyond an array: compiled code does with every access what numpy does, or raises as it does.

An access that Numba compiles without a check writes into other memory of the process, in which the simulator's
own arrays lie, and nothing would tell. So each kind of access is tried with indices inside and outside.
"""

from __future__ import annotations

import contextlib
import textwrap
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.cache.simulator import CONTRACT
from metamuse.policy import vocabulary
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

#: Accesses with the ints i and j; the arrays are a (5), b (3, 4), c (2, 3, 4), d (6, int8), e (4, bool), t (a tuple).
ACCESSES = [
    "self.a[i] = j", "self.f = self.a[i]", "self.a[i] += 1", "self.f = self.a[i:j].sum()", "self.a[i:j] = 9",
    "self.b[i, j] = 7", "self.f = self.b[i, j]", "self.f = self.b[i][j]", "self.b[i][j] = 7", "self.b[i] = 7",
    "row = self.b[i]\nrow[j] = 7", "row = self.b[i]\nself.f = row[j]", "self.b[i] = np.arange(4)",
    "self.b[i, 1:j] = 5", "self.b[:, j] = 5", "self.f = self.b[1:, j].sum()", "self.b[i, j] += 2",
    "self.c[i, j, 1] = 3", "self.c[1, i, j] = 3", "self.c[i, j] = 3", "self.c[i] = 3", "self.c[i, :, j] = 3",
    "row = self.c[i]\nrow[j, 0] = 3", "row = self.c[i, j]\nrow[2] = 3", "row = self.c[1]\nrow[i][j] = 3",
    "self.d[i] = 1", "self.f = 1.0 * self.d[i]", "self.e[i] = True", "self.f = 1.0 * self.e[i]",
    "self.a[np.arange(i, j)] = 2", "self.f = self.a[np.arange(i, j)].sum()",
    "row = np.zeros(5, dtype=np.int64)\nrow[i] = 1\nself.f = row[j]",
    "row = self.a[1:4]\nrow[i] = 1", "row = self.a[::2]\nrow[i] = 1", "row = self.a[::-1]\nrow[i] = 1",
    "t = (1, 2, 3)\nself.f = t[i]",
    "self.f = self.a[int(np.searchsorted(self.a, i))]",
    "x = np.zeros(5)\nx += np.ones(max(0, i))\nself.f = x.sum()",
    "x = np.zeros((3, 4))\nx += np.ones((max(0, i), 4))\nself.f = x.sum()",
    "x = np.zeros((3, 4))\nx *= np.ones(max(0, j))\nself.f = x.sum()",
    "self.a[2:4] = np.arange(max(0, i))", "self.a = np.arange(max(0, i))",
    "self.f = (np.ones(5) + np.ones(max(0, i))).sum()",
    "self.f = np.where(np.ones(5) > 0, np.ones(max(0, i)), np.ones(5)).sum()",
    "self.f = np.minimum(np.ones(5), np.ones(max(0, i))).sum()",
]  # fmt: skip

#: The two that no index can be given: masks (whose length the two modes check alike).
MASKS = ["self.a[np.arange(max(0, i)) > 2] = 1", "self.f = self.a[np.arange(max(0, i)) > 2].sum()"]

INIT = """\
self.a = np.arange(5)
self.b = np.zeros((3, 4), dtype=np.int64)
self.c = np.zeros((2, 3, 4), dtype=np.int64)
self.d = np.zeros(6, dtype=np.int8)
self.e = np.zeros(4, dtype=np.bool_)
self.f = 0.0
"""
_PARTS = 3


def _policy(accesses: list[str]) -> str:
    branches = "".join(
        f"if key == {k}:\n{textwrap.indent(access, '    ')}\n" for k, access in enumerate(accesses)
    )
    return (
        "import numpy as np\n\n\nclass Policy:\n    def __init__(self, capacity, n_slots):\n"
        + textwrap.indent(INIT, " " * 8)
        + "\n    def victim(self, slot, key, size, now):\n        i = slot\n        j = size\n"
        + textwrap.indent(branches, " " * 8)
        + "        return 0\n"
    )


def _once(victim: Any, view: Any, show: Any, **others: Any) -> Any:
    def drive(state: Any, key: int, i: int, j: int) -> int:
        return int(victim(view(state), i, key, j, 0))

    return drive


def _contents(state: Any) -> list[Any]:
    if hasattr(state, "_asdict"):
        arrays = [state.a_a, state.a_b, state.a_c, state.a_d, state.a_e]
        return [*(a.tolist() for a in arrays), float(state.r["f"][0])]
    return [*(getattr(state, n).tolist() for n in "abcde"), float(state.f)]


@pytest.fixture(scope="module", params=range(_PARTS))
def both(request: pytest.FixtureRequest) -> tuple[list[str], Any]:
    """Some of the accesses, and a function that makes one of them in a fresh state, compiled and interpreted."""
    accesses = [*ACCESSES, *MASKS][request.param :: _PARTS]
    program = load(_policy(accesses), CONTRACT)
    policies = (CompiledPolicy(program, (10, 31)), InterpretedPolicy(program))
    loops = [policy.bind(_once, {}) for policy in policies]

    def make(key: int, i: int, j: int) -> list[Any]:
        results: list[Any] = []
        for policy, loop in zip(policies, loops, strict=True):
            state = policy.state(10, 31)
            try:
                loop(state, key, i, j)
            except (IndexError, ValueError):
                results.append("refused")
            else:
                results.append(_contents(state))
        return results

    return accesses, make


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_every_access_is_checked(both: tuple[list[str], Any], data: Any) -> None:
    accesses, make = both
    key = data.draw(st.integers(0, len(accesses) - 1))
    i, j = data.draw(st.integers(-9, 9)), data.draw(st.integers(-9, 9))
    compiled, interpreted = make(key, i, j)
    if accesses[key] in MASKS:
        # Numba is content with a mask that is too short; what it selects is inside.
        assert interpreted == "refused" or compiled == interpreted
        assert compiled == "refused" or i <= 5
    else:
        assert compiled == interpreted, f"{accesses[key]} with i={i}, j={j}"


def test_the_arrays_of_structures_have_no_name_that_a_policy_may_write() -> None:
    """Their methods are compiled without checks: they rely on what is in these arrays."""
    import inspect

    import metamuse.policykit as kit

    for name in kit.__all__:
        cls = getattr(kit, name)
        if not inspect.isclass(cls):
            continue
        required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
        arrays = {n for n, value in vars(cls(*[4] * len(required))).items() if isinstance(value, np.ndarray)}
        assert not arrays & (vocabulary.KIT_MEMBERS | vocabulary.ARRAY_MEMBERS), name


#: Arithmetic whose result a processor or LLVM leaves open at the ends of 64 bits, as the index of a write.
OPEN = {
    "a sum that wraps around": "if i >= 0 and i + 3 <= self.a.size:\n    self.a[i] = 1",
    "a difference that wraps around": "if i < 0 and i - 3 >= -self.a.size:\n    self.a[i] = 1",
    "a product that wraps around": "if i >= 0 and i * 2 < self.a.size:\n    self.a[i] = 1",
    "a loop's variable that wraps around": "k = i\nfor n in range(4):\n    if k >= 0 and k + n < self.a.size:\n        self.a[k + n] = 1",
    "a float beyond all integers": "x = np.zeros(2, dtype=np.int64)\nx[0] = 1e300 * j\nself.a[x[0]] = 1",
    "NaN": "x = np.zeros(2, dtype=np.int64)\nx[0] = np.nan\nx[0] = x[0] + i\nself.a[x[0]] = 1",
    "a shift by 64": "x = np.ones(2, dtype=np.int64) << (64 + 0 * j)\nself.a[x[0]] = 1",
    "shifts by 64": "x = np.ones(2, dtype=np.int64) >> np.full(2, 64)\nself.a[x[0]] = 1",
    "the lowest integer over -1": "x = np.full(2, -2 ** 63) // np.full(2, -1)\nself.a[x[0] + i] = 1",
    "the lowest integer modulo -1": "x = np.full(2, -2 ** 63) % np.full(2, -1)\nself.a[x[0] + i] = 1",
    "division of an array by zero": "x = np.ones(2, dtype=np.int64) // np.zeros(2, dtype=np.int64)\nself.a[x[0] + i] = 1",
}
ENDS = [2**63 - 1, 2**63 - 3, 2**63 - 8, 2**62 + 1, -(2**63), -(2**63) + 2, -(2**62) - 1, 2**61, 7, -7]


@pytest.fixture(scope="module")
def ends() -> Any:
    """Makes one of the accesses, compiled: the memory around the array that is written to, afterwards."""
    compiled = CompiledPolicy(load(_policy(list(OPEN.values())), CONTRACT), (10, 31))
    loop = compiled.bind(_once, {})

    def make(name: str, i: int) -> np.ndarray:
        around = np.full(64, 12345)
        state = compiled.state(10, 31)._replace(a_a=around[30:35])
        with contextlib.suppress(IndexError, ValueError, ZeroDivisionError):
            loop(state, list(OPEN).index(name), i, 1)
        around[30:35] = 12345
        return around

    return make


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", OPEN)
def test_arithmetic_at_the_ends_takes_no_check_away(ends: Any, name: str, end: int) -> None:
    assert (ends(name, end) == 12345).all()


def test_the_compiler_is_promised_nothing() -> None:
    policy = CompiledPolicy(load(_policy(["self.a[i] = (i + j) * (i - j)"]), CONTRACT), (10, 31))
    (text,) = policy.functions["victim"].inspect_llvm().values()
    body = text[text.index("define") :].partition("\n}")[0]
    assert " mul i64 " in body
    assert " nsw " not in body
