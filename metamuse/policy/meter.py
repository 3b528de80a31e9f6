"""What a policy's work is: where in its text a step is counted.

One step is an iteration of a loop, a call of one of the policy's own methods or functions, a call of a policykit
structure (which is O(1) or O(log n), but for ``Sketch.halve``), or an element that an operation on whole arrays
goes over. Arithmetic and access to single elements count nothing. The tree that this module returns is what both
ways of execution start from, so both count the same; :mod:`metamuse.policy.work` keeps the counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from metamuse.policy import vocabulary as words
from metamuse.policy.program import Program
from metamuse.policy.rules import Names, is_self

#: Names of the machinery: ``rt__tick(x)`` counts a step and gives ``x``, ``rt__each_of(x)`` one an element of ``x``.
TICK, EACH_OF = "rt__tick", "rt__each_of"

_CREATORS = frozenset(["arange", "array", "full", "ones", "zeros"])
_REDUCTIONS = (words.ONE_ARRAY - {"argsort", "cumsum", "flatnonzero", "sort"}) | {"searchsorted"}
_OF_WHOLE_ARRAYS = frozenset(["abs", "max", "min", "sum"])


def metered_tree(program: Program) -> ast.Module:
    """The plain tree of a program with its steps counted."""
    tree = program.plain_tree()
    arrays = _Arrays(tree, program)
    for function in _functions(tree):
        if function.name != "__init__":
            _Counting(arrays, function.name).count(function)
    return ast.fix_missing_locations(tree)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        for item in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(item, ast.FunctionDef):
                yield item


class _Arrays:
    """Which expressions may be whole arrays; an array that is taken for one number would be counted as nothing.

    Facts are pairs: (function, variable), ("self__", attribute), ("returns__", function), and ("rows__", attribute) for
    arrays of several dimensions. They only ever grow, so they are gathered until nothing is new.
    """

    def __init__(self, tree: ast.Module, program: Program) -> None:
        self.names: Names = program.names
        self.parameters = {f.name: [a.arg for a in f.args.args if a.arg != "self"] for f in _functions(tree)}
        self.facts: set[tuple[str, str]] = set()
        for method in program.contract.methods:
            pairs = zip(self.parameters.get(method.name, []), method.types, strict=False)
            self.facts |= {(method.name, name) for name, kind in pairs if kind.endswith("[]")}
        known = -1
        while known != len(self.facts):
            known = len(self.facts)
            for function in _functions(tree):
                for node in ast.walk(function):
                    self._learn(node, function.name)

    def _learn(self, node: ast.AST, inside: str) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, inside)
        elif isinstance(node, ast.AugAssign):
            self._bind(node.target, node.value, inside)
        elif isinstance(node, ast.Return) and node.value is not None and self.maybe(node.value, inside):
            self.facts.add(("returns__", inside))
        elif isinstance(node, ast.Call):
            callee = self.own(node)
            pairs = [*zip(self.parameters.get(callee, []), node.args, strict=False)]
            pairs += [(k.arg or "", k.value) for k in node.keywords]
            self.facts |= {(callee, name) for name, value in pairs if callee and self.maybe(value, inside)}

    def _bind(self, target: ast.expr, value: ast.expr, inside: str) -> None:
        if isinstance(target, ast.Tuple):
            values = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
            for item, part in zip(target.elts, values, strict=False):
                self._bind(item, part, inside)
        elif isinstance(target, ast.Name) and self.maybe(value, inside):
            self.facts.add((inside, target.id))
        elif isinstance(target, ast.Attribute) and self.maybe(value, inside):
            self.facts.add(("self__", target.attr))
            if any(isinstance(part, ast.Tuple) for part in ast.walk(value)):
                self.facts.add(("rows__", target.attr))

    def own(self, node: ast.Call) -> str:
        """The name of the own method or function that is called, "" for other calls."""
        if isinstance(node.func, ast.Attribute) and is_self(node.func.value):
            return node.func.attr
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return name if name in self.parameters else ""

    def numpy(self, node: ast.expr) -> str:
        """The name of the function of numpy that an expression stands for, "" for others."""
        module, name = self.names.resolve(node) or ("", "")
        return name if module == "numpy" else ""

    def maybe(self, node: ast.expr, inside: str) -> bool:
        """Whether an expression in a function may be a whole array."""
        if isinstance(node, ast.Name):
            return (inside, node.id) in self.facts
        if isinstance(node, ast.Attribute):
            return is_self(node.value) and ("self__", node.attr) in self.facts
        if isinstance(node, ast.Subscript):
            return self.maybe(node.value, inside) and self._selects_many(node, inside)
        if isinstance(node, ast.Call):
            return self._call(node, inside)
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.IfExp):
            return any(self.maybe(c, inside) for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr))
        return False

    def _selects_many(self, node: ast.Subscript, inside: str) -> bool:
        if any(isinstance(part, ast.Slice) for part in ast.walk(node.slice)):
            return True
        row = isinstance(node.value, ast.Attribute) and ("rows__", node.value.attr) in self.facts
        return self.maybe(node.slice, inside) or (row and not isinstance(node.slice, ast.Tuple))

    def _call(self, node: ast.Call, inside: str) -> bool:
        name, callee = self.numpy(node.func), self.own(node)
        if name:
            taken = any(self.maybe(a, inside) for a in [*node.args, *(k.value for k in node.keywords)])
            return name in _CREATORS or (name not in _REDUCTIONS and taken)
        if callee:
            return ("returns__", callee) in self.facts
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in ("argsort", "copy") and self.names.resolve(node.func) is None
        return isinstance(node.func, ast.Name) and node.func.id == "abs" and self.maybe(node.args[0], inside)


class _Counting(ast.NodeTransformer):
    """Puts the counting calls into one function."""

    def __init__(self, arrays: _Arrays, inside: str) -> None:
        self.arrays = arrays
        self.inside = inside

    def count(self, function: ast.FunctionDef) -> None:
        """Rewrite a function in place."""
        self.generic_visit(function)
        function.body = [self._step(function), *function.body]

    def _step(self, at: ast.AST) -> ast.stmt:
        return _statement(TICK, ast.Constant(0), at)

    def _maybe(self, node: ast.expr) -> bool:
        return self.arrays.maybe(node, self.inside)

    def _whole(self, node: ast.expr, maybe: bool) -> ast.expr:
        return _call(EACH_OF, node) if maybe else node

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        node.body = [self._step(node), *node.body]
        return node

    def visit_While(self, node: ast.While) -> ast.stmt:
        self.generic_visit(node)
        node.body = [self._step(node), *node.body]
        return node

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        whole = [t for t in node.targets if isinstance(t, ast.Attribute | ast.Subscript) and self._maybe(t)]
        stores = [_statement(EACH_OF, _loaded(target), node) for target in whole]
        self.generic_visit(node)
        return [*stores, node]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        # The others were rewritten to plain assignments before.
        after = [_statement(EACH_OF, _loaded(node.target), node)] if self._maybe(node.target) else []
        self.generic_visit(node)
        return [node, *after]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        maybe = self._maybe(node)
        self.generic_visit(node)
        return self._whole(node, maybe)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        maybe = self._maybe(node)
        self.generic_visit(node)
        return self._whole(node, maybe)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        maybe = self._maybe(node)
        self.generic_visit(node)
        if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            return _call(TICK, node)
        return self._whole(node, maybe)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = self.arrays.numpy(node.func)
        maybe = [self._maybe(a) for a in node.args]
        if name == "searchsorted":
            self.generic_visit(node)
            return _call(TICK, node)
        wholes = bool(name) or (isinstance(node.func, ast.Name) and node.func.id in _OF_WHOLE_ARRAYS)
        method = isinstance(node.func, ast.Attribute) and not name and not self.arrays.own(node)
        self.generic_visit(node)
        if wholes:
            node.args = [self._whole(a, m) for a, m in zip(node.args, maybe, strict=True)]
            return self._whole(node, name in _CREATORS)
        if method and self.arrays.names.resolve(node.func) is None:
            assert isinstance(node.func, ast.Attribute)
            if node.func.attr in words.ARRAY_MEMBERS:
                node.func.value = self._whole(node.func.value, True)
            else:
                return _call(TICK, node)
        return node


def _call(name: str, value: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [value], []), value)


def _statement(name: str, value: ast.expr, at: ast.AST) -> ast.stmt:
    statement = ast.Expr(ast.Call(ast.Name(name, ast.Load()), [value], []))
    return ast.fix_missing_locations(ast.copy_location(statement, at))


def _loaded(target: ast.expr) -> ast.expr:
    """An assignment's target as a value, in a tree of its own."""
    value = ast.parse(ast.unparse(target), mode="eval").body
    for part in ast.walk(value):
        ast.copy_location(part, target)
    return value
