"""Conversions and stores in compiled code, checked: NaN is no int, an int array holds no floats.

Intrinsics, because they cost a candidate no compile time of their own.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

from metamuse.policy.slab import CHECKED

NOT_AN_INT = "this attribute starts as an int in __init__ but is given a float here"
NOT_AN_INT_ARRAY = "an array of ints is given floats here; create it with dtype=np.float64"

#: Numba types of the language's numbers, and of those that are whole.
NUMBER = (types.Integer, types.Boolean, types.Float)
WHOLE = (types.Integer, types.Boolean)


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


store_int = _store("int", types.int64, WHOLE)
store_float = _store("float", types.float64, NUMBER)
store_bool = _store("bool", types.boolean, WHOLE)


def store_array(array, value):  # type: ignore[no-untyped-def]
    """``self.array = value``: copies into the array, or fills it (compiled code only)."""
    raise NotImplementedError


@numba.extending.overload(store_array, jit_options=CHECKED)
def _store_array_overload(array, value):  # type: ignore[no-untyped-def]
    dtype = getattr(value, "dtype", value)
    if isinstance(array.dtype, WHOLE) and isinstance(dtype, types.Float):
        raise TypingError(NOT_AN_INT_ARRAY)

    def store(array, value):  # type: ignore[no-untyped-def]
        array[:] = value

    return store


def raise_if(context: Any, builder: Any, condition: Any, error: type[Exception], message: str) -> None:
    """Emit code that raises ``error(message)`` where the condition (an LLVM i1) holds."""
    with builder.if_then(condition, likely=False):
        context.call_conv.return_user_exc(builder, error, (message,))


@intrinsic
def onto(typingctx: Any, target: Any, value: Any) -> Any:
    """The right side of ``target += value``, which must fit if both are arrays: Numba would read beyond its end."""
    arrays = isinstance(target, types.Array) and isinstance(value, types.Array)
    if arrays and value.ndim > target.ndim:
        raise TypingError("an array is changed in place by one with more dimensions")
    result = types.unliteral(value)  # type: ignore[attr-defined]  # Numba fills this module at run time

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if arrays:
            have, want = (
                cgutils.unpack_tuple(builder, context.make_array(t)(context, builder, a).shape, t.ndim)
                for t, a in zip((value, target), args[::-1], strict=True)
            )
            for n, m in zip(reversed(have), reversed(want), strict=False):
                one = builder.icmp_signed("==", n, ir.Constant(n.type, 1))
                fits = builder.or_(one, builder.icmp_signed("==", n, m))
                message = "an array is changed in place by one of another shape"
                raise_if(context, builder, builder.not_(fits), ValueError, message)
        given = context.cast(builder, args[1], signature.args[1], result)
        return impl_ret_borrowed(context, builder, result, given)

    return result(target, value), codegen


def _float_to_int(context: Any, builder: Any, value: Any, where: str) -> Any:
    low = builder.fcmp_ordered(">=", value, ir.Constant(value.type, -(2.0**63)))
    inside = builder.and_(low, builder.fcmp_ordered("<", value, ir.Constant(value.type, 2.0**63)))
    message = f"{where}: NaN, infinity or a number beyond 64 bits cannot be an int"
    raise_if(context, builder, builder.not_(inside), OverflowError, message)
    return builder.fptosi(value, ir.IntType(64))


def _converting(name: str, rounding: str | None) -> Any:
    """A function from numbers to ints that rounds by an LLVM intrinsic (None: towards zero)."""

    @intrinsic
    def convert(typingctx: Any, x: Any) -> Any:
        if not isinstance(x, NUMBER):
            raise TypingError(f"{name}() takes a number, it is given {x}")

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            (source,) = signature.args
            if isinstance(source, WHOLE):
                return context.cast(builder, args[0], source, types.int64)
            value = context.cast(builder, args[0], source, types.float64)
            if rounding is not None:
                value = builder.call(builder.module.declare_intrinsic(rounding, [value.type]), [value])
            return _float_to_int(context, builder, value, f"{name}()")

        return types.int64(x), codegen

    return convert


to_int: Any = _converting("int", None)
to_nearest = _converting("round", "llvm.rint")
floor = _converting("floor", "llvm.floor")
ceil = _converting("ceil", "llvm.ceil")


@intrinsic
def whole(typingctx: Any, x: Any) -> Any:
    """An argument that must be an int: nothing happens, or the text is refused."""
    if not isinstance(x, WHOLE):
        raise TypingError(f"an int is needed here but given is {x}")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], types.int64)

    return types.int64(x), codegen


@intrinsic
def to_float(typingctx: Any, x: Any) -> Any:
    """``float(x)``."""
    if not isinstance(x, NUMBER):
        raise TypingError(f"float() takes a number, it is given {x}")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], types.float64)

    return types.float64(x), codegen


def fitting(bits: int) -> Any:
    """A function that checks a value before it is put into an array of ints; floats lose their fraction, as in numpy."""

    @intrinsic
    def fit(typingctx: Any, x: Any) -> Any:
        if not isinstance(x, NUMBER):
            raise TypingError(f"an element of an array is given {x} here")

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            (source,) = signature.args
            if isinstance(source, types.Float):
                value = _float_to_int(
                    context, builder, context.cast(builder, args[0], source, types.float64), "array"
                )
            else:
                value = context.cast(builder, args[0], source, types.int64)
            if bits < 64:
                narrow = builder.sext(builder.trunc(value, ir.IntType(bits)), value.type)
                message = f"a number beyond {bits} bits is put into an array of np.int{bits}"
                raise_if(context, builder, builder.icmp_signed("!=", narrow, value), OverflowError, message)
            return value

        return types.int64(x), codegen

    return fit
