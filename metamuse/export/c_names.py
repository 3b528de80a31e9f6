"""Names, types and numbers of a policy in C."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from metamuse.export.infer import Inference, Instance
from metamuse.export.kinds import NONE, Kind, UntranslatableError
from metamuse.export.units import Unit
from metamuse.policy.layout import Layout

#: C types of elements of arrays.
ELEMENTS = {
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "float64": "double",
    "bool": "bool",
}
NUMBERS = {"int": "int64_t", "float": "double", "bool": "bool"}
#: policykit's classes that take indices nobody counts beforehand: here there is room from the start.
GROWING = ("Tree", "Buckets", "Vector")
_KEYWORDS = frozenset(
    "alignas alignof and asm auto bool break case catch char class const continue default delete do double else enum "
    "explicit export extern false float for friend goto if inline int long namespace new not operator or private "
    "protected public register restrict return short signed sizeof static struct switch template this throw true try "
    "typedef typeid typename union unsigned using virtual void volatile while xor std main heap self at length find home enter leave lost early evict remember hash64 allot "
    "add64 sub64 mul64 neg64 abs64 min64 max64 minf maxf divf shl64 shr64 pow64 fit64 powf64 hypotf64 isnan isinf isfinite "
    "abs fabs floor ceil trunc rint fmod copysign calloc free".split()
)


def number(value: Any) -> str:
    """A number as a constant of C."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if value <= -(2**63):
            return "INT64_MIN"
        return f"INT64_C({value})" if value >= 0 else f"(-INT64_C({-value}))"
    if value != value:
        return "(double)NAN"
    if value in (float("inf"), float("-inf")):
        return "(double)INFINITY" if value > 0 else "(-(double)INFINITY)"
    text = repr(float(value))
    return text if value >= 0 and not text.startswith("-") else f"({text})"


def local(name: str) -> str:
    """A name of the policy's as a name of C."""
    clashes = name in _KEYWORDS or name.endswith("_") or name.isupper() or name.startswith(("libm_", "mm_"))
    return f"{name}_" if clashes else name


class CNames:
    """What all functions of a translation to C share: names, types, and what they use of the C library.

    Args:
        inference: The instances.

    Attributes:
        libm: Functions of the C library that are called.
        tables: Definitions of constant tuples, by their names.
    """

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.libm: set[str] = set()
        self.tables: dict[str, str] = {}
        self._pure: dict[int, bool] = {}

    def structs(self) -> str:
        """The classes as structs, parts before those that hold them."""
        units: dict[str, Unit] = {}
        for instance in self.inference.instances:
            units.setdefault(instance.unit.name, instance.unit)
        return "\n".join(self._struct(unit) for unit in units.values())

    def _struct(self, unit: Unit) -> str:
        lines = [f"typedef struct {self.struct(unit.name)} {{"]
        layout: Layout = unit.layout
        for name, (dtype, ndim) in layout.arrays.items():
            lines += [f"    {ELEMENTS[dtype]} *a_{name};"]
            lines += [f"    int64_t n{i}_{name};" for i in range(ndim)]
        lines += [f"    {self.struct(part.name)} p_{name};" for name, part in layout.parts.items()]
        lines += [f"    {NUMBERS[kind]} s_{name};" for name, kind in layout.scalars.items()]
        if len(lines) == 1:
            lines.append("    int unused;")
        return "\n".join([*lines, f"}} {self.struct(unit.name)};", ""])

    def table(self, element: str, values: Sequence[str]) -> str:
        """The name of an array with constant numbers; equal ones are one."""
        text = f"[] = {{{', '.join(values)}}};"
        for name, known in self.tables.items():
            if known == f"static const {element} {name}{text}":
                return name
        name = f"mm_table_{len(self.tables) + 1}"
        self.tables[name] = f"static const {element} {name}{text}"
        return name

    def struct(self, name: str) -> str:
        """The struct of a class."""
        return f"mm_{name}"

    def function(self, instance: Instance) -> str:
        """The function of an instance."""
        name = f"{instance.unit.name}_{instance.label.strip('_')}"
        return name if instance.of_class else f"fn_{name}"

    def type(self, kind: Kind, node: ast.AST) -> str:
        """The C type of a kind.

        Raises:
            UntranslatableError: It has none.
        """
        if kind.is_number:
            return NUMBERS[kind.name]
        if kind.name == "part":
            return f"{self.struct(kind.of)} *"
        if kind == NONE:
            return "void"
        raise UntranslatableError(node, f"a variable that is {kind} has no translation to C")

    def pure(self, instance: Instance) -> bool:
        """Whether a function changes nothing."""
        if id(instance) not in self._pure:
            stores = any(
                isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store)
                for part in ast.walk(instance.node)
            )
            self._pure[id(instance)] = not stores and all(self.pure(i) for i in instance.calls.values())
        return self._pure[id(instance)]
