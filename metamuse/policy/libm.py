"""The C library's functions of floats for compiled code, with CPython's rule for errors.

They are called under names of our own: LLVM may replace a function that it knows by another one (``pow(x, 2.0)``
by ``x * x``, ``pow(2.0, x)`` by ``exp2(x)``), whose last digit can differ from what CPython gets.
"""

from __future__ import annotations

import ctypes
import math
import sys
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from metamuse.policy.guards import NUMBER, raise_if
from metamuse.policy.numeric import LIBM_1

_PROCESS = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


def _symbol(name: str) -> str:
    """The name under which compiled code calls a function of the C library that CPython uses."""
    address = ctypes.cast(getattr(_PROCESS, name), ctypes.c_void_p).value
    llvmlite.binding.add_symbol(f"metamuse_{name}", address)
    return f"metamuse_{name}"


def _outside(builder: Any, result: Any, args: list[Any]) -> tuple[Any, Any]:
    """Whether a result is NaN, or infinite, although no argument is."""
    infinity = ir.Constant(result.type, math.inf)
    nan = builder.fcmp_unordered("uno", result, result)
    infinite = builder.or_(
        builder.fcmp_ordered("==", result, infinity),
        builder.fcmp_ordered("==", builder.fneg(result), infinity),
    )
    for arg in args:
        difference = builder.fsub(arg, arg)  # NaN for NaN and infinities
        nan = builder.and_(nan, builder.fcmp_ordered("ord", arg, arg))
        infinite = builder.and_(infinite, builder.fcmp_ordered("ord", difference, difference))
    return nan, infinite


def _libm(name: str, n_args: int) -> Any:
    """A C function of floats with CPython's rule for errors: NaN or infinity out of other numbers."""
    symbol = _symbol(name)

    def make(signature_args: tuple[Any, ...]) -> Any:
        if not all(isinstance(a, NUMBER) for a in signature_args):
            given = ", ".join(map(str, signature_args))
            raise TypingError(f"math.{name}() takes {n_args} number(s), it is given {given}")

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values = [
                context.cast(builder, a, t, types.float64) for a, t in zip(args, signature.args, strict=True)
            ]
            kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()] * n_args)
            if name == "sqrt":  # exact everywhere, and one instruction
                function = builder.module.declare_intrinsic("llvm.sqrt", [ir.DoubleType()])
            else:
                function = cgutils.get_or_insert_function(builder.module, kind, symbol)
            result = builder.call(function, values)
            nan, infinite = _outside(builder, result, values)
            raise_if(context, builder, nan, ValueError, f"math domain error in {name}()")
            raise_if(context, builder, infinite, OverflowError, f"math range error in {name}()")
            return result

        return types.float64(*signature_args), codegen

    if n_args == 1:

        @intrinsic
        def one(typingctx: Any, x: Any) -> Any:
            return make((x,))

        return one

    @intrinsic
    def two(typingctx: Any, x: Any, y: Any) -> Any:
        return make((x, y))

    return two


#: Functions of one number by name.
MATH_1 = {name: _libm(name, 1) for name in LIBM_1}
pow_ = _libm("pow", 2)
fmod = _libm("fmod", 2)
atan2 = _libm("atan2", 2)
