"""Counts of a policy's work in one call of a contract's method (:mod:`metamuse.policy.meter` says what counts).

The counts of a policy are one row of ints in its state: the steps so far, then three for each method of the
contract: its calls, their steps, and the most steps of one call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as _types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

from evaluators.base import Contract
from metamuse.policy.layout import COUNTS, COUNTS_ATTRIBUTE
from metamuse.policy.meter import EACH_OF, TICK
from metamuse.policy.slab import lower_field

#: Numba fills this module at run time, so its names have no types.
types: Any = _types


def row_length(contract: Contract) -> int:
    """How many ints the counts of a policy are."""
    return 1 + 3 * len(contract.methods)


def place_of(contract: Contract, method: str) -> int:
    """Where in the row the three ints of a method begin."""
    return 1 + 3 * [m.name for m in contract.methods].index(method)


def summary(rows: Sequence[np.ndarray], contract: Contract) -> dict[str, Any]:
    """What the counts of one or several policies say.

    Returns:
        ``max`` (most steps of one call), ``method`` (that it was a call of), ``mean`` (steps a call, over all
        methods), ``calls``.
    """
    tables = np.stack(rows)[:, 1:].reshape(len(rows), -1, 3)
    calls, steps = int(tables[:, :, 0].sum()), int(tables[:, :, 1].sum())
    most = tables[:, :, 2].max(axis=0)
    worst = int(most.argmax())
    return {
        "max": int(most[worst]),
        "mean": steps / calls if calls else 0.0,
        "calls": calls,
        "method": contract.methods[worst].name,
    }


# -- compiled


def _row(context: Any, builder: Any, typ: Any, state: Any) -> Any:
    """The address of a compiled state's row of counts."""
    slab = lower_field(context, builder, typ, state, COUNTS)
    return cgutils.create_struct_proxy(typ.fields[COUNTS])(context, builder, slab).data


def _counting(steps: Callable[[Any, Any, Any, Any], Any]) -> Any:
    @intrinsic
    def count(typingctx: Any, state: Any, x: Any) -> Any:
        result = types.unliteral(x)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = _row(context, builder, signature.args[0], args[0])
            amount = steps(context, builder, signature.args[1], args[1])
            if amount is not None:
                builder.store(builder.add(builder.load(place), amount), place)
            given = context.cast(builder, args[1], signature.args[1], result)
            return impl_ret_borrowed(context, builder, result, given)

        return result(state, x), codegen

    return count


def _one(context: Any, builder: Any, typ: Any, value: Any) -> Any:
    return ir.Constant(ir.IntType(64), 1)


def _elements(context: Any, builder: Any, typ: Any, value: Any) -> Any:
    return context.make_array(typ)(context, builder, value).nitems if isinstance(typ, types.Array) else None


#: What lowered code calls, with the state before the argument.
COMPILED = {TICK: _counting(_one), EACH_OF: _counting(_elements)}


@intrinsic
def _steps(typingctx: Any, state: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_row(context, builder, signature.args[0], args[0]))

    return types.int64(state), codegen


def recording(function: Any, place: int) -> Any:
    """A contract's method that notes the steps of each call (for drivers; compiled)."""

    # Intrinsics rather than Python: what Numba has to type is what costs compile time.
    @intrinsic
    def note(typingctx: Any, state: Any, before: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            row = _row(context, builder, signature.args[0], args[0])
            calls, total, most = (
                builder.gep(row, [ir.Constant(ir.IntType(64), place + i)], inbounds=True) for i in range(3)
            )
            steps = builder.sub(builder.load(row), args[1])
            builder.store(builder.add(builder.load(calls), ir.Constant(steps.type, 1)), calls)
            builder.store(builder.add(builder.load(total), steps), total)
            more = builder.icmp_signed(">", steps, builder.load(most))
            builder.store(builder.select(more, steps, builder.load(most)), most)
            return context.get_dummy_value()

        return types.none(state, before), codegen

    @numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def call(state, *args):  # type: ignore[no-untyped-def]
        before = _steps(state)
        result = function(state, *args)
        note(state, before)
        return result

    return call


# -- interpreted


class OutOfSteps(Exception):
    """An interpreted policy has taken as many steps as it may."""


class Counter:
    """The steps of the interpreted policies of one program.

    Args:
        most: As many steps may be counted; the next one raises :class:`OutOfSteps`.
    """

    def __init__(self, most: float = math.inf) -> None:
        self.steps = 0
        self.most = most

    def tick(self, x: Any) -> Any:
        """Count one step."""
        self.steps += 1
        if self.steps > self.most:
            raise OutOfSteps
        return x

    def each_of(self, x: Any) -> Any:
        """Count the elements of an array."""
        self.steps += x.size if isinstance(x, np.ndarray) else 0
        return x

    def names(self) -> dict[str, Any]:
        """What instrumented code calls."""
        return {TICK: self.tick, EACH_OF: self.each_of}

    def recording(self, function: Callable[..., Any], place: int) -> Callable[..., Any]:
        """A contract's method that notes the steps of each call."""

        def call(state: Any, *args: Any) -> Any:
            row = vars(state)[COUNTS_ATTRIBUTE]
            before = self.steps
            result = function(state, *args)
            steps = self.steps - before
            row[0] += steps
            row[place] += 1
            row[place + 1] += steps
            row[place + 2] = max(row[place + 2], steps)
            return result

        return call
