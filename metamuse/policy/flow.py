"""Flow of control in one function: is every variable set before it is read, does every path return?

CPython raises where a variable has no value; compiled code would read a zero. So the language refuses what
could be read unset, by the usual definite-assignment analysis: a variable counts as set where every path to
that place sets it, whatever the conditions on the way.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from evaluators.base import PolicyError

#: Variables that are set; None where control cannot arrive.
State = frozenset[str] | None


def check_flow(node: ast.FunctionDef, locals_: frozenset[str], may_fall_through: bool = False) -> None:
    """Check one function of a module that has passed the other checks.

    Args:
        node: The function.
        locals_: Its parameters and all names assigned in it.
        may_fall_through: Whether paths without a value are fine although others return one.

    Raises:
        PolicyError: (``contract``) A variable may be read before it is set, or a value is returned on some
            paths only.
    """
    flow = _Flow(locals_)
    end = flow.block(node.body, frozenset(a.arg for a in node.args.args))
    if may_fall_through or not flow.values:
        return
    if flow.bare:
        raise PolicyError(
            "contract",
            f"{node.name} returns a value on some paths and nothing here; return a value",
            flow.bare[0],
        )
    if end is not None:
        raise PolicyError(
            "contract",
            f"{node.name} returns a value on some paths only; end it with a return for the remaining ones",
            node.lineno,
        )


def _join(a: State, b: State) -> State:
    if a is None or b is None:
        return b if a is None else a
    return a & b


class _Flow:
    def __init__(self, locals_: frozenset[str]) -> None:
        self.locals = locals_
        self.values: list[int] = []  # lines that return a value
        self.bare: list[int] = []  # lines that return nothing
        self.breaks: list[State] = []  # what is set where control leaves the innermost loops

    def block(self, body: Sequence[ast.stmt], state: State) -> State:
        for statement in body:
            if state is None:
                return None  # unreachable: Python never runs it
            state = self.statement(statement, state)
        return state

    def statement(self, node: ast.stmt, state: frozenset[str]) -> State:
        if isinstance(node, ast.If):
            self.read(node.test, state)
            return _join(self.block(node.body, state), self.block(node.orelse, state))
        if isinstance(node, ast.For | ast.While):
            return self.loop(node, state)
        if isinstance(node, ast.Break | ast.Continue):
            if not self.breaks:
                word = "break" if isinstance(node, ast.Break) else "continue"
                raise PolicyError(
                    "parse", f"{word} stands outside a loop; write return, or put it in a loop", node.lineno
                )
            if isinstance(node, ast.Break):
                self.breaks[-1] = _join(self.breaks[-1], state)
            return None
        if isinstance(node, ast.Return):
            empty = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
            (self.bare if empty else self.values).append(node.lineno)
            if node.value is not None:
                self.read(node.value, state)
            return None
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            if node.value is None:
                return state
            self.read(node.value, state)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self.require(node.target, state)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self.read(target, state)
                state |= _stored(target)
            return state
        self.read(node, state)
        return state

    def loop(self, node: ast.For | ast.While, state: frozenset[str]) -> State:
        self.breaks.append(None)
        if isinstance(node, ast.For):
            self.read(node.iter, state)
            entered = state | _stored(node.target)
            ran = self.block(node.body, entered)
            end: State = state
            if _surely_runs(node.iter):  # range(3) does, any other iterable may be empty
                end = entered if _continues(node.body) else ran
        else:
            self.read(node.test, state)
            self.block(node.body, state)
            forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
            end = None if forever else state
        broken = self.breaks.pop()  # a break in the else block leaves the loop around this one
        return _join(self.block(node.orelse, end), broken)

    def read(self, node: ast.AST, state: frozenset[str]) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                self.require(part, state)

    def require(self, node: ast.Name, state: frozenset[str]) -> None:
        if node.id in self.locals and node.id not in state:
            raise PolicyError(
                "contract",
                f"the variable {node.id} may have no value here (not every path sets it); give it one before"
                " the if or loop",
                node.lineno,
            )


def _stored(target: ast.expr) -> frozenset[str]:
    return frozenset(
        n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )


def _surely_runs(iterable: ast.expr) -> bool:
    if not (
        isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id == "range"
    ):
        return False
    numbers = [a.value for a in iterable.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
    return len(numbers) == len(iterable.args) <= 2 and bool(numbers) and bool(range(*numbers))


def _continues(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Continue) for statement in body for part in ast.walk(statement))
