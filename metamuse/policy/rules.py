"""What the checks of the policy language share: names, refusals and the smallest rules."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import NoReturn

from evaluators.base import PolicyError
from metamuse.policy import vocabulary as words

INT64 = 2**63


@dataclass(frozen=True)
class Names:
    """What the imported names of a module stand for: ``(module, attribute)``, attribute "" for a module."""

    imports: dict[str, tuple[str, str]]

    def resolve(self, node: ast.expr) -> tuple[str, str] | None:
        """``(module, attribute)`` of ``np.zeros``, ``policykit.List``, ``hash64``, …; else None."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            if base is not None and base[1] == "":
                return base[0], node.attr
        return None


@dataclass
class ModuleNames:
    """What a module defines, as far as it has been read."""

    names: Names
    functions: dict[str, ast.FunctionDef]
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)


def fail(node: ast.AST, message: str) -> NoReturn:
    """Refuse a policy at a node.

    Raises:
        PolicyError: (``contract``) Always.
    """
    short = re.sub(r"\w{81,}", lambda word: word[0][:60] + "...", message)
    raise PolicyError("contract", short, getattr(node, "lineno", None))


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring (or any other string that stands alone)."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_self(node: ast.AST) -> bool:
    """Whether a node is the name ``self``."""
    return isinstance(node, ast.Name) and node.id == "self"


def check_name(node: ast.AST, name: str) -> None:
    """Refuse a name that a policy may not bind."""
    if not name.isascii():
        fail(node, f"the name {name} is not allowed; use ASCII letters")
    if "__" in name:
        fail(node, f"the name {name} is not allowed; names may not hold a double underscore")
    if name in words.BUILTINS:
        fail(node, f"{name} is a builtin function; choose another name")


def check_attribute_name(node: ast.AST, name: str) -> None:
    """Refuse an attribute that a policy may not name."""
    if not name.isascii():
        fail(node, f"the attribute {name} is not allowed; use ASCII letters")
    if "__" in name:
        fail(node, f"the attribute {name} is not allowed; names may not hold a double underscore")


def is_infinity(node: ast.AST) -> bool:
    """Whether a node is ``float("inf")``, ``float("-inf")`` or ``float("nan")``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
        and len(node.args) == 1
        and not node.keywords
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in ("inf", "-inf", "nan")
    )


def check_number(node: ast.Constant) -> None:
    """Refuse a constant that is not a number of 64 bits."""
    value = node.value
    if isinstance(value, int) and abs(value) >= INT64:
        fail(node, "integers must fit 64 bits (signed); use a smaller number or hash64")
    if type(value) in (int, float, bool):
        return
    if value is None:
        fail(node, "None is not in the policy language; use -1 for 'no slot'")
    what = {str: "strings", bytes: "bytes", complex: "complex numbers"}.get(type(value), "'...'")
    fail(node, f"{what} cannot be used in the policy language; use numbers")
