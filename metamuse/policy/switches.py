"""A program in which every piece can be switched off while it runs: one compilation serves hundreds of trials.

Compiling a candidate costs a second, running it on all workloads a tenth of that. So the pieces whose removal is to be
tried are not removed one by one from the text: each is guarded by a bit of a constant that lives in the state
(``if OFF_0 & 4 == 0: ...``, ``x + (0 if OFF_0 & 8 else y)``), and a trial only sets bits. What turned out to decide
nothing is then removed from the text (:func:`without`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.base import Contract
from metamuse.policy.rules import is_self, is_text
from metamuse.policy.sweep import functions_of

#: Switches in one constant, and the most a program gets (its text has a limit).
_BITS = 30
MOST = 300

#: What takes the place of an operand that is left out.
_NEUTRAL: dict[type[ast.operator], tuple[int | None, int | None]] = {
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


def _number(tree: ast.AST) -> dict[int, int]:
    """Number of every node by ``id``."""
    return {id(node): i for i, node in enumerate(ast.walk(tree))}


def _size(*nodes: ast.AST) -> int:
    return sum(1 for node in nodes for _ in ast.walk(node))


class _Finder:
    def __init__(self, tree: ast.Module, contract: Contract) -> None:
        self.tree = tree
        self.sites = _number(tree)
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
        if isinstance(node, ast.BinOp) and type(node.op) in _NEUTRAL:
            for arm, neutral in zip((node.left, node.right), _NEUTRAL[type(node.op)], strict=True):
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
                if _other(node, arm) is not None:
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


def _other(call: ast.Call, arm: ast.expr) -> ast.expr | None:
    """Another argument of ``min`` or ``max`` that is small enough to be written twice."""
    small = [a for a in call.args if a is not arm and _size(a) <= _SMALL]
    return small[0] if small else None


# -- the program with its switches


@dataclass(frozen=True)
class Board:
    """A program with switches.

    Attributes:
        source: Its text.
        constants: Names of the constants that hold the bits.
        places: Constant and bit of each switch.
        fuel: Attribute that counts down with every iteration; at 0 the program fails.
    """

    source: str
    constants: tuple[str, ...]
    places: Mapping[Switch, tuple[str, int]]
    fuel: str

    def set(self, state: Any, off: Collection[Switch], fuel: int) -> None:
        """Set the switches of a compiled policy's fresh state."""
        words = dict.fromkeys(self.constants, 0)
        for switch in off:
            name, bit = self.places[switch]
            words[name] |= bit
        for name, word in words.items():
            state.k[name] = word
        state.r[self.fuel] = fuel

    def fuel_left(self, state: Any) -> int:
        """What is left of a state's fuel after a run."""
        return int(state.r[self.fuel][0])


def board(tree: ast.Module, found: Sequence[Switch]) -> Board:
    """The program with the given switches, all of them on.

    Args:
        tree: A checked module that :func:`switches` was given; not changed.
        found: Some of the switches.
    """
    taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    taken |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    prefix, fuel = _fresh("OFF", taken), _fresh("fuel", taken)
    places = {s: (f"{prefix}_{i // _BITS}", 1 << i % _BITS) for i, s in enumerate(found)}
    names = tuple(dict.fromkeys(name for name, _ in places.values()))
    guarded = _Guarding(tree, places, fuel).module()
    marks = [f"{name} = 0  # tune: 0..{(1 << _BITS) - 1}" for name in names]
    first = next(
        i for i, n in enumerate(guarded.body) if not isinstance(n, ast.ImportFrom | ast.Import | ast.Expr)
    )
    text = [ast.unparse(node) for node in guarded.body]
    return Board("\n".join([*text[:first], *marks, *text[first:]]) + "\n", names, places, fuel)


def _fresh(name: str, taken: Collection[str]) -> str:
    while any(known.startswith(name) for known in taken):
        name += "_x"
    return name


