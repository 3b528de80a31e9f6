"""``reproduce table=… traces=…``: compute a published table again from public data."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metamuse import config
from metamuse.cli import Invocation
from metamuse.cli.tables import table as aligned
from metamuse.errors import UsageError

if TYPE_CHECKING:
    from problems.tables import Cell, Table


def run(invocation: Invocation) -> int:
    """Compute and print the table; 1 if a number that must equal the published one to the digit does not."""
    settings = config.compose(invocation.overrides)
    from evaluators.base import WorkloadError
    from metamuse import tables
    from problems.tables import all_tables

    if settings["table"] is None:
        raise UsageError(f"reproduce needs table=<name>; there are {', '.join(all_tables())}.")
    table = tables.find(str(settings["table"]))
    if settings["traces"] is None:
        raise UsageError(f"reproduce table={table.name} needs traces=<folder of its data>. {table.source}")
    settings = _of_problem(table.problem, invocation.overrides)
    folder = Path(str(settings["traces"])).expanduser()
    progress = _Progress(table, quiet=invocation.quiet or bool(settings["quiet"]))
    try:
        scores = tables.score(settings, table, folder, progress.scored)
        cells = table.cells(folder, scores)
    except WorkloadError as error:
        raise UsageError(str(error)) from None
    except tables.TableFailed as error:
        print(f"metamuse: {error}", file=sys.stderr)
        return 1
    progress.done()
    if invocation.json:
        head = {"table": table.name, "problem": table.problem, "source": table.source}
        print(json.dumps(head | {"rows": [cell.as_row() for cell in cells]}))
    else:
        print(text(table, cells, table.notes(cells, scores)))
    return 0 if all(cell.holds for cell in cells) else 1


def _of_problem(problem: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The settings, composed for the table's problem.

    Raises:
        UsageError: Another problem was named.
    """
    named = [override for override in overrides if override.startswith("problem=")]
    if named and named[-1] != f"problem={problem}":
        raise UsageError(f"This table belongs to problem={problem}; drop {named[-1]}.")
    return config.compose(overrides if named else [f"problem={problem}", *overrides])


class _Progress:
    """Says on standard error how far the computation is."""

    def __init__(self, table: Table, quiet: bool) -> None:
        self.table = table
        self.quiet = quiet
        self.began = time.monotonic()
        self.finished = 0
        self._say(f"reading the data of {table.name} and scoring {len(table.policies)} baselines")

    def scored(self, policy: str) -> None:
        self.finished += 1
        self._say(f"{policy} scored ({self.finished} of {len(self.table.policies)})")

    def done(self) -> None:
        self._say("done")

    def _say(self, what: str) -> None:
        if not self.quiet:
            print(f"{time.monotonic() - self.began:6.1f} s  {what}", file=sys.stderr, flush=True)


def text(table: Table, cells: Sequence[Cell], notes: Iterable[str]) -> str:
    """The table for a person: sections, rows with ours, the published values and the differences, notes."""
    import textwrap

    parts = [table.title]
    for section in dict.fromkeys(cell.section for cell in cells):
        chosen = [cell for cell in cells if cell.section == section]
        columns = list(dict.fromkeys(cell.column for cell in chosen))
        body: list[list[str]] = []
        for row in dict.fromkeys(cell.row for cell in chosen):
            body += _lines(row, columns, {cell.column: cell for cell in chosen if cell.row == row})
        numbers = set(range(2, len(columns) + 2))
        parts.append(aligned([section, "", *columns], body, numbers))
    exact = [cell for cell in cells if cell.exact]
    wrong = [cell for cell in exact if not cell.holds]
    verdict = f"{len(exact) - len(wrong)} of {len(exact)} numbers that must be equal to the digit are."
    if wrong:
        verdict += " These are not: " + "; ".join(f"{c.section}, {c.row}, {c.column}" for c in wrong) + "."
    lines = [textwrap.fill(line, 110) for line in (*notes, verdict)]
    return "\n\n".join([*parts, "\n".join(lines)])


def _lines(row: str, columns: Sequence[str], cells: dict[str, Cell]) -> list[list[str]]:
    """One line if everything is equal to the digit, else ours, the values to compare with, the differences."""
    from problems.tables import RERUN

    rerun = {cell.origin for cell in cells.values() if cell.other is not None} == {RERUN}
    beside = "re-run" if rerun else "published"
    ours, other, difference = [], [], []
    for column in columns:
        cell = cells.get(column)
        ours.append("" if cell is None else _number(cell, cell.ours))
        if cell is None or cell.other is None or cell.difference is None:
            other.append("")
            difference.append("")
            continue
        shown = _number(cell, cell.other)
        other.append(f"({shown})" if cell.origin == RERUN else shown)
        sign = "+" if cell.difference > 0 else ""
        mark = "*" if cell.far else ""
        difference.append(f"{sign}{_number(cell, cell.difference)}{mark}" if cell.difference else "=")
    if set(difference) == {"="}:
        return [[row, f"= {beside}", *other]]
    return [[row, "ours", *ours], ["", beside, *other], ["", "difference", *difference]]


def _number(cell: Cell, value: float) -> str:
    return f"{round(value, cell.digits) + 0.0:.{cell.digits}f}"  # adding 0 makes minus zero zero
