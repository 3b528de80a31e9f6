"""What a translator translates: the class of a policy, and the policykit classes that it uses."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import metamuse.policykit
from metamuse.export.kinds import of_value
from metamuse.policy.compiled import construct
from metamuse.policy.layout import Layout, layout_of
from metamuse.policy.program import Program
from metamuse.policy.rules import Names


@dataclass(frozen=True, eq=False)
class Unit:
    """One class.

    Attributes:
        name: ``Policy`` or the name of a policykit class.
        text: The source its nodes stand in.
        tree: The class's module.
        methods: Its methods by name, as written.
        functions: Functions of its module.
        constants: Numbers (and tuples of them) of its module.
        names: What imported names stand for.
        layout: Its attributes.
        init: Names of the parameters of ``__init__``.
        marked: Marked constants, which may be given other values.
        method_types: Kinds of parameters and of results that are given from outside, by method.
    """

    name: str
    text: str
    tree: ast.Module
    methods: Mapping[str, ast.FunctionDef]
    functions: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, Any]
    names: Names
    layout: Layout
    method_types: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    @property
    def is_kit(self) -> bool:
        """Whether it is a class of policykit, whose arithmetic is trusted."""
        return self.name != "Policy"


def policy_unit(program: Program, layout: Layout, constants: Mapping[str, Any], init: Sequence[Any]) -> Unit:
    """The class ``Policy`` of a checked program; ``init`` are arguments that ``__init__`` may be given."""
    contract = {m.name: (m.types, m.returns) for m in program.contract.methods}
    contract["__init__"] = (tuple(of_value(value).name for value in init), "none")
    return Unit(
        "Policy", program.source, program.tree, program.methods, program.functions, constants, program.names,
        layout, contract,
    )  # fmt: skip


@functools.cache
def kit_unit(name: str) -> Unit:
    """A class of policykit."""
    cls = getattr(metamuse.policykit, name)
    text = textwrap.dedent(inspect.getsource(cls))
    tree = ast.parse(text)
    node = tree.body[0]
    assert isinstance(node, ast.ClassDef)
    imports = {"np": ("numpy", ""), "List": ("metamuse.policykit", "List")}
    names = Names(imports | {"hash64": ("metamuse.policykit", "hash64")})
    methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
    types = {n: _annotated(m) for n, m in methods.items()}
    required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
    layout = layout_of(construct(cls, (4,) * len(required)), name)
    return Unit(name, text, tree, methods, {}, {}, names, layout, types)


def _annotated(node: ast.FunctionDef) -> tuple[tuple[str, ...], str]:
    returns = "none" if node.returns is None else ast.unparse(node.returns).lower()
    return tuple(ast.unparse(a.annotation) if a.annotation else "int" for a in node.args.args[1:]), returns
