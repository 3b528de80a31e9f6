"""Lowering of expressions: names, attributes, calls and operators (see :mod:`metamuse.policy.lower`)."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from typing import Any

import metamuse.policykit
from metamuse.policy import intrinsics
from metamuse.policy.interpret import FILENAME
from metamuse.policy.layout import Layout, field_name
from metamuse.policy.meter import EACH_OF, TICK
from metamuse.policy.parts import local_aliases, part_of
from metamuse.policy.rules import Names, fail, is_self

STATE = "S__"

OPERATORS: dict[type[ast.operator], str] = {
    ast.LShift: "rt__left_shift",
    ast.Pow: "rt__power",
    ast.RShift: "rt__right_shift",
}
_ARRAY_METHODS = frozenset(["argsort", "mean", "std", "sum", "var"])


@dataclass
class Lowered:
    """Functions over a state.

    Attributes:
        functions: Lowered definitions by name (``Policy__victim``, module functions as ``fn__name``).
        kits: Names of the policykit classes they use.
        filename: Where the source lines are.
    """

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    kits: set[str] = field(default_factory=set)
    filename: str = FILENAME


@dataclass(frozen=True)
class Scope:
    """What all functions of a module share.

    Attributes:
        layout: Attributes of the class.
        methods: Its methods.
        functions: Functions of the module.
        lifted: Constants that live in the state.
        names: What imported names stand for.
        owner: Name of the class.
    """

    layout: Layout
    methods: dict[str, ast.FunctionDef]
    functions: dict[str, ast.FunctionDef]
    lifted: frozenset[str]
    names: Names
    owner: str = "Policy"


class ExpressionLowering(ast.NodeTransformer):
    """Rewrites the expressions of one function.

    Args:
        scope: What it shares with others.
        out: Where the kits it uses are noted.
        node: The function, which is consumed.
        given: Its parameters that are policykit structures.
        arrays: Its parameters that are arrays of the simulator.
    """

    def __init__(
        self,
        scope: Scope,
        out: Lowered,
        node: ast.FunctionDef,
        given: dict[str, Layout],
        arrays: frozenset[str] = frozenset(),
    ) -> None:
        self.scope = scope
        self.out = out
        self.node = node
        self.arrays = arrays
        self.of_method = False
        self.aliases = local_aliases(scope.layout, node, given)
        self.locals = {a.arg for a in node.args.args} | {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }

    # -- helpers

    def _part(self, node: ast.AST) -> Layout | None:
        return part_of(self.scope.layout, self.aliases, node) if self.of_method else None

    def _expr(self, node: ast.expr) -> ast.expr:
        new = self.visit(node)
        assert isinstance(new, ast.expr)
        return new

    @staticmethod
    def _state() -> ast.Name:
        return ast.Name(STATE, ast.Load())

    @staticmethod
    def _named(
        func: str, args: list[ast.expr], at: ast.AST, keywords: list[ast.keyword] | None = None
    ) -> ast.Call:
        node = ast.Call(ast.Name(func, ast.Load()), args, keywords or [])
        return ast.fix_missing_locations(ast.copy_location(node, at))

    def _kit_call(self, part: Layout, method: str, target: ast.expr, call: ast.Call) -> ast.Call:
        """``self.queue.push(x)``."""
        function = getattr(getattr(metamuse.policykit, part.name), method, None)
        if not inspect.isfunction(function) or method.startswith("_"):
            fail(call, f"{part.name} has no method {method}; it has {_methods(part.name)}")
        self.out.kits.add(part.name)
        return self._annotated(
            function, f"{part.name}.{method}", f"{part.name}__{method}", [self._expr(target)], call
        )

    def _annotated(
        self, function: Any, text: str, name: str, first: list[ast.expr], call: ast.Call
    ) -> ast.Call:
        """A call of a function of policykit, whose ints must be ints (not floats that would be cut)."""
        signature = inspect.signature(function)
        try:
            signature.bind(*first, *call.args, **{k.arg or "": None for k in call.keywords})
        except TypeError:
            params = ", ".join(list(signature.parameters)[len(first) :])
            fail(call, f"{text}({params}) is given {len(call.args) + len(call.keywords)} argument(s) here")
        kinds = {p.name: p.annotation for p in signature.parameters.values()}
        names = list(kinds)[len(first) :]
        args = [self._typed(kinds[n], a) for n, a in zip(names, call.args, strict=False)]
        keywords = [ast.keyword(k.arg, self._typed(kinds[k.arg or ""], k.value)) for k in call.keywords]
        # Defaults are written out, so that there is one signature to compile.
        left = set(names[len(call.args) :]) - {k.arg for k in call.keywords}
        keywords += [
            ast.keyword(n, ast.Constant(signature.parameters[n].default)) for n in names if n in left
        ]
        return self._named(name, [*first, *args], call, keywords)

    def _typed(self, kind: str, node: ast.expr) -> ast.expr:
        return self._whole(node) if kind == "int" else self._expr(node)

    def _length(self, part: Layout, node: ast.expr) -> ast.Call:
        self.out.kits.add(part.name)
        if not hasattr(getattr(metamuse.policykit, part.name), "__len__"):
            fail(node, f"a {part.name} has no length and is not a condition; it has {_methods(part.name)}")
        return self._named(f"{part.name}____len__", [self._expr(node)], node)

    def _truth(self, node: ast.expr) -> ast.expr:
        part = self._part(node)
        if part is None:
            if self._is_array(node):
                fail(
                    node,
                    "an array cannot be a condition; use np.any(...), np.all(...) or one of its elements",
                )
            return self._expr(node)
        return ast.copy_location(ast.Compare(self._length(part, node), [ast.Gt()], [ast.Constant(0)]), node)

    def _is_array(self, node: ast.expr) -> bool:
        """Whether an expression is an array for sure (of local names it is not known here)."""
        if isinstance(node, ast.Attribute):
            return self.of_method and is_self(node.value) and self.scope.layout.kind(node.attr) == "array"
        if isinstance(node, ast.Name):
            return node.id in self.arrays
        if isinstance(node, ast.BinOp | ast.Compare | ast.UnaryOp):
            return any(
                self._is_array(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
            )
        return False

    def _whole(self, node: ast.expr) -> ast.expr:
        """An argument that must be an int."""
        new = self._expr(node)
        plain = isinstance(new, ast.Constant) and type(new.value) is int
        return new if plain or self.scope.owner != "Policy" else self._named("rt__whole", [new], node)

    # -- names and attributes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._name(node, as_slab=False)

    def _name(self, node: ast.Name, as_slab: bool) -> ast.expr:
        if node.id in self.arrays:
            if isinstance(node.ctx, ast.Store):
                fail(node, f"the parameter {node.id} may not be assigned to; use another name")
            return node if as_slab else self._named("rt__as_array", [node], node)
        if node.id in self.scope.lifted and node.id not in self.locals:
            return self._scalar(self._state(), "k", node.id, ast.Load(), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._attribute(node, as_slab=False)

    def _attribute(self, node: ast.Attribute, as_slab: bool) -> ast.expr:
        if self.scope.names.resolve(node) is not None:
            return node
        if self.of_method and is_self(node.value):
            return self._field(self._state(), self.scope.layout, node, as_slab)
        part = self._part(node.value)
        if part is not None:
            return self._field(self._expr(node.value), part, node, as_slab)
        node.value = self._slab(node.value) if node.attr == "size" else self._expr(node.value)
        return node

    def _slab(self, node: ast.expr) -> ast.expr:
        """An array in the form in which it is indexed: a state's array without building an array object."""
        if isinstance(node, ast.Attribute):
            return self._attribute(node, as_slab=True)
        return self._name(node, as_slab=True) if isinstance(node, ast.Name) else self._expr(node)

    def _field(self, state: ast.expr, layout: Layout, node: ast.Attribute, as_slab: bool) -> ast.expr:
        kind = layout.kind(node.attr)
        if kind == "":
            if layout is not self.scope.layout:
                fail(node, f"a {layout.name} has no {node.attr}; it has {_methods(layout.name)}")
            has = ", ".join(sorted([*layout.scalars, *layout.arrays, *layout.parts]))
            fail(node, f"self has no attribute {node.attr}; create it in __init__ (it has {has})")
        if kind == "scalar":
            return self._scalar(state, "r", node.attr, node.ctx, node)
        new: ast.expr = ast.copy_location(ast.Attribute(state, field_name(node.attr), ast.Load()), node)
        if kind == "array" and not as_slab:
            new = self._named("rt__as_array", [new], node)
        return ast.fix_missing_locations(new)

    def _scalar(
        self, state: ast.expr, record: str, name: str, ctx: ast.expr_context, at: ast.AST
    ) -> ast.expr:
        target = self._named("rt__rec", [ast.Attribute(state, record, ast.Load())], at)
        return ast.fix_missing_locations(ast.copy_location(ast.Attribute(target, name, ctx), at))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self._merge(node)
        sliced = any(isinstance(part, ast.Slice) for part in ast.walk(node.slice))
        node.slice = self._expr(node.slice)
        node.value = self._expr(node.value) if sliced else self._slab(node.value)
        return node

    def _merge(self, node: ast.Subscript) -> None:
        """``self.table[i][j]`` is ``self.table[i, j]``."""
        inner = node.value
        if not (isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Attribute)):
            return
        array = inner.value
        parts = [part for index in (node.slice, inner.slice) for part in ast.walk(index)]
        two = is_self(array.value) and self.scope.layout.arrays.get(array.attr, ("", 0))[1] == 2
        if two and not any(isinstance(part, ast.Slice | ast.Tuple) for part in parts):
            node.slice = ast.copy_location(ast.Tuple([inner.slice, node.slice], ast.Load()), node)
            node.value = array

    # -- calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        func = node.func
        resolved = self.scope.names.resolve(func)
        if resolved is not None:
            return self._module_call(node, *resolved)
        if isinstance(func, ast.Attribute):
            return self._method_call(node, func)
        assert isinstance(func, ast.Name)
        if func.id in self.scope.functions:
            for arg in [*node.args, *(k.value for k in node.keywords)]:
                part = self._part(arg)
                if part is not None:
                    fail(
                        node,
                        f"a {part.name} can be passed to methods of Policy, not to functions of the module",
                    )
            return self._named(
                f"fn__{func.id}", [self._state(), *self._args(node)], node, self._keywords(node)
            )
        if func.id in (TICK, EACH_OF):
            return self._named(func.id, [self._state(), *self._args(node)], node)
        if func.id in ("len", "bool") and len(node.args) == 1:
            part = self._part(node.args[0])
            if part is not None:
                return self._length(part, node.args[0]) if func.id == "len" else self._truth(node.args[0])
        if func.id in intrinsics.BUILTINS:
            return self._named(f"rt__{'power' if func.id == 'pow' else func.id}", self._args(node), node)
        if func.id in ("min", "max") and len(node.args) == 1:
            return self._named(f"rt__{func.id}_of", self._args(node), node)
        if func.id == "range":
            node.args = [self._whole(a) for a in node.args]
            return node
        node.args = self._args(node)
        return node

    def _method_call(self, node: ast.Call, func: ast.Attribute) -> ast.expr:
        if self.of_method and is_self(func.value):
            name = f"{self.scope.owner}__{func.attr}"
            return self._named(name, [self._state(), *self._args(node)], node, self._keywords(node))
        part = self._part(func.value)
        if part is not None:
            return self._kit_call(part, func.attr, func.value, node)
        if func.attr in _ARRAY_METHODS and not node.args:
            return self._named(f"rt__np_{func.attr}", [self._expr(func.value)], node)
        func.value = self._expr(func.value)
        node.args, node.keywords = self._args(node), self._keywords(node)
        return node

    def _module_call(self, node: ast.Call, module: str, name: str) -> ast.expr:
        if module == "metamuse.policykit":
            if name[0].isupper():
                fail(node, f"{name} structures are created in __init__ only")
            return self._annotated(getattr(metamuse.policykit, name), name, f"rt__{name}", [], node)
        if module == "math" and name == "log" and len(node.args) == 2:
            name = "log_base"
        special = f"rt__{'math' if module == 'math' else 'np'}_{name}"
        if special in intrinsics.NAMES:
            return self._named(special, self._args(node), node, self._keywords(node))
        node.args, node.keywords = self._args(node), self._keywords(node)
        return node

    def _args(self, node: ast.Call) -> list[ast.expr]:
        return [self._expr(a) for a in node.args]

    def _keywords(self, node: ast.Call) -> list[ast.keyword]:
        return [ast.keyword(k.arg, self._expr(k.value)) for k in node.keywords]

    # -- operators

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if not any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            self.generic_visit(node)
            return node
        part = self._part(node.comparators[0])
        if part is None or len(node.ops) > 1:
            fail(
                node,
                "'in' needs one List, Heap, Buckets or Ghosts of policykit on its right; compare numbers with == and or",
            )
        call = ast.copy_location(ast.Call(ast.Name("contains", ast.Load()), [node.left], []), node)
        test = self._kit_call(part, "contains", node.comparators[0], call)
        return (
            test if isinstance(node.ops[0], ast.In) else ast.copy_location(ast.UnaryOp(ast.Not(), test), node)
        )

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        node.values = [self._truth(v) for v in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Invert):
            return self._named("rt__invert", [self._expr(node.operand)], node)
        node.operand = self._truth(node.operand) if isinstance(node.op, ast.Not) else self._expr(node.operand)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test, node.body, node.orelse = (
            self._truth(node.test),
            self._expr(node.body),
            self._expr(node.orelse),
        )
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left, node.right = self._expr(node.left), self._expr(node.right)
        special = OPERATORS.get(type(node.op))
        trusted = self.scope.owner != "Policy" or _small_count(node.right)
        if special is None or (not isinstance(node.op, ast.Pow) and trusted):
            return node
        return self._named(special, [node.left, node.right], node)


def _small_count(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= 62


def _methods(kit: str) -> str:
    cls: Any = getattr(metamuse.policykit, kit)
    return ", ".join(sorted(n for n in vars(cls) if not n.startswith("_")))
