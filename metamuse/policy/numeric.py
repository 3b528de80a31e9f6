"""The arithmetic of the policy language where CPython, numpy and Numba would differ.

Both modes must take identical decisions, so whatever the three define differently is defined here once:
sums run from left to right (numpy sums pairwise), transcendental functions are libm's (numpy has its own),
integers are 64-bit, and beyond 64 bits the interpreted mode reports an error.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from metamuse.policy.language import NUMPY

LOW, HIGH = -(2**63), 2**63 - 1


def plain(value: Any) -> Any:
    """Turn a numpy scalar into the Python number it holds; leave everything else alone."""
    if isinstance(value, np.generic):
        return value.item()
    return value


def int64(value: Any) -> Any:
    """Check the result of an operation: an integer beyond 64 bits is an error."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is int and not LOW <= value <= HIGH:
        raise OverflowError("an integer went beyond 64 bits; use hash64 for hashing or keep numbers smaller")
    return value


def power(a: Any, b: Any) -> Any:
    """``a ** b``: integers stay integers, so a negative integer exponent is an error (write 2.0 ** -1)."""
    if isinstance(a, int) and isinstance(b, int) and b < 0:
        raise ValueError("an integer to a negative integer power; make the base a float")
    return int64(a**b)


def _elementwise(name: str) -> Any:
    function = getattr(math, name)

    def apply(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return np.array([function(v) for v in x.ravel().tolist()], dtype=np.float64).reshape(x.shape)
        return function(x)

    return apply


def _sum(x: Any) -> Any:
    total: Any = 0.0 if np.asarray(x).dtype.kind == "f" else 0
    for value in np.asarray(x).ravel().tolist():
        total += value
    return int64(total)


def _mean(x: Any) -> float:
    array = np.asarray(x)
    total = 0.0
    for value in array.ravel().tolist():
        total += value
    return total / array.size


def _var(x: Any) -> float:
    array = np.asarray(x)
    mean = _mean(array)
    total = 0.0
    for value in array.ravel().tolist():
        total += (value - mean) * (value - mean)
    return total / array.size


def _cumsum(x: Any) -> Any:
    array = np.asarray(x)
    out = np.zeros(array.size, dtype=np.float64 if array.dtype.kind == "f" else np.int64)
    total: Any = 0
    for i, value in enumerate(array.ravel().tolist()):
        total += value
        out[i] = total
    return out


def interpreted_numpy() -> SimpleNamespace:
    """The part of numpy that policies may use, with the language's arithmetic."""
    space = {name: getattr(np, name) for name in NUMPY}
    for name in ("exp", "expm1", "log", "log10", "log1p", "log2", "sin", "cos", "tanh"):
        space[name] = _elementwise(name)
    space["sqrt"] = lambda x: np.sqrt(x) if isinstance(x, np.ndarray) else math.sqrt(x)
    space.update(sum=_sum, mean=_mean, var=_var, std=lambda x: math.sqrt(_var(x)), cumsum=_cumsum)
    return SimpleNamespace(**space)
