"""Kinds of values in a policy, as the exporters' translators know them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

#: Most digits of a whole number that a float holds exactly, and of one that 64 bits hold.
EXACT, WIDE = 2**53, 2**63


class UntranslatableError(Exception):
    """A construct that a translator does not know; it is refused and never guessed at.

    Args:
        node: Where it stands in the policy.
        message: One sentence that says what it is.
    """

    def __init__(self, node: ast.AST, message: str) -> None:
        self.line: int | None = getattr(node, "lineno", None)
        super().__init__(message if self.line is None else f"line {self.line}: {message}")


@dataclass(frozen=True)
class Kind:
    """What an expression is.

    Attributes:
        name: ``bool``, ``int``, ``float``, ``none``, ``array``, ``part`` (a policykit structure) or ``tuple``.
        of: Element type of an array (``int64``, ``float64``, ``bool``, …), class name of a part.
        ndim: Dimensions of an array.
        items: Kinds of a tuple's items.
    """

    name: str
    of: str = ""
    ndim: int = 0
    items: tuple[Kind, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it is a bool, an int or a float."""
        return self.name in _RANK

    @property
    def is_whole(self) -> bool:
        """Whether it is a bool or an int."""
        return self.name in ("bool", "int")

    @property
    def element(self) -> Kind:
        """What indexing an array gives."""
        if self.ndim > 1:
            return Kind("array", self.of, self.ndim - 1)
        return {"b": BOOL, "f": FLOAT}.get(self.of[0], INT)

    def __str__(self) -> str:
        if self.name == "array":
            return f"an array of {self.of}"
        words = {"bool": "True or False", "int": "an int", "float": "a float", "none": "nothing"}
        return words.get(self.name, f"a {self.of or self.name}")


BOOL, INT, FLOAT, NONE = Kind("bool"), Kind("int"), Kind("float"), Kind("none")
_RANK = {"bool": 0, "int": 1, "float": 2}


def join(a: Kind | None, b: Kind, node: ast.AST) -> Kind:
    """The kind that holds values of both.

    Raises:
        UntranslatableError: There is none.
    """
    if a is None or a == b:
        return b
    if a.is_number and b.is_number:
        return max(a, b, key=lambda kind: _RANK[kind.name])
    raise UntranslatableError(node, f"this is {a} elsewhere and {b} here")


def of_value(value: object) -> Kind:
    """The kind of a number, or of a tuple of numbers.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT
    if isinstance(value, float):
        return FLOAT
    if isinstance(value, tuple):
        return Kind("tuple", items=tuple(map(of_value, value)))
    raise TypeError(type(value).__name__)


def whole_constant(node: ast.AST) -> int | None:
    """The value of a constant that is an int; None for everything else."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None
