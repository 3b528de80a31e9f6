"""The pieces of a program that may be left out, and the program without some of them.

Whether a piece decides anything is tried on :mod:`metamuse.policy.switchboard`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from evaluators.base import Contract
from metamuse.policy.rules import is_self, is_text
from metamuse.policy.sweep import functions_of

#: The most switches a program gets (the text with all of them has a limit).
MOST = 300

#: What takes the place of an operand that is left out.
NEUTRAL: dict[type[ast.operator], tuple[int | None, int | None]] = {
    ast.Add: (0, 0),
    ast.Sub: (None, 0),
    ast.Mult: (1, 1),
    ast.Div: (None, 1),
    ast.BitOr: (0, 0),
    ast.BitXor: (0, 0),
    ast.LShift: (None, 0),
    ast.RShift: (None, 0),
}
#: Nodes of an expression that may be written twice.
_SMALL = 12
#: Functions of one number that may be left out.
_AROUND = frozenset(["abs", "sqrt", "log1p", "log", "log2", "exp", "floor", "ceil", "fabs", "tanh"])


@dataclass(frozen=True)
class Switch:
    """One piece of a program that may be left out.

    Attributes:
        site: Number of the node in ``ast.walk`` order of the tree.
        action: ``delete`` a statement; make a condition ``true`` or ``false``; leave out an ``operand``; take the
            argument ``inside`` a call, or a ``side`` of a conditional expression (``true`` or ``false`` of its test).
        weight: How many nodes it removes.
        within: Sites of the nodes around it.
        exact: False if leaving it out may turn a float into an int.
        one_of: Site of the node of whose parts only one may be left out at a time, -1 if there is none.
    """

    site: int
    action: str
    weight: int
    within: frozenset[int]
    exact: bool = True
    one_of: int = -1

    def bars(self, other: Switch) -> bool:
        """Whether there is nothing to gain, or no sense, in leaving out another piece once this one is gone."""
        return (
            other.site == self.site
            or (self.action in ("delete", "operand") and self.site in other.within)
            or (self.one_of >= 0 and self.one_of == other.one_of)
        )

    @property
    def is_statement(self) -> bool:
        """Whether it removes whole statements."""
        return self.action == "delete"


def switches(tree: ast.Module, contract: Contract) -> list[Switch]:
    """What may be left out of a program, the largest pieces first.

    Left out are neither returns nor the first assignment of a variable, and nothing of ``__init__``: without them the
    program would not be one. Ways out of a ``while`` loop stay, too: one that was never taken may be what ends the loop
    some day.
    """
    return _Finder(tree, contract).found()


def sites_of(tree: ast.AST) -> dict[int, int]:
    """Site of every node, by its ``id``."""
    return {id(node): i for i, node in enumerate(ast.walk(tree))}


def _size(*nodes: ast.AST) -> int:
    return sum(1 for node in nodes for _ in ast.walk(node))


class _Finder:
    def __init__(self, tree: ast.Module, contract: Contract) -> None:
        self.tree = tree
        self.sites = sites_of(tree)
        self.list: list[Switch] = []
        self.whiles = 0
        self.arrays = {
            m.name: [i for i, kind in enumerate(m.types) if kind.endswith("[]")] for m in contract.methods
        }

    def found(self) -> list[Switch]:
        for function in functions_of(self.tree):
            endless = any(isinstance(part, ast.While) for part in ast.walk(function))
            if function.name == "__init__" or (endless and function in self.tree.body):
                continue  # outside the class there is no fuel that would end a loop without its end
            arguments = [a.arg for a in function.args.args]
            self.whole = {arguments[1 + i] for i in self.arrays.get(function.name, [])}
            self._block(function.body, set(arguments), ())
        order = sorted(self.list, key=lambda s: (-s.weight, s.site, s.action))
        return order[:MOST]

    def _add(
        self,
        node: ast.AST,
        action: str,
        weight: int,
        around: Sequence[int],
        exact: bool = True,
        one_of: int = -1,
    ) -> None:
        self.list.append(Switch(self.sites[id(node)], action, weight, frozenset(around), exact, one_of))

    def _block(self, block: Sequence[ast.stmt], known: set[str], around: tuple[int, ...]) -> None:
        known = set(known)
        for node in block:
            self._statement(node, known, around)
            known |= _assigned(node)

    def _statement(self, node: ast.stmt, known: set[str], around: tuple[int, ...]) -> None:
        inner = (*around, self.sites[id(node)])
        if isinstance(node, ast.Pass) or is_text(node):
            return
        if isinstance(node, ast.Return):
            if node.value is not None:
                self._expression(node.value, inner)
            return
        returns = any(isinstance(part, ast.Return) for part in ast.walk(node))
        spared = isinstance(node, ast.If) or returns or self._leaves([node])
        if not spared and _assigned(node) <= known:
            self._add(node, "delete", _size(node), around)
        if isinstance(node, ast.If):
            if not self._leaves(node.body):
                self._add(node, "false", _size(node.test, *node.body), around)
            if not self._leaves(node.orelse):
                self._add(node, "true", _size(node.test, *node.orelse), around)
            self._expression(node.test, inner)
            self._block(node.body, known, inner)
            self._block(node.orelse, known, inner)
        elif isinstance(node, ast.While | ast.For):
            bound = _names(node.target) if isinstance(node, ast.For) else set()
            head = node.iter if isinstance(node, ast.For) else node.test
            self._expression(head, inner)
            self.whiles += isinstance(node, ast.While)
            self._block(node.body, known | bound, inner)
            self.whiles -= isinstance(node, ast.While)
            self._block(node.orelse, known, inner)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._children(node.value, inner)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            self._expression(node.value, inner)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._children(target, inner)

    def _leaves(self, nodes: Sequence[ast.stmt]) -> bool:
        """Whether statements hold a way out of the ``while`` loop that they are in."""
        return self.whiles > 0 and any(
            isinstance(part, ast.Break | ast.Return) for node in nodes for part in ast.walk(node)
        )

    def _expression(self, node: ast.expr, around: tuple[int, ...]) -> None:
        inner = (*around, self.sites[id(node)])
        if isinstance(node, ast.BinOp) and type(node.op) in NEUTRAL:
            for arm, neutral in zip((node.left, node.right), NEUTRAL[type(node.op)], strict=True):
                if neutral is not None and not self._is_array(arm):
                    exact = not isinstance(node.op, ast.Div) and not _is_float(arm)
                    self._add(arm, "operand", 1 + _size(arm), inner, exact)
        elif isinstance(node, ast.BoolOp):
            for arm in node.values:
                self._add(arm, "operand", 1 + _size(arm), inner)
        elif isinstance(node, ast.IfExp):
            self._add(node, "false", 1 + _size(node.test, node.body), around)
            self._add(node, "true", 1 + _size(node.test, node.orelse), around)
        elif isinstance(node, ast.Call) and not any(map(self._is_array, node.args)):
            self._call(node, around)
        self._children(node, inner)

    def _call(self, node: ast.Call, around: tuple[int, ...]) -> None:
        site = self.sites[id(node)]
        func = node.func
        if isinstance(func, ast.Name) and func.id in ("min", "max"):
            for arm in node.args:
                if other_operand(node, arm) is not None:
                    self._add(arm, "operand", 1 + _size(arm), (*around, site), not _is_float(arm), site)
            return
        name = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
        own = is_self(getattr(func, "value", node))
        if name in _AROUND and not own and len(node.args) == 1 and _size(node.args[0]) <= _SMALL:
            self._add(node, "inside", 2, around, name == "abs")

    def _children(self, node: ast.AST, around: tuple[int, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child, around)
            elif isinstance(child, ast.keyword):
                self._expression(child.value, around)

    def _is_array(self, node: ast.expr) -> bool:
        """Whether an operand is surely or probably a whole array, which no number can stand for."""
        if isinstance(node, ast.Name) and node.id in self.whole:
            return True
        return any(
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and isinstance(part.func.value, ast.Name)
            and part.func.value.id in ("np", "numpy")
            for part in ast.walk(node)
        )


def _is_float(node: ast.expr) -> bool:
    """Whether an operand by itself makes a result a float."""
    return any(
        (isinstance(part, ast.Constant) and isinstance(part.value, float))
        or isinstance(part, ast.Div)
        or (isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "float")
        for part in ast.walk(node)
    )


def _names(target: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _assigned(node: ast.stmt) -> set[str]:
    """Variables that surely have a value after a statement because of it."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return _names(node)
    return set()


