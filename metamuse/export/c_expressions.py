"""Expressions of a policy in C (see :mod:`metamuse.export.c_text`).

Operands are written as one expression of C where the order in which they are evaluated does not count, else one by one
into temporaries.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from metamuse.export.c_names import ELEMENTS, NUMBERS, CNames, local, number
from metamuse.export.infer import FLOAT_1, REDUCTIONS, TESTS, TO_INT, Instance
from metamuse.export.kinds import BOOL, FLOAT, INT, NONE, Kind, UntranslatableError
from metamuse.policy.rules import is_infinity, is_self

_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add64", "+"),
    ast.Sub: ("sub64", "-"),
    ast.Mult: ("mul64", "*"),
}
#: Element types of arrays that hold a constant tuple's numbers.
_ARRAYS = {"int": "int64", "float": "float64"}
_BITS: dict[type[ast.operator], str] = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class CExpressions:
    """Writes the expressions of one instance.

    Args:
        writer: What it shares with others.
        made: The instance.
    """

    def __init__(self, writer: CNames, made: Instance) -> None:
        self.writer = writer
        self.made = made
        self.lines: list[str] = []
        self.depth = 1
        self.temporaries = 0
        self.sequenced = False
        self.line = 0

    def _emit(self, *lines: str) -> None:
        self.lines += ["    " * self.depth + line for line in lines]

    def _temporary(self, kind: Kind, value: str) -> str:
        """Evaluate something now, and name it."""
        self.temporaries += 1
        name = f"t{self.temporaries}__"
        self._emit(f"{self.writer.type(kind, self.made.node)} {name} = {value};")
        return name

    def _impure(self, node: ast.expr) -> bool:
        return any(
            not self.writer.pure(self.made.calls[id(part)])
            for part in ast.walk(node)
            if id(part) in self.made.calls
        )

    def _root(self, node: ast.expr) -> str:
        """An expression, evaluated from left to right where the order counts."""
        outside = self.sequenced
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        self.sequenced = outside or (
            self._impure(node) and (id(node) not in self.made.calls or any(map(self._impure, inner)))
        )
        text = self._expr(node)
        self.sequenced = outside
        return text

    def _condition(self, node: ast.expr) -> str:
        outside = self.sequenced
        self.sequenced = outside or (self._impure(node) and id(node) not in self.made.calls)
        text = self._truth(node)
        self.sequenced = outside
        return text

    def _truth(self, node: ast.expr) -> str:
        kind = self.made.kind(node)
        if isinstance(node, ast.BoolOp):
            return self._logic(node, BOOL)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"!({self._truth(node.operand)})"
        if kind.name == "part":
            return f"({self._expr(node)})->s_size > 0"
        text = self._expr(node)
        return text if kind == BOOL else f"({text} != 0)"

    def _as(self, node: ast.expr, want: Kind, array: Kind | None = None) -> str:
        """An expression as a value of a kind (of an element of an array, if one is given)."""
        if isinstance(node, ast.Constant) and want == FLOAT:
            return number(float(node.value))  # type: ignore[arg-type]
        return self._converted(self._root(node), self.made.kind(node), want, node, array)

    def _converted(self, text: str, have: Kind, want: Kind, node: ast.AST, array: Kind | None = None) -> str:
        if array is not None and array.element == INT and array.ndim == 1:
            if have == FLOAT:
                text = f"to_int64(heap, {text}, {self.line})"
            if array.of != "int64" and not self.made.unit.is_kit:
                text = f"fit64(heap, {text}, {array.of[3:]}, {self.line})"
            return text
        if have == want or not have.is_number:
            return text
        if want == FLOAT:
            return f"(double){_wrapped(text)}"
        if want == INT and have == BOOL:
            return f"(int64_t){_wrapped(text)}"
        if want == BOOL:
            return f"({text} != 0)"
        raise UntranslatableError(node, "a float is given where an int is kept")

    def _expr(self, node: ast.expr) -> str:
        text = self._written(node)
        if not self.sequenced or isinstance(node, ast.Constant | ast.Name):
            return text
        kind = self.made.kinds.get(id(node))
        if kind is None or not kind.is_number or isinstance(getattr(node, "ctx", None), ast.Store):
            return text
        return self._temporary(kind, text)

    def _written(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return number(node.value)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            if self.made.kind(node.value).name == "tuple":
                return self._item(node)
            array, place = self._place(node)
            return f"{array}[{place}]"
        if isinstance(node, ast.BinOp):
            left = self._expr(node.left), self.made.kind(node.left)
            right = self._expr(node.right), self.made.kind(node.right)
            return self._operation(node, node.op, left, right, node.right, self.made.kind(node))
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BoolOp):
            return self._logic(node, self.made.kind(node))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.IfExp):
            return self._if_expression(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise UntranslatableError(node, f"{type(node).__name__} has no translation to C here")

    def _name(self, node: ast.Name) -> str:
        if node.id in self.made.locals:
            return local(node.id)
        if node.id in self.made.unit.constants:
            value = self.made.unit.constants[node.id]
            if isinstance(value, tuple):
                raise UntranslatableError(node, "a tuple is only iterated over in C")
            return number(value)
        return self._constant(node)

    def _constant(self, node: ast.expr) -> str:
        resolved = self.made.unit.names.resolve(node)
        assert resolved is not None
        return number(getattr(math, resolved[1]))

    def _attribute(self, node: ast.Attribute) -> str:
        if self.made.unit.names.resolve(node) is not None:
            return self._constant(node)
        if not is_self(node.value) and self.made.kind(node.value).name == "array":
            return self._array(node.value)[1][0]  # .size
        kind = self.made.kind(node)
        owner = "self->" if is_self(node.value) else f"({self._expr(node.value)})->"
        if kind.name == "part":
            return f"(&{owner}p_{node.attr})"
        if kind.name == "array":
            raise UntranslatableError(node, "an array as a value has no translation to C")
        return f"{owner}s_{node.attr}"

    def _array(self, node: ast.expr) -> tuple[str, list[str]]:
        """An array's first element, and its lengths."""
        kind = self.made.kind(node)
        if isinstance(node, ast.Name) and (node.id, kind) in self.made.params:
            return local(node.id), [f"n0__{node.id}"]
        if isinstance(node, ast.Attribute):
            owner = "self->" if is_self(node.value) else f"({self._expr(node.value)})->"
            return f"{owner}a_{node.attr}", [f"{owner}n{i}_{node.attr}" for i in range(kind.ndim)]
        if isinstance(node, ast.Call):  # np.array(TUPLE)
            return self._table(node.args[0])
        raise UntranslatableError(node, "a local name for an array has no translation to C; use self.name")

    def _table(self, node: ast.expr) -> tuple[str, list[str]]:
        """A constant tuple of numbers as an array, and its length."""
        kind = self.made.kind(node)
        if not isinstance(node, ast.Name) or node.id not in self.made.unit.constants:
            raise UntranslatableError(node, "only a constant tuple has a translation to C here")
        values = [number(value) for value in self.made.unit.constants[node.id]]
        name = self.writer.table(ELEMENTS[_ARRAYS[kind.items[0].name]], values)
        return name, [str(len(values))]

    def _item(self, node: ast.Subscript) -> str:
        """An item of a constant tuple."""
        table, lengths = self._table(node.value)
        return f"{table}[at(heap, {self._as_index(node.slice)}, {lengths[0]}, {self.line})]"

    def _place(self, node: ast.Subscript) -> tuple[str, str]:
        """The array and the checked place that an index names."""
        indices: list[ast.expr] = []
        base: ast.expr = node
        while isinstance(base, ast.Subscript):
            own = base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]
            indices = [*own, *indices]
            base = base.value
        array, lengths = self._array(base)
        if len(indices) != len(lengths):
            raise UntranslatableError(node, "a row of an array as a value has no translation to C")
        place = ""
        for index, length in zip(indices, lengths, strict=True):
            checked = f"at(heap, {self._as_index(index)}, {length}, {self.line})"
            place = f"{place} * {length} + {checked}" if place else checked
        return array, place

    def _as_index(self, node: ast.expr) -> str:
        return self._converted(self._expr(node), self.made.kind(node), INT, node)

    def _operation(
        self,
        node: ast.AST,
        op: ast.operator,
        left: tuple[str, Kind],
        right: tuple[str, Kind],
        right_node: ast.expr,
        result: Kind,
    ) -> str:
        kind = FLOAT if isinstance(op, ast.Div) or result == FLOAT else INT
        if type(op) in _BITS:
            return f"({left[0]} {_BITS[type(op)]} {right[0]})"
        a = self._converted(*left, kind, node)
        b = self._converted(*right, kind, node)
        if type(op) in _ARITHMETIC:
            function, sign = _ARITHMETIC[type(op)]
            return f"({a} {sign} {b})" if kind == FLOAT else f"{function}({a}, {b})"
        if isinstance(op, ast.Div):
            known = isinstance(right_node, ast.Constant) and right_node.value != 0
            return f"({a} / {b})" if known else f"divf(heap, {a}, {b}, {self.line})"
        functions = {
            ast.FloorDiv: ("floordiv64", "floordivf"),
            ast.Mod: ("mod64", "modf_floor"),
            ast.LShift: ("shl64", ""),
            ast.RShift: ("shr64", ""),
            ast.Pow: ("pow64", "powf64"),
        }
        if isinstance(op, ast.Pow) and kind == FLOAT:
            self.writer.libm.add("pow")
        function = functions[type(op)][kind == FLOAT]  # type: ignore[index]
        return f"{function}(heap, {a}, {b}, {self.line})"

    def _unary(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return f"(!({self._truth(node.operand)}))"
        if isinstance(node.operand, ast.Constant) and isinstance(node.op, ast.USub):
            return number(-node.operand.value)  # type: ignore[operator]
        kind = self.made.kind(node)
        text = self._converted(self._expr(node.operand), self.made.kind(node.operand), kind, node)
        if isinstance(node.op, ast.Invert):
            return f"(~{_wrapped(text)})"
        if isinstance(node.op, ast.UAdd):
            return text
        return f"(-{_wrapped(text)})" if kind == FLOAT else f"neg64({text})"

    def _logic(self, node: ast.BoolOp, kind: Kind) -> str:
        """``and`` and ``or``; as conditions if ``kind`` is bool, else they give an operand."""
        sign = "&&" if isinstance(node.op, ast.And) else "||"
        if not self.sequenced and kind == BOOL:
            return "(" + f" {sign} ".join(_wrapped(self._truth(v)) for v in node.values) + ")"
        self.temporaries += 1
        name = f"t{self.temporaries}__"
        self._emit(f"{NUMBERS[kind.name]} {name} = {self._operand(node.values[0], kind)};")
        test = name if isinstance(node.op, ast.And) else f"!{name}"
        for value in node.values[1:]:
            self._emit(f"if ({test}) {{")
            self.depth += 1
            self._emit(f"{name} = {self._operand(value, kind)};")
            self.depth -= 1
            self._emit("}")
        return name

    def _operand(self, node: ast.expr, kind: Kind) -> str:
        if kind == BOOL:
            return self._truth(node)
        return self._converted(self._expr(node), self.made.kind(node), kind, node)

    def _if_expression(self, node: ast.IfExp) -> str:
        kind = self.made.kind(node)
        if not self.sequenced and not self._needs_statements(node):
            parts = [
                self._converted(self._expr(p), self.made.kind(p), kind, p) for p in (node.body, node.orelse)
            ]
            return f"({self._truth(node.test)} ? {parts[0]} : {parts[1]})"
        self.temporaries += 1
        name = f"t{self.temporaries}__"
        self._emit(f"{self.writer.type(kind, node)} {name};", f"if ({bare(self._truth(node.test))}) {{")
        for part, after in ((node.body, "} else {"), (node.orelse, "}")):
            self.depth += 1
            self._emit(f"{name} = {self._converted(self._expr(part), self.made.kind(part), kind, part)};")
            self.depth -= 1
            self._emit(after)
        return name

    def _needs_statements(self, node: ast.expr) -> bool:
        """Whether a part of an expression is written as statements, which must not run unless it is reached."""
        return any(
            isinstance(part, ast.BoolOp) and self.made.kinds.get(id(part), BOOL) != BOOL
            for part in ast.walk(node)
        ) or any(isinstance(part, ast.Call) and self._is_reduction(part) for part in ast.walk(node))

    def _is_reduction(self, node: ast.Call) -> bool:
        return any(
            self.made.kinds.get(id(a), NONE).name == "array"
            and not (isinstance(node.func, ast.Name) and node.func.id == "len")
            for a in node.args
        )

    def _compare(self, node: ast.Compare) -> str:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            made = self.made.calls[id(node)]
            part = self._expr(node.comparators[0])
            call = f"{self.writer.function(made)}(heap, {part}, {self._as_index(node.left)})"
            return call if isinstance(node.ops[0], ast.In) else f"(!{call})"
        parts = [node.left, *node.comparators]
        texts = [self._expr(part) for part in parts]
        if len(parts) > 2 and self._impure(node):
            raise UntranslatableError(node, "a chain of comparisons with calls has no translation to C")
        pairs = []
        for i, op in enumerate(node.ops):
            a, b = self.made.kind(parts[i]), self.made.kind(parts[i + 1])
            kind = FLOAT if FLOAT in (a, b) else INT
            left = self._converted(texts[i], a, kind, node)
            right = self._converted(texts[i + 1], b, kind, node)
            pairs.append(f"({left} {_COMPARISONS[type(op)]} {right})")
        return pairs[0] if len(pairs) == 1 else f"({' && '.join(pairs)})"

    # -- calls

    def _call(self, node: ast.Call) -> str:
        if is_infinity(node):
            return number(float(node.args[0].value))  # type: ignore[attr-defined]
        made = self.made.calls.get(id(node))
        func = node.func
        if made is not None:
            return self._own_call(node, made)
        resolved = self.made.unit.names.resolve(func)
        if resolved is not None:
            return self._module_call(node, *resolved)
        if isinstance(func, ast.Attribute):
            return self._reduction(func.attr, func.value)
        assert isinstance(func, ast.Name)
        return self._builtin(node, func.id)

    def _own_call(self, node: ast.Call, made: Instance) -> str:
        func = node.func
        if made.label == "__init__":
            raise UntranslatableError(node, "structures are created in __init__ only")
        if isinstance(func, ast.Name) and func.id == "len":
            return f"{self.writer.function(made)}(heap, {self._expr(node.args[0])})"
        owner: list[str] = []
        if isinstance(func, ast.Attribute):
            owner = ["self"] if is_self(func.value) else [self._expr(func.value)]
        args = self._arguments(node, made, node.args)
        return f"{self.writer.function(made)}({', '.join(['heap', *owner, *args])})"

    def _arguments(self, node: ast.Call, made: Instance, values: Sequence[ast.expr]) -> list[str]:
        out = []
        given = [*values, *(k.value for k in node.keywords)]
        for value, (_, kind) in zip(given, made.params, strict=False):
            if kind.name == "array":
                text, lengths = self._array(value)
                out += [text, lengths[0]]
            else:
                out.append(self._converted(self._expr(value), self.made.kind(value), kind, value))
        defaults = made.node.args.defaults
        for i in range(len(given), len(made.params)):
            default = ast.literal_eval(defaults[i - len(made.params)])
            out.append(number(float(default) if made.params[i][1] == FLOAT else default))
        return out

    def _builtin(self, node: ast.Call, name: str) -> str:
        kinds = [self.made.kind(a) for a in node.args]
        if name == "len":
            if kinds[0].name == "array":
                return self._array(node.args[0])[1][0]
            return number(len(kinds[0].items))
        if kinds[0].name == "array":
            plain = "plain_" if name in ("min", "max") and kinds[0].of == "float64" else ""
            return self._reduction(plain + name, node.args[0])
        kind = self.made.kind(node)
        if name in ("min", "max"):
            texts = [
                self._converted(self._expr(a), k, kind, a) for a, k in zip(node.args, kinds, strict=True)
            ]
            function = name + ("f" if kind == FLOAT else "64")
            result = texts[0]
            for text in texts[1:]:
                result = f"{function}({result}, {text})"
            return result if kind != BOOL else f"({result} != 0)"
        text = self._expr(node.args[0])
        if name == "bool":
            return self._truth(node.args[0])
        if name == "float":
            return self._converted(text, kinds[0], FLOAT, node)
        if name == "abs":
            return (
                f"fabs({text})" if kind == FLOAT else f"abs64({self._converted(text, kinds[0], INT, node)})"
            )
        if name in ("int", "round"):
            if kinds[0] == FLOAT:
                return f"to_int64(heap, {f'rint({text})' if name == 'round' else text}, {self.line})"
            return self._converted(text, kinds[0], INT, node)
        raise UntranslatableError(node, f"{name}() has no translation to C")

    def _reduction(self, name: str, array: ast.expr) -> str:
        """What a whole array comes to."""
        kind = self.made.kind(array)
        if kind.of not in ("int64", "float64") or (name in ("mean", "var", "std") and kind.of != "float64"):
            raise UntranslatableError(array, f"{name}() of {kind} has no translation to C; write a loop")
        text, lengths = self._array(array)
        suffix = "64" if kind.of == "int64" else "f"
        return f"{name}_of{suffix}(heap, {text}, {lengths[0]}, {self.line})"

    def _module_call(self, node: ast.Call, module: str, name: str) -> str:
        if name in REDUCTIONS and self.made.kind(node.args[0]).name == "array":
            return self._reduction(name, node.args[0])
        if self.made.kind(node).name == "array" or any(
            self.made.kinds.get(id(a), NONE).name == "array" for a in node.args
        ):
            raise UntranslatableError(node, f"np.{name} of arrays has no translation to C; write a loop")
        values = [*node.args, *(k.value for k in node.keywords)]
        if module == "metamuse.policykit":
            args = [self._as_index(a) for a in values] + ["0"] * (2 - len(values))
            return f"hash64({', '.join(args)})"
        if module == "numpy" and name in ("int64", "float64", "bool_", "abs", "absolute"):
            plain = {"int64": "int", "float64": "float", "bool_": "bool"}.get(name, "abs")
            return self._builtin(node, plain)
        if name in TO_INT and self.made.kind(values[0]).is_whole:
            return self._as_index(values[0])
        args = [self._converted(self._expr(a), self.made.kind(a), FLOAT, a) for a in values]
        if name in TO_INT:
            return f"to_int64(heap, {args[0] if name == 'trunc' else f'{name}({args[0]})'}, {self.line})"
        if name in TESTS:
            test = {"isnan": "({0} != {0})", "isinf": "isinf({0})", "isfinite": "isfinite({0})"}[name]
            return (
                f"({test.format(_wrapped(args[0]))} != 0)"
                if name != "isnan"
                else test.format(_wrapped(args[0]))
            )
        return self._libm(name, args, node)

    def _libm(self, name: str, args: list[str], node: ast.Call) -> str:
        if name == "fabs":
            return f"fabs({args[0]})"
        if name == "copysign":
            return f"copysign({args[0]}, {args[1]})"
        if name in ("degrees", "radians"):
            factor = "(180.0 / 3.141592653589793)" if name == "degrees" else "(3.141592653589793 / 180.0)"
            return f"({args[0]} * {factor})"
        if name == "log" and len(args) == 2:
            self.writer.libm.add("log")
            parts = [f"libm_1(heap, libm_log, {a}, {self.line})" for a in args]
            return f"divf(heap, {parts[0]}, {parts[1]}, {self.line})"
        if name == "pow":
            self.writer.libm.add("pow")
            return f"powf64(heap, {args[0]}, {args[1]}, {self.line})"
        if name == "hypot":
            self.writer.libm.add("sqrt")
            return f"hypotf64(heap, {args[0]}, {args[1]}, {self.line})"
        if name not in FLOAT_1 and name not in ("atan2", "fmod"):
            raise UntranslatableError(node, f"{name} has no translation to C")
        self.writer.libm.add(name)
        return f"libm_{len(args)}(heap, libm_{name}, {', '.join(args)}, {self.line})"


def bare(text: str) -> str:
    """Without parentheses around the whole, which compilers take for a slip in a condition."""
    while text.startswith("(") and text.endswith(")") and _closes_last(text):
        text = text[1:-1]
    return text


def _wrapped(text: str) -> str:
    """In parentheses, unless it is a single word or in parentheses already."""
    if text.isidentifier() or (text.startswith("(") and text.endswith(")") and _closes_last(text)):
        return text
    return f"({text})"


def _closes_last(text: str) -> bool:
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return i == len(text) - 1
    return False
