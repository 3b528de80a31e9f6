"""Several states of one policy as one argument of a compiled driver, which may take any of them in turn.

A state of slabs lies in memory as a row of words, an address and a shape for each array. A bank is such rows one below
the other: taking a state out of it is adding to an address, and its type does not depend on how many there are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numba.core.typing.templates as templates
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as _types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.extending import intrinsic, register_model

from metamuse.policy.slab import define_slabs, slab_type

#: Numba fills this module at run time, so its names have no types.
types: Any = _types


def make_bank(states: Sequence[Any]) -> tuple[Any, np.ndarray]:
    """A bank of compiled states, which the caller keeps alive and does not grow as long as he uses it."""
    return states[0], np.array([list(words(state)) for state in states], dtype=np.int64)


def words(item: Any) -> Iterator[int]:
    """A state as a driver finds it in memory: an address and a shape for each array, in its order."""
    if isinstance(item, np.ndarray):
        yield item.__array_interface__["data"][0]
        yield from item.shape
    else:
        for part in item:
            yield from words(part)


class BankType(types.Type):  # type: ignore[misc]  # numba ships no types
    """Numba type of a bank: the address of its first row.

    Args:
        state: What indexing gives: the type of an address of words.
    """

    def __init__(self, state: Any) -> None:
        self.state = state
        super().__init__(f"bank({state})")


@register_model(BankType)
class _BankModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: BankType) -> None:
        super().__init__(dmm, fe_type, [("rows", types.CPointer(types.int64)), ("words", types.intp)])


@intrinsic
def view(typingctx: Any, state: Any) -> Any:
    """What a driver applies to its policy once: a state becomes a state of slabs, a bank something to index."""
    if not isinstance(state, types.Tuple):
        return define_slabs(typingctx, state)
    target = BankType(slab_type(state.types[0]))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (bank,) = signature.args
        table = context.make_array(bank.types[1])(context, builder, builder.extract_value(args[0], 1))
        out = cgutils.create_struct_proxy(target)(context, builder)
        out.rows = table.data
        out.words = cgutils.unpack_tuple(builder, table.shape, 2)[1]
        return out._getvalue()

    return target(state), codegen


@templates.infer_global(operator.getitem)
class _Take(templates.AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        bank, index = args
        if isinstance(bank, BankType) and isinstance(index, types.Integer):
            return templates.signature(bank.state, bank, types.intp)
        return None


@lower_builtin(operator.getitem, BankType, types.Integer)
def _lower_take(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    bank = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0])
    row: ir.Value = builder.gep(bank.rows, [builder.mul(args[1], bank.words)], inbounds=True)
    return builder.bitcast(row, context.get_value_type(sig.return_type))
