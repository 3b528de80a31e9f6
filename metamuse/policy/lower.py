"""Lowering: methods of a class become plain functions over a state tuple.

``self.freq[slot] += 1`` becomes ``S.a_freq[slot] += 1`` (on a slab, see :mod:`metamuse.policy.slab`), ``self.hand = x`` becomes
``rec(S.r).hand = store_int(x)``, ``self.queue.push(x)`` becomes ``Ring__push(S.a_queue, x)``, and a marked
constant ``DECAY`` becomes ``rec(S.k).DECAY``, so that tuning it does not recompile. Line numbers are kept:
compiler messages point at the policy's own text. The same form feeds the exporters.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import textwrap
from dataclasses import dataclass, field

from evaluators.base import PolicyError
import metamuse.policykit
from metamuse.policy.interpret import FILENAME
from metamuse.policy.language import Names
from metamuse.policy.layout import Layout, field_name
from metamuse.policy.program import Program

STATE = "S__"


@dataclass
class Lowered:
    """Functions over a state tuple.

    Attributes:
        functions: Lowered definitions by name (``Policy__victim``, module functions as ``fn__name``).
        kits: Names of the policykit classes they use.
        filename: Where the source lines are.
    """

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    kits: set[str] = field(default_factory=set)
    filename: str = FILENAME


def lower(program: Program, layout: Layout) -> Lowered:
    """Lower a policy; ``layout`` describes the attributes of its class.

    Raises:
        PolicyError: (``contract``) with the line, where the text does not fit the layout.
    """
    tree = ast.parse(program.source, filename=FILENAME)
    out = Lowered()
    class_node = next(n for n in tree.body if isinstance(n, ast.ClassDef))
    methods = {n.name: n for n in class_node.body if isinstance(n, ast.FunctionDef)}
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    parameter_kinds = _parameter_kinds(layout, methods)
    for name, node in methods.items():
        if name == "__init__":
            continue
        scope = _Scope(
            layout, methods, functions, set(program.constants), program.names, parameter_kinds[name],
            _array_parameters(program, name, node),
        )  # fmt: skip
        out.functions[f"Policy__{name}"] = _Lower(scope, out, node).method(f"Policy__{name}")
    for name, node in functions.items():
        scope = _Scope(layout, methods, functions, set(program.constants), program.names, {})
        out.functions[f"fn__{name}"] = _Lower(scope, out, node).function(f"fn__{name}")
    return out


def _array_parameters(program: Program, name: str, node: ast.FunctionDef) -> frozenset[str]:
    method = program.contract.method(name)
    if method is None:
        return frozenset()
    return frozenset(a.arg for a, kind in zip(node.args.args[1:], method.types, strict=True) if kind.endswith("[]"))


@functools.cache
def lower_kit(name: str) -> tuple[Lowered, Layout]:
    """Lower a policykit class (once a process)."""
    from metamuse.policy.layout import layout_of

    cls = getattr(metamuse.policykit, name)
    lines, start = inspect.getsourcelines(cls)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    ast.increment_lineno(tree, start - 1)
    class_node = tree.body[0]
    assert isinstance(class_node, ast.ClassDef)
    instance = cls(*([4] * (len(inspect.signature(cls).parameters) - sum(p.default is not p.empty for p in inspect.signature(cls).parameters.values()))))
    layout = layout_of(instance, name)
    methods = {n.name: n for n in class_node.body if isinstance(n, ast.FunctionDef)}
    names = Names({"hash64": ("metamuse.policykit", "hash64"), "np": ("numpy", "")})
    out = Lowered(filename=inspect.getsourcefile(cls) or "<policykit>")
    for method, node in methods.items():
        if method == "__init__":
            continue
        scope = _Scope(layout, methods, {}, set(), names, {})
        out.functions[f"{name}__{method}"] = _Lower(scope, out, node, name).method(f"{name}__{method}")
    return out, layout


@dataclass
class _Scope:
    layout: Layout
    methods: dict[str, ast.FunctionDef]
    functions: dict[str, ast.FunctionDef]
    constants: set[str]
    names: Names
    aliases: dict[str, Layout]
    arrays: frozenset[str] = frozenset()  # parameters that are arrays of the simulator


def _parameter_kinds(layout: Layout, methods: dict[str, ast.FunctionDef]) -> dict[str, dict[str, Layout]]:
    """Which parameters of own methods receive a policykit structure (``self._trim(self.small)``)."""
    kinds: dict[str, dict[str, Layout]] = {name: {} for name in methods}
    changed = True
    while changed:
        changed = False
        for name, node in methods.items():
            aliases = _local_aliases(layout, node, kinds[name])
            for call in ast.walk(node):
                if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_self(call.func.value)):
                    continue
                callee = methods.get(call.func.attr)
                if callee is None:
                    continue
                params = [a.arg for a in callee.args.args[1:]]
                bound = list(zip(params, call.args, strict=False))
                bound += [(k.arg, k.value) for k in call.keywords if k.arg]
                for param, value in bound:
                    part = _part_of(layout, aliases, value)
                    if part is None:
                        continue
                    old = kinds[call.func.attr].get(param)
                    if old is None:
                        kinds[call.func.attr][param] = part
                        changed = True
                    elif old.name != part.name:
                        raise PolicyError("contract", f"{param} is given a {old.name} here and a {part.name} there", call.lineno)
    return kinds


def _local_aliases(layout: Layout, node: ast.FunctionDef, given: dict[str, Layout]) -> dict[str, Layout]:
    aliases = dict(given)
    for _ in range(3):
        for part in ast.walk(node):
            if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name):
                kind = _part_of(layout, aliases, part.value)
                name = part.targets[0].id
                if kind is None:
                    continue
                if name in aliases and aliases[name].name != kind.name:
                    raise PolicyError("contract", f"{name} holds a {aliases[name].name} and a {kind.name}", part.lineno)
                aliases[name] = kind
    return aliases


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _part_of(layout: Layout, aliases: dict[str, Layout], node: ast.AST) -> Layout | None:
    """The policykit structure an expression stands for, if it is one."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute):
        if _is_self(node.value):
            return layout.parts.get(node.attr)
        outer = _part_of(layout, aliases, node.value)
        return None if outer is None else outer.parts.get(node.attr)
    if isinstance(node, ast.IfExp):
        a, b = _part_of(layout, aliases, node.body), _part_of(layout, aliases, node.orelse)
        if a is not None and b is not None and a.name == b.name:
            return a
    return None


