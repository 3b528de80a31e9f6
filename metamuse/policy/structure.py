"""What is left of a program when names and tuned values do not count."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set

from metamuse.policy.constants import Constant
from metamuse.policy.rules import Names
from metamuse.policy.vocabulary import BUILTINS


def normal_form(
    tree: ast.Module,
    names: Names,
    constants: Mapping[str, Constant],
    contract_methods: Set[str],
    with_values: bool = False,
) -> str:
    """A text that is equal for two programs that differ at most in names and values of marked constants.

    Args:
        tree: A plain tree (see :mod:`metamuse.policy.desugar`), which is consumed.
        names: What the imported names stand for.
        constants: The marked constants.
        contract_methods: Methods whose names have a meaning.
        with_values: Whether values of marked constants count (their ranges never do).
    """
    methods = {
        n.name: n
        for c in tree.body
        if isinstance(c, ast.ClassDef)
        for n in c.body
        if isinstance(n, ast.FunctionDef)
    }
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    normaliser = _Normaliser(names, methods, functions, contract_methods | {"__init__"})
    parts: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in constants:
                value = constants[name].value
                kind = repr(value) if with_values else type(value).__name__
                parts.append(f"tune {normaliser.shared('c', name)} {kind}")
            else:
                parts.append(f"{normaliser.shared('c', name)} = {ast.dump(normaliser.visit(node.value))}")
        elif isinstance(node, ast.FunctionDef):
            parts.append(ast.dump(normaliser.function(node, normaliser.shared("f", node.name))))
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    parts.append(ast.dump(normaliser.function(item, normaliser.method(item.name))))
    return "\n".join(parts)


class _Normaliser(ast.NodeTransformer):
    """Renames everything a policy may name freely, in order of appearance: locals function by function."""

    def __init__(
        self,
        names: Names,
        methods: Mapping[str, ast.FunctionDef],
        functions: Mapping[str, ast.FunctionDef],
        kept: Set[str],
    ) -> None:
        self.names = names
        self.methods = methods
        self.functions = functions
        self.kept = kept
        # As written: normalising a function renames its parameters.
        self.parameters = {f: [a.arg for a in n.args.args] for f, n in functions.items()}
        self.parameters |= {f"self.{m}": [a.arg for a in n.args.args] for m, n in methods.items()}
        self.module: dict[tuple[str, str], str] = {}
        self.local: dict[str, str] = {}

    def shared(self, kind: str, name: str) -> str:
        """The number of a constant (``c``), function (``f``), method (``m``) or attribute (``a``)."""
        return self.module.setdefault((kind, name), f"{kind}{len(self.module)}")

    def method(self, name: str) -> str:
        """The normal name of a method."""
        return name if name in self.kept else self.shared("m", name)

    def function(self, node: ast.FunctionDef, name: str) -> ast.FunctionDef:
        """Normalise a function as a scope of its own."""
        bound = [a.arg for a in node.args.args]
        bound += [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.local = {local: f"l{i}" for i, local in enumerate(dict.fromkeys(bound))}
        node.name = name
        for arg in node.args.args:
            arg.arg = self.local[arg.arg]
        node.args.defaults = [self.visit(d) for d in node.args.defaults]
        node.body = [self.visit(statement) for statement in node.body]
        self.local = {}
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.local:
            return ast.Name(self.local[node.id], node.ctx)
        resolved = self.names.resolve(node)
        if resolved is not None:
            return ast.Name(".".join(resolved), node.ctx)
        if node.id in BUILTINS or "__" in node.id:
            return node
        return ast.Name(self.shared("f" if node.id in self.functions else "c", node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        resolved = self.names.resolve(node)
        if resolved is not None:
            return ast.Name(".".join(resolved), node.ctx)
        name = node.attr
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            name = self.method(name) if name in self.methods else self.shared("a", name)
        return ast.Attribute(self.visit(node.value), name, node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        parameters = self.parameters.get(ast.unparse(node.func), [])
        for keyword in node.keywords:
            if keyword.arg in parameters:
                keyword.arg = f"p{parameters.index(keyword.arg)}"
        return self.generic_visit(node)
