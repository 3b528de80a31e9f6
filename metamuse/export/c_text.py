"""Writes a policy as C99 that is also C++17: one static function for each of its functions, one struct for each class.

Python's meaning is kept: whole numbers wrap at 64 bits, ``//`` and ``%`` round down, operands are evaluated from left to
right. An error of the policy (an index out of range, a division by zero) sets ``fault`` to its line, gives a harmless
value, and ends the loops; memory is never touched out of bounds. What is not known here is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from metamuse.export.c_expressions import CExpressions, bare
from metamuse.export.c_names import ELEMENTS, GROWING, NUMBERS, CNames, local, number
from metamuse.export.infer import statements
from metamuse.export.kinds import FLOAT, INT, NONE, Kind, UntranslatableError, whole_constant
from metamuse.policy.rules import is_text


def functions(names: CNames) -> str:
    """All functions of a policy, each after those that it calls.

    Raises:
        UntranslatableError: A construct has no translation.
    """
    return "\n".join(CFunction(names, instance).text() for instance in names.inference.instances)


class CFunction(CExpressions):
    """Writes one instance: its statements."""

    # -- the whole

    def text(self) -> str:
        """Its definition."""
        made = self.made
        for node in statements(made.node.body):
            self._statement_check(node)
        params = []
        for name, kind in made.params:
            if kind.name == "array":
                params += [f"const {ELEMENTS[kind.of]} *{local(name)}", f"int64_t n0__{name}"]
            else:
                params.append(f"{self.writer.type(kind, made.node)} {local(name)}")
        owner = [f"{self.writer.struct(made.unit.name)} *self"] if made.of_class else []
        returns = "void" if made.label == "__init__" else self.writer.type(made.returns, made.node)
        head = (
            f"static {returns} {self.writer.function(made)}({', '.join(['mm_heap *heap', *owner, *params])})"
        )
        if made.unit.name in GROWING and made.label == "__init__":
            self._emit("if (room < heap->room) {", "    room = heap->room;", "}")
        self._block(made.node.body)
        given = {name for name, _ in made.params}
        own = {n: k for n, k in made.locals.items() if n not in given}
        declared = [self._declared(n, k) for n, k in own.items()]
        unused = [f"    (void){local(n)};" for n in own] + [f"    (void){local(n)};" for n, _ in made.params]
        unused += [f"    (void)n0__{n};" for n, k in made.params if k.name == "array"]
        unused += ["    (void)heap;"] + (["    (void)self;"] if made.of_class else [])
        last = [] if returns == "void" else [f"    return {self._zero(made.returns)};"]
        return "\n".join([head, "{", *declared, *unused, *self.lines, *last, "}", ""])

    def _declared(self, name: str, kind: Kind) -> str:
        return f"    {self.writer.type(kind, self.made.node)} {local(name)} = {self._zero(kind)};"

    def _zero(self, kind: Kind) -> str:
        return {"int": "0", "float": "0.0", "bool": "false", "part": "NULL"}[kind.name]

    def _statement_check(self, node: ast.stmt) -> None:
        if isinstance(node, ast.For | ast.While) and node.orelse:
            raise UntranslatableError(node, "else after a loop has no translation to C")

    # -- statements

    def _block(self, body: Iterable[ast.stmt]) -> None:
        for node in body:
            self.line = 0 if self.made.unit.is_kit else node.lineno
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        if is_text(node) or isinstance(node, ast.Pass):
            return
        if isinstance(node, ast.Assign):
            self._scoped(lambda: self._assign(node.targets, node.value))
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                value = node.value
                self._scoped(lambda: self._assign([node.target], value))
        elif isinstance(node, ast.AugAssign):
            self._scoped(lambda: self._augment(node))
        elif isinstance(node, ast.If):
            self._scoped(lambda: self._if(node))
        elif isinstance(node, ast.While):
            self._while(node)
        elif isinstance(node, ast.For):
            self._for(node)
        elif isinstance(node, ast.Return):
            self._scoped(lambda: self._return(node))
        elif isinstance(node, ast.Break | ast.Continue):
            self._emit("break;" if isinstance(node, ast.Break) else "continue;")
        elif isinstance(node, ast.Raise):
            self._emit("set_fault(heap, 1);", self._leave())
        elif isinstance(node, ast.Expr):
            self._scoped(lambda: self._emit(f"(void){self._root(node.value)};"))
        else:
            raise UntranslatableError(node, f"{type(node).__name__} has no translation to C")

    def _leave(self) -> str:
        if self.made.returns == NONE or self.made.label == "__init__":
            return "return;"
        return f"return {self._zero(self.made.returns)};"

    def _scoped(self, write: Any) -> None:
        """Write a statement; if it needs temporaries, in a block of its own."""
        before, outside = len(self.lines), self.temporaries
        self.depth += 1
        write()
        self.depth -= 1
        new = self.lines[before:]
        del self.lines[before:]
        if self.temporaries > outside:
            self._emit("{")
            self.lines += new
            self._emit("}")
        else:
            self.lines += [line[4:] for line in new]

    def _if(self, node: ast.If) -> None:
        self._emit(f"if ({bare(self._condition(node.test))}) {{")
        self._inner(node.body)
        if node.orelse:
            self._emit("} else {")
            self._inner(node.orelse)
        self._emit("}")

    def _inner(self, body: Sequence[ast.stmt]) -> None:
        self.depth += 1
        self._block(body)
        self.depth -= 1

    def _while(self, node: ast.While) -> None:
        self._emit("while (heap->fault == 0) {")
        self.depth += 1
        self._scoped(lambda: self._emit(f"if (!({bare(self._condition(node.test))})) {{", "    break;", "}"))
        self._block(node.body)
        self.depth -= 1
        self._emit("}")

    def _for(self, node: ast.For) -> None:
        self._emit("{")
        self.depth += 1
        source, target = node.iter, node.target
        counted = ""
        if (
            isinstance(source, ast.Call)
            and isinstance(source.func, ast.Name)
            and source.func.id == "enumerate"
        ):
            assert isinstance(target, ast.Tuple)
            counted, target, source = self._loop_name(target.elts[0], INT), target.elts[1], source.args[0]
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "range":
            count, item = self._range(source)
        else:
            count, item = self._sequence(source)
        name = self._loop_name(target, self.made.kinds[id(target)])
        self.temporaries += 1
        at = f"k{self.temporaries}__"
        self._emit(f"int64_t {at};", f"for ({at} = 0; {at} < {count} && heap->fault == 0; {at}++) {{")
        self._emit(f"    {name} = {item.format(at)};", *([f"    {counted} = {at};"] if counted else []))
        self._inner(node.body)
        self._emit("}")
        self.depth -= 1
        self._emit("}")

    def _loop_name(self, target: ast.expr, kind: Kind) -> str:
        if not isinstance(target, ast.Name) or self.made.locals[target.id] != kind:
            raise UntranslatableError(target, "this loop variable has no translation to C")
        return local(target.id)

    def _range(self, source: ast.Call) -> tuple[str, str]:
        args = [self._root(a) for a in source.args]
        start = self._temporary(INT, args[0] if len(args) > 1 else "0")
        stop = self._temporary(INT, args[1] if len(args) > 1 else args[0])
        step = 1
        if len(args) > 2:
            given = source.args[2]
            negative = isinstance(given, ast.UnaryOp) and isinstance(given.op, ast.USub)
            value = whole_constant(given.operand if isinstance(given, ast.UnaryOp) else given)
            if not value:
                raise UntranslatableError(
                    source, "range() with a step that is no number has no translation to C"
                )
            step = -value if negative else value
        if step > 0:
            count = f"({start} < {stop} ? ({stop} - {start} - 1) / {step} + 1 : 0)"
        else:
            count = f"({start} > {stop} ? ({start} - {stop} - 1) / {-step} + 1 : 0)"
        return self._temporary(INT, count), f"{start} + {{}} * ({step})"

    def _sequence(self, source: ast.expr) -> tuple[str, str]:
        kind = self.made.kind(source)
        if kind.name == "array" and kind.ndim == 1:
            array, lengths = self._array(source)
            return lengths[0], f"{array}[{{}}]"
        items = source.elts if isinstance(source, ast.Tuple) else None
        if items is None and isinstance(source, ast.Name) and source.id in self.made.unit.constants:
            values = [number(v) for v in self.made.unit.constants[source.id]]
        elif items is not None and all(isinstance(i, ast.Constant) for i in items):
            values = [number(i.value) for i in items]  # type: ignore[attr-defined]
        else:
            raise UntranslatableError(
                source, "only ranges, arrays and tuples of numbers are iterated over in C"
            )
        self.temporaries += 1
        name = f"t{self.temporaries}__"
        self._emit(f"static const {NUMBERS[kind.items[0].name]} {name}[] = {{{', '.join(values)}}};")
        return str(len(values)), f"{name}[{{}}]"

    def _return(self, node: ast.Return) -> None:
        if node.value is None or self.made.returns == NONE:
            if node.value is not None:
                self._emit(f"(void){self._root(node.value)};")
            self._emit(self._leave())
        else:
            self._emit(f"return {self._as(node.value, self.made.returns)};")

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        first = targets[0]
        if len(targets) > 1 or isinstance(first, ast.Tuple):
            self._assign_many(targets, value)
            return
        kind = self.made.kind(first) if not isinstance(first, ast.Name) else self.made.locals[first.id]
        if kind.name == "array":
            self._fill(first, kind, value)
        elif kind.name == "part" and isinstance(first, ast.Attribute):
            self._construct(first, value)
        else:
            self._store(first, kind, self._as(value, kind, array=self._array_of(first)))

    def _array_of(self, target: ast.expr) -> Kind | None:
        return self.made.kind(target.value) if isinstance(target, ast.Subscript) else None

    def _store(self, target: ast.expr, kind: Kind, value: str) -> None:
        if isinstance(target, ast.Subscript):
            if "(" in value:  # the value comes before the index, as in Python
                value = self._temporary(kind, value)
            array = self.made.kind(target.value)
            while array.ndim > 1:
                array = array.element
            cast = f"({ELEMENTS[array.of]})" if array.of.startswith("int") and array.of != "int64" else ""
            self._emit(f"{self._expr(target)} = {cast}{value};")
        else:
            self._emit(f"{self._expr(target)} = {value};")

    def _assign_many(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        if len(targets) == 1 and isinstance(value, ast.Tuple):
            assert isinstance(targets[0], ast.Tuple)
            pairs = list(zip(targets[0].elts, value.elts, strict=True))
        elif isinstance(value, ast.Constant | ast.Name) and not any(
            isinstance(t, ast.Tuple) for t in targets
        ):
            pairs = [(target, value) for target in targets]
        else:
            raise UntranslatableError(
                targets[0], "this assignment to several targets has no translation to C"
            )
        kinds = [self.made.locals[t.id] if isinstance(t, ast.Name) else self.made.kind(t) for t, _ in pairs]
        if not all(kind.is_number for kind in kinds):
            raise UntranslatableError(targets[0], "only numbers are assigned to several targets in C")
        values = [
            self._temporary(kind, self._as(v, kind, array=self._array_of(t)))
            for (t, v), kind in zip(pairs, kinds, strict=True)
        ]
        for (target, _), kind, text in zip(pairs, kinds, values, strict=True):
            self._store(target, kind, text)

    def _fill(self, target: ast.expr, kind: Kind, value: ast.expr) -> None:
        whole = isinstance(target, ast.Subscript)
        array = target.value if isinstance(target, ast.Subscript) else target
        if self.made.label == "__init__" and isinstance(array, ast.Attribute) and not whole:
            self._create(array, kind, value)
            return
        if not self.made.kind(value).is_number or kind.ndim > 1:
            raise UntranslatableError(
                value, "arrays are created in __init__ only, and filled with one number in C"
            )
        text, lengths = self._array(array)
        item = self._temporary(kind.element, self._as(value, kind.element, array=kind))
        self._filled(text, lengths[0], item)

    def _create(self, target: ast.Attribute, kind: Kind, value: ast.expr) -> None:
        resolved = isinstance(value, ast.Call) and self.made.unit.names.resolve(value.func)
        if not isinstance(value, ast.Call) or not resolved or resolved[0] != "numpy":
            raise UntranslatableError(value, "an attribute is made of another array; create it with np.zeros")
        lengths = value.args[0].elts if isinstance(value.args[0], ast.Tuple) else [value.args[0]]
        for i, length in enumerate(lengths):
            self._emit(f"self->n{i}_{target.attr} = length(heap, {self._as(length, INT)});")
        total = " * ".join(f"self->n{i}_{target.attr}" for i in range(len(lengths)))
        element = ELEMENTS[kind.of]
        self._emit(f"self->a_{target.attr} = ({element} *)allot(heap, {total}, sizeof({element}));")
        item = {"zeros": "", "ones": "1", "arange": "", "full": ""}[resolved[1]]
        flat = Kind("array", kind.of, 1)
        if resolved[1] == "full":
            item = self._temporary(flat.element, self._as(value.args[1], flat.element, array=flat))
        self._emit(f"if (self->a_{target.attr} == NULL) {{", f"    {self._leave()}", "}")
        if resolved[1] == "arange":
            self._filled(f"self->a_{target.attr}", total, "k__")
        elif item:
            self._filled(f"self->a_{target.attr}", total, f"({element}){item}")

    def _filled(self, array: str, length: str, item: str) -> None:
        cast = "(int32_t)" if item == "k__" and array.startswith("self->a_") else ""
        if item == "k__":
            kind = self.made.unit.layout.arrays[array.removeprefix("self->a_")][0]
            cast = f"({ELEMENTS[kind]})"
        self._emit(
            "{", "    int64_t k__;", f"    for (k__ = 0; k__ < {length}; k__++) {{",
            f"        {array}[k__] = {cast}{item};", "    }", "}",
        )  # fmt: skip

    def _construct(self, target: ast.Attribute, value: ast.expr) -> None:
        made = self.made.calls.get(id(value))
        if not isinstance(value, ast.Call) or made is None:
            raise UntranslatableError(value, "a structure is created with its name, as in List(n)")
        args = self._arguments(value, made, value.args)
        self._emit(f"{self.writer.function(made)}({', '.join(['heap', f'&self->p_{target.attr}', *args])});")

    def _augment(self, node: ast.AugAssign) -> None:
        have = self.made.kinds[id(node.target)]
        given = self.made.kind(node.value)
        floats = isinstance(node.op, ast.Div) or FLOAT in (have, given)
        result = FLOAT if floats else INT
        want = self.made.locals[node.target.id] if isinstance(node.target, ast.Name) else have
        target = node.target
        if isinstance(target, ast.Subscript):
            place = self._place(target)
            where = self._temporary(INT, place[1])
            text = f"{place[0]}[{where}]"
        else:
            text = self._expr(target)
        impure = self._impure(node.value)
        left = self._temporary(have, text) if impure else text
        right = self._root(node.value)
        value = self._operation(node, node.op, (left, have), (right, given), node.value, result)
        value = self._converted(value, result, want, node, self._array_of(target))
        array = self._array_of(target)
        narrow = array is not None and array.of.startswith("int") and array.of != "int64"
        assert array is None or narrow in (True, False)
        cast = f"({ELEMENTS[array.of]})" if array is not None and narrow else ""
        self._emit(f"{text} = {cast}{value};")
