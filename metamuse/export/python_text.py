"""Writes a policy as plain Python that decides as the compiled policy does, without MetaMuse and without numpy.

Arrays become lists and policykit's classes are written out. Where Python's numbers differ from those of the machine
(whole numbers of any size, exact comparisons between ints and floats), a conversion is put in, but only where the bounds
(:mod:`metamuse.export.bounds`) do not show that it changes nothing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable

from metamuse.export.bounds import Bounds
from metamuse.export.infer import FLOAT_1, NUMPY_LIKE_MATH, TESTS, TO_INT, Instance
from metamuse.export.kinds import (
    BOOL,
    EXACT,
    FLOAT,
    INT,
    NONE,
    WIDE,
    Kind,
    UntranslatableError,
    whole_constant,
)
from metamuse.policy.rules import is_infinity, is_self

_RING = (ast.Add, ast.Sub, ast.Mult)
_ZERO = {"b": False, "f": 0.0, "i": 0}


def name(text: str) -> ast.Name:
    """A name as an expression."""
    return ast.Name(text, ast.Load())


def call(function: str, *args: ast.expr) -> ast.Call:
    """A call of a function."""
    return ast.Call(name(function), list(args), [])


class Writer:
    """Rewrites the functions of a policy.

    Args:
        bounds: How large its ints become.

    Attributes:
        helpers: Names of the functions of :mod:`metamuse.export.runtime.arithmetic` that are called.
        modules: Modules of Python that are used.
        hashes: Whether ``hash64`` is called.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.helpers: set[str] = set()
        self.modules: set[str] = set()
        self.hashes = False

    def function(self, instance: Instance) -> ast.FunctionDef:
        """The definition that replaces the original one."""
        return _Function(self, instance).definition()