class _Guarding(ast.NodeTransformer):
    def __init__(self, tree: ast.Module, places: Mapping[Switch, tuple[str, int]], fuel: str) -> None:
        self.copy = copy.deepcopy(tree)
        self.sites = _number(self.copy)
        self.by_site = {(s.site, s.action): place for s, place in places.items()}
        self.fuel = fuel
        self.of_class = False

    def module(self) -> ast.Module:
        for node in list(self.copy.body):
            self.of_class = isinstance(node, ast.ClassDef)
            for function in node.body if isinstance(node, ast.ClassDef) else [node]:
                if not isinstance(function, ast.FunctionDef):
                    continue
                if function.name == "__init__":
                    target = ast.Attribute(ast.Name("self", ast.Load()), self.fuel, ast.Store())
                    function.body.append(ast.Assign([target], ast.Constant(0)))
                else:
                    function.body = self._block(function.body)
        return ast.fix_missing_locations(self.copy)

    def _is_off(self, node: ast.AST, action: str) -> ast.expr | None:
        place = self.by_site.get((self.sites.get(id(node), -1), action))
        if place is None:
            return None
        bits = ast.BinOp(ast.Name(place[0], ast.Load()), ast.BitAnd(), ast.Constant(place[1]))
        return ast.Compare(bits, [ast.NotEq()], [ast.Constant(0)])

    def _block(self, block: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [self._statement(node) for node in block]

    def _statement(self, node: ast.stmt) -> ast.stmt:
        off = self._is_off(node, "delete")
        if isinstance(node, ast.If):
            node.test = self._forced(node, self._expression(node.test))
            node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        elif isinstance(node, ast.While | ast.For):
            if isinstance(node, ast.For):
                node.iter = self._expression(node.iter)
            else:
                node.test = self._expression(node.test)
            node.body, node.orelse = [*self._burn(), *self._block(node.body)], self._block(node.orelse)
        else:
            for name, value in ast.iter_fields(node):
                if isinstance(value, ast.expr):
                    setattr(node, name, self._expression(value))
                elif name == "targets":
                    setattr(node, name, [self._expression(target) for target in value])
        return node if off is None else ast.If(ast.UnaryOp(ast.Not(), off), [node], [])

    def _burn(self) -> list[ast.stmt]:
        """One iteration's fuel; division by zero when there is none left."""
        if not self.of_class:
            return []
        left = ast.Attribute(ast.Name("self", ast.Load()), self.fuel, ast.Load())
        some = ast.Call(ast.Name("int", ast.Load()), [ast.Compare(left, [ast.Gt()], [ast.Constant(0)])], [])
        target = ast.Attribute(ast.Name("self", ast.Load()), self.fuel, ast.Store())
        one = ast.BinOp(ast.Constant(1), ast.FloorDiv(), some)
        return [ast.AugAssign(target, ast.Sub(), one)]

    def _forced(self, node: ast.AST, test: ast.expr) -> ast.expr:
        false, true = self._is_off(node, "false"), self._is_off(node, "true")
        if false is not None:
            test = ast.BoolOp(ast.And(), [ast.UnaryOp(ast.Not(), false), test])
        return test if true is None else ast.BoolOp(ast.Or(), [true, test])

    def _expression(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.IfExp):
            plain = node.test
            node.body, node.orelse = self._expression(node.body), self._expression(node.orelse)
            node.test = self._forced(node, self._expression(plain))
            return node
        inside = self._is_off(node, "inside")
        bare = copy.deepcopy(node.args[0]) if inside is not None and isinstance(node, ast.Call) else None
        others = (
            {
                id(arm): copy.deepcopy(_other(node, arm))
                for arm in node.args
                if self._is_off(arm, "operand") is not None
            }
            if isinstance(node, ast.Call)
            else {}
        )
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self._arm(node, value, name, others))
            elif isinstance(value, list):
                setattr(node, name, [self._item(node, item, name, others) for item in value])
        return node if inside is None or bare is None else ast.IfExp(inside, bare, node)

    def _item(self, parent: ast.expr, item: Any, name: str, others: Mapping[int, ast.expr | None]) -> Any:
        if isinstance(item, ast.keyword):
            item.value = self._expression(item.value)
            return item
        return self._arm(parent, item, name, others) if isinstance(item, ast.expr) else item

    def _arm(
        self, parent: ast.expr, arm: ast.expr, name: str, others: Mapping[int, ast.expr | None]
    ) -> ast.expr:
        off = self._is_off(arm, "operand")
        other = others.get(id(arm))
        inner = self._expression(arm)
        if off is None:
            return inner
        if isinstance(parent, ast.BoolOp):
            if isinstance(parent.op, ast.And):
                return ast.BoolOp(ast.Or(), [off, inner])
            return ast.BoolOp(ast.And(), [ast.UnaryOp(ast.Not(), off), inner])
        if isinstance(parent, ast.BinOp):
            left, right = _NEUTRAL[type(parent.op)]
            return ast.IfExp(off, ast.Constant(left if name == "left" else right), inner)
        assert other is not None
        return ast.IfExp(off, other, inner)


# -- the program without what is off


def without(tree: ast.Module, off: Collection[Switch]) -> ast.Module:
    """A copy of a module without the pieces that are switched off; what is left keeps its positions."""
    new = copy.deepcopy(tree)
    return _Removing(new, {(s.site, s.action) for s in off}).module()


class _Removing:
    def __init__(self, tree: ast.Module, off: Collection[tuple[int, str]]) -> None:
        self.tree = tree
        self.sites = _number(tree)
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
                neutral = _NEUTRAL[type(node.op)][0]
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
