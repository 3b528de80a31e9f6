"""Published tables that can be computed again from public data: what they are to the hub.

A problem offers them in ``problems/<name>/tables.py`` as ``TABLES``, a sequence of :class:`Table`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.base import Score, WorkloadError
from problems.base import Problem, names

#: Where the value beside ours comes from: it is printed; it is read off a drawing; no paper prints it, and an
#: independent implementation gave it.
PUBLISHED, DRAWN, RERUN = "published", "drawn", "re-run"


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes:
        section: Part of the table; row and column are unique in it.
        row: Usually a policy.
        column: What is measured, on what.
        ours: The value computed here.
        other: The value to compare with, None if there is none.
        digits: Digits after the point that ``other`` is known to.
        exact: Whether ours must equal it to that digit.
        close: Largest difference that counts as close, None if nothing does.
        origin: Where ``other`` comes from: :data:`PUBLISHED`, :data:`DRAWN` or :data:`RERUN`.
    """

    section: str
    row: str
    column: str
    ours: float
    other: float | None
    digits: int
    exact: bool = False
    close: float | None = None
    origin: str = PUBLISHED

    @property
    def difference(self) -> float | None:
        """Ours minus the other, in the digits that are known: 0 means equal to the digit."""
        if self.other is None:
            return None
        return round(self.ours - self.other, self.digits) + 0.0  # no minus zero

    @property
    def far(self) -> bool | None:
        """Whether the difference is more than :attr:`close`; None if there is nothing to say."""
        if self.close is None or self.difference is None:
            return None
        return abs(self.difference) > self.close

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong: equal to the digit, if it must be."""
        return not self.exact or self.difference == 0

    def as_row(self) -> dict[str, Any]:
        """The cell as it stands in ``reproduce --json``; what no paper prints is not under ``published``."""
        row: dict[str, Any] = {"section": self.section, "row": self.row, "column": self.column}
        row |= {"ours": self.ours, "published": None, "difference": self.difference}
        if self.other is not None:
            row["rerun" if self.origin == RERUN else "published"] = self.other
            row["origin"] = self.origin
        if self.exact:
            row["holds"] = self.holds
        if self.far is not None:
            row["close"] = not self.far
        return row


class Table:
    """A table of a publication.

    Attributes:
        name: The name after ``table=``.
        problem: Name of the problem whose baselines it compares.
        title: One line.
        source: Sentences that say where the public data comes from and what ``traces=DIR`` must hold.
        policies: Ids of the baselines that the hub scores on :meth:`workloads`.
    """

    name: str
    problem: str
    title: str
    source: str
    policies: tuple[str, ...]

    def workloads(self, problem: Problem, folder: Path) -> Sequence[Any]:
        """The workloads of the table.

        Raises:
            WorkloadError: The folder does not hold them; one sentence.
        """
        raise NotImplementedError

    def cells(self, folder: Path, scores: Mapping[str, Sequence[Score]]) -> list[Cell]:
        """All numbers.

        Args:
            folder: As in :meth:`workloads`.
            scores: By policy, one a workload, in their order.
        """
        raise NotImplementedError

    def notes(self, cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]]) -> list[str]:
        """Sentences that say how the numbers are defined and why some differ."""
        raise NotImplementedError


def all_tables() -> dict[str, Table]:
    """The tables of all problems by name."""
    found: dict[str, Table] = {}
    for problem in names():
        if not (Path(__file__).parent / problem / "tables.py").is_file():
            continue
        module = importlib.import_module(f"problems.{problem}.tables")
        found |= {table.name: table for table in module.TABLES}
    return found


def locate(folder: Path, wanted: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """Find files that go by several names.

    Args:
        folder: Where to look.
        wanted: By id, the relative paths to try.

    Raises:
        WorkloadError: It is no folder, or a file is in none of its places.
    """
    if not folder.is_dir():
        raise WorkloadError(f"traces={folder} is not a folder")
    found = {}
    for id, paths in wanted.items():
        hit = next((folder / path for path in paths if (folder / path).is_file()), None)
        if hit is not None:
            found[id] = hit
    missing = [id for id in wanted if id not in found]
    if len(missing) == len(wanted):
        raise WorkloadError(f"{folder} holds none of the {len(wanted)} files wanted, such as {missing[0]}")
    if missing:
        raise WorkloadError(
            f"{folder} lacks {len(missing)} of the {len(wanted)} files wanted; the first is {missing[0]}"
        )
    return found
