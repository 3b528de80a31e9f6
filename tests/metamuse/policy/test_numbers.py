"""Arithmetic and mathematical functions give the same bits in both modes, whatever the numbers."""

from __future__ import annotations

import functools
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metamuse.policy.numeric import LIBM_1
from tests.metamuse.policy.twins import Twins, policy

PARAMS = {"a": "int", "b": "int", "x": "float", "y": "float"}
EXPRESSIONS = [
    "a + b", "a - b", "(a % 1000003) * (b % 1000003)", "a / b", "a // b", "a % b", "divmod(a, b)[0]", "a & b", "a | b", "a ^ b", "~a",
    "-b", "abs(a)", "a >> (b & 63)", "(a & 1023) << (b & 31)", "a / 3", "a * 0.1", "int(a < b) + 2 * int(a == b)",
    "x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "divmod(x, y)[1]", "-x", "abs(x)", "x ** y", "x ** 2", "x ** 3",
    "2.0 ** x", "0.5 ** x", "x ** 0.5", "x ** -1", "(a % 19 - 9) ** (b % 11)", "a % 1000 + x", "x // 3", "7 % x", "max(x, y)",
    "min(x, y)", "max(a, x)", "int(x)", "round(x)", "math.floor(x)", "math.ceil(x)", "math.trunc(x)", "math.hypot(x, y)",
    "math.pow(x, y)", "math.fmod(x, y)", "math.atan2(x, y)", "math.copysign(x, y)", "math.degrees(x)", "math.radians(x)",
    "math.fabs(x)", "math.log(x, y)", "np.sign(x)", "np.floor(x)", "np.square(x)", "np.minimum(x, y)", "np.clip(x, y, 9.0)",
    "np.abs(a)", "np.where(x < y, x, 1.0)", "float(a)", "int(a) + (x < y)", "x if a < b else y", "hash64(a, b) % 4096",
    *(f"math.{name}(x)" for name in LIBM_1),
    *(f"np.{name}(x)" for name in ("exp", "log", "tanh", "sqrt", "log1p")),
]  # fmt: skip
NAMES = [f"case_{i}" for i in range(len(EXPRESSIONS))]

INTS = st.integers(-(2**62), 2**62 - 1) | st.integers(-20, 20)
FLOATS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-50, 50)
    | st.floats(0, 1)
    | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e300, 5e-324, math.inf, -math.inf, math.nan])
)


@functools.cache
def twins() -> tuple[Twins, ...]:
    bodies = {name: f"return {expression}" for name, expression in zip(NAMES, EXPRESSIONS, strict=True)}
    halves = NAMES[::2], NAMES[1::2]  # a policy may have 80 functions
    return tuple(
        Twins(policy("self.n = n", {n: bodies[n] for n in h}, list(PARAMS)), h, PARAMS) for h in halves
    )


def bits(value: object) -> object:
    if not isinstance(value, float):
        return "an error"
    # np.minimum may take either zero; nothing in the language but copysign and atan2 tells them apart.
    return "nan" if value != value else struct.pack("<d", value + 0.0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=200, deadline=None)
@given(a=INTS, b=INTS, x=FLOATS, y=FLOATS)
def test_both_modes_give_the_same_bits(a: int, b: int, x: float, y: float) -> None:
    for both in twins():
        states = both.states()
        for name in both.names:
            expression = EXPRESSIONS[NAMES.index(name)]
            slow, fast = both.call(states, name, a, b, x, y)
            assert bits(slow) == bits(fast), (
                f"{expression} with a={a} b={b} x={x!r} y={y!r}: {slow} and {fast}"
            )
