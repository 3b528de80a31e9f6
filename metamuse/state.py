"""The state of a run: a fold over its journal.

Of a finished solution the numbers stay in memory (a few kilobytes); its texts and the details of its scores are
read again from the journal when they are asked for, so that a run of ten thousand ends as small as it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any

import numpy as np

from evaluators.base import FAILURE_CLASSES
from metamuse.calllog import CallLog
from metamuse.llm.store import Totals
from metamuse.place import Event, Place

#: Solutions that stay in memory as a whole, the latest first.
_LATEST = 64
#: Solutions that do once they were read again.
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Scores:
    """What was measured of one policy on the workloads of one set.

    Attributes:
        workloads: Names.
        values: The metric, one number a workload.
        which: The set.
        rows: What the evaluation answered, one mapping a workload; empty once ``place`` has it.
        place: Where the rows are read again, None while they are in memory.
    """

    workloads: tuple[str, ...]
    values: np.ndarray
    which: str
    rows: Sequence[dict[str, Any]]
    place: Place | None = None

    @property
    def answered(self) -> Sequence[dict[str, Any]]:
        """What the evaluation answered, one mapping a workload."""
        return self._rows()

    @property
    def mean(self) -> float:
        """Mean of the metric over the workloads."""
        return float(self.values.mean())

    @property
    def details(self) -> tuple[dict[str, float], ...]:
        """Further figures, one mapping a workload."""
        return tuple(r["details"] for r in self._rows())

    @property
    def timing(self) -> tuple[dict[str, float], ...]:
        """Figures that depend on the machine, one mapping a workload."""
        return tuple(r.get("timing", {}) for r in self._rows())

    @property
    def state_bytes(self) -> tuple[int, ...]:
        """Memory the policy kept, one number a workload; 0 if unknown."""
        return tuple(r.get("state_bytes", 0) for r in self._rows())

    def _rows(self) -> Sequence[dict[str, Any]]:
        return self.rows if self.place is None else _read_again(self.place).scores[self.which].rows

    def shelved(self, place: Place) -> Scores:
        """The same without the rows, which ``place`` has."""
        return Scores(self.workloads, self.values, self.which, (), place)

    @classmethod
    def of(cls, which: str, rows: list[dict[str, Any]]) -> Scores:
        """Read from the rows of an evaluation's answer."""
        names = tuple(r["workload"] for r in rows)
        values = np.array([r["value"] for r in rows], dtype=np.float64)
        return cls(_same_names(names), values, intern(which), rows)


@lru_cache(maxsize=64)
def _same_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """One tuple for all solutions that were scored on the same workloads."""
    return names


@dataclass(slots=True)
class Entry:
    """One row of the leaderboard: a solution, a baseline or a bound.

    Attributes:
        id: ``s0007``, or the id of the baseline or bound.
        kind: ``solution``, ``baseline``, ``tuned``, ``bound`` or ``incumbent``.
        name: What it is called.
        status: ``ok`` or a failure class.
        message: Why it failed.
        scores: By set of workloads.
        source: Text of the policy, "" for bounds.
        state_bytes: Most memory it kept on a workload.
        peak_mb: Most resident memory of a process that scored it, beyond the workloads, in MiB.
        of: Id of the policy whose constants were tuned to make this one, "" if it is not ``tuned``.
        discovered: Whether the search made it: a solution, or a tuned one.
        work: Loop iterations and calls of its most expensive calls (``max mean calls method``), if counted.
        structure: Hash of the program up to constants, "" if it has none.
        seconds: CPU seconds of scoring by stage.
        attempts: How many texts were tried.
        marks: By what duplicates of it are recognised (:mod:`metamuse.rejection`).
        rejected: Why it was not scored to the end: ``exact`` or ``behaviour`` (it is a duplicate), ``raced``; else "".
        duplicate_of: Id of the solution whose scores it took over, "" if it is no duplicate.
        unscored: Validation workloads left out over those run, if it was raced.
        data: Everything else that was recorded (stimuli, observations, design, attempts, …).
        place: Where ``source``, ``data`` and details of the scores are read again; None while they are in memory.
    """

    id: str
    kind: str
    name: str
    status: str
    message: str = ""
    scores: dict[str, Scores] = field(default_factory=dict)
    source: str = ""
    state_bytes: int | None = None
    peak_mb: float = 0.0
    of: str = ""
    discovered: bool = False
    work: dict[str, Any] | None = None
    structure: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    rejected: str = ""
    duplicate_of: str = ""
    unscored: float = 0.0
    data: dict[str, Any] = field(default_factory=dict)
    place: Place | None = None

    @property
    def ok(self) -> bool:
        """Whether it was scored."""
        return self.status == "ok"

    @property
    def decision_ns(self) -> float | None:
        """Median nanoseconds of a decision, None if it was not timed.

        On the hold-out workloads if it was scored there: in a search, policies share a driver that takes longer.
        """
        sets = [self.scores["holdout"]] if "holdout" in self.scores else self.scores.values()
        timed = [t["ns_per_decision"] for scores in sets for t in scores.timing if "ns_per_decision" in t]
        return float(np.median(timed)) if timed else None

    def shelve(self, place: Place) -> None:
        """Leave what is long to the journal."""
        self.place = place
        self.scores = {which: scores.shelved(place) for which, scores in self.scores.items()}
        del self.source, self.data

    def unshelve(self) -> None:
        """Keep everything in memory from now on, so that it can be changed."""
        if self.place is not None:
            whole = _read_again(self.place)
            self.scores = whole.scores | {k: v for k, v in self.scores.items() if k not in whole.scores}
            self.source, self.data, self.place = whole.source, dict(whole.data), None

    def __getattr__(self, name: str) -> Any:
        # Only what is not there comes here.
        if name in ("source", "data"):
            place: Place | None = object.__getattribute__(self, "place")
            if place is not None:
                return getattr(_read_again(place), name)
        raise AttributeError(name)


