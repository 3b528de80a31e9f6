"""JSON instances: ``{name: {"capacity": c, "items": [...]}}``; further keys of an instance are ignored, except
that ``num_items``, where it is given, must be their number.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.binpacking import decimals
from evaluators.binpacking.instance import Instance, quoted, repeated

# How a number with a point or an exponent is kept: as it stands in the text, told from strings by its type.
_FRACTION = str.encode


class _ContentError(ValueError):
    """What is JSON to Python, but no instances."""


def read_json(path: str, data: bytes) -> list[Instance]:
    """All instances of a file's content.

    Raises:
        WorkloadError: It is not JSON, or not of this form.
    """
    try:
        content = json.loads(
            data, parse_float=_FRACTION, parse_constant=_refuse, object_pairs_hook=_without_repetition
        )
    except (UnicodeDecodeError, RecursionError):
        raise WorkloadError(f"{path}: not JSON in UTF-8 of ordinary depth") from None
    except json.JSONDecodeError as error:
        raise WorkloadError(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    except _ContentError as error:
        raise WorkloadError(f"{path}: {error}") from None
    except ValueError:  # Python's limit on the length of integers
        raise WorkloadError(f"{path}: a number in it has thousands of digits") from None
    if not content:
        raise WorkloadError(f"{path}: there are no instances in it")
    return [_instance(f"{path}#{name}", name, value) for name, value in content.items()]


def _instance(label: str, name: str, value: Any) -> Instance:
    if not isinstance(value, dict) or "capacity" not in value or not isinstance(value.get("items"), list):
        raise WorkloadError(f'{label}: expected {{"capacity": ..., "items": [...]}}, found {_kind(value)}')
    items = value["items"]
    if not items:
        raise WorkloadError(f"{label}: there are no items")
    claimed = value.get("num_items", len(items))
    if claimed != len(items):
        raise WorkloadError(f"{label}: num_items is {_kind(claimed)}, but there are {len(items):,} items")
    mantissas, shifts = _numbers(label, [value["capacity"], *items])
    return Instance(name, mantissas, shifts, lambda i: f"item {i + 1:,} of {len(items):,}")


def _numbers(label: str, numbers: list[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    kinds = set(map(type, numbers))
    if not kinds <= {int, bytes}:
        i, wrong = next((i, x) for i, x in enumerate(numbers) if type(x) not in (int, bytes))
        raise WorkloadError(f"{label}: {_place(i)} is {_kind(wrong)}, not a number")
    n = len(numbers)
    if kinds == {int}:
        try:
            return np.fromiter(numbers, dtype=np.int64, count=n), np.zeros(n, dtype=np.int64)
        except OverflowError:
            i = next(i for i, x in enumerate(numbers) if abs(x) > decimals.MAX)
            raise WorkloadError(f"{label}: {_place(i)} does not fit 64 bits") from None
    mantissas = np.zeros(n, dtype=np.int64)
    shifts = np.zeros(n, dtype=np.int64)
    words = (x if type(x) is bytes else b"%d" % x for x in numbers)
    text = np.frombuffer(b" ".join(words), dtype=np.uint8)
    done, _, code = decimals.parse(text, 0, mantissas, shifts)
    if code != decimals.OK:
        raise WorkloadError(f"{label}: {_place(done)} has more digits than 64 bits hold")
    return mantissas, shifts


def _place(i: int) -> str:
    return "the capacity" if i == 0 else f"item {i:,}"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(map(quoted, list(value)[:5])) or '(none)'}"
    if isinstance(value, list):
        return "a list"
    return quoted(value.decode() if isinstance(value, bytes) else json.dumps(value))


def _refuse(constant: str) -> None:
    raise _ContentError(f"{constant} is not a size")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = repeated([key for key, _ in pairs])
    if twice is not None:
        raise _ContentError(f"the key {quoted(twice)} occurs twice")
    return dict(pairs)
