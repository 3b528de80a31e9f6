"""The arrays of a run behind one argument: a table of addresses, from which compiled code takes the arrays it needs.

One argument, because every candidate's driver pays for each when it is compiled, and because an array is many words
that every call would copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils
from numba.core import types as _types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from evaluators.dex.layout import KINDS

#: Numba fills this module at run time, so its names have no types.
types: Any = _types

DTYPES = {"i": np.int64, "s": np.int32, "b": np.int8, "u": np.uint32, "f": np.float64}

#: Numba counts references to arrays, though none is made or dropped in compiled code; without its runtime it cannot.
OPTIONS = {"_nrt": False, "error_model": "numpy"}
compiled = njit(**OPTIONS)
#: For what is called at every step.
inlined = njit(forceinline=True, **OPTIONS)


#: Bytes of a line of the processor's cache.
_LINE = 64


def lined(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Zeros that begin at a line of the processor's cache: a row that is as long as a line, or half, lies in one."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + _LINE, dtype=np.int8)
    skipped = -room.ctypes.data % _LINE
    return room[skipped : skipped + size].view(dtype).reshape(shape)


def addresses(arrays: Sequence[np.ndarray], kinds: Sequence[str] = KINDS) -> np.ndarray:
    """A row an array: its address, and its length in each dimension, int64[n, 4].

    Args:
        arrays: Kept as long as what is returned is used.
        kinds: What they are, in their order; by default those of a run.

    Raises:
        ValueError: An array is not of its kind, or does not lie in one piece.
    """
    table = np.zeros((len(kinds), 4), dtype=np.int64)
    for row, array, kind in zip(table, arrays, kinds, strict=True):
        if not (array.flags.c_contiguous and array.dtype == DTYPES[kind[0]] and array.ndim == int(kind[1])):
            raise ValueError(f"an array is {array.dtype} with {array.ndim} dimensions, not {kind}")
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return table


def _taker(kind: str) -> Any:
    """What takes an array of a kind out of a table, in compiled code: a handful of loads, no call, nothing counted."""
    dtype, ndim = from_dtype(np.dtype(DTYPES[kind[0]])), int(kind[1])
    array = types.Array(dtype, ndim, "C")

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context.make_array(signature.args[0])(context, builder, arguments[0])
        row = builder.mul(arguments[1], context.get_constant(types.intp, 4))

        def word(i: int) -> Any:
            place = builder.add(row, context.get_constant(types.intp, i))
            return builder.load(builder.gep(given.data, [place]))

        out = context.make_array(array)(context, builder)
        shape = [word(1 + i) for i in range(ndim)]
        size = context.get_constant(types.intp, np.dtype(DTYPES[kind[0]]).itemsize)
        strides = [size]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        populate_array(
            out,
            data=builder.inttoptr(word(0), out.data.type),
            shape=shape,
            strides=strides,
            itemsize=size,
            meminfo=None,
        )
        return out._getvalue()

    def take(context, table, row):  # type: ignore[no-untyped-def]
        return array(table, types.intp), codegen

    return intrinsic(take)


#: Take the array of a row out of a table: int64[n], int64[n, m], …
i1, i2, i3, s1, s2, b1, u1, f1, f2, f3 = (_taker(kind) for kind in "i1 i2 i3 s1 s2 b1 u1 f1 f2 f3".split())


@intrinsic
def ones(context, x):  # type: ignore[no-untyped-def]
    """How many bits of an int64 are set."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), codegen


@intrinsic
def lowest_bit(context, x):  # type: ignore[no-untyped-def]
    """Number of the lowest set bit of an int64 that is not zero."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic
def prefetch(context, array, row):  # type: ignore[no-untyped-def]
    """Have the processor load an array's row while it goes on; changes nothing, whatever the row is.

    Rows are counted over all dimensions but the last; of an array with one dimension, over its elements.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = cgutils.unpack_tuple(builder, given.strides)[max(0, signature.args[0].ndim - 2)]
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = builder.gep(builder.bitcast(given.data, byte), [builder.mul(arguments[1], step)])
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        # For reading, into all levels of the cache, data.
        builder.call(function, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(array, types.int64), codegen
