"""Interpreted execution of a checked policy under CPython, with the language's semantics.

The module's tree is rewritten so that numpy scalars become Python numbers and integers beyond 64 bits are
errors; then its class is built in a namespace that holds nothing but the language.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluators.base import PolicyError
import metamuse.policykit
from metamuse.policy import numeric
from metamuse.policy.language import BUILTINS
from metamuse.policy.program import Program

FILENAME = "policy.py"


class _Instrument(ast.NodeTransformer):
    """Inserts the calls to :mod:`metamuse.policy.numeric`; drops imports, annotations and strings."""

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return _call("_power", node, node.left, node.right)
        return _call("_int64", node, node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        # One meaning in both modes: a truth value, not one of the operands.
        self.generic_visit(node)
        node.values = [_call("bool", v, v) for v in node.values]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = node.target
        load: ast.expr = ast.parse(ast.unparse(target), mode="eval").body
        for part in ast.walk(load):
            ast.copy_location(part, node)
        value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        return self.visit(ast.copy_location(ast.Assign([target], value), node))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return _call("_plain", node, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        self.generic_visit(node)
        if isinstance(func, ast.Attribute) and func.attr in ("sum", "mean", "std", "var") and not node.args:
            return _call("_" + func.attr, node, node.func.value)  # type: ignore[attr-defined]  # an Attribute
        return _call("_plain", node, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for arg in node.args.args:
            arg.annotation = None
        self.generic_visit(node)
        return node


def _call(name: str, at: ast.AST, *args: ast.expr) -> ast.Call:
    node = ast.Call(ast.Name(name, ast.Load()), list(args), [])
    ast.copy_location(node, at)
    ast.copy_location(node.func, at)
    return node


def namespace(program: Program, values: Mapping[str, float]) -> dict[str, Any]:
    """Build the module namespace of a program: its constants, functions and class.

    Args:
        program: The checked program.
        values: Values of marked constants that replace the defaults.
    """
    tree = _Instrument().visit(ast.parse(program.source, filename=FILENAME))
    ast.fix_missing_locations(tree)
    linecache.cache[FILENAME] = (len(program.source), None, program.source.splitlines(True), FILENAME)
    allowed = {name: getattr(builtins, name) for name in BUILTINS}
    allowed["__build_class__"] = builtins.__build_class__
    tools = interpreted_tools()
    space: dict[str, Any] = {"__name__": "policy", "__builtins__": allowed, **tools}
    modules = {"math": math, "numpy": tools["_numpy"], "metamuse.policykit": metamuse.policykit}
    for alias, (module, attribute) in program.names.imports.items():
        space[alias] = getattr(modules[module], attribute) if attribute else modules[module]
    # The policy's own code runs here; the static check has accepted it and the caller is the jail.
    exec(compile(tree, FILENAME, "exec"), space)
    for name, value in values.items():
        space[name] = type(program.constants[name].value)(value)
    return space


def interpreted_tools() -> dict[str, Any]:
    """The helper functions that instrumented code calls."""
    np_space = numeric.interpreted_numpy()
    return {
        "_int64": numeric.int64,
        "_plain": numeric.plain,
        "_power": numeric.power,
        "_sum": np_space.sum,
        "_mean": np_space.mean,
        "_std": np_space.std,
        "_var": np_space.var,
        "_numpy": np_space,
    }


def policy_class(program: Program, values: Mapping[str, float], floats: frozenset[str] = frozenset()) -> type:
    """The class ``Policy`` for interpreted execution.

    Its attributes follow the rules that compiled code follows: after ``__init__`` no attribute appears or
    changes its kind, and assigning to an array copies into it.

    Args:
        program: The checked program.
        values: Values of marked constants.
        floats: Attributes that ``__init__`` sets to an int but that hold floats later.
    """
    base = namespace(program, values)["Policy"]

    class Guarded(base):  # type: ignore[misc, valid-type]  # the base exists only at run time
        def __init__(self, *args: Any) -> None:
            object.__setattr__(self, "_ready", False)
            super().__init__(*args)
            object.__setattr__(self, "_ready", True)

        def __setattr__(self, name: str, value: Any) -> None:
            value = numeric.int64(value)
            if name in floats:
                value = float(value)
            if self._ready:
                value = self._store(name, value)
            object.__setattr__(self, name, value)

        def _store(self, name: str, value: Any) -> Any:
            if name not in self.__dict__:
                raise PolicyError("contract", f"self.{name} must be created in __init__")
            old = self.__dict__[name]
            if isinstance(old, np.ndarray):
                old[...] = value
                return old
            if isinstance(old, bool) or isinstance(old, float) or isinstance(old, int):
                if not isinstance(value, int | float):
                    raise PolicyError("contract", f"self.{name} is a number and must stay one")
                if isinstance(old, bool):
                    return bool(value)
                return float(value) if isinstance(old, float) else value
            raise PolicyError("contract", f"self.{name} can only be assigned in __init__")

    Guarded.__name__ = "Policy"
    return Guarded
