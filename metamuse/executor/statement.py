"""What is said of containment at the start: never weaker without saying so."""

from __future__ import annotations

from collections.abc import Sequence


def in_force(layers: Sequence[str]) -> str:
    """A sentence for the start of a run; "" of an executor that states no layers.

    Args:
        layers: What :meth:`metamuse.executor.base.Executor.layers` states.
    """
    active = ", ".join(line.partition(":")[0] for line in layers if ": active (" in line)
    return f"candidates are contained by: {active} (config.yaml says what each does)" if active else ""


def missing(layers: Sequence[str]) -> str:
    """A sentence for the layers that are not in force; "" if all are."""
    absent = ", ".join(line.replace(": ABSENT", "") for line in layers if ": ABSENT (" in line)
    return f"candidates are contained less than they could be; absent: {absent}" if absent else ""
