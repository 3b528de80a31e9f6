"""Compiled execution: lowered functions under Numba, nopython and bounds-checked."""

from __future__ import annotations

import ast
import copy
import functools
import linecache
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import NumbaError

import metamuse.policykit
from evaluators.base import PolicyError
from metamuse.policy import intrinsics, work
from metamuse.policy.bank import make_bank, view
from metamuse.policy.explain import COMPILER_LIMITS, explain, explain_limit, kind
from metamuse.policy.expressions import Lowered
from metamuse.policy.guards import NOT_AN_INT
from metamuse.policy.interpret import FILENAME, namespace, policy_class
from metamuse.policy.layout import COUNTS_ATTRIBUTE, Layout, grow_instance, kind_of, layout_of
from metamuse.policy.lower import lower, lower_kit
from metamuse.policy.program import Program
from metamuse.policy.shared import KINDS, Loop, driver, exact
from metamuse.policy.slab import read_only, slab_type


def jit(function: Callable[..., Any], checked: bool = True) -> Any:
    """A function of the policy language, called from compiled code only (so Python wrappers are left out).

    Args:
        function: The lowered function.
        checked: Whether every index is checked.
    """
    options = intrinsics.OPTIONS | {"boundscheck": checked}
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)


@functools.cache
def kit_functions(name: str) -> dict[str, Any]:
    """The compiled methods of a policykit class and of the classes it is made of.

    They are trusted: they check the ids they are given, their arrays are out of a policy's reach (the static
    check knows only their methods), and so their own indices need no checks. That is worth about 1.5x on a
    list that is touched by every request.
    """
    lowered, layout = lower_kit(name)
    space = dict(intrinsics.NAMES) | {
        "__name__": metamuse.policykit.__name__
    }  # where a cache finds them again
    for part in layout.parts.values():
        space.update(kit_functions(part.name))
    return _define(lowered, space | {"np": np, "math": math}, checked=False)


def _define(lowered: Lowered, space: dict[str, Any], checked: bool) -> dict[str, Any]:
    module = ast.Module(body=list(lowered.functions.values()), type_ignores=[])
    exec(compile(module, lowered.filename, "exec"), space)
    made = {name: jit(space[name], checked) for name in lowered.functions}
    space.update(made)  # the functions call one another through these globals
    return made