_TUNED = "-tuned"

#: What is kept of how a solution came about.
WAYPOINTS = (
    "stimuli", "target", "candidates", "observations", "mechanisms", "parents", "operator", "design", "attempts",
)  # fmt: skip


@dataclass
class RunState:
    """Everything that is known of a run.

    Attributes:
        config: The resolved configuration, from the journal's first event.
        requested: Solutions asked for; whoever goes on with a run may ask for another number.
        entries: Baselines, bounds and the incumbent by id.
        solutions: Solutions by number; a missing number is not finished.
        tuned: Tuned forms by the id of what was tuned.
        calls: One record an LLM call (``key purpose model tokens_in tokens_out cost_usd latency_s cached``).
        seconds: That processes worked on the run; a sleep of the machine does not count (macOS, Linux).
        spent: What the record of completions says was paid, attempts that brought no answer included; None if it was
            not asked.
        ended: Why the run ended ("" while it has not): ``done``, ``budget: …``.
    """

    config: dict[str, Any] = field(default_factory=dict)
    requested: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    solutions: dict[int, Entry] = field(default_factory=dict)
    tuned: dict[str, Entry] = field(default_factory=dict)
    calls: CallLog = field(default_factory=CallLog)
    workloads: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    began: float | None = None
    seconds: float = 0.0
    spent: Totals | None = None
    ended: str = ""
    _session_began: float | None = None
    _latest: dict[str, tuple[Entry, Place]] = field(default_factory=dict)

    @classmethod
    def fold(cls, events: Iterable[dict[str, Any]]) -> RunState:
        """Build the state from a journal's events."""
        state = cls()
        for event in events:
            state.apply(event)
        return state

    def apply(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        if self._session_began is not None and event["event"] != "session":
            self.seconds = self._seconds_before + _clock(event) - self._session_began
        handler = getattr(self, f"_on_{event['event']}", None)
        if handler is not None:
            handler(event)

    _seconds_before: float = 0.0

    def _on_run(self, event: dict[str, Any]) -> None:
        self.config = event["config"]
        self.requested = self.config.get("solutions", 0)
        self.began = event["at"]

    def _on_session(self, event: dict[str, Any]) -> None:
        # A new process goes on with the run: the time in between does not count.
        self._seconds_before = self.seconds
        self._session_began = _clock(event)
        self.requested = event.get("solutions", self.requested)
        self.ended = ""
        # What failed for no fault of its own is tried again; what the model answered is on record.
        self.solutions = {n: entry for n, entry in self.solutions.items() if entry.status != "infrastructure"}

    def _on_workloads(self, event: dict[str, Any]) -> None:
        self.workloads.update(event["workloads"])

    def _on_call(self, event: dict[str, Any]) -> None:
        self.calls.append(event)

    def _on_entry(self, event: dict[str, Any]) -> None:
        entry = self.entries.get(event["id"])
        if entry is None:
            entry = Entry(event["id"], event["kind"], event["name"], "ok", source=event.get("source", ""))
            self.entries[entry.id] = entry
        _take_outcome(entry, event)

    def _on_solution(self, event: dict[str, Any]) -> None:
        entry = self.solutions[event["number"]] = _solution(event)
        if isinstance(event, Event):
            # Whoever watches, and those who learn from it, want all of it soon; hardly anybody does later.
            self._latest[entry.id] = (entry, event.place)
            if len(self._latest) > _LATEST:
                latest, place = self._latest.pop(next(iter(self._latest)))
                latest.shelve(place)

    def _on_holdout(self, event: dict[str, Any]) -> None:
        entry = self._open(event["id"])
        if "shift_failure" in event:
            entry.data["shift_failure"] = event["shift_failure"]
        if event.get("failure"):
            # Not its status: what happens on the hold-out set selects nothing.
            entry.data["holdout_failure"] = event["failure"]
        else:
            _take_outcome(entry, event)

    def _on_tuned(self, event: dict[str, Any]) -> None:
        base = self.entry(event["of"])
        entry = Entry(f"{base.id}{_TUNED}", "tuned", f"{base.name} (tuned)", "ok", of=base.id)
        entry.discovered = base.discovered
        entry.data = {k: base.data[k] for k in WAYPOINTS if k in base.data}
        entry.data["trials"] = event["trials"]
        result = event.get("result") or {}
        entry.source = result.get("source", "")
        entry.data |= {
            k: result[k] for k in ("values", "gain", "default_gain", "failed_trials", "tried") if k in result
        }
        _take_outcome(entry, event)
        self.tuned[base.id] = entry

    def _on_metered(self, event: dict[str, Any]) -> None:
        self.entry(event["id"]).work = event["work"]

    def _on_simplified(self, event: dict[str, Any]) -> None:
        self._open(event["of"]).data["simplified"] = event.get("result") or {"failure": event["failure"]}

    def _on_watched(self, event: dict[str, Any]) -> None:
        result = event.get("result") or {"failure": event["failure"]}
        self._open(event["id"]).data["figures"] = result.get("figures", [])

    def _on_end(self, event: dict[str, Any]) -> None:
        self.ended = event["reason"]

    def entry(self, id: str) -> Entry:
        """The solution, baseline, bound or tuned policy of that id.

        Raises:
            KeyError: There is none.
        """
        if id in self.entries:
            return self.entries[id]
        if id.endswith(_TUNED):
            return self.tuned[id.removesuffix(_TUNED)]
        if id[:1] == "s" and id[1:].isdecimal() and int(id[1:]) in self.solutions:
            return self.solutions[int(id[1:])]
        raise KeyError(id)

    def _open(self, id: str) -> Entry:
        """The same, to be changed."""
        entry = self.entry(id)
        self._latest.pop(id, None)
        entry.unshelve()
        return entry

    # -- views

    def ordered(self) -> list[Entry]:
        """The finished solutions in logical order."""
        return [self.solutions[i] for i in sorted(self.solutions)]

    def executable(self) -> list[Entry]:
        """The solutions that were scored, in logical order."""
        return [s for s in self.ordered() if s.ok]

    def contenders(self) -> list[Entry]:
        """What the search has to offer: the executable solutions and their tuned forms."""
        return [*self.executable(), *(e for e in self.tuned.values() if e.discovered and e.ok)]

    def rivals(self) -> list[Entry]:
        """What contenders are compared with: baselines and the incumbent, as they are and tuned, by id."""
        given = [e for e in self.entries.values() if e.kind != "bound"]
        tuned = [e for e in self.tuned.values() if not e.discovered]
        return sorted([*given, *tuned], key=lambda e: e.id)  # they are scored in no particular order

    def bounds(self) -> list[Entry]:
        """Bounds: what knowing the future would reach."""
        return sorted((e for e in self.entries.values() if e.kind == "bound"), key=lambda e: e.id)

    def failures(self) -> dict[str, int]:
        """How many solutions failed, by class (classes without failures left out)."""
        counts = dict.fromkeys(FAILURE_CLASSES, 0)
        for solution in self.solutions.values():
            if not solution.ok:
                counts[solution.status] += 1
        return {kind: n for kind, n in counts.items() if n}


def _solution(event: dict[str, Any]) -> Entry:
    id = f"s{event['number']:04d}"
    entry = Entry(id, "solution", event["name"], "ok", source=event["source"], discovered=True)
    entry.data = {k: event[k] for k in WAYPOINTS if k in event}
    entry.attempts = len(event.get("attempts", ()))
    _take_outcome(entry, event)
    entry.rejected, entry.duplicate_of = event.get("duplicate", ""), event.get("duplicate_of", "")
    result = event.get("result") or {}
    entry.marks = {intern(kind): mark for kind, mark in result.get("marks", {}).items()}
    if "raced" in result:
        raced = entry.data["raced"] = result["raced"]
        entry.rejected, entry.unscored = "raced", raced["of"] / raced["scored"] - 1
    return entry


@lru_cache(maxsize=_REMEMBERED)
def _read_again(place: Place) -> Entry:
    return _solution(place.read())


def _clock(event: dict[str, Any]) -> float:
    """Seconds that differences can be taken of, within a session: the date may be set while a run goes on."""
    return float(event.get("clock", event["at"]))


def most_work(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The work of the most expensive call in rows of scores, None if it was not counted."""
    counted: list[dict[str, Any]] = [row["work"] for row in rows if "work" in row]
    return max(counted, key=lambda work: int(work["max"]), default=None)


def _take_outcome(entry: Entry, event: dict[str, Any]) -> None:
    entry.peak_mb = max(entry.peak_mb, event.get("peak_mb", 0.0))
    if event.get("failure"):
        entry.status, entry.message = event["failure"]
        return
    result = event["result"]
    for name, rows in result["scores"].items():
        entry.scores[intern(name)] = Scores.of(name, rows)
        if name == "validation":
            entry.work = most_work(rows) or entry.work
    if "seconds_scoring" in event:
        entry.data.setdefault("seconds_scoring", event["seconds_scoring"])
    for key in ("structure", "doc", "constants", "seconds"):
        if key in result:
            entry.data.setdefault(key, result[key])
    entry.structure = entry.structure or result.get("structure", "")
    entry.seconds = entry.seconds or {intern(k): v for k, v in result.get("seconds", {}).items()}
    if result.get("state_bytes") is not None:
        entry.state_bytes = max(result["state_bytes"], entry.state_bytes or 0)
