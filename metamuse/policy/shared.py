"""Drivers that serve every policy of a problem: compiled once, they call a policy's methods through its addresses.

Half of what a candidate costs would be the compilation of its simulator's driver with its methods inlined. A shared
driver is compiled once a process instead and knows a policy only by a row of words: the addresses of its methods,
zero for those it does not define, and after them its state of slabs (:mod:`metamuse.policy.bank`). Decisions are the same;
a decision costs some nanoseconds more, so a policy that keeps its driver busy gets one of its own (:class:`Loop`).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as _types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

from evaluators.base import Contract, Method
from metamuse.policy import intrinsics
from metamuse.policy.bank import BankType, words
from metamuse.policy.slab import SlabType, define_slabs, read_only

#: Numba fills this module at run time, so its names have no types.
types: Any = _types

#: Numba's types of a contract's kinds.
KINDS: dict[str, Any] = {
    "int": types.int64,
    "float": types.float64,
    "bool": types.boolean,
    "none": types.none,
    "int[]": SlabType(types.int64, 1, readonly=True),
    "float[]": SlabType(types.float64, 1, readonly=True),
}
#: CPU seconds in a shared driver after which a policy is worth a driver of its own: about what compiling one takes.
PATIENCE = 0.5


class RowType(types.Type):  # type: ignore[misc]  # numba ships no types
    """Numba type of a policy as a shared driver sees it: the address of its row."""

    def __init__(self) -> None:
        super().__init__("policy row")


@register_model(RowType)
class _RowModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: RowType) -> None:
        super().__init__(dmm, fe_type, ir.IntType(64).as_pointer())


#: A policy as a shared driver sees it, and several of them.
ROW = RowType()
ROWS = BankType(ROW)


@intrinsic
def _view(typingctx: Any, table: Any) -> Any:
    """A row (int64[words]) or rows (int64[n, words]) as what the driver passes to methods or indexes; else slabs."""
    if not isinstance(table, types.Array):
        return define_slabs(typingctx, table)
    target = ROW if table.ndim == 1 else ROWS

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        if target is ROW:
            return array.data
        out = cgutils.create_struct_proxy(target)(context, builder)
        out.rows = array.data
        out.words = cgutils.unpack_tuple(builder, array.shape, 2)[1]
        return out._getvalue()

    return target(table), codegen


def _word(builder: Any, row: Any, place: int) -> Any:
    return builder.load(builder.gep(row, [ir.Constant(ir.IntType(64), place)], inbounds=True))


def _caller(place: int, method: Method, head: int) -> tuple[Any, Any]:
    """Two functions for compiled code: whether a row has the method, and calling it with a tuple of arguments."""
    returned = KINDS[method.returns]
    taken = (ROW, *(KINDS[kind] for kind in method.types))

    @intrinsic
    def has(typingctx: Any, row: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.icmp_signed("!=", _word(builder, args[0], place), ir.Constant(ir.IntType(64), 0))

        return types.boolean(row), codegen

    @intrinsic
    def call(typingctx: Any, row: Any, given: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            convention = context.call_conv
            function = builder.inttoptr(
                _word(builder, args[0], place), convention.get_function_type(returned, taken).as_pointer()
            )
            state = builder.gep(args[0], [ir.Constant(ir.IntType(64), head)], inbounds=True)
            values = [
                context.cast(builder, value, kind, wanted)
                for value, kind, wanted in zip(
                    cgutils.unpack_tuple(builder, args[1]), signature.args[1], taken[1:], strict=True
                )
            ]
            status, result = convention.call_function(builder, function, returned, taken, [state, *values])
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return result

        return returned(row, given), codegen

    return has, call


def _method(place: int, method: Method, default: Any, head: int) -> Any:
    """The method as a function of a row and its arguments; where a policy does not define it, its default."""
    has, call = _caller(place, method, head)
    arguments = "".join(f", a{i}" for i in range(len(method.types)))
    given = "".join(f"a{i}, " for i in range(len(method.types)))
    back = "" if method.returns == "none" else "return "
    lines = [f"def {method.name}(row{arguments}):"]
    if default is not None:
        lines += ["    if not has(row):", f"        {back}default(row{arguments})"]
        lines += [] if back else ["        return"]
    lines += [f"    {back}call(row, ({given}))"]
    space = {"has": has, "call": call, "default": default}
    exec("\n".join(lines), space)
    made: Any = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **intrinsics.OPTIONS)
    return made(space[method.name])


class Shared:
    """A driver that serves all policies of a contract.

    Args:
        dispatcher: The driver.

    Attributes:
        stays: Whether a driver of its own is never worth while for a policy.
    """

    def __init__(self, dispatcher: Any) -> None:
        self.dispatcher = dispatcher
        self.stays = False


@functools.lru_cache(maxsize=32)
def _driver(
    make: Callable[..., Any],
    settings: tuple[tuple[str, Any], ...],
    contract: Contract,
    defaults: tuple[tuple[str, Any], ...],
    missing: frozenset[str],
) -> Shared:
    """The driver of a factory, for policies that lack no more than ``missing`` of the methods without a default."""
    standing = dict(defaults)
    functions = {
        m.name: None if m.name in missing else _method(i, m, standing.get(m.name), len(contract.methods))
        for i, m in enumerate(contract.methods)
    }
    options = intrinsics.OPTIONS | {"boundscheck": False, "nogil": True, "no_cfunc_wrapper": True}
    return Shared(numba.njit(**options)(make(view=_view, show=read_only, **dict(settings), **functions)))


def driver(
    factory: Callable[..., Any], contract: Contract, defaults: Mapping[str, Any], defined: frozenset[str]
) -> Shared:
    """A driver that serves all policies of a contract; compiled once a process for what it is called with.

    It is known again by the factory, which is a function of a module or a ``functools.partial`` of one with named,
    hashable arguments; made anew each time, it is compiled anew each time.
    """
    make: Any = factory
    settings: dict[str, Any] = {}
    if isinstance(factory, functools.partial) and not factory.args:
        make, settings = factory.func, factory.keywords
    missing = frozenset(m.name for m in contract.methods) - defined - frozenset(defaults)
    key = (make, tuple(sorted(settings.items())), contract, tuple(sorted(defaults.items())), missing)
    try:
        hash(key)
    except TypeError:
        return _driver.__wrapped__(*key)
    return _driver(*key)


def exact(function: Any, method: Method, signature: tuple[Any, ...]) -> Any:
    """A compiled method as one that returns just what its contract says (an int where a float is due is a float, …)."""
    compiled = function.overloads[signature]
    if compiled.signature.return_type != KINDS[method.returns]:
        function = _adapted(function, method)
        function.compile(signature)
        compiled = function.overloads[signature]
    return compiled


def _address(method: Any) -> int:
    place: int = method.library.get_pointer_to_function(method.fndesc.llvm_func_name)
    return place


def _adapted(function: Any, method: Method) -> Any:
    arguments = "".join(f", a{i}" for i in range(len(method.types)))
    called = f"function(state{arguments})"
    body = called if method.returns == "none" else f"return {method.returns}({called})"
    space: dict[str, Any] = {"function": function}
    exec(f"def {method.name}(state{arguments}):\n    {body}", space)
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **intrinsics.OPTIONS)(
        space[method.name]
    )


class Loop:
    """A driver around one policy: at first the shared one, its own once that is worth compiling.

    Args:
        shared: See :func:`driver`.
        own: Compiles the policy's own driver.
        state: The class of the policy's states.
        methods: Its methods in the contract's order (:func:`exact`), None for those that it does not define.
    """

    def __init__(self, shared: Shared, own: Callable[[], Any], state: type, methods: Sequence[Any]) -> None:
        self._shared = shared
        self._own = own
        self._state = state
        self._methods = methods  # their code is gone when they are
        self._head = np.array([0 if m is None else _address(m) for m in methods], dtype=np.int64)
        self._driver: Any = None
        self._spent = 0.0
        self._rows: dict[int, tuple[Any, Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """What the driver returns; a state or a bank among the arguments is passed on as rows."""
        if self._driver is None and self._spent > PATIENCE and not self._shared.stays:
            self._driver = self._own()
        if self._driver is not None:
            return self._driver(*arguments)
        known, self._rows = self._rows, {}
        given = [self._row(argument, known) for argument in arguments]
        kinds = len(self.signatures)
        began = time.thread_time()
        try:
            return self._shared.dispatcher(*given)
        finally:
            if len(self.signatures) == kinds:  # else it was compiled meanwhile
                self._spent += time.thread_time() - began

    @property
    def signatures(self) -> Any:
        """As Numba's dispatchers have it: what the driver is compiled for."""
        return self._shared.dispatcher.signatures

    def compile(self, kinds: Sequence[Any]) -> None:
        """As Numba's dispatchers do, for drivers that take their kernel as a pointer.

        The kernel takes most of their time: policies of such a driver never get their own.
        """
        self._shared.stays = True
        self._shared.dispatcher.compile(tuple(self._kind(kind) for kind in kinds))

    def disable_compile(self) -> None:
        """As Numba's dispatchers do."""
        self._shared.dispatcher.disable_compile()

    def _kind(self, kind: Any) -> Any:
        if getattr(kind, "instance_class", None) is self._state:
            return types.Array(types.int64, 1, "C")
        if isinstance(kind, types.Tuple) and getattr(kind.types[0], "instance_class", None) is self._state:
            return types.Array(types.int64, 2, "C")
        return kind

    def _row(self, argument: Any, known: Mapping[int, tuple[Any, Any]]) -> Any:
        """The row of a state, the rows of a bank, made once for calls in turn; anything else as it is."""
        one = isinstance(argument, self._state)
        if not one and not (type(argument) is tuple and argument and isinstance(argument[0], self._state)):
            return argument
        kept, made = known.get(id(argument), (None, None))
        if kept is not argument:
            if one:
                made = np.array([*self._head, *words(argument)], dtype=np.int64)
            else:
                made = np.hstack([np.tile(self._head, (len(argument[1]), 1)), argument[1]])
        self._rows[id(argument)] = argument, made
        return made
