"""Removes what is dead by the text alone: no run is needed to see that it decides nothing.

Names that are never used, attributes and variables that are only ever written, helpers nobody calls, branches of
constant conditions, blocks and methods without content. What is removed is assumed not to fail and not to loop for ever
(the whole program ran to its end on every workload, and so it did neither there).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Set

from evaluators.base import Contract
from metamuse.policy import vocabulary as words
from metamuse.policy.constants import Constant
from metamuse.policy.rules import Names, is_self, is_text

#: Methods of policykit's structures that change nothing.
_LOOKS = frozenset(
    [
        "all", "any", "argmax", "argmin", "at", "at_least", "back", "copy", "count", "estimate", "first", "front",
        "full", "get", "highest", "largest", "level", "max", "mean", "min", "next_level", "oldest", "peek", "prev",
        "previous_level", "priority", "std", "sum", "top", "var",
    ]
)  # fmt: skip

_FUNCTIONS = words.BUILTINS | words.MATH | words.NUMPY | words.POLICYKIT


def sweep(
    tree: ast.Module,
    names: Names,
    contract: Contract,
    constants: Set[str] | dict[str, Constant] = frozenset(),
    keep: Set[str] = frozenset(),
) -> ast.Module:
    """Remove dead code until there is none.

    Args:
        tree: Of a checked module; changed in place.
        names: What its imports stand for.
        contract: Names the methods that the simulator calls.
        constants: Names of the marked constants, which stay constants (others used once are written where they are
            used).
        keep: Optional methods that stay although they do nothing.

    Returns:
        The tree.
    """
    before = ""
    while (now := ast.dump(tree)) != before:
        before = now
        _Branches().visit(tree)
        _Dead(tree, names, contract, set(constants), keep).remove()
    return tree


def policy_of(tree: ast.Module) -> ast.ClassDef:
    """The class of a policy module."""
    return next(node for node in tree.body if isinstance(node, ast.ClassDef))


def functions_of(tree: ast.Module) -> list[ast.FunctionDef]:
    """Methods and functions of a policy module."""
    return [f for node in (tree, policy_of(tree)) for f in node.body if isinstance(f, ast.FunctionDef)]


class _Branches(ast.NodeTransformer):
    """Takes the side of a constant condition and drops what has no content or cannot be reached."""

    def visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                rest = [part for statement in block for part in self._statement(statement)]
                if isinstance(node, ast.FunctionDef) and rest and _is_bare(rest[-1]):
                    rest.pop()
                if name == "body" and not isinstance(node, ast.Module):
                    real = [part for part in rest if not isinstance(part, ast.Pass)]
                    rest = real or rest[:1] or [ast.Pass()]
                setattr(node, name, _reachable(rest))
        return node

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.If):
            if all(isinstance(part, ast.Pass) for part in node.orelse):
                node.orelse = []
            if isinstance(node.test, ast.Constant):
                return node.body if node.test.value else node.orelse
            if _is_empty(node.body):
                if not node.orelse:
                    return [] if is_pure(node.test) else [node]
                node.test, node.body, node.orelse = _negated(node.test), node.orelse, []
            elif node.orelse and [ast.dump(n) for n in node.body] == [ast.dump(n) for n in node.orelse]:
                return node.body if is_pure(node.test) else [node]
        elif isinstance(node, ast.For) and _is_empty(node.body) and not node.orelse:
            return [] if is_pure(node.iter) else [node]
        elif isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
            return node.orelse
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Name):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == node.value.id:
                return []
        return [node]


def _reachable(block: list[ast.stmt]) -> list[ast.stmt]:
    for i, node in enumerate(block):
        if isinstance(node, ast.Return | ast.Break | ast.Continue):
            return block[: i + 1]
    return block


def _is_bare(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and node.value is None


def _is_empty(block: list[ast.stmt]) -> bool:
    return all(isinstance(part, ast.Pass) for part in block)


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def is_pure(node: ast.AST) -> bool:
    """Whether evaluating an expression changes nothing: it calls no own method and nothing that alters a structure."""
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        if isinstance(part.func, ast.Name):
            if part.func.id not in _FUNCTIONS:
                return False  # an own function may write into the arrays it is given
        elif isinstance(part.func, ast.Attribute):
            owner = part.func.value
            plain = isinstance(owner, ast.Name) and not is_self(owner)  # a module, or a local array
            if not plain and part.func.attr not in _LOOKS:
                return False
    return True


def _attribute(node: ast.AST) -> str:
    """``x`` of ``self.x``, else ""."""
    return node.attr if isinstance(node, ast.Attribute) and is_self(node.value) else ""


def _base(target: ast.expr) -> str:
    """``x`` of the targets ``self.x``, ``self.x[i]``, ``self.x[i][j]``, else ""."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return _attribute(target)


