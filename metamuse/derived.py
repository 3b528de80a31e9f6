"""What is derived from a run's journal while the run goes on: files, display, records elsewhere.

The journal is the run. None of these is worth ending one: trouble with them is told in a sentence, and
``report run=…`` writes them again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metamuse import rundir
from metamuse.errors import describe, tell
from metamuse.report.html import write_report
from metamuse.state import Entry, RunState
from problems.base import Problem

Observer = Callable[[RunState, dict[str, Any]], None]


def guarded(folder: Path, observer: Observer) -> Observer:
    """An observer that is told of no more events once it failed, instead of failing the run."""
    failed = False

    def observe(state: RunState, event: dict[str, Any]) -> None:
        nonlocal failed
        if not failed:
            failed = not _attempt(folder, lambda: observer(state, event))

    return observe


def solution_files(folder: Path) -> Observer:
    """Keeps ``solutions/<id>/`` up to date."""

    def write(state: RunState, event: dict[str, Any]) -> None:
        entry: Entry | None = None
        if event["event"] == "solution":
            entry = state.solutions[event["number"]]
        elif event["event"] == "tuned":
            entry = state.tuned[event["of"]]
        elif event["event"] == "holdout":
            entry = state.entry(event["id"])
        elif event["event"] == "simplified":
            entry = state.entry(event["of"])
        if entry is not None and entry.discovered:
            rundir.write_solution(folder, entry)

    return write


def settling() -> Observer:
    """Keeps what is loaded when the first solution is made out of later collections.

    Libraries (litellm, MLflow) are half a million objects that stay; looking for garbage among them stops the event
    loop for half a second each time.
    """
    settled = False

    def settle(state: RunState, event: dict[str, Any]) -> None:
        nonlocal settled
        if event["event"] == "solution" and not settled:
            settled = True
            gc.freeze()

    return settle


def write_solutions(state: RunState, folder: Path) -> bool:
    """Write ``solutions/<id>/`` where a killed process may have recorded without, and delete what it left half-written.

    Returns whether that worked.

    Those of solutions that are on the shelf (see :class:`metamuse.state.Entry`) never change: if the file that is
    written last is there, all are.
    """

    def write() -> None:
        for half in (*folder.glob("*.new"), *folder.glob("solutions/*/*.new")):
            half.unlink(missing_ok=True)
        for entry in [*state.ordered(), *state.tuned.values()]:
            there = (folder / "solutions" / entry.id / "scores.json").is_file()
            if entry.discovered and not (there and entry.place is not None):
                rundir.write_solution(folder, entry)

    return _attempt(folder, write)


def write_results(problem: Problem, state: RunState, folder: Path) -> bool:
    """Write tables, summary and report; whether all of that worked."""
    tables = _attempt(folder, lambda: rundir.write_results(problem, state, folder))
    return _attempt(folder, lambda: write_report(problem, state, folder)) and tables


def _attempt(folder: Path, write: Callable[[], object]) -> bool:
    try:
        write()
    except Exception as error:  # whatever it is: the search has been paid for, a view of it has not
        tell(
            f"{describe(error)}. Nothing is lost, the journal has everything: "
            f"python -m metamuse report run={folder} writes this again."
        )
        return False
    return True
