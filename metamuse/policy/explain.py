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
_RETURN = re.compile(r'Return of: [^\n]*\nFile "policy\.py", line (\d+)')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def explain(error: NumbaError) -> tuple[str, int | None]:
    """Boil a Numba error down: (sentence, 1-based line of the policy's text or None)."""
    text = _COLOUR.sub("", str(error))
    lines = [int(m) for m in _LINE.findall(text)]
    line = lines[-1] if lines else None
    returns = [int(m) for m in _RETURN.findall(text)]  # Numba lists them in an order that varies
    line = min(returns) if returns else line
    for pattern, say in _RULES:
        for match in reversed(list(re.finditer(pattern, text))):  # the last one is the innermost
            sentence = say(match)
            if sentence:
                return sentence, line
    noise = ("During:", "File", "This error", "Failed", "Enable")
    kept = [s.strip() for s in text.splitlines() if s.strip() and not s.strip().startswith(noise)]
    return (" ".join(kept)[:300] or "the compiler refused it"), line


def explain_limit(error: Exception) -> str:
    """A sentence for an exception of the compiler itself (:data:`COMPILER_LIMITS`)."""
    text = str(error)
    if isinstance(error, AttributeError) and "'NoneType' object has no attribute 'args'" in text:
        return (
            "an augmented assignment puts floats into an array of ints (create it with dtype=np.float64) or changes"
            " an array that is read only (copy it first)"
        )
    if isinstance(error, AttributeError) and re.search(
        r"'(Integer|Float|Boolean)\w*' object has no attribute", text
    ):
        return "a function for arrays is given a number; give it an array"
    return f"the compiler gave up ({type(error).__name__}: {text[:200]}); write this method more simply"


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
        return "nothing (what gives it has no return)"
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
    "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "neg": "-", "not_": "not", "contains": "in",
    "iadd": "+=", "isub": "-=", "imul": "*=", "itruediv": "/=", "ifloordiv": "//=", "imod": "%=",
}  # fmt: skip
_BITS = {"and_": "&", "or_": "|", "xor": "^", "iand": "&=", "ior": "|=", "ixor": "^=", "invert": "~"}
_SIZED = frozenset(["zeros", "ones", "full", "arange"])


def _no_match(match: re.Match[str]) -> str:
    """``No implementation of function Function(...) found for signature: >>> name(types)``; "" if it is Numba's own."""
    name, types = match["name"], _types(match["types"])
    if name == "empty":
        return ""  # inside of np.zeros and its like
    given = " and ".join(types) or "nothing"
    if name in ("bool", "is_true"):
        return f"{given} cannot be a condition; compare numbers, or use np.any(...), np.all(...) or len(...)"
    if name in ("getitem", "static_getitem") and len(types) > 1:
        return _bad_index(types[0], types[1])
    if name in ("setitem", "static_setitem") and len(types) > 2:
        if not types[0].startswith("an array"):
            return f"{types[0]} has no elements to assign; only arrays do"
        if types[1] == "an int" and types[2].startswith("an array"):
            return f"one element of an array is given {types[2]}; give it a number"
        return _bad_index(types[0], types[1])
    if name in _OPERATORS:
        return f"{_OPERATORS[name]} does not work between {given}; both must be numbers (or arrays)"
    if name in _BITS:
        return f"{_BITS[name]} does not work with {given}; it takes ints, bools or arrays of them"
    own = re.sub(r"^(?:Policy__|fn__|rt__(?:np_|math_)?)", "", name).replace("__", ".")
    hint = "; sizes are ints, use int(x)" if name in _SIZED and "a float" in types else ""
    return f"{own}() does not work with {given}{hint}"


def _bad_index(array: str, index: str) -> str:
    if array == "a tuple":
        return (
            "the elements of this tuple have several kinds, so its index must be a plain number; use an array"
        )
    if not array.startswith("an array"):
        return f"{array} cannot be indexed; only arrays and tuples can"
    if index == "a tuple":
        return f"{array} is given the wrong number of indices, or one that is not an int"
    return f"{array} cannot be indexed with {index}; use an int, as int(x)"


