"""Decimal numbers as text, read exactly: no number passes through a float.

A number is an integer mantissa and a shift, ``mantissa * 10**-shift``; `rescale` brings many of them to whole
numbers by one common power of ten.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX = 2**63 - 1
_CUT = MAX // 10  # times ten, it still fits

# What `parse` found.
OK, END, NOT_A_NUMBER, TOO_LONG = range(4)

_MINUS, _PLUS, _POINT, _ZERO, _SPACE = (ord(c) for c in "-+.0 ")


@njit(cache=True)
def parse(text, start, mantissas, shifts):  # type: ignore[no-untyped-def]
    """Reads numbers that are separated by white space until the arrays are full.

    Args:
        text: uint8[m].
        start: Where to begin.
        mantissas: int64[n], filled.
        shifts: int64[n], filled; without trailing zeros, so equal numbers have equal pairs.

    Returns:
        (numbers read, position, code): the position is behind the last number, or where the bad word begins;
        END says that the text ended first, TOO_LONG that a number has more digits than 64 bits hold.
    """
    at = start
    length = text.shape[0]
    for i in range(mantissas.shape[0]):
        while at < length and text[at] <= _SPACE:
            at += 1
        if at == length:
            return i, at, END
        word = at
        negative = text[at] == _MINUS
        if text[at] == _MINUS or text[at] == _PLUS:
            at += 1
        mantissa = 0
        zeros = 0  # digits 0 whose fate depends on what follows
        shift = 0
        digits = 0
        behind_point = False
        while at < length and text[at] > _SPACE:
            byte = text[at]
            if byte == _POINT and not behind_point:
                behind_point = True
            elif _ZERO <= byte <= _ZERO + 9:
                digits += 1
                shift += behind_point
                if byte == _ZERO:
                    zeros += mantissa > 0
                else:
                    for _ in range(zeros + 1):
                        if mantissa > _CUT:
                            return i, word, TOO_LONG
                        mantissa *= 10
                    if mantissa > MAX - (byte - _ZERO):
                        return i, word, TOO_LONG
                    mantissa += byte - _ZERO
                    zeros = 0
            else:
                break
            at += 1
        if digits == 0:
            return i, word, NOT_A_NUMBER
        shift -= zeros
        if at < length and (text[at] == 101 or text[at] == 69):  # e, E
            at += 1
            down = at < length and text[at] == _MINUS
            if at < length and (text[at] == _MINUS or text[at] == _PLUS):
                at += 1
            exponent = 0
            digits = 0
            while at < length and _ZERO <= text[at] <= _ZERO + 9:
                exponent = min(exponent * 10 + text[at] - _ZERO, 9999)
                digits += 1
                at += 1
            if digits == 0:
                return i, word, NOT_A_NUMBER
            shift += exponent if down else -exponent
        if at < length and text[at] > _SPACE:
            return i, word, NOT_A_NUMBER
        mantissas[i] = -mantissa if negative else mantissa
        shifts[i] = shift if mantissa else 0
    return mantissas.shape[0], at, OK


def rescale(mantissas: NDArray[np.int64], shifts: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    """The numbers times ``10**scale``; no shift may exceed the scale.

    Raises:
        OverflowError: One of them is beyond 64 bits.
    """
    powers = scale - shifts
    if int(powers.max()) == 0:
        return mantissas
    if int(powers.max()) > 18:
        raise OverflowError
    factors = 10**powers
    if bool((np.abs(mantissas) > MAX // factors).any()):
        raise OverflowError
    return mantissas * factors
