"""What a translator has to know of a policy beyond its text, as data.

Kinds of attributes come from one interpreted construction, and which of them hold floats from the compiler, so the policy's
own code has run where they are found. What is found crosses over as numbers and names, which are checked here, to a process
in which nothing of the policy ever runs; that one writes the programs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

import metamuse.policykit
from metamuse.export.golden import ForgedError
from metamuse.export.units import kit_unit
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.layout import Layout
from metamuse.policy.program import Program
from metamuse.policy.rules import is_self

_SCALARS = frozenset(["bool", "float", "int"])
_DTYPES = frozenset(["bool", "float64", "int8", "int16", "int32", "int64"])
_KITS = frozenset(name for name in metamuse.policykit.__all__ if name[0].isupper())
_KEYS = frozenset(["arrays", "constants", "floats", "parts", "scalars", "sizes"])
#: Most attributes, constants, and numbers of a tuple or arrays of a state; most bytes of an array.
_MOST, _MOST_BYTES = 10_000, 2**40


class Known(Protocol):
    """What exporters ask of a policy: a :class:`metamuse.policy.compiled.CompiledPolicy`, or a :class:`Form` of one."""

    @property
    def program(self) -> Program:
        """The checked text."""

    @property
    def methods(self) -> frozenset[str]:
        """The methods of the contract that it defines."""

    @property
    def layout(self) -> Layout:
        """Its attributes."""

    @property
    def floats(self) -> frozenset[str]:
        """Attributes that hold floats although ``__init__`` sets an int."""

    def constants(self) -> Mapping[str, Any]:
        """Numbers, and tuples of them, at the top of the module."""


@dataclass(frozen=True)
class Form:
    """A policy that is not there to be run.

    Attributes:
        program: The checked text.
        layout: Its attributes.
        floats: Attributes that hold floats although ``__init__`` sets an int.
        values: Numbers, and tuples of them, at the top of the module.
        sizes: By arguments of ``__init__``: bytes of each array of its state.
    """

    program: Program
    layout: Layout
    floats: frozenset[str]
    values: Mapping[str, Any]
    sizes: Mapping[tuple[Any, ...], Sequence[int]]

    @property
    def methods(self) -> frozenset[str]:
        """The methods of the contract that it defines."""
        return self.program.defined

    def reads(self, method: str, parameter: str) -> bool:
        """Whether a method uses a parameter."""
        return self.program.reads(method, parameter)

    def constants(self) -> Mapping[str, Any]:
        """Numbers, and tuples of them, at the top of the module."""
        return self.values


def array_bytes(policy: Known, init: tuple[Any, ...]) -> Sequence[int]:
    """Bytes of each array of a state (the simulator keeps scalars in arrays, too)."""
    if isinstance(policy, Form):
        return policy.sizes[init]
    assert isinstance(policy, CompiledPolicy)
    return [array.nbytes for array in _arrays(policy.state(*init))]


def _arrays(item: Any) -> Iterator[np.ndarray]:
    if isinstance(item, np.ndarray):
        yield item
    else:
        for part in item:
            yield from _arrays(part)


# -- the way over


def told(policy: CompiledPolicy, inits: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """What is known of a policy, as JSON values.

    Args:
        policy: The policy.
        inits: Arguments of ``__init__`` for which an exporter asks :func:`array_bytes`.
    """
    layout = policy.layout
    return {
        "scalars": dict(layout.scalars),
        "arrays": {name: list(kind) for name, kind in layout.arrays.items()},
        "parts": {name: part.name for name, part in layout.parts.items()},
        "floats": sorted(policy.floats),
        "constants": {n: v for n, v in policy.constants().items() if isinstance(v, int | float | tuple)},
        "sizes": [list(array_bytes(policy, init)) for init in inits],
    }


def checked(data: object) -> dict[str, Any]:
    """The same, made anew of what :func:`told` can say; nothing else passes.

    Raises:
        ForgedError: It is something else.
    """
    if not isinstance(data, dict) or data.keys() != _KEYS:
        raise ForgedError("what is said of its attributes has another form")
    scalars, arrays, parts = (_names(data[key]) for key in ("scalars", "arrays", "parts"))
    for kind in scalars.values():
        _demand(isinstance(kind, str) and kind in _SCALARS, "an attribute is no number")
    for kind in arrays.values():
        good = isinstance(kind, list) and len(kind) == 2 and isinstance(kind[0], str) and kind[0] in _DTYPES
        _demand(good and type(kind[1]) is int and 1 <= kind[1] <= 3, "an array is of no known kind")
    for kind in parts.values():
        _demand(isinstance(kind, str) and kind in _KITS, "a structure is of no known kind")
    _demand(
        len({*scalars, *arrays, *parts}) == len(scalars) + len(arrays) + len(parts), "two attributes are one"
    )
    floats = _row(data["floats"])
    _demand(all(isinstance(n, str) and scalars.get(n) == "float" for n in floats), "a float is no attribute")
    sizes = [_row(row) for row in _row(data["sizes"])]
    for row in sizes:
        _demand(all(type(size) is int and 0 <= size <= _MOST_BYTES for size in row), "an array has no size")
    constants = {name: _number(value) for name, value in _names(data["constants"]).items()}
    return {
        "scalars": scalars,
        "arrays": arrays,
        "parts": parts,
        "floats": floats,
        "constants": constants,
        "sizes": sizes,
    }


def form_of(program: Program, data: object, inits: Sequence[tuple[Any, ...]]) -> Form:
    """The policy of a text, with what was found elsewhere; only names that stand in the text are taken.

    Args:
        program: The checked text.
        data: What :func:`told` said, with the same ``inits``.
        inits: See there.

    Raises:
        ForgedError: It is not about this text.
    """
    known = checked(data)
    stored = {
        node.attr
        for node in ast.walk(program.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value)
    }
    top = {
        node.id
        for statement in program.tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    attributes = {*known["scalars"], *known["arrays"], *known["parts"]}
    _demand(attributes <= stored, "an attribute is not in its text")
    _demand(known["constants"].keys() <= top, "a constant is not in its text")
    _demand(len(known["sizes"]) == len(inits), "sizes of its state are missing")
    layout = Layout(
        "Policy",
        known["scalars"],
        {name: (dtype, ndim) for name, (dtype, ndim) in known["arrays"].items()},
        {name: kit_unit(kit).layout for name, kit in known["parts"].items()},
    )
    sizes = dict(zip(inits, known["sizes"], strict=True))
    return Form(program, layout, frozenset(known["floats"]), known["constants"], sizes)


def _demand(good: bool, otherwise: str) -> None:
    if not good:
        raise ForgedError(otherwise)


def _names(value: object) -> dict[str, Any]:
    _demand(isinstance(value, dict) and len(value) <= _MOST, "there are too many names")
    assert isinstance(value, dict)
    _demand(all(isinstance(n, str) and len(n) <= 200 and n.isidentifier() for n in value), "a name is none")
    return dict(value)


def _row(value: object) -> list[Any]:
    _demand(isinstance(value, list) and len(value) <= _MOST, "a row is too long")
    assert isinstance(value, list)
    return list(value)


def _number(value: object, depth: int = 3) -> Any:
    """A number, or a tuple of them."""
    if isinstance(value, int | float):
        return value
    _demand(depth > 0, "a constant is no number")
    return tuple(_number(item, depth - 1) for item in _row(value))
