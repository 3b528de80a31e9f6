"""Duplicates: candidates that decide as a solution before them take over its scores.

A candidate is recognised by *marks*, computed in the jailed child: ``program``, a hash of its normalised text with the
values of its constants, before anything is compiled; ``behaviour``, a hash of all its decisions on the probes and the
feedback workloads, before any validation workload is run. Solution *i* is compared with the solutions it may learn
from, so that what is recognised does not depend on who finishes first.

Equal texts prove equal scores. Equal behaviour does not: of 6 pairs among 86 policies for bin packing that decide alike
on all feedback workloads, 3 differ on one of 24 validation workloads (by 0.1 points of excess). A duplicate by
behaviour keeps its own feedback scores, so the search goes the same way; its validation scores are an estimate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluators.base import Decisions
from metamuse.errors import UsageError
from metamuse.state import Entry, RunState

#: Values of ``search.duplicates`` with the marks that are looked at.
CHOICES = {"behaviour": ("program", "behaviour"), "exact": ("program",), "none": ()}
#: Hexadecimal digits of a mark: among 10,000 solutions two that differ share one by a chance of 2e-7.
LENGTH = 12


def choice(config: Mapping[str, Any]) -> str:
    """The setting ``search.duplicates``.

    Raises:
        UsageError: It is none of :data:`CHOICES`.
    """
    chosen = str(config["search"]["duplicates"])
    if chosen not in CHOICES:
        raise UsageError(f"search.duplicates={chosen} must be one of {', '.join(CHOICES)}.")
    return chosen


class Known:
    """What was scored, for those who come after.

    Args:
        choice: One of :data:`CHOICES`.
    """

    def __init__(self, choice: str) -> None:
        self._marks: dict[str, list[str]] = {kind: [] for kind in CHOICES[choice]}
        self._ends = [dict.fromkeys(self._marks, 0)]
        self._first: dict[tuple[str, str], str] = {}

    def payload(self, seen: Sequence[Entry]) -> dict[str, Any]:
        """What a candidate's task is given: the marks of those it may know, without separators.

        Args:
            seen: The solutions it may learn from: the first so many in logical order.
        """
        for entry in seen[len(self._ends) - 1 :]:
            self._add(entry)
        ends = self._ends[len(seen)]
        return {"known": {kind: "".join(marks[: ends[kind]]) for kind, marks in self._marks.items()}}

    def _add(self, entry: Entry) -> None:
        for kind, marks in self._marks.items():
            mark = entry.marks.get(kind) if entry.ok else None
            if mark and (kind, mark) not in self._first:
                self._first[kind, mark] = entry.id
                marks.append(mark)
        self._ends.append({kind: len(marks) for kind, marks in self._marks.items()})

    def take_over(self, result: dict[str, Any], state: RunState) -> dict[str, Any]:
        """Complete the answer for a duplicate by what was measured of its original.

        Args:
            result: With ``duplicate``, which is taken out: the kind of mark and the mark.
            state: Holds the original.

        Returns:
            Further fields of the journal event: ``duplicate`` and ``duplicate_of``.
        """
        kind, mark = result.pop("duplicate")
        original = state.entry(self._first[kind, mark])
        same_text = kind == "program"
        # What another text of the same decisions keeps in memory, and what either takes now, nobody measured.
        dropped = {"timing"} if same_text else {"timing", "state_bytes"}
        own = result.get("scores", {})
        result["scores"] = own | {
            which: [{k: v for k, v in row.items() if k not in dropped} for row in scores.answered]
            for which, scores in original.scores.items()
            if which in ("feedback", "validation") and which not in own
        }
        result["state_bytes"] = original.state_bytes if same_text else None
        return {"duplicate": "exact" if same_text else "behaviour", "duplicate_of": original.id}


class Screen:
    """The child's side of :class:`Known`.

    Args:
        known: What the task was given, None if nothing.
    """

    def __init__(self, known: Mapping[str, str] | None) -> None:
        self._known = {
            kind: {text[i : i + LENGTH] for i in range(0, len(text), LENGTH)}
            for kind, text in (known or {}).items()
        }

    def duplicate(self, marks: Mapping[str, str]) -> dict[str, Any]:
        """``duplicate`` (a kind of mark and the mark) if one of the marks is known, else nothing."""
        for kind, mark in marks.items():
            if mark in self._known.get(kind, ()):
                return {"duplicate": [kind, mark]}
        return {}


def mark(decisions: Iterable[Decisions | None]) -> str:
    """A hash of what was decided on some workloads; "" if a simulator keeps no decisions."""
    sha = hashlib.sha256()
    for made in decisions:
        if made is None:
            return ""
        sha.update(f"{made.count}:{made.digest};".encode())
    return sha.hexdigest()[:LENGTH]


def spared(state: RunState) -> tuple[dict[str, int], float]:
    """How many solutions were not scored to the end, by reason, and about how many seconds of one core that saved.

    A duplicate saves what its original took; a race lost, the rest of its workloads at the mean time of those run.
    """
    counts = dict.fromkeys(("exact", "behaviour", "raced"), 0)
    seconds = 0.0
    for entry in state.solutions.values():
        if entry.rejected:
            counts[entry.rejected] += 1
        if entry.duplicate_of:
            original = state.entry(entry.duplicate_of)
            seconds += max(0.0, sum(original.seconds.values()) - sum(entry.seconds.values()))
        seconds += entry.seconds.get("score_validation", 0.0) * entry.unscored
    return counts, seconds
