"""A hint to the CPU to fetch an array element before it is needed (`llvm.prefetch`)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_READ, _KEEP, _DATA = 0, 3, 1  # the arguments of llvm.prefetch: intent, locality, which cache


@intrinsic
def prefetch(typing_context, array, index):  # type: ignore[no-untyped-def]
    """Starts to load array[index] (one-dimensional, contiguous) and does not wait for it; the index is unchecked.

    Unlike a load, the hint leaves the CPU's queue at once, so it neither stalls what follows nor limits how
    many cache misses overlap. A wrong index costs time, never a fault.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.bitcast(builder.gep(base, [arguments[1]]), byte)
        builder.call(hint, [address, *(ir.Constant(number, value) for value in (_READ, _KEEP, _DATA))])
        return context.get_dummy_value()

    return types.void(array, index), generate
