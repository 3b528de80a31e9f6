"""Finds out what every expression of a policy is: bool, int, float, array or policykit structure.

Kinds of attributes are known from the layout, those of a contract method's parameters from the contract. A helper
is looked at once for each combination of kinds that it is called with, as the compiler does.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import metamuse.policykit
from metamuse.export.kinds import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    Kind,
    UntranslatableError,
    join,
    of_value,
    whole_constant,
)
from metamuse.export.units import Unit, kit_unit
from metamuse.policy.layout import Layout
from metamuse.policy.rules import is_infinity, is_self, is_text

#: Functions of one float that give a float, in math (and as far as numpy has them, of one number there).
FLOAT_1 = frozenset(
    ["acos", "asin", "atan", "cos", "cosh", "erf", "erfc", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh",
     "sqrt", "tan", "tanh", "fabs", "degrees", "radians"]
)  # fmt: skip
FLOAT_2 = frozenset(["atan2", "copysign", "fmod", "hypot", "pow"])
TO_INT = frozenset(["ceil", "floor", "trunc"])
TESTS = frozenset(["isfinite", "isinf", "isnan"])
#: Functions of numpy that are the same for numbers as those of math.
NUMPY_LIKE_MATH = frozenset(["cos", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "sqrt", "tanh"])
#: Reductions of a whole array of one dimension.
REDUCTIONS = frozenset(["sum", "mean", "std", "var", "max", "min", "argmax", "argmin"])
CREATORS = frozenset(["zeros", "ones", "full", "arange"])
_BITS = (ast.BitAnd, ast.BitOr, ast.BitXor)


@dataclass(eq=False)
class Instance:
    """One function for one combination of kinds of its arguments.

    Attributes:
        unit: Whose it is.
        node: Its own copy of the definition.
        of_class: Whether it is a method.
        label: What it is called in a translation; unique in its unit.
        params: Names and kinds of its parameters without ``self``.
        locals: Kinds of its variables, parameters included.
        returns: What it returns.
        kinds: By identity of a node of ``node``: what the expression is.
        calls: By identity of a call: which instance it calls.
        kept: Nodes beside those of ``node`` that ``kinds`` knows; while they live, nothing else has their identity.
    """

    unit: Unit
    node: ast.FunctionDef
    of_class: bool
    label: str
    params: list[tuple[str, Kind]]
    locals: dict[str, Kind]
    returns: Kind = NONE
    kinds: dict[int, Kind] = field(default_factory=dict)
    calls: dict[int, Instance] = field(default_factory=dict)
    kept: list[ast.AST] = field(default_factory=list)

    def kind(self, node: ast.expr) -> Kind:
        """What an expression of this function is."""
        return self.kinds[id(node)]


class Inference:
    """All instances that the entry points of a policy need.

    Args:
        unit: The class ``Policy``.
        entries: Its methods that are called from outside, ``__init__`` included.

    Attributes:
        instances: In an order in which every one comes after those it calls.

    Raises:
        UntranslatableError: A construct is not known.
    """

    def __init__(self, unit: Unit, entries: Sequence[str]) -> None:
        self.instances: list[Instance] = []
        self._made: dict[tuple[str, str, tuple[Kind, ...]], Instance] = {}
        self._counts: dict[tuple[str, str], int] = {}
        for name in entries:
            types, returns = unit.method_types[name]
            made = self.instance(unit, name, tuple(_named(unit, t) for t in types), of_class=True)
            made.returns = Kind(returns)

    def instance(self, unit: Unit, name: str, kinds: tuple[Kind, ...], of_class: bool) -> Instance:
        """The instance of a function for kinds of its arguments."""
        key = (unit.name, name if of_class else f"{name}()", kinds)
        if key not in self._made:
            node = copy.deepcopy((unit.methods if of_class else unit.functions)[name])
            counted = self._counts[key[:2]] = self._counts.get(key[:2], 0) + 1
            label = name if counted == 1 else f"{name}_{counted}"
            names = [a.arg for a in node.args.args[1 if of_class else 0 :]]
            params = list(zip(names, kinds, strict=True))
            made = Instance(unit, node, of_class, label, params, dict(params))
            _Reader(self, made).read()
            self._made[key] = made
            self.instances.append(made)
        return self._made[key]


def _named(unit: Unit, text: str) -> Kind:
    if text.endswith("[]"):
        return Kind("array", {"int": "int64", "float": "float64"}[text[:-2]], 1)
    if text in ("int", "float", "bool", "none"):
        return Kind(text)
    return Kind("part", text)


def layout_of_part(kind: Kind) -> Layout:
    """The attributes of a policykit structure."""
    return kit_unit(kind.of).layout


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a block and of the blocks in it."""
    for node in body:
        yield node
        for name in ("body", "orelse"):
            yield from statements(getattr(node, name, []))