class _Lower(ast.NodeTransformer):
    """Rewrites one function."""

    def __init__(self, scope: _Scope, out: Lowered, node: ast.FunctionDef, owner: str = "Policy") -> None:
        self.scope = scope
        self.out = out
        self.node = node
        self.owner = owner
        self.of_method = False
        self.as_slab = False
        self.aliases = _local_aliases(scope.layout, node, scope.aliases)
        self.locals = {a.arg for a in node.args.args} | {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        self.temporaries = 0

    def method(self, name: str) -> ast.FunctionDef:
        self.of_method = True
        return self._define(name, [a.arg for a in self.node.args.args[1:]])

    def function(self, name: str) -> ast.FunctionDef:
        return self._define(name, [a.arg for a in self.node.args.args])

    def _define(self, name: str, params: list[str]) -> ast.FunctionDef:
        body: list[ast.stmt] = []
        for statement in self.node.body:
            new = self.visit(statement)
            body.extend(new if isinstance(new, list) else [new] if new is not None else [])
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg(p) for p in (STATE, *params)], kwonlyargs=[], kw_defaults=[],
            defaults=self.node.args.defaults,
        )  # fmt: skip
        new_def = ast.FunctionDef(name=name, args=arguments, body=body or [ast.Pass()], decorator_list=[], returns=None)
        ast.copy_location(new_def, self.node)
        ast.fix_missing_locations(new_def)
        return new_def

    # -- helpers

    def _fail(self, node: ast.AST, message: str) -> None:
        raise PolicyError("contract", message, getattr(node, "lineno", None))

    def _part(self, node: ast.AST) -> Layout | None:
        return _part_of(self.scope.layout, self.aliases, node) if self.of_method else None

    @staticmethod
    def _state() -> ast.Name:
        return ast.Name(STATE, ast.Load())

    def _named(self, func: str, args: list[ast.expr], at: ast.AST, keywords: list[ast.keyword] | None = None) -> ast.Call:
        node = ast.Call(ast.Name(func, ast.Load()), args, keywords or [])
        ast.copy_location(node, at)
        return ast.fix_missing_locations(node)

    def _kit_call(self, part: Layout, method: str, target: ast.expr, args: list[ast.expr], at: ast.AST, keywords: list[ast.keyword] | None = None) -> ast.Call:
        kit = getattr(metamuse.policykit, part.name)
        if not callable(getattr(kit, method, None)):
            public = sorted(n for n in vars(kit) if not n.startswith("_"))
            self._fail(at, f"{part.name} has no method {method}; it has {', '.join(public)}")
        self.out.kits.add(part.name)
        return self._named(f"{part.name}__{method}", [self.visit(target), *args], at, keywords)

    def _truth(self, node: ast.expr) -> ast.expr:
        part = self._part(node)
        if part is None:
            return self.visit(node)
        if not hasattr(getattr(metamuse.policykit, part.name), "__len__"):
            self._fail(node, f"a {part.name} is not a condition")
        length = self._kit_call(part, "__len__", node, [], node)
        return ast.copy_location(ast.Compare(length, [ast.Gt()], [ast.Constant(0)]), node)

    # -- expressions

    def visit_Name(self, node: ast.Name) -> ast.AST:
        as_slab, self.as_slab = self.as_slab, False
        if _is_self(node):
            self._fail(node, "self may only be used as self.name")
        if node.id in self.scope.arrays:
            if isinstance(node.ctx, ast.Store):
                self._fail(node, f"the parameter {node.id} may not be assigned to")
            return node if as_slab else self._named("as_array", [node], node)
        if node.id in self.scope.constants and node.id not in self.locals:
            return self._scalar(self._state(), "k", node.id, ast.Load(), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        as_slab, self.as_slab = self.as_slab, False
        if self.scope.names.resolve(node) is not None:
            return node
        if _is_self(node.value):
            return self._field(self._state(), self.scope.layout, node, as_slab)
        part = self._part(node.value)
        if part is not None:
            return self._field(self.visit(node.value), part, node, as_slab)
        node.value = self._slab(node.value) if node.attr == "size" else self.visit(node.value)
        return node

    def _field(self, state: ast.expr, layout: Layout, node: ast.Attribute, as_slab: bool) -> ast.AST:
        kind = layout.kind(node.attr)
        if kind == "":
            if node.attr in self.scope.methods and layout is self.scope.layout:
                self._fail(node, f"method {node.attr} must be called")
            has = ", ".join(sorted([*layout.scalars, *layout.arrays, *layout.parts]))
            where = "self" if layout is self.scope.layout else f"a {layout.name}"
            self._fail(node, f"{where} has no attribute {node.attr}; create it in __init__ (it has {has})")
        if kind == "scalar":
            return self._scalar(state, "r", node.attr, node.ctx, node)
        new: ast.expr = ast.Attribute(state, field_name(node.attr), ast.Load())
        if kind == "array" and not as_slab:
            new = self._named("as_array", [new], node)
        return ast.fix_missing_locations(ast.copy_location(new, node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        # Plain indexing of a state array works on the slab itself, without building an array.
        sliced = any(isinstance(part, ast.Slice) for part in ast.walk(node.slice))
        node.slice = self.visit(node.slice)
        node.value = self._slab(node.value) if not sliced else self.visit(node.value)
        return node

    def _slab(self, node: ast.expr) -> ast.expr:
        if not isinstance(node, ast.Attribute | ast.Name):
            return self.visit(node)
        self.as_slab = True
        try:
            return self.visit(node)
        finally:
            self.as_slab = False

    def _scalar(self, state: ast.expr, record: str, name: str, ctx: ast.expr_context, at: ast.AST) -> ast.expr:
        target = self._named("rec", [ast.Attribute(state, record, ast.Load())], at)
        return ast.fix_missing_locations(ast.copy_location(ast.Attribute(target, name, ctx), at))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        resolved = self.scope.names.resolve(func)
        if resolved is not None:
            return self._module_call(node, resolved)
        if isinstance(func, ast.Attribute):
            if _is_self(func.value):
                if func.attr not in self.scope.methods:
                    if self.scope.layout.kind(func.attr):
                        self._fail(node, f"self.{func.attr} is not a method; it cannot be called")
                    self._fail(node, f"class {self.owner} has no method {func.attr}")
                return self._named(f"{self.owner}__{func.attr}", [self._state(), *self._args(node)], node, self._keywords(node))
            part = self._part(func.value)
            if part is not None:
                return self._kit_call(part, func.attr, func.value, self._args(node), node, self._keywords(node))
            if func.attr in ("sum", "mean", "std", "var") and not node.args:
                return self._named(f"np_{func.attr}", [self.visit(func.value)], node)
            self.generic_visit(node)
            return node
        assert isinstance(func, ast.Name)
        if func.id in self.scope.functions:
            return self._named(f"fn__{func.id}", [self._state(), *self._args(node)], node, self._keywords(node))
        if func.id == "len" and len(node.args) == 1:
            part = self._part(node.args[0])
            if part is not None:
                return self._kit_call(part, "__len__", node.args[0], [], node)
        if func.id == "float" and len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            return ast.copy_location(ast.Constant(float(node.args[0].value)), node)
        if func.id == "pow" and len(node.args) == 2:
            return self._named("_power", self._args(node), node)
        if func.id == "bool" and len(node.args) == 1:
            return self._named("bool", [self._truth(node.args[0])], node)
        node.args = self._args(node)
        return node

    def _module_call(self, node: ast.Call, resolved: tuple[str, str]) -> ast.AST:
        module, name = resolved
        if module == "metamuse.policykit":
            if name[0].isupper():
                self._fail(node, f"{name} structures are created in __init__ only")
            return self._named(name, self._args(node), node, self._keywords(node))
        if module == "numpy" and name in ("sum", "mean", "std", "var", "cumsum") and len(node.args) == 1:
            return self._named(f"np_{name}", self._args(node), node)
        node.args = self._args(node)
        node.keywords = self._keywords(node)
        return node

    def _args(self, node: ast.Call) -> list[ast.expr]:
        return [self.visit(a) for a in node.args]

    def _keywords(self, node: ast.Call) -> list[ast.keyword]:
        return [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            part = self._part(node.comparators[0])
            if part is None:
                self._fail(node, "'in' needs a List, Heap or Ghosts of policykit on its right")
            assert part is not None
            call: ast.expr = self._kit_call(part, "contains", node.comparators[0], [self.visit(node.left)], node)
            return call if isinstance(node.ops[0], ast.In) else ast.copy_location(ast.UnaryOp(ast.Not(), call), node)
        self.generic_visit(node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        # `a and b` yields an operand in Python; the language gives it one meaning, a truth value.
        node.values = [self._named("bool", [self._truth(v)], v) for v in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        node.operand = self._truth(node.operand) if isinstance(node.op, ast.Not) else self.visit(node.operand)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self._truth(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return self._named("_power", [node.left, node.right], node)
        return node

    # -- statements

    def visit_If(self, node: ast.If) -> ast.AST:
        node.test = self._truth(node.test)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._truth(node.test)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        if not isinstance(node.target, ast.Name | ast.Tuple) or any(isinstance(t, ast.Attribute) for t in ast.walk(node.target)):
            self._fail(node, "the variable of a for loop must be a plain name")
        if self._part(node.iter) is not None:
            self._fail(node, "policykit structures cannot be iterated over; walk a List with front() and next(x)")
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            new = self.visit(statement)
            out.extend(new if isinstance(new, list) else [new] if new is not None else [])
        return out

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):
            return None
        self.generic_visit(node)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None and self._part(node.value) is not None:
            self._fail(node, "a method cannot return a policykit structure")
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt] | None:
        if node.value is None:
            return None
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        if isinstance(node.target, ast.Attribute):
            load = ast.copy_location(ast.Attribute(node.target.value, node.target.attr, ast.Load()), node)
            value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
            return self.visit(ast.copy_location(ast.Assign([node.target], value), node))
        if isinstance(node.op, ast.Pow):
            load = ast.parse(ast.unparse(node.target), mode="eval").body
            for part in ast.walk(load):
                ast.copy_location(part, node)
            value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
            return self.visit(ast.copy_location(ast.Assign([node.target], value), node))
        node.target, node.value = self.visit(node.target), self.visit(node.value)
        return node

    def _array_attribute(self, node: ast.Attribute) -> bool:
        return _is_self(node.value) and self.scope.layout.kind(node.attr) == "array"

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        attributes = [t for target in node.targets for t in ast.walk(target) if isinstance(t, ast.Attribute) and isinstance(t.ctx, ast.Store)]
        if not attributes:
            self.generic_visit(node)
            return node
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
            return [self._store(node.targets[0], self.visit(node.value), node)]
        # a, self.b = … and a = self.b = …: evaluate the right side once, then assign from left to right.
        self.temporaries += 1
        temporary = f"t__{self.temporaries}"
        out: list[ast.stmt] = [ast.Assign([ast.Name(temporary, ast.Store())], self.visit(node.value))]
        for target in node.targets:
            if isinstance(target, ast.Tuple):
                for i, item in enumerate(target.elts):
                    value = ast.Subscript(ast.Name(temporary, ast.Load()), ast.Constant(i), ast.Load())
                    if isinstance(item, ast.Attribute) and self._array_attribute(item):
                        self._fail(node, "arrays cannot be swapped or assigned in a tuple; copy with self.a[:] = self.b")
                    out.append(self._store(item, value, node))
            else:
                out.append(self._store(target, ast.Name(temporary, ast.Load()), node))
        for statement in out:
            ast.copy_location(statement, node)
            ast.fix_missing_locations(statement)
        return out

    def _store(self, target: ast.expr, value: ast.expr, at: ast.Assign) -> ast.stmt:
        if isinstance(target, ast.Attribute):
            if not _is_self(target.value):
                self._fail(at, "only attributes of self can be assigned")
            kind = self.scope.layout.kind(target.attr)
            if kind == "part":
                self._fail(at, f"self.{target.attr} can only be assigned in __init__; use its clear() or remove()")
            if kind == "scalar":
                value = self._named(f"store_{self.scope.layout.scalars[target.attr]}", [value], at)
                new: ast.stmt = ast.Assign([self.visit(target)], value)
            elif kind == "array":
                state = ast.Attribute(self._state(), field_name(target.attr), ast.Load())
                view = self._named("as_array", [state], at)
                new = ast.Assign([ast.Subscript(view, ast.Slice(), ast.Store())], value)
            else:
                self._fail(at, f"self.{target.attr} must be created in __init__")
        else:
            new = ast.Assign([self.visit(target)], value)
        ast.copy_location(new, at)
        return ast.fix_missing_locations(new)


#: Values that a lowered module may name and that are not functions.
GLOBALS = {"inf": math.inf, "nan": math.nan}
