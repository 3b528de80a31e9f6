"""The state of a run: a fold over its journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluators.base import FAILURE_CLASSES


@dataclass(frozen=True)
class Scores:
    """What was measured of one policy on the workloads of one set.

    Attributes:
        workloads: Names.
        values: The metric, one number a workload.
        details: Further figures, one mapping a workload.
        timing: Figures that depend on the machine, one mapping a workload.
        state_bytes: Memory the policy kept, one number a workload; 0 if unknown.
    """

    workloads: tuple[str, ...]
    values: np.ndarray
    details: tuple[dict[str, float], ...]
    timing: tuple[dict[str, float], ...]
    state_bytes: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Mean of the metric over the workloads."""
        return float(self.values.mean())

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> Scores:
        """Read from the rows of an evaluation's answer."""
        return cls(
            tuple(r["workload"] for r in rows),
            np.array([r["value"] for r in rows], dtype=np.float64),
            tuple(r["details"] for r in rows),
            tuple(r.get("timing", {}) for r in rows),
            tuple(r.get("state_bytes", 0) for r in rows),
        )


@dataclass
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
        of: Id of the policy whose constants were tuned to make this one, "" if it is not ``tuned``.
        discovered: Whether the search made it: a solution, or a tuned one.
        work: Loop iterations and calls of its most expensive calls (``max mean calls method``), if counted.
        data: Everything else that was recorded (stimuli, observations, design, attempts, seconds, …).
    """

    id: str
    kind: str
    name: str
    status: str
    message: str = ""
    scores: dict[str, Scores] = field(default_factory=dict)
    source: str = ""
    state_bytes: int | None = None
    of: str = ""
    discovered: bool = False
    work: dict[str, Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was scored."""
        return self.status == "ok"


#: What is kept of how a solution came about.
_WAYPOINTS = ("stimuli", "target", "candidates", "observations", "design", "attempts", "seconds_llm")


@dataclass
class RunState:
    """Everything that is known of a run.

    Attributes:
        config: The resolved configuration, from the journal's first event.
        entries: Baselines, bounds and the incumbent by id.
        solutions: Solutions by number; a missing number is not finished.
        tuned: Tuned forms by the id of what was tuned.
        calls: One record an LLM call (``key purpose model tokens_in tokens_out cost_usd latency_s cached``).
        sessions: Seconds each process worked on the run.
        ended: Why the run ended ("" while it has not): ``done``, ``budget: …``.
    """

    config: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    solutions: dict[int, Entry] = field(default_factory=dict)
    tuned: dict[str, Entry] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    workloads: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    began: float | None = None
    seconds: float = 0.0
    ended: str = ""
    _session_began: float | None = None

    @classmethod
    def fold(cls, events: Iterable[dict[str, Any]]) -> RunState:
        """Build the state from a journal's events."""
        state = cls()
        for event in events:
            state.apply(event)
        return state

    def apply(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        at = event["at"]
        if self._session_began is not None and event["event"] != "session":
            self.seconds = self._seconds_before + at - self._session_began
        handler = getattr(self, f"_on_{event['event']}", None)
        if handler is not None:
            handler(event)

    _seconds_before: float = 0.0

    def _on_run(self, event: dict[str, Any]) -> None:
        self.config = event["config"]
        self.began = event["at"]

    def _on_session(self, event: dict[str, Any]) -> None:
        # A new process goes on with the run: the time in between does not count.
        self._seconds_before = self.seconds
        self._session_began = event["at"]
        self.ended = ""

    def _on_workloads(self, event: dict[str, Any]) -> None:
        self.workloads.update(event["workloads"])

    def _on_call(self, event: dict[str, Any]) -> None:
        self.calls.append({k: v for k, v in event.items() if k not in ("event", "at")})

    def _on_entry(self, event: dict[str, Any]) -> None:
        entry = self.entries.get(event["id"])
        if entry is None:
            entry = Entry(event["id"], event["kind"], event["name"], "ok", source=event.get("source", ""))
            self.entries[entry.id] = entry
        _take_outcome(entry, event)

    def _on_solution(self, event: dict[str, Any]) -> None:
        id = f"s{event['number']:04d}"
        entry = Entry(id, "solution", event["name"], "ok", source=event["source"], discovered=True)
        entry.data = {k: event[k] for k in _WAYPOINTS if k in event}
        _take_outcome(entry, event)
        self.solutions[event["number"]] = entry

    def _on_holdout(self, event: dict[str, Any]) -> None:
        entry = self.entry(event["id"])
        if "shift_failure" in event:
            entry.data["shift_failure"] = event["shift_failure"]
        if event.get("failure"):
            # Not its status: what happens on the hold-out set selects nothing.
            entry.data["holdout_failure"] = event["failure"]
        else:
            _take_outcome(entry, event)

    def _on_tuned(self, event: dict[str, Any]) -> None:
        base = self.entry(event["of"])
        entry = Entry(f"{base.id}-tuned", "tuned", f"{base.name} (tuned)", "ok", of=base.id)
        entry.discovered = base.discovered
        entry.data = {k: base.data[k] for k in _WAYPOINTS if k in base.data}
        entry.data["trials"] = event["trials"]
        result = event.get("result") or {}
        entry.source = result.get("source", "")
        entry.data |= {
            k: result[k] for k in ("values", "gain", "default_gain", "failed_trials") if k in result
        }
        _take_outcome(entry, event)
        self.tuned[base.id] = entry

    def _on_metered(self, event: dict[str, Any]) -> None:
        self.entry(event["id"]).work = event["work"]

    def _on_end(self, event: dict[str, Any]) -> None:
        self.ended = event["reason"]

    def entry(self, id: str) -> Entry:
        """The solution, baseline, bound or tuned policy of that id.

        Raises:
            KeyError: There is none.
        """
        if id in self.entries:
            return self.entries[id]
        for entry in [*self.solutions.values(), *self.tuned.values()]:
            if entry.id == id:
                return entry
        raise KeyError(id)

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


def most_work(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The work of the most expensive call in rows of scores, None if it was not counted."""
    counted: list[dict[str, Any]] = [row["work"] for row in rows if "work" in row]
    return max(counted, key=lambda work: int(work["max"]), default=None)


def _take_outcome(entry: Entry, event: dict[str, Any]) -> None:
    if event.get("failure"):
        entry.status, entry.message = event["failure"]
        return
    result = event["result"]
    for name, rows in result["scores"].items():
        entry.scores[name] = Scores.of(rows)
        if name == "validation":
            entry.work = most_work(rows) or entry.work
    if "seconds_scoring" in event:
        entry.data.setdefault("seconds_scoring", event["seconds_scoring"])
    for key in ("structure", "doc", "constants", "seconds"):
        if key in result:
            entry.data.setdefault(key, result[key])
    if result.get("state_bytes") is not None:
        entry.state_bytes = max(result["state_bytes"], entry.state_bytes or 0)
