"""The arithmetic of the policy language where CPython, numpy and Numba would differ: the interpreted half.

Both modes must take identical decisions, so whatever the three define differently is defined once here and
once, for compiled code, in :mod:`metamuse.policy.intrinsics`: sums run from left to right (numpy sums
pairwise), transcendental functions are the C library's, one number at a time (numpy has its own vectorised
ones), a value outside a function's domain is an error, integers are 64-bit and beyond that an error here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

import metamuse.policykit
from metamuse.policy.vocabulary import MATH, NUMPY, POLICYKIT

LOW, HIGH = -(2**63), 2**63 - 1

#: Functions of one float that are taken from the C library, for numbers in math and for arrays in numpy.
LIBM_1 = (
    ["acos", "asin", "atan", "cos", "cosh", "erf", "erfc", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh"]
)  # fmt: skip
NUMPY_LIBM = [name for name in LIBM_1 if name in NUMPY]

IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.iadd, "Sub": operator.isub, "Mult": operator.imul, "Div": operator.itruediv,
    "FloorDiv": operator.ifloordiv, "Mod": operator.imod, "BitAnd": operator.iand, "BitOr": operator.ior,
    "BitXor": operator.ixor,
}  # fmt: skip


def plain(value: Any) -> Any:
    """Turn a numpy scalar into the Python number it holds; leave everything else alone."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def int64(value: Any) -> Any:
    """Check the result of an operation: an integer beyond 64 bits is an error."""
    value = plain(value)
    if type(value) is int and not LOW <= value <= HIGH:
        raise OverflowError("an integer went beyond 64 bits; use hash64 for hashing or keep numbers smaller")
    return value


def divide(a: Any, b: Any) -> Any:
    """``a / b``; integers are first rounded to floats, as machines do (CPython divides them exactly)."""
    if isinstance(a, int) and isinstance(b, int):
        return float(a) / float(b)
    return plain(a / b)


def power(a: Any, b: Any) -> Any:
    """``a ** b``: integers stay integers, so a negative integer exponent is an error (write 2.0 ** -1)."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        left, right = np.broadcast_arrays(a, b)
        values = [power(x, y) for x, y in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)]
        dtype = np.int64 if left.dtype.kind in "ib" and right.dtype.kind in "ib" else np.float64
        return np.array(values, dtype=dtype).reshape(left.shape)
    a, b = plain(a), plain(b)
    if isinstance(a, int) and isinstance(b, int):
        if b < 0:
            raise ValueError("an integer to a negative integer power; make the base a float")
        if b > 63 and abs(a) > 1:
            raise OverflowError("an integer power went beyond 64 bits; make the base a float")
        return int64(int(a) ** int(b))
    result = float(a) ** float(b)
    if isinstance(result, complex):
        raise ValueError("a negative number to a fractional power")
    return result


def _check_counts(b: Any) -> None:
    if not np.all((np.asarray(b) >= 0) & (np.asarray(b) <= 63)):
        raise ValueError("a shift by a negative number or by more than 63 bits")


def left_shift(a: Any, b: Any) -> Any:
    """``a << b`` for counts of 0..63."""
    _check_counts(b)
    return int64(a << b)


def right_shift(a: Any, b: Any) -> Any:
    """``a >> b`` for counts of 0..63."""
    _check_counts(b)
    return plain(a >> b)


def in_place(operation: str, a: Any, b: Any) -> Any:
    """``a += b`` and its like: arrays change in place."""
    return int64(IN_PLACE[operation](a, b))


def each(iterable: Iterable[Any]) -> Iterator[Any]:
    """Iterate over an array's elements as Python numbers (rows of 2-D arrays stay arrays)."""
    return map(plain, iterable)


def to_int(value: Any) -> int:
    """``int(x)``; NaN, infinities and what is beyond 64 bits are errors."""
    result: int = int64(int(value))
    return result


