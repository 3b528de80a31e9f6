"""Compiled execution: lowered functions under Numba, nopython and bounds-checked."""

from __future__ import annotations

import ast
import functools
import linecache
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import NumbaError

from evaluators.base import PolicyError
from metamuse.policy import intrinsics
from metamuse.policy.interpret import FILENAME, policy_class
from metamuse.policy.layout import Layout, layout_of
from metamuse.policy.lower import Lowered, lower, lower_kit
from metamuse.policy.program import Program
from metamuse.policy.slab import SlabType, read_only, slab_type, slabs

_TYPES = {
    "int": types.int64,
    "float": types.float64,
    "bool": types.boolean,
    "int[]": SlabType(types.int64, 1, readonly=True),
    "float[]": SlabType(types.float64, 1, readonly=True),
}


def jit(function: Callable[..., Any]) -> Any:
    """A function of the policy language, called from compiled code only (so Python wrappers are left out)."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **intrinsics.OPTIONS)(function)


@functools.cache
def kit_functions(name: str) -> dict[str, Any]:
    """The compiled methods of a policykit class and of the classes it is made of."""
    lowered, layout = lower_kit(name)
    space = dict(intrinsics.NAMES)
    for part in layout.parts.values():
        space.update(kit_functions(part.name))
    return _define(lowered, space | {"np": np, "math": math})


def _define(lowered: Lowered, space: dict[str, Any]) -> dict[str, Any]:
    module = ast.Module(body=list(lowered.functions.values()), type_ignores=[])
    exec(compile(module, lowered.filename, "exec"), space)
    made = {name: jit(space[name]) for name in lowered.functions}
    space.update(made)  # the functions call one another through these globals
    return made


class CompiledPolicy:
    """A policy compiled for search: its methods as functions over a state.

    Args:
        program: The checked program.
        init: Arguments for one interpreted construction, from which the attributes' kinds are read.
        values: Values of marked constants (default: those in the text).

    Raises:
        PolicyError: (``contract``) The text breaks a rule that only shows with types;
            (``compile``) Numba refuses it; (``crash``) ``__init__`` raises.
    """

    compiled = True

    def __init__(self, program: Program, init: tuple[Any, ...], values: Mapping[str, float] | None = None) -> None:
        self.program = program
        self.values = {name: c.value for name, c in program.constants.items()} | dict(values or {})
        self.floats: frozenset[str] = frozenset()
        while True:
            try:
                self._build(init)
                return
            except _NeedsFloat as need:
                self.floats |= {need.attribute}

    def _build(self, init: tuple[Any, ...]) -> None:
        self._class = policy_class(self.program, self.values, self.floats)
        instance = construct(self._class, init)
        self.layout: Layout = layout_of(instance, "Policy", self.floats)
        self.layout.constants = {n: "float" if isinstance(c.value, float) else "int" for n, c in self.program.constants.items()}
        self.layout.__post_init__()
        lowered = lower(self.program, self.layout)
        space: dict[str, Any] = {}
        for alias, (module, attribute) in self.program.names.imports.items():
            real = {"math": math, "numpy": np}.get(module)
            if real is not None:
                space[alias] = getattr(real, attribute) if attribute else real
        space.update(_plain_constants(self.program))
        space.update(intrinsics.NAMES)
        for kit in sorted(lowered.kits):
            space.update(kit_functions(kit))
        linecache.cache[FILENAME] = (len(self.program.source), None, self.program.source.splitlines(True), FILENAME)
        self._functions = _define(lowered, space)
        state_type = slab_type(numba.typeof(self.layout.pack(instance, self.values)))
        self.functions: dict[str, Any] = {}
        for method in self.program.contract.methods:
            function = self._functions.get(f"Policy__{method.name}")
            if function is None:
                continue
            signature = (state_type, *(_TYPES[t] for t in method.types))
            self._compile(method.name, function, signature)
            self._check_return(method.name, method.returns, function.overloads[signature].signature.return_type)
            # One compilation a method: drivers pass exactly these kinds.
            function.disable_compile()
            self.functions[method.name] = function

    def _compile(self, name: str, function: Any, signature: tuple[Any, ...]) -> None:
        try:
            function.compile(signature)
        except NumbaError as error:
            message, line = explain(error)
            if intrinsics.NOT_AN_INT in message:
                attribute = self._int_attribute_at(line)
                if attribute:
                    raise _NeedsFloat(attribute) from None
            raise PolicyError("compile", f"in {name}: {message}", line) from None
        except (NotImplementedError, AssertionError, KeyError, RecursionError, ValueError, TypeError, AttributeError) as error:
            # Numba's own limits surface as plain exceptions; the candidate cannot be compiled either way.
            raise PolicyError("compile", f"in {name}: the compiler gave up: {type(error).__name__}: {error}") from None

    def _int_attribute_at(self, line: int | None) -> str | None:
        for node in ast.walk(self.program.policy):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.lineno == line:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for part in ast.walk(target):
                        if isinstance(part, ast.Attribute) and self.layout.scalars.get(part.attr) == "int" and part.attr not in self.floats:
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
        if isinstance(got, types.Optional) or got is types.none:
            raise PolicyError("contract", f"{name} must return {_a(want)} on every path; some path returns nothing", line)
        raise PolicyError("contract", f"{name} must return {_a(want)}, it returns {got}", line)

    def state(self, *init: Any) -> Any:
        """A fresh policy for one workload, as the state tuple that the functions work on.

        Raises:
            PolicyError: (``crash``) ``__init__`` raises; (``contract``) its attributes depend on the
                arguments.
        """
        return self.layout.pack(construct(self._class, init), self.values)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """Compile a simulator's driver with this policy's methods inlined.

        Args:
            factory: Called with one function a contract method (by name) , ``view``, which the driver
                applies to the state once at its start, and ``show``, which makes the read-only form of an
                array that is passed to a method; returns the driver.
            defaults: What stands for methods the policy does not define.
        """
        functions = {m.name: self.functions.get(m.name, defaults.get(m.name)) for m in self.program.contract.methods}
        # The driver is trusted and checks what it is given; the policy's functions keep their own checks.
        return numba.njit(**(intrinsics.OPTIONS | {"boundscheck": False, "nogil": True, "no_cfunc_wrapper": True}))(factory(view=slabs, show=read_only, **functions))


class InterpretedPolicy:
    """The same policy under CPython: slow, with Python's own tracebacks; takes identical decisions.

    Args and errors as for :class:`CompiledPolicy`, without ``compile``.
    """

    compiled = False

    def __init__(self, program: Program, values: Mapping[str, float] | None = None, floats: frozenset[str] = frozenset()) -> None:
        self.program = program
        self.values = {name: c.value for name, c in program.constants.items()} | dict(values or {})
        self._class = policy_class(program, self.values, floats)

    def state(self, *init: Any) -> Any:
        """A fresh policy for one workload."""
        return construct(self._class, init)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """The simulator's driver, calling the policy's methods."""
        functions: dict[str, Any] = {}
        for method in self.program.contract.methods:
            name = method.name
            if name in self.program.methods:
                functions[name] = _caller(name)
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


class _NeedsFloat(Exception):
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
        raise PolicyError("crash", f"__init__ raised {type(error).__name__}: {error}", line_of(error)) from None


def line_of(error: BaseException) -> int | None:
    """The innermost line of the policy's own text in a traceback."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _plain_constants(program: Program) -> dict[str, Any]:
    """Unmarked top-level constants: frozen into the compiled code."""
    from metamuse.policy.interpret import namespace

    names = {
        t.id
        for node in program.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for t in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(t, ast.Name) and t.id not in program.constants
    }
    space = namespace(program, {})
    return {name: space[name] for name in names}


