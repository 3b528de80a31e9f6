"""Compiler messages in one sentence that the author of a policy can act on."""

from __future__ import annotations

import re
from collections.abc import Callable

from numba.core.errors import NumbaError

from metamuse.policy.guards import NOT_AN_INT, NOT_AN_INT_ARRAY

#: Numba's own limits surface as plain exceptions; the candidate cannot be compiled either way.
COMPILER_LIMITS = (
    NotImplementedError, AssertionError, KeyError, RecursionError, ValueError, TypeError, AttributeError, IndexError,
)  # fmt: skip

_LINE = re.compile(r'File "policy\.py", line (\d+)')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def explain(error: NumbaError) -> tuple[str, int | None]:
    """Boil a Numba error down: (sentence, 1-based line of the policy's text or None)."""
    text = _COLOUR.sub("", str(error))
    lines = [int(m) for m in _LINE.findall(text)]
    line = lines[-1] if lines else None
    for pattern, say in _RULES:
        match = re.search(pattern, text, re.DOTALL)
        if match:
            return say(match), line
    noise = ("During:", "File", "This error", "Failed", "Enable")
    kept = [s.strip() for s in text.splitlines() if s.strip() and not s.strip().startswith(noise)]
    return (" ".join(kept)[:300] or "the compiler refused it"), line


def explain_limit(error: Exception) -> str:
    """A sentence for an exception of the compiler itself (:data:`COMPILER_LIMITS`)."""
    if isinstance(error, AttributeError) and "'NoneType' object has no attribute 'args'" in str(error):
        return f"an augmented assignment puts floats into {NOT_AN_INT_ARRAY}"
    return f"the compiler gave up ({type(error).__name__}: {str(error)[:200]}); write this method more simply"


def kind(numba_type: str) -> str:
    """A Numba type in the language's words."""
    t = numba_type.strip()
    t = re.sub(r"^Literal\[(\w+)\].*", r"\1", t)
    t = re.sub(r"^(?:unaligned )?(?:readonly )?array\((\w+), (\d)d, \w+(?:, readonly)?\)$", _array, t)
    t = re.sub(r"^slab\((\w+), (\d)(?:, read-only)?\)$", _array, t)
    if re.fullmatch(r"u?int\d*|intp", t):
        return "an int"
    if re.fullmatch(r"float\d*", t):
        return "a float"
    if re.fullmatch(r"bool(ean)?", t):
        return "a bool"
    if t.startswith("none") or t == "omitted":
        return "nothing (a path without return)"
    if t.startswith(("OptionalType", "?")):
        return "a value on some paths and nothing on others"
    if t.startswith(("Tuple", "UniTuple")):
        return "a tuple"
    if t.startswith("state("):
        return "a policykit structure"
    return t


def _array(match: re.Match[str]) -> str:
    element = {"b": "bools", "f": "floats"}.get(match[1][0], "ints")
    return f"an array of {element}" + (f" with {match[2]} dimensions" if match[2] != "1" else "")


def _types(text: str) -> list[str]:
    """Split a list of Numba types at its top-level commas and put each in words."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text + ","):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [kind(p) for p in parts if p.strip()]


_OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "lt": "<", "le": "<=",
    "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and_": "&", "or_": "|", "xor": "^", "neg": "-", "not_": "not",
    "iadd": "+=", "isub": "-=", "imul": "*=", "itruediv": "/=", "ifloordiv": "//=", "imod": "%=",
}  # fmt: skip


def _no_match(match: re.Match[str]) -> str:
    """``No implementation of function Function(...) found for signature: >>> name(types)``."""
    name, types = match["name"], _types(match["types"])
    given = " and ".join(types) or "nothing"
    if name in ("bool", "is_true"):
        return f"{given} cannot be a condition; compare numbers, or use np.any(...), np.all(...) or len(...)"
    if name in ("getitem", "static_getitem") and len(types) > 1:
        if not types[0].startswith(("an array", "a tuple")):
            return f"{types[0]} cannot be indexed; only arrays and tuples can"
        return f"{types[0]} cannot be indexed with {types[1]}; use an int, as int(x)"
    if name in ("setitem", "static_setitem") and len(types) > 2:
        if not types[0].startswith("an array"):
            return f"{types[0]} has no elements to assign; only arrays do"
        if types[1] not in ("an int", "a tuple"):
            return f"{types[0]} cannot be indexed with {types[1]}; use an int, as int(x)"
        return f"{types[2]} cannot be put into {types[0]} here"
    if name in _OPERATORS:
        return f"{_OPERATORS[name]} does not work between {given}; both must be numbers (or arrays)"
    own = re.sub(r"^(?:Policy__|fn__|rt__(?:np_|math_)?)", "", name)
    own = own.replace("__", ".")
    return f"{own}() does not work with {given}"


def _unify(match: re.Match[str]) -> str:
    a, b = kind(match["a"]), kind(match["b"])
    return (
        f"the variable {match['name']} holds {a} on one path and {b} on another; give it one kind"
        f" (for numbers and arrays use two names)"
    )


_RULES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (re.escape(NOT_AN_INT), lambda m: NOT_AN_INT + "; start it with 0.0"),
    (re.escape(NOT_AN_INT_ARRAY), lambda m: NOT_AN_INT_ARRAY),
    (
        r"this attribute is a (\w+) but is given (.+?) here",
        lambda m: f"this attribute of self is a {m[1]} but is given {kind(m[2])} here; keep one kind",
    ),
    (
        r"(\w+)\(\) takes a number, it is given ([^\n]+)",
        lambda m: f"{m[1]}() takes a number, it is given {kind(m[2])}",
    ),
    (
        r"(math\.\w+)\(\) takes (\d) number\(s\), it is given ([^\n]+)",
        lambda m: (
            f"{m[1]}() takes {m[2]} number(s), it is given {' and '.join(_types(m[3]))}"
            + ("; for arrays use the function of numpy" if "array" in m[3] else "")
        ),
    ),
    (
        r"(\*\*|<< and >>) takes? (.+?), (?:it is|they are) given ([^\n]+?) and ([^\n]+)",
        lambda m: f"{m[1]} takes {m[2]}, given are {kind(m[3])} and {kind(m[4])}",
    ),
    (
        r"NameError: name '(\w+)' is not defined|global name '(\w+)'",
        lambda m: f"the name {m[1] or m[2]} is not defined",
    ),
    (r"[Cc]annot unify (?P<a>.+?) and (?P<b>.+?) for '(?P<name>\w+?)(?:\.\d+)?'", _unify),
    (
        r"[Cc]an't unify return type from the following types: (.+?)\n",
        lambda m: (
            f"one method returns {' here and '.join(dict.fromkeys(_types(m[1])))} there; return one kind on every path"
        ),
    ),
    (r"Unknown attribute '(\w+)' of type (.+?)\n", lambda m: f"{kind(m[2])} has no {m[1]}"),
    (r"Cannot modify readonly array|setitem.*read-only", lambda m: "this array is read only; copy it first"),
    (
        r"not enough arguments|missing a required argument: '(\w+)'|too many (?:positional )?arguments",
        lambda m: "a call has too few or too many arguments",
    ),
    (
        r"No implementation of function .+? found for signature:\s+>>> (?P<name>\w+)\((?P<types>.*?)\)\s*\n",
        _no_match,
    ),
]
