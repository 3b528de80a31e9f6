"""A checked policy module, ready to be executed in either mode."""

from __future__ import annotations

import ast
import hashlib
import pickle
from dataclasses import dataclass, field
from functools import cached_property

from evaluators.base import Contract, PolicyError
from metamuse.policy.constants import Constant, marked_constants
from metamuse.policy.desugar import plain_tree
from metamuse.policy.language import check, parse
from metamuse.policy.rules import Names, fail
from metamuse.policy.structure import normal_form


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
    def defined(self) -> frozenset[str]:
        """The methods of the contract that the policy defines."""
        return frozenset(m.name for m in self.contract.methods if m.name in self.methods)

    def reads(self, method: str, parameter: str) -> bool:
        """Whether a method uses a parameter, named as in the contract; False if it is not defined."""
        contract = self.contract.method(method)
        node = self.methods.get(method)
        if contract is None or node is None:
            return False
        name = node.args.args[1 + contract.params.index(parameter)].arg
        return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))

    @property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """The functions at the top level of the module by name."""
        return {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}

    def structure(self) -> str:
        """A hash of the program without names of locals, constants' values, comments and docstrings.

        Two programs with the same structure differ at most in the values of marked constants and in
        names; they are counted as one when distinct solutions are counted.
        """
        return self._hash(with_values=False)

    def fingerprint(self) -> str:
        """A hash as :meth:`structure`, but with constants' values: programs with equal ones decide the same."""
        return self._hash(with_values=True)[:12]

    def _hash(self, with_values: bool) -> str:
        methods = {m.name for m in self.contract.methods}
        text = normal_form(self.plain_tree(), self.names, self.constants, methods, with_values)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def plain_tree(self) -> ast.Module:
        """A fresh tree in the form that both ways of execution start from (see :mod:`metamuse.policy.desugar`)."""
        tree: ast.Module = pickle.loads(self._plain)
        return tree

    @cached_property
    def _plain(self) -> bytes:
        # Half a dozen copies are made of each tree, and this is by far the fastest way.
        return pickle.dumps(plain_tree(self.tree, self.names), pickle.HIGHEST_PROTOCOL)

    @cached_property
    def lifted(self) -> frozenset[str]:
        """Constants that live in the state, so that tuning does not recompile: marked ones and what follows from them."""
        found = set(self.constants)
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if any(isinstance(n, ast.Name) and n.id in found for n in ast.walk(node.value)):
                    assert isinstance(target, ast.Name)
                    found.add(target.id)
        return frozenset(found)


def load(source: str, contract: Contract) -> Program:
    """Parse and check a policy.

    Raises:
        PolicyError: (``parse`` or ``contract``) with the line and what to change.
    """
    source = source.removeprefix("\ufeff")  # a byte order mark, which Python skips in files
    tree = parse(source)
    names = check(tree, contract)
    constants = marked_constants(source, tree)
    policy = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    doc = ast.get_docstring(policy) or ast.get_docstring(tree) or ""
    # Escapes can spell what no file can hold and what a terminal obeys.
    doc = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in doc)
    program = Program(source, tree, names, contract, constants, doc)
    _check_recursion(program)
    program.plain_tree()  # its own refusals belong here, too
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Tuple):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in program.lifted:
                fail(
                    node,
                    f"{target.id} holds a tuned constant, so it must be a number; build the tuple in a method",
                )
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
                if (
                    isinstance(func, ast.Attribute)
                    and isinstance(func.value, ast.Name)
                    and func.value.id == "self"
                ):
                    calls[name].add(f"self.{func.attr}")
                elif isinstance(func, ast.Name):
                    calls[name].add(func.id)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            raise PolicyError(
                "contract", f"recursion is not allowed ({cycle}); write a loop", nodes[name].lineno
            )
        if name in done or name not in nodes:
            return
        for callee in sorted(calls[name]):
            visit(callee, (*path, name))
        done.add(name)

    for name in nodes:
        visit(name, ())
