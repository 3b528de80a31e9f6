"""A checked policy module, ready to be executed in either mode."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass, field

from evaluators.base import Contract, PolicyError
from metamuse.policy.constants import Constant, marked_constants
from metamuse.policy.language import Names, check, parse


@dataclass(frozen=True)
class Program:
    """A policy module that has passed the static check. Nothing of it has run yet.

    Attributes:
        source: The text, as given.
        tree: Its syntax tree (do not modify; copy first).
        names: What its imports stand for.
        contract: The problem's contract it was checked against.
        constants: The marked constants by name.
        doc: The idea: docstring of the class, else of the module.
    """

    source: str
    tree: ast.Module = field(repr=False)
    names: Names = field(repr=False)
    contract: Contract = field(repr=False)
    constants: dict[str, Constant]
    doc: str

    @property
    def policy(self) -> ast.ClassDef:
        """The syntax tree of class Policy."""
        return next(node for node in self.tree.body if isinstance(node, ast.ClassDef))

    @property
    def methods(self) -> dict[str, ast.FunctionDef]:
        """The methods of class Policy by name."""
        return {node.name: node for node in self.policy.body if isinstance(node, ast.FunctionDef)}

    @property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """The functions at the top level of the module by name."""
        return {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}

    def structure(self) -> str:
        """A hash of the program without names of locals, constants' values, comments and docstrings.

        Two programs with the same structure differ at most in the values of marked constants and in
        names; they are counted as one when distinct solutions are counted.
        """
        return hashlib.sha256(_normalised(self).encode()).hexdigest()[:16]


def load(source: str, contract: Contract) -> Program:
    """Parse and check a policy.

    Raises:
        PolicyError: (``parse`` or ``contract``) with the line and what to change.
    """
    tree = parse(source)
    names = check(tree, contract)
    constants = marked_constants(source, tree)
    policy = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    doc = ast.get_docstring(policy) or ast.get_docstring(tree) or ""
    program = Program(source, tree, names, contract, constants, doc)
    _check_recursion(program)
    return program


def _check_recursion(program: Program) -> None:
    """Refuse call cycles: a loop says the same and cannot exhaust the stack."""
    nodes = {f"self.{name}": node for name, node in program.methods.items()} | program.functions
    calls: dict[str, set[str]] = {}
    for name, node in nodes.items():
        calls[name] = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                func = part.func
                if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self":
                    calls[name].add(f"self.{func.attr}")
                elif isinstance(func, ast.Name):
                    calls[name].add(func.id)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            raise PolicyError("contract", f"recursion is not allowed ({cycle}); write a loop", nodes[name].lineno)
        if name in done or name not in nodes:
            return
        for callee in sorted(calls[name]):
            visit(callee, (*path, name))
        done.add(name)

    for name in nodes:
        visit(name, ())


class _Normaliser(ast.NodeTransformer):
    """Renames everything a policy may name freely, in order of appearance, and drops docstrings."""

    def __init__(self, program: Program) -> None:
        self.kept = {m.name for m in program.contract.methods} | {"self", "__init__", "Policy"}
        self.kept |= set(dir(__builtins__)) if not isinstance(__builtins__, dict) else set(__builtins__)
        self.constants = program.constants
        self.names: dict[str, str] = {}
        self.program = program

    def _name(self, name: str) -> str:
        if name in self.kept:
            return name
        return self.names.setdefault(name, f"v{len(self.names)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        resolved = self.program.names.resolve(node)
        if resolved is not None:
            return ast.Name(".".join(resolved), node.ctx)
        return ast.Name(self._name(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._name(node.arg))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        resolved = self.program.names.resolve(node)
        if resolved is not None:
            return ast.Name(".".join(resolved), node.ctx)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return ast.Attribute(node.value, self._name("self." + node.attr) if node.attr not in self.kept else node.attr, node.ctx)
        return ast.Attribute(self.visit(node.value), node.attr, node.ctx)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        new = ast.FunctionDef(
            name=node.name if node.name in self.kept else self._name("self." + node.name),
            args=self.visit(node.args),
            body=[self.visit(s) for s in body] or [ast.Pass()],
            decorator_list=[],
            returns=None,
        )
        return new


def _normalised(program: Program) -> str:
    normaliser = _Normaliser(program)
    parts: list[str] = []
    # Visiting a copy: the transformer replaces children of the nodes it is given.
    tree = ast.parse(program.source)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in program.constants:
                kind = type(program.constants[name].value).__name__
                parts.append(f"tune {normaliser._name(name)} {kind}")
            else:
                parts.append(ast.dump(normaliser.visit(node)))
        elif isinstance(node, ast.FunctionDef):
            parts.append(ast.dump(normaliser.visit(node)))
        elif isinstance(node, ast.ClassDef):
            parts.extend(ast.dump(normaliser.visit(item)) for item in node.body if isinstance(item, ast.FunctionDef))
    return "\n".join(parts)