def _rounding(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: int64(function(x))


def _elementwise(name: str) -> Callable[[Any], Any]:
    function: Callable[[float], float] = getattr(math, name)

    def apply(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return np.array([function(v) for v in x.ravel().tolist()], dtype=np.float64).reshape(x.shape)
        return function(x)

    return apply


def total(x: Any) -> Any:
    """Sum of an array or tuple, from left to right."""
    array = np.asarray(x)
    result: Any = 0.0 if array.dtype.kind == "f" else 0
    for value in array.ravel().tolist():
        result += value
    return int64(result)


def mean(x: Any) -> float:
    """Mean of an array; of an empty one a division by zero."""
    array = np.asarray(x)
    result = 0.0
    for value in array.ravel().tolist():
        result += value
    return result / array.size


def var(x: Any) -> float:
    """Population variance of an array."""
    array = np.asarray(x)
    middle = mean(array)
    result = 0.0
    for value in array.ravel().tolist():
        result += (value - middle) * (value - middle)
    return result / array.size


def std(x: Any) -> float:
    """Population standard deviation of an array."""
    return math.sqrt(var(x))


def cumsum(x: Any) -> Any:
    """Running sums of an array, from left to right."""
    array = np.asarray(x)
    out = np.zeros(array.size, dtype=np.float64 if array.dtype.kind == "f" else np.int64)
    result: Any = 0
    for i, value in enumerate(array.ravel().tolist()):
        result += value
        out[i] = int64(result)
    return out


def argsort(x: Any) -> Any:
    """The order of an array's elements; ties keep theirs."""
    return np.argsort(x, kind="stable")


def where(condition: Any, *choices: Any) -> Any:
    """``np.where``; with a number as condition a number."""
    if isinstance(condition, np.ndarray) or len(choices) != 2:
        return np.where(condition, *choices)
    return choices[0] if condition else choices[1]


def clip(x: Any, low: Any, high: Any) -> Any:
    """``np.clip``; of a number a number."""
    if isinstance(x, np.ndarray):
        return np.clip(x, low, high)
    x = low if x < low else x
    return high if x > high else x


def arange(*args: Any, **keywords: Any) -> Any:
    """``np.arange``, where the i-th float is start + i * step."""
    if not any(isinstance(a, float) for a in args):
        return np.arange(*args, **keywords)
    start, stop, step = (
        (0.0, args[0], 1.0) if len(args) == 1 else (args[0], args[1], args[2] if len(args) > 2 else 1.0)
    )
    count = max(0, math.ceil((stop - start) / step))
    return np.array([start + i * step for i in range(count)], dtype=np.float64)


def interpreted_numpy() -> SimpleNamespace:
    """The part of numpy that policies may use, with the language's arithmetic."""
    space = {name: getattr(np, name) for name in NUMPY}
    space.update({name: _elementwise(name) for name in NUMPY_LIBM})
    space.update(
        sum=total, mean=mean, var=var, std=std, cumsum=cumsum, argsort=argsort, where=where, clip=clip,
        arange=arange, power=power,
    )  # fmt: skip
    return SimpleNamespace(**space)


def interpreted_math() -> SimpleNamespace:
    """The part of math that policies may use, with the language's arithmetic."""
    space = {name: getattr(math, name) for name in MATH}
    space.update({name: _rounding(getattr(math, name)) for name in ("ceil", "floor", "trunc")})
    space.update(
        hypot=lambda x, y: math.sqrt(float(x) * float(x) + float(y) * float(y)),
        pow=lambda x, y: power(float(x), float(y)),
    )
    return SimpleNamespace(**space)


def interpreted_policykit() -> SimpleNamespace:
    """The public names of policykit, and none of its modules."""
    return SimpleNamespace(**{name: getattr(metamuse.policykit, name) for name in POLICYKIT})


#: Builtins that the language defines otherwise than CPython.
BUILTINS: dict[str, Any] = {
    "enumerate": lambda x, start=0: enumerate(each(x), start),
    "int": to_int,
    "pow": power,
    "round": lambda x: int64(round(x)),
    "sum": total,
    "zip": lambda *x: zip(*map(each, x), strict=False),
}

#: What instrumented code calls.
TOOLS: dict[str, Any] = {
    "rt__dtype_bool": np.bool_,
    "rt__dtype_float": np.float64,
    "rt__dtype_int": np.int64,
    "rt__divide": divide,
    "rt__each": each,
    "rt__in_place": in_place,
    "rt__int64": int64,
    "rt__left_shift": left_shift,
    "rt__plain": plain,
    "rt__power": power,
    "rt__right_shift": right_shift,
    "rt__argsort": argsort,
    "rt__mean": mean,
    "rt__std": std,
    "rt__sum": total,
    "rt__var": var,
}
