"""Arrays of a policy's state without reference counts.

Numba counts references whenever an array is taken out of a tuple; in a loop that calls a dozen small methods
an event that costs more than the policy. A *slab* is what remains of an array when its owner is known to
outlive the call: a pointer and a shape. Where bounds checks are on (all policy code), an index is checked and
negative ones count from the end as in numpy; trusted drivers turn them off. Everything else (slices, reductions, iteration) goes through :func:`as_array`.
"""

from __future__ import annotations

import operator
from typing import Any

import numba.core.typing.templates as templates
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as _types
from numba.core.datamodel import models
from numba.core.errors import TypingError
from numba.core.imputils import lower_builtin, lower_getattr, lower_getattr_generic
from numba.extending import infer_getattr, intrinsic, overload, register_model

from metamuse.policy import defined as defined  # nothing may be compiled without it

#: Numba fills this module at run time, so its names have no types.
types: Any = _types

#: For every overload: Numba does not hand the options of the function that calls it down to it, so without this
#: nothing that it indexes would be checked.
CHECKED = {"boundscheck": True}


class SlabType(types.Type):  # type: ignore[misc]  # numba ships no types
    """Numba type of a slab: element type and dimensions of a C-contiguous array, and whether it may be written."""

    def __init__(self, dtype: Any, ndim: int, readonly: bool = False) -> None:
        self.dtype = dtype
        self.ndim = ndim
        self.readonly = readonly
        super().__init__(f"slab({dtype}, {ndim}{', read-only' if readonly else ''})")


@register_model(SlabType)
class _SlabModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: SlabType) -> None:
        members = [("data", types.CPointer(fe_type.dtype))]
        members += [(f"n{i}", types.intp) for i in range(fe_type.ndim)]
        super().__init__(dmm, fe_type, members)


class StateType(types.Type):  # type: ignore[misc]
    """Numba type of a state: a pointer to a struct of slabs and nested states.

    A pointer rather than a tuple, because a state has dozens of words and every method takes one.
    """

    def __init__(self, fields: tuple[tuple[str, Any], ...]) -> None:
        self.fields = dict(fields)
        super().__init__("state(" + ", ".join(f"{n}: {t}" for n, t in fields) + ")")


def _struct(dmm: Any, typ: Any) -> Any:
    """LLVM type of a state's memory."""
    if isinstance(typ, StateType):
        return ir.LiteralStructType([_struct(dmm, t) for t in typ.fields.values()])
    return dmm.lookup(typ).get_value_type()


@register_model(StateType)
class _StateModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: StateType) -> None:
        super().__init__(dmm, fe_type, _struct(dmm, fe_type).as_pointer())


@infer_getattr
class _StateAttributes(templates.AttributeTemplate):  # type: ignore[misc]
    key = StateType

    def generic_resolve(self, state: StateType, name: str) -> Any:
        return state.fields.get(name)


@lower_getattr_generic(StateType)
def lower_field(context: Any, builder: Any, typ: StateType, value: Any, name: str) -> Any:
    """One field of a state: a slab, or the address of a nested state."""
    place = ir.Constant(ir.IntType(32), list(typ.fields).index(name))
    address = builder.gep(value, [ir.Constant(ir.IntType(32), 0), place], inbounds=True)
    return address if isinstance(typ.fields[name], StateType) else builder.load(address)


def slab_type(typ: Any) -> Any:
    """The form in which policy code sees a state: arrays become slabs, named tuples become states."""
    if isinstance(typ, types.Array):
        return SlabType(typ.dtype, typ.ndim)
    if isinstance(typ, types.NamedTuple | types.NamedUniTuple):
        return StateType(tuple(zip(typ.instance_class._fields, map(slab_type, typ.types), strict=True)))
    # Anything else might hold references, which a state must not.
    raise TypingError(f"a state cannot hold {typ}")


def _slab_of(context: Any, builder: Any, typ: Any, value: Any) -> Any:
    array = context.make_array(typ)(context, builder, value)
    out = cgutils.create_struct_proxy(slab_type(typ))(context, builder)
    out.data = builder.bitcast(array.data, out.data.type)
    for i, n in enumerate(cgutils.unpack_tuple(builder, array.shape, typ.ndim)):
        setattr(out, f"n{i}", n)
    return out._getvalue()


def define_slabs(typingctx: Any, state: Any) -> Any:
    """Turn a state tuple of arrays into a state of slabs on the stack of the caller, who keeps the arrays alive."""
    target = slab_type(state)

    def fill(context: Any, builder: Any, typ: Any, value: Any, address: Any) -> None:
        for i, item in enumerate(typ.types):
            part = builder.extract_value(value, i)
            place = builder.gep(
                address, [ir.Constant(ir.IntType(32), 0), ir.Constant(ir.IntType(32), i)], inbounds=True
            )
            if isinstance(item, types.Array):
                builder.store(_slab_of(context, builder, item, part), place)
            else:
                fill(context, builder, item, part, place)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = cgutils.alloca_once(builder, _struct(context.data_model_manager, target))
        fill(context, builder, signature.args[0], args[0], address)
        return address

    return target(state), codegen


slabs = intrinsic(define_slabs)


@intrinsic
def read_only(typingctx: Any, array: Any) -> Any:
    """A read-only slab of an array or slab: what a simulator shows a policy."""
    target = SlabType(array.dtype, array.ndim, readonly=True)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (source,) = signature.args
        return args[0] if isinstance(source, SlabType) else _slab_of(context, builder, source, args[0])

    return target(array), codegen


