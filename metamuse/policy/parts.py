"""Which expressions of a policy stand for a policykit structure: attributes, their aliases, parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from evaluators.base import PolicyError
from metamuse.policy.layout import Layout
from metamuse.policy.rules import is_self


def part_of(layout: Layout, aliases: Mapping[str, Layout], node: ast.AST) -> Layout | None:
    """The policykit structure an expression stands for, if it is one.

    Args:
        layout: Attributes of ``self``.
        aliases: Local names that hold structures.
        node: The expression.
    """
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute):
        if is_self(node.value):
            return layout.parts.get(node.attr)
        outer = part_of(layout, aliases, node.value)
        return None if outer is None else outer.parts.get(node.attr)
    if isinstance(node, ast.IfExp):
        a, b = part_of(layout, aliases, node.body), part_of(layout, aliases, node.orelse)
        if a is not None and b is not None:
            if a.name != b.name:
                raise PolicyError("contract", f"this is a {a.name} or a {b.name}; use one kind", node.lineno)
            return a
    return None


def local_aliases(layout: Layout, node: ast.FunctionDef, given: Mapping[str, Layout]) -> dict[str, Layout]:
    """Local names of a method that hold structures (``queue = self.small``).

    Raises:
        PolicyError: (``contract``) A name holds structures of two kinds.
    """
    aliases = dict(given)
    assigned = [
        (part.targets[0].id, part)
        for part in ast.walk(node)
        if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name)
    ]
    while True:  # until an alias of an alias is found out
        known = len(aliases)
        for name, part in assigned:
            kind = part_of(layout, aliases, part.value)
            if kind is not None and aliases.setdefault(name, kind).name != kind.name:
                raise PolicyError(
                    "contract",
                    f"{name} holds a {aliases[name].name} and a {kind.name}; use two names",
                    part.lineno,
                )
        if len(aliases) == known:
            return aliases


def parameter_kinds(layout: Layout, methods: Mapping[str, ast.FunctionDef]) -> dict[str, dict[str, Layout]]:
    """Which parameters of own methods receive a structure (``self.trim(self.small)``).

    Raises:
        PolicyError: (``contract``) A parameter receives structures of two kinds.
    """
    kinds: dict[str, dict[str, Layout]] = {name: {} for name in methods}
    changed = True
    while changed:
        changed = False
        for name, node in methods.items():
            aliases = local_aliases(layout, node, kinds[name])
            for call, callee in _own_calls(node, methods):
                for param, value in _bound(call, methods[callee]):
                    part = part_of(layout, aliases, value)
                    if part is None:
                        continue
                    changed = changed or param not in kinds[callee]
                    old = kinds[callee].setdefault(param, part)
                    if old.name != part.name:
                        raise PolicyError(
                            "contract",
                            f"{param} of {callee} is given a {old.name} elsewhere and a {part.name} here; write two methods",
                            call.lineno,
                        )
    return kinds


def reachable(methods: Mapping[str, ast.FunctionDef], roots: list[str]) -> list[str]:
    """The methods that the contract's methods call, directly or not, and those themselves, in source order."""
    found: set[str] = set()
    todo = [root for root in roots if root in methods]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(callee for _, callee in _own_calls(methods[name], methods))
    return [name for name in methods if name in found]


def _own_calls(node: ast.FunctionDef, methods: Mapping[str, Any]) -> Iterator[tuple[ast.Call, str]]:
    for call in ast.walk(node):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if is_self(call.func.value) and call.func.attr in methods:
            yield call, call.func.attr


def _bound(call: ast.Call, callee: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    pairs = list(zip([a.arg for a in callee.args.args[1:]], call.args, strict=False))
    return pairs + [(k.arg, k.value) for k in call.keywords if k.arg]