class _Function:
    def __init__(self, writer: Writer, instance: Instance) -> None:
        self.writer = writer
        self.made = instance
        self.temporaries = 0

    def definition(self) -> ast.FunctionDef:
        node = copy.copy(self.made.node)
        node.name = self.made.label
        node.body = self._block(node.body)
        return ast.fix_missing_locations(node)

    # -- what is known

    def _bound(self, node: ast.expr) -> int:
        return 0 if self.made.unit.is_kit else self.writer.bounds.of(self.made, node)

    def _helper(self, helper: str, *args: ast.expr) -> ast.Call:
        self.writer.helpers.add(helper)
        return call(f"_{helper}", *args)

    def _module(self, module: str, attribute: str) -> ast.expr:
        self.writer.modules.add(module)
        return ast.Attribute(name(module), attribute, ast.Load())

    # -- statements

    def _block(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            new = self._statement(statement)
            out += new if isinstance(new, list) else [new]
        return out

    def _statement(self, node: ast.stmt) -> ast.stmt | list[ast.stmt]:
        new = copy.copy(node)
        if isinstance(new, ast.Assign):
            assert isinstance(node, ast.Assign)
            return self._assign(node, new)
        if isinstance(new, ast.AnnAssign) and new.value is not None:
            return self._assign(ast.copy_location(ast.Assign([new.target], new.value), node), None)
        if isinstance(new, ast.AugAssign):
            assert isinstance(node, ast.AugAssign)
            return self._augment(node)
        if isinstance(new, ast.If | ast.While):
            new.test = self._expr(new.test, condition=True)
            new.body, new.orelse = self._block(new.body), self._block(new.orelse)
        elif isinstance(new, ast.For):
            new.iter = self._items(new)
            new.body, new.orelse = self._block(new.body), self._block(new.orelse)
        elif isinstance(new, ast.Return) and new.value is not None:
            if self.made.returns == NONE:
                return new
            new.value = self._as(new.value, self.made.returns)
        elif isinstance(new, ast.Expr) and not isinstance(new.value, ast.Constant):
            new.value = self._expr(new.value)
        return new

    def _items(self, node: ast.For) -> ast.expr:
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        for target in targets:
            assert isinstance(target, ast.Name)  # the language has no other loop variables
            if self.made.locals[target.id] != self.made.kinds[id(target)]:
                raise UntranslatableError(node, f"{target.id} holds ints and floats; use two names")
        source = node.iter
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name):
            if source.func.id == "enumerate":
                return call("enumerate", self._expr(source.args[0]))
            if source.func.id == "range":
                return call("range", *map(self._expr, source.args))
        return self._expr(source)

    def _assign(self, node: ast.Assign, new: ast.Assign | None) -> ast.stmt:
        first = node.targets[0]
        if isinstance(first, ast.Tuple) and len(node.targets) == 1:
            value = self._tuple(first, node.value)
        elif len(node.targets) > 1:
            kinds = {self._target_kind(t) for t in node.targets}
            if len(kinds) != 1 or isinstance(first, ast.Tuple):
                raise UntranslatableError(node, "targets of several kinds are assigned at once")
            value = self._value(first, node.value)
        elif (kind := self.made.kind(first)).name == "array" and not isinstance(first, ast.Name):
            return ast.copy_location(self._fill(first, kind, node), node)
        else:
            value = self._value(first, node.value)
        return ast.copy_location(ast.Assign([self._target(t) for t in node.targets], value), new or node)

    def _fill(self, target: ast.expr, kind: Kind, node: ast.Assign) -> ast.stmt:
        """``self.a = …`` and ``self.a[:] = …`` of an array."""
        given = self.made.kind(node.value)
        creates = isinstance(node.value, ast.Call) and given.name == "array"
        if creates and isinstance(target, ast.Attribute) and self.made.label == "__init__":
            return ast.Assign([target], self._expr(node.value))
        if self.made.label == "__init__" and isinstance(target, ast.Attribute):
            raise UntranslatableError(node, "an attribute is made of another array; create it with np.zeros")
        array = target.value if isinstance(target, ast.Subscript) else target
        whole = ast.Subscript(self._expr(_loading(array)), ast.Slice(), ast.Store())
        if given.name == "array":
            if given.ndim > 1:
                raise UntranslatableError(node, "arrays of two dimensions are not copied")
            return ast.Assign([whole], self._expr(node.value))
        if kind.ndim > 1:
            raise UntranslatableError(node, "an array of two dimensions is not filled at once")
        item = self._element(node.value, kind)
        length = call("len", self._expr(_loading(array)))
        return ast.Assign([whole], ast.BinOp(ast.List([item], ast.Load()), ast.Mult(), length))

    def _tuple(self, target: ast.Tuple, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.Tuple):
            items = [self._value(t, v) for t, v in zip(target.elts, value.elts, strict=True)]
            return ast.Tuple(items, ast.Load())
        kinds = [self._target_kind(t) for t in target.elts]
        if list(self.made.kind(value).items) != kinds:
            raise UntranslatableError(value, "a tuple of ints is assigned to what holds floats")
        return self._expr(value)

    def _target_kind(self, target: ast.expr) -> Kind:
        if isinstance(target, ast.Name):
            return self.made.locals[target.id]
        return self.made.kind(target)

    def _value(self, target: ast.expr, value: ast.expr) -> ast.expr:
        """A value in the form in which a target takes it."""
        if isinstance(target, ast.Subscript):
            return self._element(value, self.made.kind(target.value))
        kind = self._target_kind(target)
        if not kind.is_number:
            return self._expr(value)
        mixed = kind == FLOAT and isinstance(target, ast.Name) and self.made.kind(value) == INT
        if mixed and self._bound(value) > EXACT:
            raise UntranslatableError(value, f"{target.id} holds large ints and floats; use two names")  # type: ignore[attr-defined]
        return self._as(value, kind)

    def _element(self, value: ast.expr, array: Kind) -> ast.expr:
        if array.of == "int64" or not array.of.startswith("int"):
            kind = Kind("array", array.of, 1).element
            if kind == INT and self.made.kind(value) == FLOAT:
                return self._helper("to_int", self._expr(value))
            return self._as(value, kind)
        bits = int(array.of[3:])
        new = self._expr(value)
        if self.made.kind(value) == FLOAT:
            new = self._helper("to_int", new)
        elif self.made.unit.is_kit or self._bound(value) < 1 << (bits - 1):
            return new  # policykit puts nothing but ids and counts into its arrays
        return self._helper("fit", new, ast.Constant(bits))

    def _augment(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        load = _loading(node.target)
        whole = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        have = self.made.kinds[id(node.target)]
        given = self.made.kind(node.value)
        floats = isinstance(node.op, ast.Div) or FLOAT in (have, given)
        result = FLOAT if floats else INT
        self.made.kinds[id(whole)] = result
        self.made.kept.append(whole)
        self._learn(node.target, load)
        before: list[ast.stmt] = []
        target = node.target
        if isinstance(target, ast.Subscript) and any(isinstance(n, ast.Call) for n in ast.walk(target.slice)):
            target, load, before = self._named(target, node)
            whole.left = load
        want = self._target_kind(node.target)
        value = self._value_of(target, whole)
        plain = isinstance(value, ast.BinOp) and isinstance(value.op, type(node.op)) and want == result
        if plain and not before:
            assert isinstance(value, ast.BinOp)
            made: ast.stmt = ast.AugAssign(self._target(target), node.op, value.right)  # type: ignore[arg-type]
        else:
            made = ast.Assign([self._target(target)], value)
        return [*before, ast.copy_location(made, node)] if before else ast.copy_location(made, node)

    def _value_of(self, target: ast.expr, whole: ast.BinOp) -> ast.expr:
        if isinstance(target, ast.Subscript):
            return self._element(whole, self.made.kind(target.value))
        return self._as(whole, self._target_kind(target))

    def _named(
        self, target: ast.Subscript, node: ast.AugAssign
    ) -> tuple[ast.Subscript, ast.expr, list[ast.stmt]]:
        """An index that is computed once, though it is used twice."""
        new = copy.copy(target)
        whole = isinstance(target.slice, ast.Tuple)
        parts = list(target.slice.elts) if isinstance(target.slice, ast.Tuple) else [target.slice]
        before: list[ast.stmt] = []
        for i, part in enumerate(parts):
            self.temporaries += 1
            index = name(f"at_{self.temporaries}_")
            self.made.locals[index.id] = self.made.kinds[id(index)] = INT
            self.made.kept.append(index)
            before.append(
                ast.copy_location(ast.Assign([ast.Name(index.id, ast.Store())], self._expr(part)), node)
            )
            parts[i] = index
        new.slice = ast.Tuple(parts, ast.Load()) if whole else parts[0]
        self._learn(target, new)
        load = _loading(new)
        self._learn(new, load)
        return new, load, before

    def _learn(self, target: ast.expr, load: ast.expr) -> None:
        """What is known of a target is known of the expression that reads it."""
        self.made.kept.append(load)
        self.made.kinds[id(load)] = self.made.kinds[id(target)]

    def _target(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Subscript):
            new = self._subscript(node)
            new.ctx = ast.Store()
            return new
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self._target(item) for item in node.elts], ast.Store())
        return node

    # -- expressions

    def _as(self, node: ast.expr, want: Kind, condition: bool = False) -> ast.expr:
        """An expression as a value of a kind."""
        have = self.made.kind(node)
        if have == want or not have.is_number or condition:
            return self._expr(node, condition=condition)
        if want == FLOAT:
            if isinstance(node, ast.Constant):
                return ast.copy_location(ast.Constant(float(node.value)), node)  # type: ignore[arg-type]
            return call("float", self._expr(node))
        if want == BOOL:
            return call("bool", self._expr(node))
        if want == INT and have == FLOAT:
            raise UntranslatableError(node, "a float is given where an int is kept")
        return self._expr(node)

    def _expr(self, node: ast.expr, ring: bool = False, condition: bool = False) -> ast.expr:
        """An expression rewritten.

        Args:
            node: As in the policy.
            ring: Whether whatever it becomes is cut to 64 bits further outside, so that it need not be here.
            condition: Whether only its truth counts.
        """
        new = self._rewritten(node, ring, condition)
        return ast.fix_missing_locations(ast.copy_location(new, node)) if new is not node else new

    def _rewritten(self, node: ast.expr, ring: bool, condition: bool) -> ast.expr:
        if isinstance(node, ast.BinOp):
            return self._binary(node, ring)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                return ast.UnaryOp(node.op, self._expr(node.operand, condition=True))
            if isinstance(node.operand, ast.Constant):
                return node
            inner = isinstance(node.op, ast.USub)
            return self._cut(node, ast.UnaryOp(node.op, self._expr(node.operand, ring=inner)), ring)
        if isinstance(node, ast.Call):
            return self._call(node, ring)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BoolOp):
            kind = self.made.kind(node)
            return ast.BoolOp(node.op, [self._as(v, kind, condition) for v in node.values])
        if isinstance(node, ast.IfExp):
            kind = self.made.kind(node)
            test = self._expr(node.test, condition=True)
            return ast.IfExp(
                test, self._as(node.body, kind, condition), self._as(node.orelse, kind, condition)
            )
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self._expr(item) for item in node.elts], node.ctx)
        if isinstance(node, ast.Attribute | ast.Name):
            return self._attribute(node)
        return node

    def _cut(self, node: ast.expr, new: ast.expr, ring: bool) -> ast.expr:
        """The result of an operation on ints, cut to 64 bits if it may be beyond them."""
        kind = self.made.kind(node)
        if ring or kind != INT or self.made.unit.is_kit or self._bound(node) < WIDE:
            return new
        return self._helper("int64", new)

    def _binary(self, node: ast.BinOp, ring: bool) -> ast.expr:
        op, whole = node.op, self.made.kind(node) == INT
        if isinstance(op, ast.Div):
            return self._division(node)
        if isinstance(op, ast.Pow):
            return self._power(node)
        if isinstance(op, ast.LShift | ast.RShift):
            return self._shift(node)
        inner = whole and isinstance(op, _RING)
        new = ast.BinOp(self._expr(node.left, ring=inner), op, self._expr(node.right, ring=inner))
        if isinstance(op, (*_RING, ast.FloorDiv)):
            return self._cut(node, new, ring)
        return new

    def _division(self, node: ast.BinOp) -> ast.expr:
        left, right = self._expr(node.left), self._expr(node.right)
        kinds = self.made.kind(node.left), self.made.kind(node.right)
        if kinds[0].is_whole and kinds[1].is_whole:
            if self._bound(node.left) > EXACT:
                left = call("float", left)
            elif self._bound(node.right) > EXACT:
                right = call("float", right)
        return ast.BinOp(left, node.op, right)

    def _power(self, node: ast.BinOp) -> ast.expr:
        left, right = self._expr(node.left), self._expr(node.right)
        if self.made.kind(node) == INT:
            return self._helper("power", left, right)
        if isinstance(node.left, ast.Constant) and node.left.value > 0:  # type: ignore[operator]
            return ast.BinOp(self._as(node.left, FLOAT), node.op, right)
        return ast.Call(self._module("math", "pow"), [left, right], [])

    def _shift(self, node: ast.BinOp) -> ast.expr:
        left, right = self._expr(node.left), self._expr(node.right)
        count = whole_constant(node.right)
        fits = self.made.unit.is_kit or (count is not None and 0 <= count <= 63)
        whole = isinstance(node.op, ast.RShift) or self.made.unit.is_kit or self._bound(node) < WIDE
        if fits and whole:
            return ast.BinOp(left, node.op, right)
        return self._helper("left_shift" if isinstance(node.op, ast.LShift) else "right_shift", left, right)

    def _compare(self, node: ast.Compare) -> ast.expr:
        parts = [node.left, *node.comparators]
        kinds = [self.made.kind(part) for part in parts]
        new = [self._expr(part) for part in parts]
        for i in range(len(node.ops)):
            for a, b in ((i, i + 1), (i + 1, i)):
                if kinds[a].is_whole and kinds[b] == FLOAT and self._bound(parts[a]) > EXACT:
                    if len(parts) > 2:
                        raise UntranslatableError(node, "a chain compares large ints with floats")
                    new[a] = call("float", new[a])
        return ast.Compare(new[0], node.ops, new[1:])

    def _subscript(self, node: ast.Subscript) -> ast.Subscript:
        base = self._expr(node.value)
        if isinstance(node.slice, ast.Slice):
            return ast.Subscript(base, node.slice, node.ctx)
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for index in indices:
            base = ast.Subscript(base, self._expr(index), ast.Load())
        assert isinstance(base, ast.Subscript)
        return ast.copy_location(base, node)

    def _attribute(self, node: ast.Attribute | ast.Name) -> ast.expr:
        resolved = self.made.unit.names.resolve(node)
        if resolved is not None:
            return self._module("math", resolved[1])
        if isinstance(node, ast.Attribute) and not is_self(node.value):
            inner = self._expr(node.value)
            if self.made.kind(node.value).name == "array":  # .size
                return call("len", inner)
            return ast.Attribute(inner, node.attr, node.ctx)
        return node

    # -- calls

    def _call(self, node: ast.Call, ring: bool) -> ast.expr:
        if is_infinity(node):
            text = node.args[0].value  # type: ignore[attr-defined]
            value = self._module("math", text.removeprefix("-"))
            return ast.UnaryOp(ast.USub(), value) if text.startswith("-") else value
        made = self.made.calls.get(id(node))
        if made is not None:
            return self._own_call(node, made)
        resolved = self.made.unit.names.resolve(node.func)
        if resolved is not None:
            return self._module_call(node, *resolved)
        if isinstance(node.func, ast.Attribute):
            return self._reduction(node.func.attr, node.func.value)
        assert isinstance(node.func, ast.Name)
        return self._builtin(node, node.func.id, ring)

    def _own_call(self, node: ast.Call, made: Instance) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "len":
            return call("len", self._expr(node.args[0]))
        wants = [kind for _, kind in made.params]
        args = [self._as(a, k) for a, k in zip(node.args, wants, strict=False)]
        rest = wants[len(args) :]
        keywords = [
            ast.keyword(k.arg, self._as(k.value, kind)) for k, kind in zip(node.keywords, rest, strict=False)
        ]
        func = node.func
        if made.label == "__init__":
            func = name(made.unit.name)
        elif isinstance(func, ast.Attribute):
            base = func.value if is_self(func.value) else self._expr(func.value)
            func = ast.Attribute(base, made.label, ast.Load())
        else:
            func = name(made.label)
        return ast.Call(func, args, keywords)

    def _builtin(self, node: ast.Call, function: str, ring: bool) -> ast.expr:
        kinds = [self.made.kind(a) for a in node.args]
        first = kinds[0]
        if function == "int" and first == FLOAT:
            return self._helper("to_int", self._expr(node.args[0]))
        if function == "round" and first == FLOAT:
            return self._helper("to_int", call("round", self._expr(node.args[0])))
        if function in ("min", "max", "sum") and len(node.args) == 1 and first.name == "array":
            inner = self._expr(node.args[0])
            return self._helper("total", inner) if function == "sum" else call(function, inner)
        if function in ("min", "max"):
            return call(function, *(self._as(a, self.made.kind(node)) for a in node.args))
        if function == "abs":
            return self._cut(node, call("abs", self._expr(node.args[0], ring=False)), ring)
        return call(function, *map(self._expr, node.args))

    def _reduction(self, function: str, array: ast.expr) -> ast.expr:
        inner = self._expr(array)
        helpers = {"sum": "total", "mean": "mean", "var": "variance", "std": "deviation"}
        if function in helpers:
            return self._helper(helpers[function], inner)
        place = self._helper("place_of", inner, ast.Constant(function.endswith("max")))
        return place if function.startswith("arg") else ast.Subscript(inner, place, ast.Load())

    def _module_call(self, node: ast.Call, module: str, function: str) -> ast.expr:
        if module == "metamuse.policykit":
            self.writer.hashes = True
            keywords = [ast.keyword(k.arg, self._expr(k.value)) for k in node.keywords]
            return ast.Call(name("hash64"), [self._expr(a) for a in node.args], keywords)
        if module == "numpy":
            return self._numpy_call(node, function)
        args = [self._expr(a) for a in node.args]
        if function in TO_INT and self.made.kind(node.args[0]) == FLOAT:
            return self._helper("to_int", ast.Call(self._module("math", function), args, []))
        if function == "hypot":
            self.writer.modules.add("math")
            return self._helper("hypot", *args)
        assert function in FLOAT_1 | TESTS | TO_INT or len(args) == 2, function
        return ast.Call(self._module("math", function), args, [])

    def _numpy_call(self, node: ast.Call, function: str) -> ast.expr:
        if self.made.kind(node).name == "array":
            return self._creation(node, function)
        first = node.args[0]
        if self.made.kind(first).name == "array":
            return self._reduction(function, first)
        if function in ("int64", "float64", "bool_"):
            plain = {"int64": "int", "float64": "float", "bool_": "bool"}[function]
            return self._builtin(node, plain, ring=False)
        if function in ("abs", "absolute"):
            return self._builtin(node, "abs", ring=False)
        assert function in NUMPY_LIKE_MATH | TESTS, function
        return ast.Call(self._module("math", function), [self._expr(first)], [])

    def _creation(self, node: ast.Call, function: str) -> ast.expr:
        kind = self.made.kind(node)
        if function == "array":
            return call("list", self._expr(node.args[0]))
        lengths = node.args[0].elts if isinstance(node.args[0], ast.Tuple) else [node.args[0]]
        sizes = [self._expr(length) for length in lengths]
        if function == "arange":
            if kind.element == FLOAT:
                raise UntranslatableError(node, "np.arange of floats is not translated")
            return call("list", call("range", sizes[0]))
        item: ast.expr = ast.Constant(_ZERO[kind.of[0]])
        if function == "ones":
            item = ast.Constant(type(_ZERO[kind.of[0]])(1))
        elif function == "full":
            item = self._element(node.args[1], kind)
        row = ast.BinOp(ast.List([item], ast.Load()), ast.Mult(), sizes[-1])
        if len(sizes) == 1:
            return row
        loop = ast.comprehension(ast.Name("_", ast.Store()), call("range", sizes[0]), [], 0)
        return ast.ListComp(row, [loop])


def _loading(target: ast.expr) -> ast.expr:
    load = copy.copy(target)
    load.ctx = ast.Load()  # type: ignore[attr-defined]  # targets have one
    return load
