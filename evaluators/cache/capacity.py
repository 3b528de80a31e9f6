"""Cache capacities as people write them: a share of the trace, a number of objects, or bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

SizeMode = Literal["unit", "bytes"]

_UNITS = {"b": 1}
_UNITS |= {f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)}
_UNITS |= {f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)}
_NUMBER = re.compile(r"(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_HELP = "write a share such as 0.1 or 10%, a number of objects such as 1000, or bytes such as 512MiB"


class CapacityError(ValueError):
    """A capacity cannot be understood, or does not fit the size mode; the message is one sentence."""


@dataclass(frozen=True)
class Capacity:
    """A parsed capacity, not yet applied to a trace.

    Attributes:
        kind: `share` of the trace's distinct objects (or of its footprint in bytes), `objects` or `bytes`.
        value: The share in (0, 1], or a count of at least 1. Exact: 29 % of 100 objects is 29, which the
            floating-point product 0.29 * 100 would floor to 28.
        text: What the user wrote, for messages.
    """

    kind: Literal["share", "objects", "bytes"]
    value: Fraction
    text: str

    def resolve(self, mode: SizeMode, *, n_objects: int, footprint: int, rate: float = 1.0) -> int:
        """Returns the capacity in objects (`unit`) or bytes (`bytes`): floored, at least 1.

        Args:
            mode: `unit` if every object counts 1, `bytes` if objects count their size.
            n_objects: Distinct objects of the trace.
            footprint: Sum of the objects' sizes in bytes; used in mode `bytes` only.
            rate: Share of the objects that the trace is a sample of; a count is multiplied by it.

        Raises:
            CapacityError: A number of objects in byte mode, or bytes in unit mode.
        """
        if mode not in ("unit", "bytes"):
            raise CapacityError(f"unknown size mode {mode!r}: it is 'unit' or 'bytes'")
        if self.kind == "share":
            whole = n_objects if mode == "unit" else footprint
            return max(1, int(self.value * whole))
        if self.kind == "bytes" and mode == "unit":
            raise CapacityError(
                f"capacity {self.text!r} is in bytes, but sizes are ignored (sizes=unit): "
                "set sizes=bytes, or give a share or a number of objects"
            )
        if self.kind == "objects" and mode == "bytes":
            raise CapacityError(
                f"capacity {self.text!r} is a number of objects, but sizes count (sizes=bytes): "
                f"give a share such as 10%, or bytes such as {self.text}B"
            )
        return max(1, int(self.value * Fraction(rate)))


def parse_capacity(text: str | int | float) -> Capacity:
    """Reads a capacity.

    `0.1` and `10%` are shares, `1000` is a number of objects, `512MiB` or `2GB` bytes (units B, KB, MB, GB,
    TB of 1000 and KiB, MiB, GiB, TiB of 1024, any case). A number with a decimal point or an exponent is
    a share, so `1.0` is the whole trace and `1` is one object.

    Raises:
        CapacityError: It is none of these, not above zero, or a share above 1.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise CapacityError(f"capacity {text!r} is not a number or text: {_HELP}")
    shown = str(text).strip()
    match = _NUMBER.match(shown)
    if match is None:
        raise CapacityError(f"capacity {shown!r} is not a positive number: {_HELP}")
    # Fraction reads the decimal digits exactly; str(float) is the shortest text that means this float.
    number = Fraction(match.group(0).replace("_", "").rstrip("."))
    unit = shown[match.end() :].strip().lower()
    written_as_integer = match.group(0).replace("_", "").isdigit()
    if number <= 0:
        raise CapacityError(f"capacity {shown!r} must be above zero: {_HELP}")
    if unit == "%" or (unit == "" and not written_as_integer):
        share = number / 100 if unit else number
        if share > 1:
            raise CapacityError(f"capacity {shown!r} is a share above 100%: {_HELP}")
        return Capacity("share", share, shown)
    if unit == "":
        return Capacity("objects", number, shown)
    if unit not in _UNITS:
        raise CapacityError(f"capacity {shown!r} has the unknown unit {unit!r}: {_HELP}")
    n_bytes = int(number * _UNITS[unit])
    if n_bytes < 1:
        raise CapacityError(f"capacity {shown!r} is less than one byte: {_HELP}")
    return Capacity("bytes", Fraction(n_bytes), shown)
