"""Compiled twins of the language's own functions, and the guards of attribute stores."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from metamuse.policy.slab import as_array, rec
from metamuse.policykit.compiled import hash64 as _hash64

#: Options of every compiled policy function. Bounds checks stay on: an index out of range is an error in
#: both modes, and no policy can write where it should not.
OPTIONS: dict[str, Any] = {"boundscheck": True, "error_model": "python"}

NOT_AN_INT = "this attribute starts as an int in __init__ but is given a float here"


def _store(kind: str, target: Any, accepted: tuple[Any, ...]) -> Any:
    @intrinsic
    def store(typingctx: Any, value: Any) -> Any:
        if not isinstance(value, accepted):
            if isinstance(value, types.Float) and kind == "int":
                raise TypingError(NOT_AN_INT)
            raise TypingError(f"this attribute is a {kind} but is given {value} here")

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return context.cast(builder, args[0], signature.args[0], target)

        return target(value), codegen

    return store


store_int = _store("int", types.int64, (types.Integer, types.Boolean))
store_float = _store("float", types.float64, (types.Integer, types.Boolean, types.Float))
store_bool = _store("bool", types.boolean, (types.Integer, types.Boolean))


@numba.njit(**OPTIONS)
def hash64(x, seed=0):  # type: ignore[no-untyped-def]  # compiled twin of policykit.hash64
    return _hash64(x, seed)


@numba.njit(**OPTIONS)
def _int_power(a, b):  # type: ignore[no-untyped-def]
    if b < 0:
        raise ValueError("an integer to a negative integer power; make the base a float")
    result = 1
    for _ in range(b):
        result *= a
        if a == 0 or a == 1:
            break
    return result


@numba.njit(**OPTIONS)
def _float_power(a, b):  # type: ignore[no-untyped-def]
    return float(a) ** float(b)


def _power(a, b):  # type: ignore[no-untyped-def]  # Numba compares this signature with the overload's
    raise TypeError("only called from compiled code")


@numba.extending.overload(_power)
def _power_overload(a, b):  # type: ignore[no-untyped-def]
    if isinstance(a, types.Integer | types.Boolean) and isinstance(b, types.Integer | types.Boolean):
        return lambda a, b: _int_power(a, b)
    if isinstance(a, types.Array) or isinstance(b, types.Array):
        return lambda a, b: np.power(a, b)
    return lambda a, b: _float_power(a, b)


power = _power


@numba.njit(**OPTIONS)
def np_sum(x):  # type: ignore[no-untyped-def]
    total = x.dtype.type(0) * 1
    for value in x.flat:
        total += value
    return total


@numba.njit(**OPTIONS)
def np_mean(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for value in x.flat:
        total += value
    return total / x.size


@numba.njit(**OPTIONS)
def np_var(x):  # type: ignore[no-untyped-def]
    mean = np_mean(x)
    total = 0.0
    for value in x.flat:
        total += (value - mean) * (value - mean)
    return total / x.size


@numba.njit(**OPTIONS)
def np_std(x):  # type: ignore[no-untyped-def]
    return np.sqrt(np_var(x))


@numba.njit(**OPTIONS)
def np_cumsum(x):  # type: ignore[no-untyped-def]
    return np.cumsum(x)


#: Names that lowered code may use.
NAMES: dict[str, Any] = {
    "rec": rec,
    "as_array": as_array,
    "store_int": store_int,
    "store_float": store_float,
    "store_bool": store_bool,
    "hash64": hash64,
    "_power": power,
    "np_sum": np_sum,
    "np_mean": np_mean,
    "np_var": np_var,
    "np_std": np_std,
    "np_cumsum": np_cumsum,
}
