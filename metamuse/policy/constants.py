"""Tunable constants: ``NAME = 0.25  # tune: 0.05..0.95 log``."""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass

from evaluators.base import PolicyError

_MARK = re.compile(r"#\s*tune:\s*(?P<low>[-+0-9.eE_]+?)\s*\.\.\s*(?P<high>[-+0-9.eE_]+)(?P<flags>[\sa-z]*)$")


@dataclass(frozen=True)
class Constant:
    """One tunable constant.

    Attributes:
        name: Its name at the top of the module.
        value: The default (``int`` or ``float``; an int constant stays an int when tuned).
        low, high: Inclusive range of the tuner.
        log: Whether the range is to be searched on a logarithmic scale.
        line: 1-based source line.
    """

    name: str
    value: int | float
    low: int | float
    high: int | float
    log: bool
    line: int

    def cast(self, value: float) -> int | float:
        """A value from outside (a tuner) in the constant's own kind; ints are rounded to the nearest."""
        return round(value) if isinstance(self.value, int) else float(value)


def marked_constants(source: str, tree: ast.Module) -> dict[str, Constant]:
    """Find the marked constants of a policy module.

    Raises:
        PolicyError: (``contract``) A mark is malformed, its range is empty or does not hold the value,
            or it does not follow a ``NAME = number`` line at the top level.
    """
    marks = _marks(source)
    found: dict[str, Constant] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.lineno not in marks:
            continue
        text = marks.pop(node.lineno)
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        assert isinstance(target, ast.Name)  # the language has no other constants
        assert node.value is not None
        name = target.id
        value = _number(node.value)
        if value is None:
            raise PolicyError("contract", f"{name} has a tune mark but is not a plain number", node.lineno)
        found[name] = _parse(name, value, text, node.lineno)
    if marks:
        line = min(marks)
        raise PolicyError(
            "contract", "a tune mark must stand on a NAME = number line at the top of the module", line
        )
    return found


def with_values(source: str, values: Mapping[str, int | float]) -> str:
    """The source of a policy with other values of some marked constants; everything else stays as it is."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", source)  # where Python ends lines, unlike str.splitlines
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id in values:
            line = lines[node.value.lineno - 1].encode()  # columns of the tree count bytes
            number = repr(values[target.id]).encode()
            line = line[: node.value.col_offset] + number + line[node.value.end_col_offset :]
            lines[node.value.lineno - 1] = line.decode()
    return "".join(lines)


def _marks(source: str) -> dict[int, str]:
    """Comments that are tune marks, by line."""
    marks: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and re.match(r"#\s*tune\b", token.string, re.IGNORECASE):
                marks[token.start[0]] = token.string
    except (tokenize.TokenError, SyntaxError) as error:  # stricter than the parser in odd corners
        raise PolicyError("parse", f"Python cannot read this: {error}") from None
    return marks


def _number(node: ast.expr) -> int | float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value  # type: ignore[return-value]  # narrowed by the type() test
    return None


def _parse(name: str, value: int | float, text: str, line: int) -> Constant:
    match = _MARK.match(text.strip())
    flags = set(match["flags"].split()) if match else set()
    if match is None or flags - {"log", "int"}:
        raise PolicyError(
            "contract",
            f"the tune mark of {name} must read '# tune: LOW..HIGH' or '# tune: LOW..HIGH log'",
            line,
        )
    try:
        low, high = float(match["low"]), float(match["high"])
    except ValueError:
        raise PolicyError("contract", f"the range of {name} is not made of two numbers", line) from None
    if not math.isfinite(low) or not math.isfinite(high):
        raise PolicyError("contract", f"the range of {name} must be finite", line)
    if isinstance(value, int):
        low, high = math.ceil(low), math.floor(high)
        if low < -(2**63) or high >= 2**63:
            raise PolicyError("contract", f"the range of {name} must lie within 64-bit integers", line)
    elif not math.isfinite(high - low):
        raise PolicyError("contract", f"the range of {name} is wider than a number can say", line)
    if not low <= value <= high or low == high:
        raise PolicyError("contract", f"{name} = {value} must lie in its range {low}..{high}", line)
    if "log" in flags and low <= 0:
        raise PolicyError("contract", f"{name} has a log range, so its lower end must be above 0", line)
    return Constant(name, value, low, high, "log" in flags, line)