def _unify(match: re.Match[str]) -> str:
    a, b = kind(match["a"]), kind(match["b"])
    return f"the variable {match['name']} holds {a} on one path and {b} on another; use two names"


def _no_attribute(match: re.Match[str]) -> str:
    what = kind(match[2])
    if match[1] in ("dtype", "flat", "size", "shape", "ndim", "copy"):
        return f"something for arrays is applied to {what}; give it an array"
    return f"{what} has no {match[1]}"


_RULES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (re.escape(NOT_AN_INT), lambda m: NOT_AN_INT + "; start it with 0.0"),
    (re.escape(NOT_AN_INT_ARRAY), lambda m: NOT_AN_INT_ARRAY),
    (
        r"this attribute is a (\w+) but is given ([^\n]+?) here",
        lambda m: f"this attribute of self is a {m[1]} but is given {kind(m[2])} here; keep one kind",
    ),
    (
        r"an element of an array is given ([^\n]+?) here",
        lambda m: f"one element of an array is given {kind(m[1])}; give it a number",
    ),
    (
        r"an int is needed here but given is ([^\n]+)",
        lambda m: f"an int is needed here but given is {kind(m[1])}; use int(x)",
    ),
    (
        r"(min\(\) and max\(\) of one thing need an array or a tuple) but given is ([^\n]+)",
        lambda m: f"{m[1]}; given is {kind(m[2])}",
    ),
    (
        r"(\w+\(\)) takes a number, it is given ([^\n]+)",
        lambda m: f"{m[1]} takes a number, it is given {kind(m[2])}; use one of its elements",
    ),
    (
        r"(math\.\w+\(\)) takes \d number\(s\), it is given ([^\n]+)",
        lambda m: (
            f"{m[1]} takes numbers, it is given {' and '.join(_types(m[2]))}; for arrays use numpy's function"
        ),
    ),
    (
        r"(\*\*|<< and >>) takes? ([^,\n]+), (?:it is|they are) given ([^\n]+?) and ([^\n]+)",
        lambda m: f"{m[1]} needs {m[2]}; given are {kind(m[3])} and {kind(m[4])}",
    ),
    (
        r"NameError: name '(\w+)' is not defined|global name '(\w+)'",
        lambda m: f"the name {m[1] or m[2]} is not defined",
    ),
    (r"[Cc]annot unify (?P<a>[^\n]+?) and (?P<b>[^\n]+?) for '(?P<name>\w+?)(?:\.\d+)*'", _unify),
    (
        r"[Cc]an't unify return type from the following types: ([^\n]+)",
        lambda m: (
            f"{' is returned here and '.join(dict.fromkeys(_types(m[1])))} there; return one kind on every path"
        ),
    ),
    (
        r"failed to unpack ([^\n]+)",
        lambda m: f"{kind(m[1])} cannot be assigned to several names; only tuples can",
    ),
    (
        r"wrong tuple length for [^\n]*?expected (\d+), got (\d+)",
        lambda m: f"a tuple of {m[2]} values is assigned to {m[1]} names",
    ),
    (
        r"Invalid use of getiter with parameters \(([^\n]+)\)",
        lambda m: f"a for loop cannot go over {kind(m[1])}; use range(...) or an array",
    ),
    (r"Unknown attribute '(\w+)' of type ([^\n]+)", _no_attribute),
    (r"an array is changed in place by one with more dimensions", lambda m: m[0] + "; use one of its rows"),
    (r"Cannot modify readonly array", lambda m: "this array is read only; copy it first"),
    (
        r"No implementation of function [^\n]+? found for signature:\s+>>> (?P<name>\w+)\((?P<types>[^\n]*)\)\s*\n",
        _no_match,
    ),
]
