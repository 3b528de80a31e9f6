"""Compiled arithmetic in which every result is defined. Imported for its effect on Numba, before anything is compiled.

Numba tells LLVM that the sum, difference or product of two signed integers never goes beyond 64 bits, and a float
that becomes an integer always fits. LLVM takes such a promise as a fact from which others follow: after
``if i >= 0 and i + 3 <= a.size`` it drops the check of ``a[i]``, although with ``i`` close to 2**63 the sum wraps
around and the index is far outside. So a policy could write where it liked. Here the promise is taken back: integers
wrap around, floats end at the nearest integer there is (NaN at 0), and what is checked stays checked. Division of
single numbers is defined already; of shifts :mod:`metamuse.policy.intrinsics` checks the counts.
"""

from __future__ import annotations

from typing import Any

import numba.cpython.numbers
import numba.np.math.numbers
import numba.np.npyfuncs
from llvmlite import ir
from numba.core import types
from numba.core.imputils import lower_cast


def _no_flags(rettype: Any) -> list[str]:
    return []


for _module in (numba.cpython.numbers, numba.np.math.numbers):
    if not hasattr(_module, "_int_arith_flags"):
        raise ImportError("this version of Numba is not known to be safe")
    _module._int_arith_flags = _no_flags


_remainder = numba.np.npyfuncs.np_int_srem_impl


def _defined_remainder(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The remainder of elements of arrays; by -1 it is that by 1, but the lowest integer has one, too."""
    number, divisor = args
    one, minus_one = ir.Constant(divisor.type, 1), ir.Constant(divisor.type, -1)
    divisor = builder.select(builder.icmp_signed("==", divisor, minus_one), one, divisor)
    return _remainder(context, builder, signature, [number, divisor])


numba.np.npyfuncs.np_int_srem_impl = _defined_remainder


@lower_cast(types.Float, types.Integer)
def _float_to_integer(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    to = context.get_value_type(target)
    name = f"llvm.fpto{'s' if target.signed else 'u'}i.sat"
    signature = ir.FunctionType(to, [value.type])
    return builder.call(builder.module.declare_intrinsic(name, [to, value.type], signature), [value])
