"""What the attributes of a policy are: scalars, arrays and policykit structures.

A policy's state is compiled into a named tuple: one field an array, one field a nested structure, and ``r``,
an array of one record that holds all scalars. The layout is read off one interpreted construction.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import metamuse.policykit
from evaluators.base import PolicyError
from metamuse.policy.interpret import READY

_KITS = {name: getattr(metamuse.policykit, name) for name in metamuse.policykit.__all__ if name[0].isupper()}
_DTYPES = frozenset(["int8", "int16", "int32", "int64", "float64", "bool"])


#: Field of a compiled state and attribute of an interpreted policy that hold the counts of a metered policy.
COUNTS, COUNTS_ATTRIBUTE = "w", "rt__counts"


@dataclass
class Layout:
    """The attributes of one class.

    Attributes:
        name: Class name.
        scalars: Scalar attributes and their kinds, ``"int"``, ``"float"`` or ``"bool"``.
        arrays: Array attributes and (dtype name, number of dimensions).
        parts: Attributes that are policykit structures, with their layouts.
        constants: Lifted constants (of class Policy only) and their kinds.
        counts: Length of the row of counts of work that a metered policy keeps, 0 if it is not metered.
    """

    name: str
    scalars: dict[str, str]
    arrays: dict[str, tuple[str, int]]
    parts: dict[str, Layout]
    constants: dict[str, str] = field(default_factory=dict)
    counts: int = 0

    def __post_init__(self) -> None:
        self.record = _record(self.scalars)
        self.constant_record = _record(self.constants)
        fields = [_field(f) for f in (*self.arrays, *self.parts)]
        fields += ["r", *(["k"] if self.constants else []), *([COUNTS] if self.counts else [])]
        self.tuple: Any = _state_class(f"{self.name}State", tuple(fields))

    def kind(self, name: str) -> str:
        """``"scalar"``, ``"array"``, ``"part"`` or ``""`` for an attribute that does not exist."""
        if name in self.scalars:
            return "scalar"
        if name in self.arrays:
            return "array"
        return "part" if name in self.parts else ""

    def key(self) -> tuple[Any, ...]:
        """A hashable description; equal keys mean interchangeable layouts."""
        return (
            self.name,
            tuple(self.scalars.items()),
            tuple(self.arrays.items()),
            tuple((n, p.key()) for n, p in self.parts.items()),
        )

    def pack(self, instance: Any, values: Mapping[str, Any]) -> Any:
        """Turn an interpreted instance into the state that compiled code works on.

        Args:
            instance: The policy or structure.
            values: Values of the constants (and perhaps of other names).

        Raises:
            PolicyError: (``contract``) The instance's attributes differ from the layout.
        """
        floats = frozenset(n for n, k in self.scalars.items() if k == "float")
        self._compare(layout_of(instance, self.name, floats))
        attributes = _attributes(instance)
        items = [np.ascontiguousarray(attributes[n]) for n in self.arrays]
        items += [p.pack(attributes[n], {}) for n, p in self.parts.items()]
        record = np.zeros(1, dtype=self.record)
        for name in self.scalars:
            record[name] = attributes[name]
        items.append(record)
        if self.constants:
            constants = np.zeros(1, dtype=self.constant_record)
            for name in self.constants:
                constants[name] = values[name]
            items.append(constants)
        if self.counts:
            items.append(np.zeros(self.counts, dtype=np.int64))
        return self.tuple(*items)

    def grow(self, state: Any, room: int) -> Any:
        """The state with room for the indices ``0..room-1`` in all structures that grow; the rest is shared."""
        cls: Any = _KITS.get(self.name)
        fields = state._asdict()
        if hasattr(cls, "_grow"):
            instance = cls.__new__(cls)
            for name in self.arrays:
                setattr(instance, name, fields[_field(name)])
            for name in self.scalars:
                setattr(instance, name, fields["r"][name].item())
            instance._grow(room)
            for name in self.arrays:
                fields[_field(name)] = getattr(instance, name)
            for name in self.scalars:
                fields["r"][name] = getattr(instance, name)
        for name, part in self.parts.items():
            fields[_field(name)] = part.grow(fields[_field(name)], room)
        return self.tuple(**fields)

    def _compare(self, other: Layout) -> None:
        if other.key() == self.key():
            return
        mine, theirs = self._described(), other._described()
        for name in [*mine, *theirs]:
            if mine.get(name) != theirs.get(name):
                raise PolicyError(
                    "contract",
                    f"__init__ makes self.{name} {mine.get(name, 'not at all')} for one capacity and"
                    f" {theirs.get(name, 'not at all')} for another; make it the same kind always",
                )
        raise PolicyError("contract", "__init__ creates attributes in another order for another capacity")

    def _described(self) -> dict[str, str]:
        arrays = {
            n: f"an array of {dtype} with {ndim} dimension(s)" for n, (dtype, ndim) in self.arrays.items()
        }
        return (
            {n: f"a {kind}" for n, kind in self.scalars.items()}
            | arrays
            | {n: f"a {p.name}" for n, p in self.parts.items()}
        )


@functools.cache
def _state_class(name: str, fields: tuple[str, ...]) -> Any:
    """One class for equal layouts: compiled functions of a structure serve every policy that uses it."""
    return namedtuple(name, fields)  # type: ignore[misc]  # fields known at run time


def _field(name: str) -> str:
    # namedtuple refuses leading underscores, and "r", "k" and "w" are taken.
    return "a_" + name


def field_name(name: str) -> str:
    """Field of the state tuple that holds the attribute ``name``."""
    return _field(name)


def _record(kinds: dict[str, str]) -> np.dtype[Any]:
    codes = {"int": np.int64, "float": np.float64, "bool": np.bool_}
    items: list[tuple[str, Any]] = [(name, codes[kind]) for name, kind in kinds.items()]
    return np.dtype(items or [("unused", np.int64)], align=True)


def _attributes(instance: Any) -> dict[str, Any]:
    return {n: v for n, v in vars(instance).items() if n not in (READY, COUNTS_ATTRIBUTE)}


def kind_of(value: int | float) -> str:
    """``"bool"``, ``"int"`` or ``"float"``."""
    return "bool" if isinstance(value, bool) else "float" if isinstance(value, float) else "int"


def layout_of(
    instance: Any,
    name: str = "Policy",
    floats: frozenset[str] = frozenset(),
    constants: Mapping[str, str] | None = None,
    counts: int = 0,
) -> Layout:
    """Read the layout off a constructed instance.

    Args:
        instance: A policy or a policykit structure.
        name: Name of the class.
        floats: Attributes to treat as floats although ``__init__`` sets an int.
        constants: Constants that are kept with the attributes, and their kinds.
        counts: See :class:`Layout`.

    Raises:
        PolicyError: (``contract``) An attribute has a kind that the language does not have.
    """
    scalars: dict[str, str] = {}
    arrays: dict[str, tuple[str, int]] = {}
    parts: dict[str, Layout] = {}
    kits: dict[int, str] = {}
    for attribute, value in _attributes(instance).items():
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, int | float):
            scalars[attribute] = "float" if attribute in floats else kind_of(value)
        elif isinstance(value, np.ndarray):
            arrays[attribute] = _array(attribute, value)
        elif type(value).__name__ in _KITS and isinstance(value, _KITS[type(value).__name__]):
            if id(value) in kits:
                raise PolicyError(
                    "contract",
                    f"self.{kits[id(value)]} and self.{attribute} are the same {type(value).__name__}; create one for each",
                )
            kits[id(value)] = attribute
            parts[attribute] = layout_of(value, type(value).__name__)
        else:
            what = "None (use -1 for 'no slot')" if value is None else f"a {type(value).__name__}"
            raise PolicyError(
                "contract",
                f"self.{attribute} is {what}; attributes are numbers, numpy arrays or policykit structures",
            )
    return Layout(name, scalars, arrays, parts, dict(constants or {}), counts)


def _array(attribute: str, value: np.ndarray) -> tuple[str, int]:
    dtype = value.dtype.name
    if dtype not in _DTYPES:
        raise PolicyError(
            "contract", f"self.{attribute} has dtype {dtype}; use np.int64, np.float64 or np.bool_"
        )
    if value.ndim > 1 and dtype.startswith("int") and dtype != "int64":
        raise PolicyError(
            "contract", f"self.{attribute} has dtype {dtype} and {value.ndim} dimensions; use np.int64 there"
        )
    if not 1 <= value.ndim <= 3:
        raise PolicyError("contract", f"self.{attribute} has {value.ndim} dimensions; 1 to 3 are allowed")
    return dtype, value.ndim


def grow_instance(instance: Any, room: int) -> None:
    """Make room for the indices ``0..room-1`` in all structures of an interpreted policy that grow."""
    for value in _attributes(instance).values():
        if type(value) in _KITS.values():
            if hasattr(value, "_grow"):
                value._grow(room)
            grow_instance(value, room)


def state_bytes(state: Any) -> int:
    """Bytes a policy keeps: its arrays and scalars, nested structures included (shared arrays count once).

    The counts of a metered policy are not its own.
    """
    seen: set[int] = set()

    def count(item: Any) -> int:
        if not isinstance(item, np.ndarray):
            return sum(count(x) for name, x in item._asdict().items() if name != COUNTS)
        address = item.__array_interface__["data"][0]
        if address in seen:
            return 0
        seen.add(address)
        return int(item.nbytes)

    return count(state)
