"""What one check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: Faults that are written out; the others are counted.
_SHOWN = 4


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        id: Short name, the same for every problem.
        text: What the check demands, in one sentence.
        holds: Whether it does.
        message: What is wrong, or why the check does not apply ("" otherwise).
        figures: Numbers and outcomes worth reading.
    """

    id: str
    text: str
    holds: bool
    message: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``figures`` only if there are any."""
        out = {"id": self.id, "text": self.text, "holds": self.holds, "message": self.message}
        return out | ({"figures": self.figures} if self.figures else {})


def found(id: str, text: str, faults: Sequence[str], **figures: Any) -> Finding:
    """The finding of a check that holds if there are no faults."""
    shown = list(faults[:_SHOWN])
    if len(faults) > _SHOWN:
        shown.append(f"and {len(faults) - _SHOWN} more")
    return Finding(id, text, not faults, "; ".join(shown), figures)


def not_applicable(id: str, text: str, why: str) -> Finding:
    """The finding of a check that has nothing to look at: said, never passed over."""
    return Finding(id, text, True, f"not applicable: {why}")