class CompiledPolicy:
    """A policy compiled for search: its methods as functions over a state.

    Args:
        program: The checked program.
        init: Arguments for one interpreted construction, from which the attributes' kinds are read.
        values: Values of marked constants (default: those in the text).
        metered: Whether it counts its work, for :meth:`work`; its decisions are the same.
        shared: Whether it may run in drivers that serve all policies (:mod:`metamuse.policy.shared`): far less to
            compile, some nanoseconds more a decision; its decisions are the same.

    Raises:
        PolicyError: (``contract``) The text breaks a rule that only shows with types;
            (``compile``) Numba refuses it; (``crash``) ``__init__`` raises.
    """

    compiled = True

    def __init__(
        self,
        program: Program,
        init: tuple[Any, ...],
        values: Mapping[str, float] | None = None,
        metered: bool = False,
        shared: bool = False,
    ) -> None:
        self.program = program
        self.methods = program.defined
        self.reads = program.reads
        self.values = all_values(program, values)
        self.metered = metered
        self.shared = shared and not metered
        self.floats: frozenset[str] = frozenset()
        self._enter()
        while True:
            try:
                self._build(init)
                return
            except _NeedsFloatError as need:
                self.floats |= {need.attribute}
                self._enter()

    def _enter(self) -> None:
        """Run the text of the module (not of its methods) with the values of the constants."""
        meter = work.Counter().names() if self.metered else None
        self._space = namespace(self.program, self.values, meter)
        self._class = policy_class(self._space, self.floats)

    def with_values(self, values: Mapping[str, float]) -> CompiledPolicy:
        """The same compiled code with other values of marked constants: nothing is compiled.

        A loop that was bound for this policy serves the other one, too.

        Args:
            values: Replace this policy's values; constants that are not named keep theirs.

        Raises:
            ValueError: There is no such constant.
        """
        other = copy.copy(self)
        other.values = all_values(self.program, self.values | dict(values))
        other._enter()
        return other

    def constants(self) -> dict[str, Any]:
        """Numbers, and tuples of them, at the top of the module, with the values they have."""
        targets = [
            node.targets[0] if isinstance(node, ast.Assign) else node.target
            for node in self.program.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
        ]
        return {node.id: self._space[node.id] for node in targets if isinstance(node, ast.Name)}

    def _build(self, init: tuple[Any, ...]) -> None:
        instance = construct(self._class, init)
        constants = {name: kind_of(self._space[name]) for name in sorted(self.program.lifted)}
        try:
            counts = work.row_length(self.program.contract) if self.metered else 0
            self.layout: Layout = layout_of(instance, "Policy", self.floats, constants, counts)
        except PolicyError as error:
            raise PolicyError(error.kind, error.message, self._line_of_attribute(error.message)) from None
        lowered = lower(self.program, self.layout, self.metered)
        space = self._names()
        for kit in sorted(lowered.kits):
            space.update(kit_functions(kit))
        linecache.cache[FILENAME] = (
            len(self.program.source),
            None,
            self.program.source.splitlines(True),
            FILENAME,
        )
        self._functions = _define(lowered, space, checked=True)
        state_type = slab_type(numba.typeof(self.layout.pack(instance, self._space)))
        self.functions: dict[str, Any] = {}
        self._signatures: dict[str, tuple[Any, ...]] = {}
        for method in self.program.contract.methods:
            function = self._functions.get(f"Policy__{method.name}")
            if function is None:
                continue
            signature = (state_type, *(KINDS[t] for t in method.types))
            self._compile(method.name, function, signature)
            self._check_return(
                method.name, method.returns, function.overloads[signature].signature.return_type
            )
            self.functions[method.name] = function
            self._signatures[method.name] = signature
        for function in self.functions.values():
            # One compilation a method: drivers pass exactly these kinds.
            function.disable_compile()

    def _names(self) -> dict[str, Any]:
        """What the lowered text may name: imports, constants that are not tuned, the language's functions."""
        space: dict[str, Any] = {}
        for alias, (module, attribute) in self.program.names.imports.items():
            real = {"math": math, "numpy": np}.get(module)
            if real is not None:
                space[alias] = getattr(real, attribute) if attribute else real
        for node in self.program.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name) and target.id not in self.program.lifted:
                    space[target.id] = self._space[target.id]
        return space | intrinsics.NAMES | (work.COMPILED if self.metered else {})

    def _compile(self, name: str, function: Any, signature: tuple[Any, ...]) -> None:
        try:
            function.compile(signature)
        except NumbaError as error:
            message, line = explain(error)
            if NOT_AN_INT in message:
                attribute = self._int_attribute_at(line)
                if attribute:
                    raise _NeedsFloatError(attribute) from None
            raise PolicyError("compile", f"in {name}: {message}", line) from None
        except COMPILER_LIMITS as error:
            raise PolicyError("compile", f"in {name}: {explain_limit(error)}") from None

    def _line_of_attribute(self, message: str) -> int | None:
        """Where ``__init__`` assigns the attribute that a message is about."""
        name = message.removeprefix("self.").partition(" ")[0]
        for node in ast.walk(self.program.methods["__init__"]):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == name:
                return node.lineno
        return None

    def _int_attribute_at(self, line: int | None) -> str | None:
        for node in ast.walk(self.program.policy):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.lineno == line:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for part in ast.walk(target):
                        if (
                            isinstance(part, ast.Attribute)
                            and self.layout.scalars.get(part.attr) == "int"
                            and part.attr not in self.floats
                        ):
                            return part.attr
        return None

    def _check_return(self, name: str, want: str, got: Any) -> None:
        good = {
            "int": isinstance(got, types.Integer),
            "float": isinstance(got, types.Integer | types.Float),
            "bool": isinstance(got, types.Boolean | types.Integer),
            "none": True,
        }[want]
        if good:
            return
        line = self.program.methods[name].lineno
        if isinstance(got, types.misc.Optional) or got is types.none:
            raise PolicyError(
                "contract", f"{name} must return {_a(want)} on every path; some path returns nothing", line
            )
        hint = "; use int(x)" if want == "int" and isinstance(got, types.Float) else ""
        raise PolicyError(
            "contract", f"{name} must return {_a(want)}, it returns {kind(str(got))}{hint}", line
        )

    def state(self, *init: Any) -> Any:
        """A fresh policy for one workload, as the state tuple that the functions work on.

        Raises:
            PolicyError: (``crash``) ``__init__`` raises; (``contract``) its attributes depend on the
                arguments.
        """
        return self.layout.pack(construct(self._class, init), self._space)

    def grow(self, state: Any, room: int) -> Any:
        """The state with room for the indices ``0..room-1`` in its structures that grow; contents are kept."""
        return self.layout.grow(state, room)

    def bank(self, states: Sequence[Any]) -> Any:
        """Several states as one argument of a driver (:mod:`metamuse.policy.bank`)."""
        return make_bank(states)

    def work(self, *states: Any) -> dict[str, Any]:
        """What calls of a metered policy's methods cost, over its states (see :func:`metamuse.policy.work.summary`)."""
        return work.summary([state.w for state in states], self.program.contract)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """Compile a simulator's driver with this policy's methods inlined, or take the one that all share.

        Args:
            factory: Called with one function a contract method (by name) , ``view``, which the driver
                applies to the state once at its start, and ``show``, which makes the read-only form of an
                array that is passed to a method; returns the driver.
            defaults: What stands for methods the policy does not define.
        """
        if not self.shared:
            return self._own_driver(factory, defaults)
        contract = self.program.contract
        methods = [
            exact(self.functions[m.name], m, self._signatures[m.name]) if m.name in self.functions else None
            for m in contract.methods
        ]
        shared = driver(factory, contract, defaults, frozenset(self.functions))
        return Loop(shared, lambda: self._own_driver(factory, defaults), self.layout.tuple, methods)

    def _own_driver(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        contract = self.program.contract
        functions = {m.name: self.functions.get(m.name, defaults.get(m.name)) for m in contract.methods}
        if self.metered:
            for name, function in self.functions.items():
                functions[name] = work.recording(function, work.place_of(contract, name))
        # The driver is trusted and checks what it is given; the policy's functions keep their own checks.
        return numba.njit(
            **(intrinsics.OPTIONS | {"boundscheck": False, "nogil": True, "no_cfunc_wrapper": True})
        )(factory(view=view, show=read_only, **functions))


class InterpretedPolicy:
    """The same policy under CPython: slow, with Python's own tracebacks; takes identical decisions.

    Args and errors as for :class:`CompiledPolicy`, without ``compile``. Where ``counter`` is given, it counts the
    steps of all its states.
    """

    compiled = False

    def __init__(
        self,
        program: Program,
        values: Mapping[str, float] | None = None,
        floats: frozenset[str] = frozenset(),
        metered: bool = False,
        counter: work.Counter | None = None,
    ) -> None:
        self.program = program
        self.methods = program.defined
        self.reads = program.reads
        self.values = all_values(program, values)
        self.metered = metered or counter is not None
        self._counter = (counter or work.Counter()) if self.metered else None
        meter = self._counter.names() if self._counter else None
        self._class = policy_class(namespace(program, self.values, meter), floats)

    def state(self, *init: Any) -> Any:
        """A fresh policy for one workload."""
        instance = construct(self._class, init)
        if self._counter:
            row = np.zeros(work.row_length(self.program.contract), dtype=np.int64)
            object.__setattr__(instance, COUNTS_ATTRIBUTE, row)
        return instance

    def grow(self, state: Any, room: int) -> Any:
        """The same policy, its structures that grow with room for the indices ``0..room-1``."""
        grow_instance(state, room)
        return state

    def bank(self, states: Sequence[Any]) -> Any:
        """Several policies as one argument of a driver."""
        return states

    def work(self, *states: Any) -> dict[str, Any]:
        """What calls of a metered policy's methods cost, over its states."""
        return work.summary([vars(state)[COUNTS_ATTRIBUTE] for state in states], self.program.contract)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """The simulator's driver, calling the policy's methods."""
        functions: dict[str, Any] = {}
        for method in self.program.contract.methods:
            name = method.name
            if name in self.program.methods:
                functions[name] = _caller(name)
                if self._counter:
                    place = work.place_of(self.program.contract, name)
                    functions[name] = self._counter.recording(functions[name], place)
            else:
                default = defaults.get(name)
                functions[name] = getattr(default, "py_func", default)
        return factory(view=lambda state: state, show=_read_only_view, **functions)


def _read_only_view(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _caller(name: str) -> Callable[..., Any]:
    def call(state: Any, *args: Any) -> Any:
        value = getattr(state, name)(*args)
        return value.item() if isinstance(value, np.generic) else value

    return call


def all_values(program: Program, values: Mapping[str, float] | None) -> dict[str, int | float]:
    """Values of all marked constants of a program, those not given at their defaults.

    Raises:
        ValueError: There is no such constant.
    """
    unknown = set(values or {}) - set(program.constants)
    if unknown:
        raise ValueError(
            f"no tunable constant {', '.join(sorted(unknown))}; there are {', '.join(program.constants)}"
        )
    return {name: c.cast((values or {}).get(name, c.value)) for name, c in program.constants.items()}


class _NeedsFloatError(Exception):
    def __init__(self, attribute: str) -> None:
        super().__init__(attribute)
        self.attribute = attribute


def construct(cls: type, init: tuple[Any, ...]) -> Any:
    """Run ``__init__`` and classify what goes wrong in it."""
    try:
        return cls(*init)
    except PolicyError:
        raise
    except MemoryError:
        raise PolicyError("memory", "__init__ asks for more memory than it may have") from None
    except Exception as error:
        raise PolicyError(
            "crash", f"__init__ raised {type(error).__name__}: {error}", line_of(error)
        ) from None


def line_of(error: BaseException) -> int | None:
    """The innermost line of the policy's own text in a traceback."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _a(kind: str) -> str:
    return {"int": "an int", "float": "a number", "bool": "True or False"}.get(kind, "nothing")
