"""A program in which every piece can be switched off while it runs: one compilation serves hundreds of trials.

Compiling a candidate costs a second, running it on all workloads a tenth of that. So the pieces whose removal is to be
tried are not removed one by one from the text: each is guarded by a bit of a constant that lives in the state
(``if OFF_0 & 4 == 0: ...``, ``x + (0 if OFF_0 & 8 else y)``), and a trial only sets bits.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metamuse.policy.switches import NEUTRAL, Switch, other_operand, sites_of

#: Switches in one constant.
_BITS = 30


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
        self.sites = sites_of(self.copy)
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
                id(arm): copy.deepcopy(other_operand(node, arm))
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
            left, right = NEUTRAL[type(parent.op)]
            return ast.IfExp(off, ast.Constant(left if name == "left" else right), inner)
        assert other is not None
        return ast.IfExp(off, other, inner)