def _a(kind: str) -> str:
    return {"int": "an int", "float": "a number", "bool": "True or False"}.get(kind, "nothing")


_LINE = re.compile(r'File "policy\.py", line (\d+)')
_NOISE = re.compile(r"\x1b\[[0-9;]*m")


def explain(error: NumbaError) -> tuple[str, int | None]:
    """Boil a Numba error down to what the author of the policy can act on: (sentence, line)."""
    text = _NOISE.sub("", str(error))
    lines = [int(m) for m in _LINE.findall(text)]
    line = lines[-1] if lines else None
    attribute = re.search(r"Unknown attribute '(\w+)' of type (\S+)", text)
    if intrinsics.NOT_AN_INT in text:
        return intrinsics.NOT_AN_INT, line
    special = re.search(r"this attribute is a \w+ but is given .*? here", text)
    if special:
        return special[0], line
    undefined = re.search(r"NameError: name '(\w+)' is not defined|global name '(\w+)'", text)
    if undefined:
        return f"the name {undefined[1] or undefined[2]} is not defined", line
    unify = re.search(r"Cannot unify (.+?) and (.+?) for '(\w+)(?:\.\d+)?'", text)
    if unify:
        return f"the variable {unify[3]} holds a {unify[1]} and a {unify[2]}; give it one kind", line
    if attribute:
        return f"unknown attribute {attribute[1]} of {attribute[2]}", line
    no_match = re.search(r"No implementation of function (.+?) found for signature:\s+>>> (.+?)\s*\n", text)
    if no_match:
        call = no_match[2].replace("int64", "int").replace("float64", "float")
        call = re.sub(r"PolicyState\(.*?\)\)?", "self", call)
        return f"no such operation on these kinds of values: {call[:200]}", line
    keep = [s.strip() for s in text.splitlines() if s.strip() and not s.startswith(("During:", "File", "This error", "Failed"))]
    return " ".join(keep)[:300] or "the compiler refused it", line