class _Dead:
    """One pass: what is used is counted first, then what is not is removed."""

    def __init__(
        self, tree: ast.Module, names: Names, contract: Contract, constants: Set[str], keep: Set[str]
    ) -> None:
        self.tree = tree
        self.names = names
        self.contract = {m.name: m for m in contract.methods}
        self.constants = constants
        self.keep = keep
        self.used = Counter(
            n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        )
        self.called = {
            _attribute(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call) and _attribute(n.func)
        }
        self.empty = {
            f.name for f in functions_of(tree) if all(isinstance(s, ast.Pass) or is_text(s) for s in f.body)
        }
        self.read: set[str] = set()
        for function in functions_of(tree):
            for statement in function.body:
                self._reads(statement)

    def _reads(self, node: ast.AST) -> None:
        """Collect the attributes that a statement reads, other than to change them."""
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                inner = target
                while isinstance(inner, ast.Subscript):
                    self._reads(inner.slice)
                    inner = inner.value
                if not _attribute(inner):
                    self._reads(inner)
            if node.value is not None:
                self._reads_value(node.value, [_base(target) for target in targets])
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            func = node.value.func
            arguments = [*node.value.args, *(k.value for k in node.value.keywords)]
            if isinstance(func, ast.Attribute) and _attribute(func.value) and all(map(is_pure, arguments)):
                for argument in arguments:
                    self._reads(argument)
                return
        if _attribute(node):
            self.read.add(_attribute(node))
            return
        for child in ast.iter_child_nodes(node):
            self._reads(child)

    def _reads_value(self, value: ast.expr, into: list[str]) -> None:
        """``self.x = self.x * DECAY + 1`` keeps x alive for nothing but itself."""
        before = self.read.copy()
        self._reads(value)
        if is_pure(value):
            if len(into) == 1:
                self.read -= set(into) - before
        elif not isinstance(value, ast.Call):
            self.read |= set(into) - {""}  # it has to be kept, and so has where it goes

    def remove(self) -> None:
        self.tree.body = [node for node in self.tree.body if self._keeps_global(node)]
        policy = policy_of(self.tree)
        policy.body = [node for node in policy.body if self._keeps_method(node)]
        for function in functions_of(self.tree):
            self.locals = Counter(
                n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
            )
            self._block(function)
        self._inline()

    def _keeps_global(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                return True
            node.names = [a for a in node.names if self.used[(a.asname or a.name).partition(".")[0]]]
            return bool(node.names)
        if isinstance(node, ast.FunctionDef):
            return bool(self.used[node.name])
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return not isinstance(target, ast.Name) or bool(self.used[target.id])
        return True

    def _keeps_method(self, node: ast.stmt) -> bool:
        if not isinstance(node, ast.FunctionDef) or node.name == "__init__":
            return True
        method = self.contract.get(node.name)
        if method is None:
            return node.name in self.called
        droppable = not method.required and method.returns == "none" and node.name not in self.keep
        return not (droppable and node.name in self.empty and node.name not in self.called)

    def _block(self, node: ast.AST) -> None:
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            rest: list[ast.stmt] = []
            for statement in block:
                self._block(statement)
                rest += self._kept(statement)
            if not rest and name == "body":
                rest = [ast.Pass()]
            setattr(node, name, rest)

    def _kept(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            func = call.func
            pure_arguments = all(map(is_pure, [*call.args, *(k.value for k in call.keywords)]))
            if isinstance(func, ast.Attribute) and pure_arguments:
                if is_self(func.value) and func.attr in self.empty:
                    return []
                owner = _attribute(func.value)
                if owner and (owner not in self.read or func.attr in _LOOKS):
                    return []
            return [node]
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) or node.value is None:
            return [node]
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if not all(self._is_unread(target) for target in targets):
            return [node]
        if is_pure(node.value) and all(map(is_pure, targets)):
            return []
        return [ast.Expr(node.value)] if isinstance(node.value, ast.Call) else [node]

    def _is_unread(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Name):
            return not self.locals[target.id]
        base = _base(target)
        return bool(base) and base not in self.read

    def _inline(self) -> None:
        """Write an unmarked number that is used once where it is used."""
        for node in list(self.tree.body):
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            name = node.targets[0].id
            plain = isinstance(node.value, ast.Constant) and not isinstance(node.value.value, bool)
            if plain and name not in self.constants and self.used[name] == 1:
                _Inliner(name, node.value).visit(self.tree)
                self.tree.body.remove(node)


class _Inliner(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self.name = name
        self.value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name and isinstance(node.ctx, ast.Load) else node