@intrinsic
def as_array(typingctx: Any, slab: Any) -> Any:
    """An ordinary array over a slab's memory (it owns nothing)."""
    if not isinstance(slab, SlabType):
        return None
    target = types.Array(slab.dtype, slab.ndim, "C", readonly=slab.readonly)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = cgutils.create_struct_proxy(slab)(context, builder, args[0])
        array = context.make_array(target)(context, builder)
        size = context.get_abi_sizeof(context.get_data_type(slab.dtype))
        itemsize = context.get_constant(types.intp, size)
        shape = [getattr(item, f"n{i}") for i in range(slab.ndim)]
        strides: list[Any] = []
        step = itemsize
        for n in reversed(shape):
            strides.insert(0, step)
            step = builder.mul(step, n)
        total = context.get_constant(types.intp, 1)
        for n in shape:
            total = builder.mul(total, n)
        array.data = builder.bitcast(item.data, array.data.type)
        array.shape = cgutils.pack_array(builder, shape)
        array.strides = cgutils.pack_array(builder, strides)
        array.itemsize = itemsize
        array.nitems = total
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()

    return target(slab), codegen


@intrinsic
def rec(typingctx: Any, slab: Any) -> Any:
    """The one record of a one-record slab, as a reference (there always is one: no check)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = cgutils.create_struct_proxy(slab)(context, builder, args[0])
        return builder.bitcast(item.data, context.get_value_type(signature.return_type))

    return slab.dtype(slab), codegen


def _loaded(dtype: Any) -> Any:
    """Kind of an element once it is loaded: the language has one kind of int, as interpreted code does."""
    return types.int64 if isinstance(dtype, types.Integer) else dtype


def _index_type(slab: SlabType, index: Any) -> Any:
    if isinstance(index, types.Integer) and slab.ndim == 1:
        return types.intp
    if (
        isinstance(index, types.BaseTuple)
        and len(index) == slab.ndim
        and all(isinstance(t, types.Integer) for t in index)
    ):
        return types.UniTuple(types.intp, slab.ndim)
    return None


@templates.infer_global(operator.getitem)
class _GetItem(templates.AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        slab, index = args
        if isinstance(slab, SlabType):
            index = _index_type(slab, index)
            if index is not None:
                return templates.signature(_loaded(slab.dtype), slab, index)
        return None


@templates.infer_global(operator.setitem)
class _SetItem(templates.AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        slab, index, value = args
        if (
            isinstance(slab, SlabType)
            and not slab.readonly
            and isinstance(value, types.Number | types.Boolean)
        ):
            index = _index_type(slab, index)
            if index is not None:
                return templates.signature(types.none, slab, index, slab.dtype)
        return None


@overload(operator.getitem, jit_options=CHECKED)
def _getitem_array(slab, index):  # type: ignore[no-untyped-def]
    if isinstance(slab, SlabType) and _index_type(slab, index) is None:
        return lambda slab, index: as_array(slab)[index]
    return None


@overload(operator.setitem, jit_options=CHECKED)
def _setitem_array(slab, index, value):  # type: ignore[no-untyped-def]
    plain = isinstance(value, types.Number | types.Boolean)
    if (
        isinstance(slab, SlabType)
        and not slab.readonly
        and not (plain and _index_type(slab, index) is not None)
    ):

        def store(slab, index, value):  # type: ignore[no-untyped-def]
            as_array(slab)[index] = value

        return store
    return None


def _address(context: Any, builder: Any, typ: SlabType, value: Any, index: Any) -> Any:
    item = cgutils.create_struct_proxy(typ)(context, builder, value)
    indices = [index] if typ.ndim == 1 else cgutils.unpack_tuple(builder, index, typ.ndim)
    zero = ir.Constant(ir.IntType(64), 0)
    flat = zero
    for i, position in enumerate(indices):
        n = getattr(item, f"n{i}")
        if context.enable_boundscheck:
            wrapped = builder.add(position, n)
            position = builder.select(builder.icmp_signed("<", position, zero), wrapped, position)
            with builder.if_then(builder.icmp_unsigned(">=", position, n), likely=False):
                context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))
        flat = position if i == 0 else builder.add(builder.mul(flat, n), position)
    return builder.gep(item.data, [flat], inbounds=True)


@lower_builtin(operator.getitem, SlabType, types.Integer)
@lower_builtin(operator.getitem, SlabType, types.BaseTuple)
def _lower_getitem(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    dtype = sig.args[0].dtype
    address = _address(context, builder, sig.args[0], args[0], args[1])
    return context.cast(builder, context.unpack_value(builder, dtype, address), dtype, _loaded(dtype))


@lower_builtin(operator.setitem, SlabType, types.Integer, types.Any)
@lower_builtin(operator.setitem, SlabType, types.BaseTuple, types.Any)
def _lower_setitem(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    address = _address(context, builder, sig.args[0], args[0], args[1])
    context.pack_value(builder, sig.args[0].dtype, args[2], address)
    return context.get_dummy_value()


@infer_getattr
class _Attributes(templates.AttributeTemplate):  # type: ignore[misc]
    key = SlabType

    def resolve_size(self, slab: SlabType) -> Any:
        return types.intp


@lower_getattr(SlabType, "size")
def _lower_size(context: Any, builder: Any, typ: SlabType, value: Any) -> Any:
    item = cgutils.create_struct_proxy(typ)(context, builder, value)
    total = context.get_constant(types.intp, 1)
    for i in range(typ.ndim):
        total = builder.mul(total, getattr(item, f"n{i}"))
    return total


@lower_builtin(len, SlabType)
def _lower_len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0]).n0


@templates.infer_global(len)
class _Len(templates.AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], SlabType):
            return templates.signature(types.intp, args[0])
        return None
