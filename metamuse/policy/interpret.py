"""Interpreted execution of a checked policy under CPython, with the language's semantics.

The module's tree is rewritten so that numpy scalars become Python numbers and integers beyond 64 bits are
errors; then its class is built in a namespace that holds nothing but the language.
"""

from __future__ import annotations

import ast
import builtins
import linecache
from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluators.base import PolicyError
from metamuse.policy import numeric
from metamuse.policy.meter import metered_tree
from metamuse.policy.program import Program
from metamuse.policy.vocabulary import BUILTINS

FILENAME = "policy.py"

_OPERATIONS: dict[type[ast.operator], str] = {
    ast.Div: "rt__divide",
    ast.LShift: "rt__left_shift",
    ast.Pow: "rt__power",
    ast.RShift: "rt__right_shift",
}
_METHODS = frozenset(["argsort", "mean", "std", "sum", "var"])


class _Instrument(ast.NodeTransformer):
    """Inserts the calls to :mod:`metamuse.policy.numeric`."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        special = _OPERATIONS.get(type(node.op))
        return _call(special, node, node.left, node.right) if special else _call("rt__int64", node, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        simple = isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant)
        return node if simple else _call("rt__int64", node, node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        assert isinstance(node.target, ast.Name)  # the others were rewritten before
        load = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        operation = type(node.op)
        if operation in _OPERATIONS and operation is not ast.Div:
            value: ast.expr = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
            return self.generic_visit(ast.copy_location(ast.Assign([node.target], value), node))
        self.generic_visit(node)
        value = _call("rt__in_place", node, ast.Constant(operation.__name__), load, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = _call("rt__each", node.iter, node.iter)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return _call("rt__plain", node, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        self.generic_visit(node)
        if (
            isinstance(func, ast.Attribute)
            and func.attr in _METHODS
            and not node.args
            and not _is_self(func.value)
        ):
            return _call("rt__" + func.attr, node, func.value)
        return _call("rt__plain", node, node)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _call(name: str, at: ast.AST, *args: ast.expr) -> ast.Call:
    node = ast.Call(ast.Name(name, ast.Load()), list(args), [])
    ast.copy_location(node, at)
    return ast.fix_missing_locations(node)


def namespace(
    program: Program, values: Mapping[str, float], meter: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Build the module namespace of a program: its constants, functions and class.

    Args:
        program: The checked program.
        values: Values of marked constants that replace the defaults; constants that are computed from them
            follow.
        meter: The functions that count steps, if they are to be counted.
    """
    tree = program.plain_tree() if meter is None else metered_tree(program)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constant = program.constants.get(node.targets[0].id)
            if constant is not None and constant.name in values:
                node.value = ast.copy_location(ast.Constant(constant.cast(values[constant.name])), node)
    tree = ast.fix_missing_locations(_Instrument().visit(tree))
    linecache.cache[FILENAME] = (len(program.source), None, program.source.splitlines(True), FILENAME)
    allowed = {name: getattr(builtins, name) for name in BUILTINS} | numeric.BUILTINS
    allowed |= {"__build_class__": builtins.__build_class__, "__import__": _import_of_numpy}
    space: dict[str, Any] = {"__name__": "policy", "__builtins__": allowed, **numeric.TOOLS, **(meter or {})}
    modules = {
        "math": numeric.interpreted_math(),
        "numpy": numeric.interpreted_numpy(),
        "metamuse.policykit": numeric.interpreted_policykit(),
    }
    for alias, (module, attribute) in program.names.imports.items():
        space[alias] = getattr(modules[module], attribute) if attribute else modules[module]
    try:
        # The policy's own code runs here; the static check has accepted it and the caller is the jail.
        exec(compile(tree, FILENAME, "exec"), space)
    except MemoryError:
        raise PolicyError("memory", "a top-level constant asks for more memory than it may have") from None
    except (ArithmeticError, ValueError, TypeError) as error:  # arithmetic on constants: nothing else runs
        raise PolicyError("crash", f"a top-level constant raised {type(error).__name__}: {error}") from None
    return space


def _import_of_numpy(name: str, *rest: Any) -> Any:
    """What numpy needs when an array's method is first used: it imports by the caller's builtins.

    A policy can neither import nor write this name.
    """
    if name.partition(".")[0] != "numpy":
        raise ImportError(name)
    return builtins.__import__(name, *rest)


def policy_class(space: Mapping[str, Any], floats: frozenset[str] = frozenset()) -> type:
    """The class ``Policy`` for interpreted execution.

    Its attributes follow the rules that compiled code follows: after ``__init__`` no attribute appears or
    changes its kind, and assigning to an array copies into it.

    Args:
        space: What :func:`namespace` gave.
        floats: Attributes that ``__init__`` sets to an int but that hold floats later.
    """
    base = space["Policy"]

    # A policy cannot write a double underscore, so it can neither reach nor redefine what is added here.
    class Guarded(base):  # type: ignore[misc, valid-type]  # the base exists only at run time
        def __init__(self, *args: Any) -> None:
            object.__setattr__(self, READY, False)
            super().__init__(*args)
            object.__setattr__(self, READY, True)

        def __setattr__(self, name: str, value: Any) -> None:
            value = numeric.int64(value)
            if name in floats and isinstance(value, int | float):
                value = float(value)
            if getattr(self, READY):
                value = _stored(self.__dict__, name, value)
            object.__setattr__(self, name, value)

    Guarded.__name__ = Guarded.__qualname__ = "Policy"
    return Guarded


#: Attribute of an interpreted policy that says whether ``__init__`` is done.
READY = "rt__ready"


def _stored(attributes: Mapping[str, Any], name: str, value: Any) -> Any:
    """What an attribute holds after ``self.name = value``."""
    if name not in attributes:
        raise PolicyError("contract", f"self.{name} must be created in __init__")
    old = attributes[name]
    if isinstance(old, np.ndarray):
        if old.dtype.kind in "ib" and np.asarray(value).dtype.kind == "f":
            raise PolicyError("contract", f"self.{name} holds ints but is given floats; {FLOAT_ARRAY}")
        old[...] = value
        return old
    if not isinstance(old, int | float):
        raise PolicyError("contract", f"self.{name} can only be assigned in __init__")
    if not isinstance(value, int | float):
        raise PolicyError("contract", f"self.{name} is a number and must stay one")
    if isinstance(old, int) and isinstance(value, float):
        raise PolicyError("contract", f"self.{name} starts as an int but is given a float; start it with 0.0")
    return type(old)(value)


FLOAT_ARRAY = "create it with dtype=np.float64"
