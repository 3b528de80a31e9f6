"""Compiled twins of the language's own functions: the names that lowered code calls.

The interpreted half is :mod:`metamuse.policy.numeric`; what the two must agree on is said there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import TypingError

from metamuse.policy.guards import (
    NUMBER,
    WHOLE,
    ceil,
    fitting,
    floor,
    onto,
    store_array,
    store_bool,
    store_float,
    store_int,
    to_float,
    to_int,
    to_nearest,
    whole,
)
from metamuse.policy.libm import MATH_1, atan2, fmod, pow_
from metamuse.policy.numeric import NUMPY_LIBM
from metamuse.policy.slab import CHECKED, as_array, rec
from metamuse.policykit.compiled import hash64 as _hash64

#: Options of every compiled policy function. Bounds checks stay on: an index out of range is an error in
#: both modes, and no policy can write where it should not.
OPTIONS: dict[str, Any] = CHECKED | {"error_model": "python"}

_log = MATH_1["log"]


@numba.njit(**OPTIONS)
def hash64(x, seed=0):  # type: ignore[no-untyped-def]
    """Compiled twin of :func:`metamuse.policykit.hash64`."""
    return _hash64(x, seed)


@numba.njit(**OPTIONS)
def hypot(x, y):  # type: ignore[no-untyped-def]
    """``math.hypot``, by the same steps as interpreted."""
    return math.sqrt(float(x) * float(x) + float(y) * float(y))


@numba.njit(**OPTIONS)
def log_base(x, base):  # type: ignore[no-untyped-def]
    """``math.log(x, base)``."""
    return _log(x) / _log(base)


# -- operators


@numba.njit(**OPTIONS)
def _int_power(a, b):  # type: ignore[no-untyped-def]
    if b < 0:
        raise ValueError("an integer to a negative integer power; make the base a float")
    base = np.int64(a)
    if b > 63:
        if base > 1 or base < -1:
            raise OverflowError("an integer power went beyond 64 bits; make the base a float")
        b = 62 + b % 2
    result = np.int64(1)
    for _ in range(b):
        result *= base
    return result


@numba.njit(**OPTIONS)
def _float_power(a, b):  # type: ignore[no-untyped-def]
    x = np.float64(a)
    y = np.float64(b)
    if x == 0.0 and -math.inf < y < 0.0:
        raise ZeroDivisionError("0.0 cannot be raised to a negative power")
    return pow_(x, y)


def power(a: Any, b: Any) -> Any:
    """``a ** b`` (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(power, jit_options=CHECKED)
def _power_overload(a, b):  # type: ignore[no-untyped-def]
    if isinstance(a, types.Array) or isinstance(b, types.Array):
        if isinstance(a, types.Array) and isinstance(b, types.Array):
            return _power_of_arrays
        return _power_of_array if isinstance(a, types.Array) else _power_to_array
    if not isinstance(a, NUMBER) or not isinstance(b, NUMBER):
        raise TypingError(f"** takes numbers or arrays, it is given {a} and {b}")
    if isinstance(a, WHOLE) and isinstance(b, WHOLE):
        return lambda a, b: _int_power(a, b)
    return lambda a, b: _float_power(a, b)


def _power_of_arrays(a, b):  # type: ignore[no-untyped-def]
    out = a * b  # an array of the right kind and shape
    if a.shape != b.shape:
        raise ValueError("** of arrays of different shapes")
    flat = out.ravel()
    for i, (x, y) in enumerate(zip(a.flat, b.flat)):  # noqa: B905  # Numba knows no strict=
        flat[i] = power(x, y)
    return flat.reshape(out.shape)


def _power_of_array(a, b):  # type: ignore[no-untyped-def]
    out = a * b
    flat = out.ravel()
    for i, x in enumerate(a.flat):
        flat[i] = power(x, b)
    return flat.reshape(out.shape)


def _power_to_array(a, b):  # type: ignore[no-untyped-def]
    out = a * b
    flat = out.ravel()
    for i, y in enumerate(b.flat):
        flat[i] = power(a, y)
    return flat.reshape(out.shape)


def _shift(name: str) -> Any:
    def shift(a, b):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    @numba.extending.overload(shift, jit_options=CHECKED)
    def _overload(a, b):  # type: ignore[no-untyped-def]
        if isinstance(b, types.Array):
            return _left_by_array if name == "left" else _right_by_array
        if isinstance(a, types.Array):
            return _left_array if name == "left" else _right_array
        if not isinstance(a, WHOLE) or not isinstance(b, WHOLE):
            raise TypingError(f"<< and >> take ints, they are given {a} and {b}")
        return _left if name == "left" else _right

    return shift


def _left(a, b):  # type: ignore[no-untyped-def]
    if b < 0 or b > 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return np.int64(a) << np.int64(b)


def _right(a, b):  # type: ignore[no-untyped-def]
    if b < 0 or b > 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return np.int64(a) >> np.int64(b)


def _left_array(a, b):  # type: ignore[no-untyped-def]
    if b < 0 or b > 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return a << b


def _right_array(a, b):  # type: ignore[no-untyped-def]
    if b < 0 or b > 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return a >> b


def _left_by_array(a, b):  # type: ignore[no-untyped-def]
    for count in b.flat:
        if count < 0 or count > 63:
            raise ValueError("a shift by a negative number or by more than 63 bits")
    return a << b


def _right_by_array(a, b):  # type: ignore[no-untyped-def]
    for count in b.flat:
        if count < 0 or count > 63:
            raise ValueError("a shift by a negative number or by more than 63 bits")
    return a >> b


left_shift = _shift("left")
right_shift = _shift("right")


def invert(x):  # type: ignore[no-untyped-def]
    """``~x``, where ~True is -2 as in Python (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(invert, jit_options=CHECKED)
def _invert_overload(x):  # type: ignore[no-untyped-def]
    if isinstance(x, types.Boolean):
        return lambda x: ~np.int64(x)
    return lambda x: ~x


def max_of(x):  # type: ignore[no-untyped-def]
    """``max(x)`` of an array or tuple (compiled code only)."""
    raise NotImplementedError


def min_of(x):  # type: ignore[no-untyped-def]
    """``min(x)`` of an array or tuple (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(max_of, jit_options=CHECKED)
def _max_overload(x):  # type: ignore[no-untyped-def]
    if isinstance(x, NUMBER):
        raise TypingError(f"min() and max() of one thing need an array or a tuple but given is {x}")
    return lambda x: max(x)


@numba.extending.overload(min_of, jit_options=CHECKED)
def _min_overload(x):  # type: ignore[no-untyped-def]
    if isinstance(x, NUMBER):
        raise TypingError(f"min() and max() of one thing need an array or a tuple but given is {x}")
    return lambda x: min(x)


# -- numpy


def _elementwise(name: str) -> Any:
    scalar = MATH_1[name]

    def function(x):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    def over_array(x):  # type: ignore[no-untyped-def]
        out = np.zeros(x.size, dtype=np.float64)
        for i, value in enumerate(x.flat):
            out[i] = scalar(value)
        return out.reshape(x.shape)

    @numba.extending.overload(function, jit_options=CHECKED)
    def _overload(x):  # type: ignore[no-untyped-def]
        if isinstance(x, types.Array):
            return over_array
        return lambda x: scalar(x)

    return function


@numba.njit(**OPTIONS)
def np_sum(x):  # type: ignore[no-untyped-def]
    """Sum of an array, from left to right."""
    total = x.dtype.type(0) * 1
    for value in x.flat:
        total += value
    return total


@numba.njit(**OPTIONS)
def np_mean(x):  # type: ignore[no-untyped-def]
    """Mean of an array; of an empty one a division by zero."""
    total = 0.0
    for value in x.flat:
        total += value
    return total / x.size


@numba.njit(**OPTIONS)
def np_var(x):  # type: ignore[no-untyped-def]
    """Population variance of an array."""
    mean = np_mean(x)
    total = 0.0
    for value in x.flat:
        total += (value - mean) * (value - mean)
    return total / x.size


@numba.njit(**OPTIONS)
def np_std(x):  # type: ignore[no-untyped-def]
    """Population standard deviation of an array."""
    return np.sqrt(np_var(x))


@numba.njit(**OPTIONS)
def np_cumsum(x):  # type: ignore[no-untyped-def]
    """Running sums of an array, from left to right."""
    return np.cumsum(x)


@numba.njit(**OPTIONS)
def np_argsort(x):  # type: ignore[no-untyped-def]
    """The order of an array's elements; ties keep theirs."""
    return np.argsort(x, kind="mergesort")  # stable


def np_clip(x, low, high):  # type: ignore[no-untyped-def]
    """``np.clip``; of a number a number (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(np_clip, jit_options=CHECKED)
def _clip_overload(x, low, high):  # type: ignore[no-untyped-def]
    if isinstance(x, types.Array):
        return lambda x, low, high: np.clip(x, low, high)

    def clip(x, low, high):  # type: ignore[no-untyped-def]
        raised = low if x < low else x
        return high if raised > high else raised

    return clip


def np_where(condition, a, b):  # type: ignore[no-untyped-def]
    """``np.where``; with a number as condition a number (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(np_where, jit_options=CHECKED)
def _where_overload(condition, a, b):  # type: ignore[no-untyped-def]
    if isinstance(condition, types.Array):
        return lambda condition, a, b: np.where(condition, a, b)
    return lambda condition, a, b: a if condition else b


#: Names that lowered code may use. A policy cannot write a double underscore, so it cannot redefine them.
NAMES: dict[str, Any] = {
    "rt__as_array": as_array,
    "rt__dtype_bool": np.bool_,
    "rt__dtype_float": np.float64,
    "rt__dtype_int": np.int64,
    "rt__float": to_float,
    "rt__hash64": hash64,
    "rt__int": to_int,
    "rt__invert": invert,
    "rt__left_shift": left_shift,
    "rt__power": power,
    "rt__rec": rec,
    "rt__onto": onto,
    "rt__right_shift": right_shift,
    "rt__round": to_nearest,
    "rt__max_of": max_of,
    "rt__min_of": min_of,
    "rt__whole": whole,
    "rt__store_array": store_array,
    "rt__store_bool": store_bool,
    "rt__store_float": store_float,
    "rt__store_int": store_int,
    "rt__math_atan2": atan2,
    "rt__math_ceil": ceil,
    "rt__math_floor": floor,
    "rt__math_fmod": fmod,
    "rt__math_hypot": hypot,
    "rt__math_log_base": log_base,
    "rt__math_pow": power,
    "rt__math_trunc": to_int,
    "rt__np_argsort": np_argsort,
    "rt__np_clip": np_clip,
    "rt__np_cumsum": np_cumsum,
    "rt__np_mean": np_mean,
    "rt__np_power": power,
    "rt__np_std": np_std,
    "rt__np_sum": np_sum,
    "rt__np_var": np_var,
    "rt__np_where": np_where,
}
NAMES |= {f"rt__fit_int{bits}": fitting(bits) for bits in (8, 16, 32, 64)}
NAMES |= {f"rt__math_{name}": function for name, function in MATH_1.items()}
NAMES |= {f"rt__np_{name}": _elementwise(name) for name in NUMPY_LIBM}

#: Builtins that lowered code calls under other names.
BUILTINS: dict[str, Callable[..., Any]] = {
    "float": to_float,
    "int": to_int,
    "pow": power,
    "round": to_nearest,
}
