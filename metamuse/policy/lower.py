"""Lowering: methods of a class become plain functions over a state.

``self.freq[slot] += 1`` becomes ``S__.a_freq[slot] = S__.a_freq[slot] + 1`` (on a slab, see
:mod:`metamuse.policy.slab`), ``self.hand = x`` becomes ``rt__rec(S__.r).hand = rt__store_int(x)``,
``self.queue.push(x)`` becomes ``Ring__push(S__.a_queue, x)``, and a marked constant ``DECAY`` becomes
``rt__rec(S__.k).DECAY``, so that tuning it does not recompile. Line numbers are kept: compiler messages point at
the policy's own text. The same form feeds the exporters.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap

import metamuse.policykit
from metamuse.policy.desugar import plain_tree
from metamuse.policy.expressions import OPERATORS, STATE, ExpressionLowering, Lowered, Scope
from metamuse.policy.layout import Layout, layout_of
from metamuse.policy.meter import metered_tree
from metamuse.policy.parts import parameter_kinds, reachable
from metamuse.policy.program import Program
from metamuse.policy.rules import Names, fail, is_self

#: Methods of a policykit class that run under CPython only; compiled code calls ``contains`` for ``in``.
OUTSIDE = ("__init__", "__contains__", "_grow")


def lower(program: Program, layout: Layout, metered: bool = False) -> Lowered:
    """Lower the methods that the contract's methods need.

    Args:
        program: The checked program.
        layout: Attributes of its class.
        metered: Whether its steps are counted (see :mod:`metamuse.policy.meter`).

    Raises:
        PolicyError: (``contract``) with the line, where the text does not fit the layout.
    """
    tree = metered_tree(program) if metered else program.plain_tree()
    out = Lowered()
    class_node = next(n for n in tree.body if isinstance(n, ast.ClassDef))
    methods = {n.name: n for n in class_node.body if isinstance(n, ast.FunctionDef)}
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    kinds = parameter_kinds(layout, methods)
    scope = Scope(layout, methods, functions, program.lifted, program.names)
    for name in reachable(methods, [m.name for m in program.contract.methods]):
        node = methods[name]
        arrays = _array_parameters(program, name, node)
        out.functions[f"Policy__{name}"] = FunctionLowering(scope, out, node, kinds[name], arrays).method(
            f"Policy__{name}"
        )
    for name, node in functions.items():
        out.functions[f"fn__{name}"] = FunctionLowering(scope, out, node, {}).function(f"fn__{name}")
    return out


def _array_parameters(program: Program, name: str, node: ast.FunctionDef) -> frozenset[str]:
    method = program.contract.method(name)
    if method is None:
        return frozenset()
    return frozenset(
        a.arg for a, kind in zip(node.args.args[1:], method.types, strict=True) if kind.endswith("[]")
    )


@functools.cache
def lower_kit(name: str) -> tuple[Lowered, Layout]:
    """Lower a policykit class (once a process)."""
    cls = getattr(metamuse.policykit, name)
    lines, start = inspect.getsourcelines(cls)
    names = Names({"hash64": ("metamuse.policykit", "hash64"), "np": ("numpy", "")})
    tree = plain_tree(ast.parse(textwrap.dedent("".join(lines))), names)
    ast.increment_lineno(tree, start - 1)
    class_node = tree.body[0]
    assert isinstance(class_node, ast.ClassDef)
    required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
    layout = layout_of(cls(*([4] * len(required))), name)
    methods = {n.name: n for n in class_node.body if isinstance(n, ast.FunctionDef)}
    out = Lowered(filename=inspect.getsourcefile(cls) or "<policykit>")
    scope = Scope(layout, methods, {}, frozenset(), names, name)
    for method, node in methods.items():
        if method not in OUTSIDE:
            out.functions[f"{name}__{method}"] = FunctionLowering(scope, out, node, {}).method(
                f"{name}__{method}"
            )
    return out, layout


class FunctionLowering(ExpressionLowering):
    """Rewrites one function: its statements."""

    temporaries = 0

    def method(self, name: str) -> ast.FunctionDef:
        """The method as a function whose first parameter is the state instead of ``self``."""
        self.of_method = True
        return self._define(name, [a.arg for a in self.node.args.args[1:]])

    def function(self, name: str) -> ast.FunctionDef:
        """A module's function with the state before its parameters (constants live there)."""
        return self._define(name, [a.arg for a in self.node.args.args])

    def _define(self, name: str, params: list[str]) -> ast.FunctionDef:
        new = ast.FunctionDef(
            name=name,
            args=ast.arguments(
                posonlyargs=[],
                args=[ast.arg(p) for p in (STATE, *params)],
                kwonlyargs=[],
                kw_defaults=[],
                defaults=self.node.args.defaults,
            ),
            body=self._block(self.node.body),
            decorator_list=[],
            returns=None,
        )
        return ast.fix_missing_locations(ast.copy_location(new, self.node))

    # -- statements

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            new = self.visit(statement)
            out.extend(new if isinstance(new, list) else [new])
        return out

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test, node.body, node.orelse = (
            self._truth(node.test),
            self._block(node.body),
            self._block(node.orelse),
        )
        return node

    def visit_While(self, node: ast.While) -> ast.stmt:
        node.test, node.body, node.orelse = (
            self._truth(node.test),
            self._block(node.body),
            self._block(node.orelse),
        )
        return node

    def visit_For(self, node: ast.For) -> ast.stmt:
        if self._part(node.iter) is not None:
            fail(node, "policykit structures cannot be iterated over; walk a List with front() and next(x)")
        node.iter = self._expr(node.iter)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        if node.value is not None:
            if self._part(node.value) is not None:
                fail(node, "a method cannot return a policykit structure; return an id or a number")
            node.value = self._expr(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        assert isinstance(node.target, ast.Name)  # the others were rewritten before
        if type(node.op) in OPERATORS:
            load = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
            node_: ast.AST = self.visit(ast.copy_location(ast.Assign([node.target], value), node))
            return node_
        right = self._expr(node.value)
        if self.scope.owner == "Policy" and not isinstance(right, ast.Constant):
            right = self._named("rt__onto", [ast.Name(node.target.id, ast.Load()), right], node)
        node.target, node.value = self._name(node.target, as_slab=False), right  # type: ignore[assignment]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        if not any(_stores_attribute(target) for target in node.targets):
            if len(node.targets) == 1:
                return self._plain_assign(node)
            node.value = self._expr(node.value)
            node.targets = [self._expr(t) for t in node.targets]
            return node
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
            return self._store(node.targets[0], self._expr(node.value), node)
        # a, self.b = … and a = self.b = …: evaluate the right side once, then assign from left to right.
        self.temporaries += 1
        temporary = f"t__{self.temporaries}"
        out: list[ast.stmt] = [ast.Assign([ast.Name(temporary, ast.Store())], self._expr(node.value))]
        for target in node.targets:
            if isinstance(target, ast.Tuple):
                for i, item in enumerate(target.elts):
                    value = ast.Subscript(ast.Name(temporary, ast.Load()), ast.Constant(i), ast.Load())
                    if isinstance(item, ast.Tuple) and _stores_attribute(item):
                        fail(node, "assign nested tuples to plain names first")
                    if isinstance(item, ast.Attribute) and self.scope.layout.kind(item.attr) == "array":
                        fail(
                            node,
                            f"arrays cannot be assigned in a tuple; write self.{item.attr} = ... on its own line",
                        )
                    out.append(self._store(item, value, node))
            else:
                out.append(self._store(target, ast.Name(temporary, ast.Load()), node))
        return [ast.fix_missing_locations(ast.copy_location(statement, node)) for statement in out]

    def _plain_assign(self, node: ast.Assign) -> ast.stmt:
        target, value = node.targets[0], node.value
        if (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            fits = [self._fit(t) for t in target.elts]
            value.elts = [self._fitted(fit, self._expr(v)) for fit, v in zip(fits, value.elts, strict=True)]
        else:
            fit = self._fit(target)
            node.value = self._fitted(fit, self._expr(value))
        node.targets = [self._expr(target)]
        return node

    def _fit(self, target: ast.expr) -> str:
        """The function that checks a value before it is put into an int array of self, "" for other targets."""
        if not isinstance(target, ast.Subscript) or self.scope.owner != "Policy":
            return ""  # policykit's structures put nothing but ids and counts into theirs
        if any(isinstance(part, ast.Slice) for part in ast.walk(target.slice)):
            return ""
        array = target.value.value if isinstance(target.value, ast.Subscript) else target.value
        if not isinstance(array, ast.Attribute) or not is_self(array.value):
            return ""
        dtype, ndim = self.scope.layout.arrays.get(array.attr, ("", 0))
        indices = isinstance(target.value, ast.Subscript) + (
            len(target.slice.elts) if isinstance(target.slice, ast.Tuple) else 1
        )
        return f"rt__fit_{dtype}" if dtype.startswith("int") and indices == ndim else ""

    def _fitted(self, fit: str, value: ast.expr) -> ast.expr:
        return self._named(fit, [value], value) if fit else value

    def _store(self, target: ast.expr, value: ast.expr, at: ast.Assign) -> ast.stmt:
        new: ast.stmt
        if not isinstance(target, ast.Attribute):
            value = self._fitted(self._fit(target), value)
            new = ast.Assign([self._expr(target)], value)
        else:
            kind = self.scope.layout.kind(target.attr)
            if kind == "part":
                fail(
                    at,
                    f"self.{target.attr} can only be assigned in __init__; empty it with clear() or discard(x)",
                )
            if kind == "":
                fail(at, f"self.{target.attr} must be created in __init__")
            if kind == "scalar":
                value = self._named(f"rt__store_{self.scope.layout.scalars[target.attr]}", [value], at)
                new = ast.Assign([self._expr(target)], value)
            else:
                view = self._attribute(ast.Attribute(target.value, target.attr, ast.Load()), as_slab=False)
                new = ast.Expr(self._named("rt__store_array", [view, value], at))
        return ast.fix_missing_locations(ast.copy_location(new, at))


def _stores_attribute(target: ast.expr) -> bool:
    return any(isinstance(t, ast.Attribute) and isinstance(t.ctx, ast.Store) for t in ast.walk(target))
