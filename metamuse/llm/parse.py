"""Gets the wanted piece out of what a model wrote around it."""

from __future__ import annotations

import ast
import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Longer answers are cut before parsing; no waypoint needs more.
_MAX_CHARS = 400_000
#: How many opening braces are tried as the start of an object.
_MAX_STARTS = 64

# ``[^\S\n]`` is white space within a line. A fence may be indented (inside a list) and left open (a cut-off
# answer).
_FENCE = re.compile(
    r"^[^\S\n]*(?P<ticks>`{3,}|~{3,})[^\n]*\n(?P<body>.*?)(?:^[^\S\n]*(?P=ticks)[^\S\n]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


class AnswerError(ValueError):
    """An answer lacks what was asked for; the message is fit to be sent back to the model."""


def extract_json(text: str, required: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the JSON object in an answer.

    Prose around it, Markdown fences, reasoning tags, trailing commas, line breaks inside strings and Python
    literals (single quotes, ``True``) are tolerated. Of several objects, the first that has all required keys
    is taken.

    Args:
        text: The answer.
        required: Keys the object must have.

    Raises:
        AnswerError: There is none, or keys are missing.
    """
    text = _strip_thoughts(text)
    best: dict[str, Any] | None = None
    for candidate in _json_candidates(text):
        value = _loads(candidate)
        if not isinstance(value, dict):
            continue
        if all(key in value for key in required):
            return value
        if best is None or _hits(value, required) > _hits(best, required):
            best = value
    if best is None:
        raise AnswerError("The answer holds no JSON object; answer with one JSON object and nothing else.")
    missing = ", ".join(f'"{key}"' for key in required if key not in best)
    raise AnswerError(f"The JSON object lacks {missing}; answer with all of the keys asked for.")


def parse_answer(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the JSON object in an answer after checking it against the schema it was asked for with.

    Raises:
        AnswerError: See :func:`extract_json` and :func:`check_schema`.
    """
    answer = extract_json(text, schema.get("required", ()))
    check_schema(answer, schema)
    return answer


def check_schema(value: Any, schema: Mapping[str, Any], where: str = "the answer") -> None:
    """Checks a value against the part of JSON Schema that our prompts use.

    That part: ``type`` (one name), ``properties``, ``required``, ``items``, ``minItems``, ``maxItems``,
    ``enum``, ``minimum``, ``maximum``. A string must hold more than white space unless its ``minLength`` is
    0.

    Args:
        value: Parsed JSON.
        schema: The schema.
        where: Name of the value in messages.

    Raises:
        AnswerError: The first place that differs, as a sentence.
    """
    kind = schema.get("type")
    if kind is not None:
        right = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        if not right:
            raise AnswerError(f"{where} must be of type {kind}, not {type(value).__name__}.")
    if "enum" in schema and value not in schema["enum"]:
        options = ", ".join(map(str, schema["enum"]))
        raise AnswerError(f"{where} must be one of {options}, not {value!r}.")
    if isinstance(value, str) and schema.get("minLength", 1) > 0 and not value.strip():
        raise AnswerError(f"{where} must not be empty.")
    if isinstance(value, int | float):
        low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
        if not low <= value <= high:
            raise AnswerError(f"{where} must lie between {low} and {high}, not {value}.")
    if isinstance(value, list):
        low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
        if not low <= len(value) <= high:
            wanted = f"at least {low}" if len(value) < low else f"at most {high}"
            raise AnswerError(f"{where} must have {wanted} items, not {len(value)}.")
        for i, item in enumerate(value):
            check_schema(item, schema.get("items", {}), f"{where}[{i}]")
    if isinstance(value, dict):
        for key in schema.get("required", ()):
            if key not in value:
                raise AnswerError(f'{where} lacks the key "{key}".')
        for key, part in schema.get("properties", {}).items():
            if key in value:
                check_schema(value[key], part, f'"{key}"' if where == "the answer" else f'{where}."{key}"')


def extract_code(text: str, contains: str = "class Policy") -> str:
    """Returns the Python module in an answer, ending in a line break.

    Taken, in this order: the last fenced block that holds ``contains`` and parses; the last that holds it
    (its syntax error is worth a repair turn); the string under ``"code"`` of a JSON object; the whole
    answer, or its end from some line on, if it parses as a module that holds it.

    Raises:
        AnswerError: None of these is there.
    """
    text = _strip_thoughts(text)
    blocks = [textwrap.dedent(m["body"]) for m in _FENCE.finditer(text)]
    blocks = [block for block in blocks if contains in block]
    for block in reversed(blocks):
        if _parses(block):
            return block.strip("\n") + "\n"
    if blocks:
        return blocks[-1].strip("\n") + "\n"
    if contains not in text:
        raise AnswerError(
            f"The answer holds no `{contains}`; answer with one ```python block that holds the module."
        )
    for candidate in _json_candidates(text):
        value = _loads(candidate)
        if isinstance(value, dict) and isinstance(value.get("code"), str) and contains in value["code"]:
            return str(value["code"]).strip("\n") + "\n"
    # Last, because a JSON object is also a Python module.
    bare = _bare_module(text, contains)
    if bare is not None:
        return bare
    raise AnswerError(
        "The code is not in a fenced block; answer with one ```python block that holds the whole module."
    )


def last_line(text: str) -> str:
    """Returns the last line that is not blank, without white space around it.

    Raises:
        AnswerError: Every line is blank.
    """
    lines = [line.strip() for line in _strip_thoughts(text).splitlines() if line.strip()]
    if not lines:
        raise AnswerError("The answer is empty.")
    return lines[-1]


def _strip_thoughts(text: str) -> str:
    return _THOUGHTS.sub("", text[:_MAX_CHARS])


def _hits(value: dict[str, Any], required: Sequence[str]) -> int:
    return sum(key in value for key in required)


def _json_candidates(text: str) -> Iterator[str]:
    yield text
    for match in _FENCE.finditer(text):
        yield match["body"]
    position = -1
    for _ in range(_MAX_STARTS):
        position = text.find("{", position + 1)
        if position < 0:
            return
        end = _balanced_end(text, position)
        if end is not None:
            yield text[position:end]
            position = end - 1


def _balanced_end(text: str, start: int) -> int | None:
    """Returns the index after the brace that closes the one at ``start``, braces in strings not counted."""
    depth = 0
    in_string = False
    i = start
    while i < len(text):
        c = text[i]
        if in_string:
            if c == "\\":
                i += 1
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return None


def _loads(text: str) -> Any:
    text = text.strip()
    if not text.startswith("{"):
        return None
    for form in (text, _without_trailing_commas(text)):
        try:
            return json.loads(form, strict=False)
        except (ValueError, RecursionError):
            continue
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _without_trailing_commas(text: str) -> str:
    # Strings are matched first and kept, so that a comma inside one is never touched.
    return re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda m: m[1] or "", text, flags=re.DOTALL)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _bare_module(text: str, contains: str) -> str | None:
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if contains in line)
    starts = [
        i
        for i, line in enumerate(lines[: first + 1])
        if re.match(r'(import |from |class |[A-Z_]+ *=|"""|#|r""")', line)
    ]
    for start in [0, *starts]:
        source = "\n".join(lines[start:]).strip("\n")
        if contains in source and _parses(source):
            return source + "\n"
    return None