class _Reader:
    """Reads one function until the kinds of its variables are settled."""

    def __init__(self, inference: Inference, made: Instance) -> None:
        self.inference = inference
        self.made = made
        self.unit = made.unit

    def read(self) -> None:
        made = self.made
        made.returns, found = NONE, False
        while True:
            before = dict(made.locals), made.returns
            made.kinds.clear()
            made.calls.clear()
            for node in made.node.body:
                self._statement(node)
            if (made.locals, made.returns) == before and found:
                return
            found = True

    def _refuse(self, node: ast.AST, message: str) -> UntranslatableError:
        return UntranslatableError(node, message)

    # -- statements

    def _statement(self, node: ast.stmt) -> None:
        if is_text(node) or isinstance(node, ast.Pass | ast.Break | ast.Continue | ast.Raise):
            return  # of these, only policykit raises
        if isinstance(node, ast.Assign):
            kind = self._kind(node.value)
            for target in node.targets:
                self._assign(target, kind, node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._assign(node.target, self._kind(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            load = copy.copy(node.target)
            load.ctx = ast.Load()
            self.made.kept.append(load)
            have = self._kind(load)
            self.made.kinds[id(node.target)] = have
            kind = self._operation(node, node.op, have, self._kind(node.value), node.value)
            self._assign(node.target, kind, node.value)
        elif isinstance(node, ast.If | ast.While):
            self._condition(node.test)
            for part in [*node.body, *node.orelse]:
                self._statement(part)
        elif isinstance(node, ast.For):
            self._loop(node)
        elif isinstance(node, ast.Return):
            kind = NONE if node.value is None else self._kind(node.value)
            self.made.returns = kind if self.made.returns == NONE else join(self.made.returns, kind, node)
        elif isinstance(node, ast.Expr):
            self._kind(node.value)
        else:
            raise self._refuse(node, f"{type(node).__name__} is not translated")

    def _loop(self, node: ast.For) -> None:
        item = self._items(node.iter)
        self._assign(node.target, item, node.iter)
        for part in [*node.body, *node.orelse]:
            self._statement(part)

    def _items(self, node: ast.expr) -> Kind:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "range":
                for arg in node.args:
                    self._whole(arg)
                return INT
            if node.func.id == "enumerate" and len(node.args) == 1:
                return Kind("tuple", items=(INT, self._items(node.args[0])))
        kind = self._kind(node)
        if kind.name == "array" and kind.ndim == 1:
            return kind.element
        if kind.name == "tuple" and len(set(kind.items)) == 1:
            return kind.items[0]
        raise self._refuse(node, "only ranges, arrays of one dimension and tuples are iterated over")

    def _assign(self, target: ast.expr, kind: Kind, at: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if kind == NONE:
                raise self._refuse(target, f"{target.id} is given nothing")
            old = self.made.locals.get(target.id)
            self.made.locals[target.id] = join(old, kind, target)
            self.made.kinds[id(target)] = self.made.locals[target.id]
        elif isinstance(target, ast.Tuple):
            if kind.name != "tuple" or len(kind.items) != len(target.elts):
                raise self._refuse(target, "a tuple is taken apart that does not have as many items")
            self.made.kinds[id(target)] = kind
            for part, item in zip(target.elts, kind.items, strict=True):
                self._assign(part, item, at)
        else:
            have = self._kind(target)
            if have.is_number and kind.is_number:
                return
            alike = (kind.name, kind.of, kind.ndim) == (have.name, have.of, have.ndim)
            copied = have.name == "array" and isinstance(target, ast.Attribute) and alike
            filled = have.name == "array" and kind.is_number  # self.a[:] = 0
            if copied or filled or (have == kind and have.name == "part" and self.made.label == "__init__"):
                return
            raise self._refuse(target, f"{kind} is stored where {have} is")

    # -- expressions

    def _kind(self, node: ast.expr) -> Kind:
        kind = self._find(node)
        self.made.kinds[id(node)] = kind
        return kind

    def _find(self, node: ast.expr) -> Kind:
        if isinstance(node, ast.Constant):
            return of_value(node.value)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BinOp):
            return self._operation(node, node.op, self._kind(node.left), self._kind(node.right), node.right)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BoolOp):
            return self._bool_op(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.IfExp):
            self._condition(node.test)
            return join(self._kind(node.body), self._kind(node.orelse), node)
        if isinstance(node, ast.Tuple):
            return Kind("tuple", items=tuple(self._kind(item) for item in node.elts))
        raise self._refuse(node, f"{type(node).__name__} is not translated")

    def _name(self, node: ast.Name) -> Kind:
        if node.id in self.made.locals:
            return self.made.locals[node.id]
        if node.id in self.unit.constants:
            return of_value(self.unit.constants[node.id])
        resolved = self.unit.names.resolve(node)
        if resolved is not None and resolved[1] in ("inf", "nan", "pi", "e", "tau"):
            return FLOAT
        raise self._refuse(node, f"{node.id} is not known here")

    def _attribute(self, node: ast.Attribute) -> Kind:
        resolved = self.unit.names.resolve(node)
        if resolved is not None:
            if resolved[1] in ("inf", "nan", "pi", "e", "tau"):
                return FLOAT
            raise self._refuse(node, f"{ast.unparse(node)} is not translated here")
        if is_self(node.value) and self.made.of_class:
            return self._member(node, self.unit.layout)
        base = self._kind(node.value)
        if base.name == "part":
            return self._member(node, layout_of_part(base))
        if base.name == "array" and base.ndim == 1 and node.attr == "size":
            return INT
        raise self._refuse(node, f".{node.attr} of {base} is not translated")

    def _member(self, node: ast.Attribute, layout: Layout) -> Kind:
        name = node.attr
        if name in layout.scalars:
            return Kind(layout.scalars[name])
        if name in layout.arrays:
            return Kind("array", *layout.arrays[name])
        if name in layout.parts:
            return Kind("part", layout.parts[name].name)
        raise self._refuse(node, f"there is no attribute {name}")

    def _subscript(self, node: ast.Subscript) -> Kind:
        base = self._kind(node.value)
        place = whole_constant(node.slice)
        if base.name == "tuple" and place is not None:
            return base.items[place]
        if base.name == "tuple" and len(set(base.items)) == 1:
            self._whole(node.slice)
            return base.items[0]
        if base.name != "array":
            raise self._refuse(node, f"an index of {base} is not translated")
        if isinstance(node.slice, ast.Slice):
            if base.ndim > 1 or node.slice.lower or node.slice.upper or node.slice.step:
                raise self._refuse(node, "a slice of an array is not translated, only a[:] = number")
            return base
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        most = base.ndim
        for index in indices:
            if isinstance(index, ast.Slice) or len(indices) > most:
                raise self._refuse(node, "a slice of an array is not translated, only a[:] = number")
            self._whole(index)
            base = base.element
        return base

    def _whole(self, node: ast.expr) -> None:
        if not (kind := self._kind(node)).is_whole:
            raise self._refuse(node, f"an int is needed here, this is {kind}")

    def _condition(self, node: ast.expr) -> None:
        kind = self._kind(node)
        if not kind.is_number and kind.name != "part":
            raise self._refuse(node, f"{kind} is a condition")

    def _number(self, node: ast.expr) -> Kind:
        if not (kind := self._kind(node)).is_number:
            raise self._refuse(node, f"a number is needed here, this is {kind}")
        return kind

    def _operation(self, at: ast.AST, op: ast.operator, a: Kind, b: Kind, right: ast.expr) -> Kind:
        if not a.is_number or not b.is_number:
            raise self._refuse(at, f"an operator between {a} and {b} is not translated")
        if isinstance(op, ast.Div):
            return FLOAT
        if isinstance(op, _BITS):
            if not a.is_whole or not b.is_whole:
                raise self._refuse(at, "& | ^ take ints")
            return BOOL if a == b == BOOL else INT
        if isinstance(op, ast.LShift | ast.RShift) and not (a.is_whole and b.is_whole):
            raise self._refuse(at, "<< and >> take ints")
        return INT if a.is_whole and b.is_whole else FLOAT

    def _unary(self, node: ast.UnaryOp) -> Kind:
        if isinstance(node.op, ast.Not):
            self._condition(node.operand)
            return BOOL
        kind = self._number(node.operand)
        if isinstance(node.op, ast.Invert) and not kind.is_whole:
            raise self._refuse(node, "~ takes an int")
        return INT if kind == BOOL else kind

    def _bool_op(self, node: ast.BoolOp) -> Kind:
        kinds = [self._kind(value) for value in node.values]
        if any(kind.name == "part" for kind in kinds):  # as a condition only: its length tells
            kinds = [BOOL if kind.name == "part" else kind for kind in kinds]
        result: Kind | None = None
        for value, kind in zip(node.values, kinds, strict=True):
            if not kind.is_number:
                raise self._refuse(value, f"{kind} is a condition")
            result = join(result, kind, node)
        assert result is not None
        return result

    def _compare(self, node: ast.Compare) -> Kind:
        kinds = [self._kind(node.left), *(self._kind(c) for c in node.comparators)]
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            if kinds[-1].name != "part" or not kinds[0].is_whole:
                raise self._refuse(node, "'in' needs an int on its left and a structure on its right")
            self._call_kit(node, kinds[-1], "contains", [node.left])
        elif not all(kind.is_number for kind in kinds):
            raise self._refuse(node, "only numbers are compared")
        return BOOL

    # -- calls

    def _call(self, node: ast.Call) -> Kind:
        if is_infinity(node):
            return FLOAT
        resolved = self.unit.names.resolve(node.func)
        if resolved is not None:
            return self._module_call(node, *resolved)
        func = node.func
        if isinstance(func, ast.Name):
            if func.id in self.unit.functions:
                return self._own_call(node, func.id, of_class=False)
            return self._builtin(node, func.id)
        assert isinstance(func, ast.Attribute)
        if is_self(func.value) and self.made.of_class:
            return self._own_call(node, func.attr, of_class=True)
        base = self._kind(func.value)
        if base.name == "part":
            return self._call_kit(node, base, func.attr, node.args)
        if base.name == "array" and func.attr in REDUCTIONS:
            return self._reduction(node, func.attr, base)
        raise self._refuse(node, f".{func.attr}() of {base} is not translated")

    def _own_call(self, node: ast.Call, name: str, of_class: bool) -> Kind:
        target = (self.unit.methods if of_class else self.unit.functions)[name]
        params = target.args.args[1 if of_class else 0 :]
        given: dict[str, Kind] = {}
        for param, default in zip(reversed(params), reversed(target.args.defaults), strict=False):
            given[param.arg] = of_value(ast.literal_eval(default))
        given |= {p.arg: self._kind(a) for p, a in zip(params, node.args, strict=False)}
        given |= {k.arg: self._kind(k.value) for k in node.keywords if k.arg}
        if (
            node.keywords
            and [k.arg for k in node.keywords]
            != [p.arg for p in params][len(node.args) :][: len(node.keywords)]
        ):
            raise self._refuse(node, "arguments by name stand in another order than the parameters")
        kinds = tuple(given[p.arg] for p in params)
        if self.unit.is_kit:  # its annotations say more than the arguments of one call
            kinds = tuple(_named(self.unit, t) for t in self.unit.method_types[name][0])
        made = self.inference.instance(self.unit, name, kinds, of_class)
        self.made.calls[id(node)] = made
        return made.returns

    def _call_kit(self, node: ast.expr, base: Kind, name: str, args: Sequence[ast.expr]) -> Kind:
        unit = kit_unit(base.of)
        types, _ = unit.method_types[name]
        keywords = node.keywords if isinstance(node, ast.Call) else []
        names = [a.arg for a in unit.methods[name].args.args[1:]]
        values = [*args, *(k.value for k in keywords)]
        order = [*names[: len(args)], *(k.arg for k in keywords)]
        if order != names[: len(order)]:
            raise self._refuse(node, "arguments by name stand in another order than the parameters")
        for value, want in zip(values, types, strict=False):
            if want == "int":
                self._whole(value)
            else:
                self._number(value)
        made = self.inference.instance(unit, name, tuple(_named(unit, t) for t in types), of_class=True)
        self.made.calls[id(node)] = made
        return made.returns

    def _builtin(self, node: ast.Call, name: str) -> Kind:
        if name in ("zip", "enumerate", "range", "divmod", "pow"):
            raise self._refuse(node, f"{name}() is not translated here")
        kinds = [self._kind(a) for a in node.args]
        first = kinds[0]
        if name == "len":
            if first.name == "part":
                return self._call_kit(node, first, "__len__", [])
            if first.name in ("array", "tuple"):
                return INT
        elif name in ("min", "max", "sum") and len(kinds) == 1 and first.name == "array":
            return self._reduction(node, name, first)
        elif name == "bool" and first.name == "part":
            return BOOL
        elif all(kind.is_number for kind in kinds):
            if name in ("int", "round", "float", "bool"):
                return {"round": INT, "int": INT, "float": FLOAT, "bool": BOOL}[name]
            if name == "abs":
                return INT if first == BOOL else first
            if name in ("min", "max") and len(kinds) > 1:
                result = kinds[0]
                for kind in kinds[1:]:
                    result = join(result, kind, node)
                return result
        raise self._refuse(node, f"{name}() of {first} is not translated")

    def _reduction(self, node: ast.Call, name: str, array: Kind) -> Kind:
        if array.ndim != 1:
            raise self._refuse(node, "a reduction of an array with several dimensions is not translated")
        if name in ("mean", "std", "var"):
            return FLOAT
        if name.startswith("arg") or (name == "sum" and array.element == BOOL):
            return INT
        return array.element

    def _module_call(self, node: ast.Call, module: str, name: str) -> Kind:
        if module == "metamuse.policykit":
            if name == "hash64":
                for arg in [*node.args, *(k.value for k in node.keywords)]:
                    self._whole(arg)
                return INT
            return self._structure(node, name)
        if module == "numpy":
            return self._numpy_call(node, name)
        kinds = [self._number(a) for a in node.args]
        if name in TO_INT:
            return INT
        if name in TESTS:
            return BOOL
        if name in FLOAT_1 or name in FLOAT_2:
            return FLOAT
        raise self._refuse(node, f"math.{name} of {kinds} is not translated")

    def _structure(self, node: ast.Call, name: str) -> Kind:
        unit = kit_unit(name)
        names = list(inspect.signature(getattr(metamuse.policykit, name)).parameters)
        if [k.arg for k in node.keywords] != names[len(node.args) :][: len(node.keywords)]:
            raise self._refuse(node, "arguments by name stand in another order than the parameters")
        for arg in [*node.args, *(k.value for k in node.keywords)]:
            self._whole(arg)
        types, _ = unit.method_types["__init__"]
        made = self.inference.instance(unit, "__init__", tuple(_named(unit, t) for t in types), True)
        self.made.calls[id(node)] = made
        return Kind("part", name)

    def _numpy_call(self, node: ast.Call, name: str) -> Kind:
        if name in ("int64", "float64", "bool_"):
            self._number(node.args[0])
            return {"int64": INT, "float64": FLOAT, "bool_": BOOL}[name]
        if name in CREATORS:
            return self._creation(node, name)
        kinds = [self._kind(a) for a in node.args]
        if name == "array":
            return self._array_of(node, kinds)
        if name in REDUCTIONS and kinds[0].name == "array":
            return self._reduction(node, name, kinds[0])
        if all(kind.is_number for kind in kinds) and not node.keywords:
            if name in NUMPY_LIKE_MATH:
                return FLOAT
            if name in TESTS:
                return BOOL
            if name in ("abs", "absolute") and kinds[0] != BOOL:
                return kinds[0]
        raise self._refuse(node, f"np.{name} of {', '.join(map(str, kinds))} is not translated")

    def _creation(self, node: ast.Call, name: str) -> Kind:
        dtype = next((k.value for k in node.keywords if k.arg == "dtype"), None)
        given = list(node.args)
        most = {"zeros": 1, "ones": 1, "full": 2, "arange": 1}[name]
        if any(k.arg != "dtype" for k in node.keywords) or not given:
            raise self._refuse(node, f"this form of np.{name} is not translated")
        if dtype is None and len(given) == most + 1:
            dtype = given.pop()
        if len(given) != most:
            raise self._refuse(node, f"this form of np.{name} is not translated")
        lengths = given[0].elts if isinstance(given[0], ast.Tuple) else [given[0]]
        for length in lengths:
            self._whole(length)
        if len(lengths) not in ((1,) if name == "arange" else (1, 2)):
            raise self._refuse(node, "an array of three dimensions is not translated")
        fill = self._number(given[1]) if name == "full" else INT if name == "arange" else FLOAT
        if dtype is None:
            of = {"bool": "bool", "int": "int64", "float": "float64"}[fill.name]
        else:
            of = self._dtype(dtype)
        return Kind("array", of, len(lengths))

    def _array_of(self, node: ast.Call, kinds: Sequence[Kind]) -> Kind:
        """``np.array`` of a tuple of numbers of one kind."""
        alike = {item.name for item in kinds[0].items}
        if node.keywords or len(kinds) != 1 or len(alike) != 1 or not alike <= {"int", "float"}:
            raise self._refuse(node, "only np.array(tuple of ints, or of floats) is translated")
        return Kind("array", {"int": "int64", "float": "float64"}[alike.pop()], 1)

    def _dtype(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id in ("int", "float", "bool"):
            return {"int": "int64", "float": "float64", "bool": "bool"}[node.id]
        resolved = self.unit.names.resolve(node)
        assert resolved is not None  # the static check admits nothing else
        return resolved[1].removesuffix("_")
