"""Arrays handed to a compiled kernel by address: one argument, because every candidate's driver pays for each when it
is compiled, and nothing is reference-counted when it calls.

A kind is a letter and a number of dimensions: ``f`` float64, ``h`` float32, ``i`` int64, ``s`` int32, ``b`` uint8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import carray, njit, typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

_DTYPES = {"f": np.float64, "h": np.float32, "i": np.int64, "s": np.int32, "b": np.uint8}
#: A row an array: its address, and its length in each dimension.
SIGNATURE = types.void(types.int64[:, ::1])


def addresses_of(arrays: Sequence[np.ndarray], kinds: Sequence[str]) -> np.ndarray:
    """int64[arrays, 4], what a kernel is called with.

    Args:
        arrays: They must be kept as long as what is returned is used.
        kinds: Of the arrays, in order.

    Raises:
        ValueError: An array is not of its kind, or does not lie in one piece.
    """
    table = np.zeros((len(kinds), 4), dtype=np.int64)
    for row, array, kind in zip(table, arrays, kinds, strict=True):
        whole = array.flags.c_contiguous and array.dtype == _DTYPES[kind[0]] and array.ndim == int(kind[1])
        if not whole:
            raise ValueError(f"an array is {array.dtype} with {array.ndim} dimensions, not {kind}")
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return table


def compile_with_kernel(loop: Any, arguments: Sequence[Any], place: int, signature: Any = SIGNATURE) -> None:
    """Compile a policy's loop with its kernel as a pointer: inlined, it would cost every candidate many seconds.

    Args:
        loop: The loop, see :meth:`evaluators.base.Policy.bind`.
        arguments: What it will be called with.
        place: Where among them the compiled kernel is.
        signature: The kernel's.
    """
    if not loop.signatures:
        kinds = [typeof(argument) for argument in arguments]
        kinds[place] = types.FunctionType(signature)
        loop.compile(tuple(kinds))
        loop.disable_compile()


@intrinsic
def _pointer(context, address):  # type: ignore[no-untyped-def]
    """An address as a pointer."""

    def made(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), made


@njit
def f1(row):  # type: ignore[no-untyped-def]
    """A float64 array of one dimension."""
    return carray(_pointer(row[0]), (row[1],), np.float64)


@njit
def f2(row):  # type: ignore[no-untyped-def]
    """A float64 array of two dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2]), np.float64)


@njit
def f3(row):  # type: ignore[no-untyped-def]
    """A float64 array of three dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2], row[3]), np.float64)


@njit
def h1(row):  # type: ignore[no-untyped-def]
    """A float32 array of one dimension."""
    return carray(_pointer(row[0]), (row[1],), np.float32)


@njit
def h3(row):  # type: ignore[no-untyped-def]
    """A float32 array of three dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2], row[3]), np.float32)


@njit
def i1(row):  # type: ignore[no-untyped-def]
    """An int64 array of one dimension."""
    return carray(_pointer(row[0]), (row[1],), np.int64)


@njit
def i2(row):  # type: ignore[no-untyped-def]
    """An int64 array of two dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2]), np.int64)


@njit
def i3(row):  # type: ignore[no-untyped-def]
    """An int64 array of three dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2], row[3]), np.int64)


@njit
def s1(row):  # type: ignore[no-untyped-def]
    """An int32 array of one dimension."""
    return carray(_pointer(row[0]), (row[1],), np.int32)


@njit
def s2(row):  # type: ignore[no-untyped-def]
    """An int32 array of two dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2]), np.int32)


@njit
def b2(row):  # type: ignore[no-untyped-def]
    """A uint8 array of two dimensions."""
    return carray(_pointer(row[0]), (row[1], row[2]), np.uint8)
