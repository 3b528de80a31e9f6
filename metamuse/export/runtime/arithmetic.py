"""Arithmetic of 64 bits for exported policies; of these functions an export holds those that it calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def int64(x: int) -> int:
    """An integer cut to 64 bits, as machines do."""
    return (x + 9223372036854775808 & 18446744073709551615) - 9223372036854775808


def to_int(x: float) -> int:
    """``int(x)``; NaN, infinities and what is beyond 64 bits are errors."""
    result = int(x)
    if not -9223372036854775808 <= result <= 9223372036854775807:
        raise OverflowError("a number beyond 64 bits cannot be an int")
    return result


def fit(x: int, bits: int) -> int:
    """An element of an array of narrow ints, which must fit."""
    if not -(1 << bits - 1) <= x < 1 << bits - 1:
        raise OverflowError(f"a number beyond {bits} bits is put into an array of int{bits}")
    return x


def left_shift(a: int, b: int) -> int:
    """``a << b`` for counts of 0..63."""
    if not 0 <= b <= 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return int64(a << b)


def right_shift(a: int, b: int) -> int:
    """``a >> b`` for counts of 0..63."""
    if not 0 <= b <= 63:
        raise ValueError("a shift by a negative number or by more than 63 bits")
    return a >> b


def power(a: int, b: int) -> int:
    """``a ** b`` of ints; a negative exponent is an error, and so is one that leaves 64 bits for sure."""
    if b < 0:
        raise ValueError("an integer to a negative integer power; make the base a float")
    if b > 63 and abs(a) > 1:
        raise OverflowError("an integer power went beyond 64 bits; make the base a float")
    return int64(a**b)


def hypot(x: float, y: float) -> float:
    """The length of a vector, by squares and a root."""
    return math.sqrt(float(x) * float(x) + float(y) * float(y))


def total(values: Sequence[Any]) -> Any:
    """The sum from left to right; that of ints is cut to 64 bits."""
    result: Any = 0
    for value in values:
        result += value
    return result if isinstance(result, float) else int64(result)


def mean(values: Sequence[Any]) -> float:
    """The mean, added from left to right."""
    result = 0.0
    for value in values:
        result += value
    return result / len(values)


def variance(values: Sequence[Any]) -> float:
    """The population variance, added from left to right."""
    middle = 0.0
    for value in values:
        middle += value
    middle /= len(values)
    result = 0.0
    for value in values:
        result += (value - middle) * (value - middle)
    return result / len(values)


def deviation(values: Sequence[Any]) -> float:
    """The population standard deviation."""
    return math.sqrt(variance(values))


def place_of(values: Sequence[Any], largest: bool) -> int:
    """The first place of the largest or smallest element; the first NaN, if there is one."""
    if not values:
        raise ValueError("an empty array has no largest element")
    best = 0
    for i, value in enumerate(values):
        if value != value:
            return i
        if value > values[best] if largest else value < values[best]:
            best = i
    return best