def other_operand(call: ast.Call, arm: ast.expr) -> ast.expr | None:
    """Another argument of ``min`` or ``max`` that is small enough to be written twice."""
    small = [a for a in call.args if a is not arm and _size(a) <= _SMALL]
    return small[0] if small else None


def without(tree: ast.Module, off: Collection[Switch]) -> ast.Module:
    """A copy of a module without the pieces that are switched off; what is left keeps its positions."""
    new = copy.deepcopy(tree)
    return _Removing(new, {(s.site, s.action) for s in off}).module()


class _Removing:
    def __init__(self, tree: ast.Module, off: Collection[tuple[int, str]]) -> None:
        self.tree = tree
        self.sites = sites_of(tree)
        self.off = off

    def module(self) -> ast.Module:
        for function in functions_of(self.tree):
            function.body = self._block(function.body) or [ast.Pass()]
        return self.tree

    def _is_off(self, node: ast.AST, action: str) -> bool:
        return (self.sites[id(node)], action) in self.off

    def _block(self, block: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [part for node in block for part in self._statement(node)]

    def _statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        if self._is_off(node, "delete"):
            return
        if isinstance(node, ast.If):
            for action, side in (("true", node.body), ("false", node.orelse)):
                if self._is_off(node, action):
                    yield from self._block(side)
                    return
            node.body = self._block(node.body) or [ast.Pass()]
            node.orelse = self._block(node.orelse)
        elif isinstance(node, ast.While | ast.For):
            node.body = self._block(node.body) or [ast.Pass()]
            node.orelse = self._block(node.orelse)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self._expression(value))
            elif name == "targets":
                setattr(node, name, [self._expression(target) for target in value])
        yield node

    def _expression(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.IfExp):
            for action, side in (("true", node.body), ("false", node.orelse)):
                if self._is_off(node, action):
                    return self._expression(side)
        if isinstance(node, ast.Call) and self._is_off(node, "inside"):
            return self._expression(node.args[0])
        if isinstance(node, ast.BinOp):
            left, right = (self._is_off(arm, "operand") for arm in (node.left, node.right))
            if left and right:
                neutral = NEUTRAL[type(node.op)][0]
                return ast.Constant(neutral)
            if left or right:
                return self._expression(node.right if left else node.left)
        if isinstance(node, ast.BoolOp):
            node.values = [v for v in node.values if not self._is_off(v, "operand")]
            if not node.values:
                return ast.Constant(isinstance(node.op, ast.And))
            if len(node.values) == 1:
                return self._expression(node.values[0])
        if isinstance(node, ast.Call) and any(self._is_off(arm, "operand") for arm in node.args):
            node.args = [arm for arm in node.args if not self._is_off(arm, "operand")]
            if len(node.args) == 1:
                return self._expression(node.args[0])
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self._expression(value))
            elif isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, ast.keyword):
                        item.value = self._expression(item.value)
                    elif isinstance(item, ast.expr):
                        value[i] = self._expression(item)
        return node
