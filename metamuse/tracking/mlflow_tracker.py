"""``tracking=mlflow``: one MLflow run a run directory, children for the finalists.

Everything happens in one thread of its own, fed by a queue: importing MLflow takes about four seconds of CPU and
making a database three, and SQLite wants a single writer. Solutions become steps of metrics, in logical order
and in batches, not runs: MLflow's lists do not carry thousands of children.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from metamuse import accounting, ranking
from metamuse.errors import UsageError, describe, tell
from metamuse.report.verdict import verdict
from metamuse.state import Entry, RunState
from metamuse.tally import Tally
from metamuse.tracking import content, traces
from metamuse.tracking.store import MlflowStore
from problems.base import Problem

#: Metrics are written when this many wait (MLflow takes 1,000 at once), or after FLUSH_SECONDS.
BATCH = 900
FLUSH_SECONDS = 2.0
#: How long the end of a run may wait for the record.
PATIENCE_SECONDS = 60.0
#: Pauses before a server or database that was away is tried again, the first and the longest.
PAUSE_SECONDS = (2.0, 30.0)

#: A finished solution or an answer of the model.
Item = Entry | dict[str, Any]


class MlflowTracker:
    """Writes a run into MLflow as it happens.

    Args:
        uri: Tracking URI.
        artifacts: URI below which artifacts go; None leaves it to the server.
    """

    def __init__(self, uri: str, artifacts: str | None) -> None:
        self.uri = uri
        self.artifacts = artifacts
        self.trouble = ""
        self._over = threading.Event()
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, problem: Problem, state: RunState, folder: Path) -> None:
        # The thread reads the state of a run that goes on, so it is told what it may look at.
        known: list[Entry | int] = [*range(len(state.calls)), *state.ordered()]
        self._calls = len(state.calls)
        self._about = (problem, state, folder)
        self._thread = threading.Thread(target=self._work, args=(known,), name="mlflow", daemon=True)
        self._thread.start()

    def event(self, state: RunState, event: dict[str, Any]) -> None:
        if event["event"] == "solution":
            self._queue.put(state.solutions[event["number"]])
        elif event["event"] == "call":
            self._queue.put(event)

    def finish(self, state: RunState) -> None:
        if self._thread is None:
            return
        self._over.set()
        self._queue.put(None)
        self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            self.trouble = f"it was not finished within {PATIENCE_SECONDS:.0f} s"
        if self.trouble:
            *_, run = self._about
            tell(
                f"The MLflow record of this run is incomplete: {self.trouble}. Nothing else is affected; "
                f"python -m metamuse report run={run} writes it again."
            )

    def _work(self, known: list[Entry | int]) -> None:
        pause, longest = PAUSE_SECONDS
        while not self._over.is_set():
            try:
                self._follow(known)
                return
            except Exception as error:  # whatever MLflow or its database raises must not reach the run
                self.trouble = describe(error)
            # A server that was killed, a database that was locked or deleted: it may be there again soon, and what
            # comes meanwhile waits in the queue.
            self._over.wait(pause)
            pause = min(2 * pause, longest)
        # The run is over; then the state has it all.
        try:
            _write(_Writer(self.uri, self.artifacts, *self._about), again=False)
            self.trouble = ""
        except Exception as error:  # as above
            self.trouble = describe(error)

    def _follow(self, known: list[Entry | int]) -> None:
        """Write events as they come, until the run is over.

        Args:
            known: What came before, answers of the model by their number; grows by what comes.
        """
        _, state, _ = self._about
        writer = _Writer(self.uri, self.artifacts, *self._about)
        writer.open(item if isinstance(item, Entry) else state.calls[item] for item in known)
        self.trouble = ""
        while True:
            try:
                item = self._queue.get(timeout=FLUSH_SECONDS)
            except queue.Empty:
                writer.flush()
                continue
            if item is None:
                break
            if isinstance(item, Entry):
                known.append(item)
            else:
                known.append(self._calls)
                self._calls += 1
            writer.take(item)
        writer.close()


def rebuild(uri: str, artifacts: str | None, problem: Problem, state: RunState, folder: Path) -> None:
    """Write the MLflow record of a run from its state, in place of what there is.

    Raises:
        UsageError: The database cannot be written.
    """
    try:
        _write(_Writer(uri, artifacts, problem, state, folder), again=True)
    except Exception as error:  # MLflow and SQLAlchemy raise many kinds; the user gets one sentence
        raise UsageError(
            f"The MLflow record cannot be written to {uri}: {describe(error)}. If the database is damaged, move it "
            "away: a new one is made, and report run=… writes each run into it."
        ) from error


def _write(writer: _Writer, again: bool) -> None:
    """Write the whole record of a run that nobody works on."""
    writer.open(chain(writer.state.calls, writer.state.ordered()), again)
    writer.close()


class _Writer:
    """The MLflow record of one run. All methods are called from one thread."""

    def __init__(
        self, uri: str, artifacts: str | None, problem: Problem, state: RunState, folder: Path
    ) -> None:
        self.uri = uri
        self.artifacts = artifacts
        self.problem = problem
        self.state = state
        self.folder = folder
        self.tally = Tally(problem)
        self._waiting: dict[int, Entry] = {}
        self._steps: list[list[tuple[str, float, int, int]]] = []
        self._next_step = 0
        self._logged: set[int] = set()
        self._curves: set[str] = set()
        self._flushed = time.monotonic()

    def open(self, known: Iterable[Item], again: bool = False) -> None:
        """Find or make the MLflow run, and write what is known already.

        Args:
            known: What has come so far.
            again: Begin a new record even if there is one.
        """
        experiment = f"metamuse/{self.problem.name}"
        self.store = MlflowStore(self.uri, self.artifacts, experiment, self.problem.name)
        name = self.folder.name
        found = self.store.find(name)
        if found is not None and again:
            self.store.delete(found)
            found = None
        if found is None:
            self.run = self.store.create(
                name, content.tags(self.problem, self.state, self.folder), self.state.began
            )
        else:
            self.run = found
            self.store.reopen(found)
            self._logged = self.store.steps(found, "executable")
        # Also of a run that is known: a killed process may have made it without them.
        self.store.parameters(self.run, content.parameters(self.state.config))
        for item in known:
            self.take(item)

    def take(self, item: Item) -> None:
        """Take in a finished solution or an answer of the model."""
        if not isinstance(item, Entry):
            self.tally.add_call(item)
            return
        # Steps follow the logical order: a solution waits for those before it.
        self._waiting[int(item.id[1:])] = item
        while self._next_step in self._waiting:
            self._step(self._next_step, self._waiting.pop(self._next_step))
            self._next_step += 1
        if sum(map(len, self._steps)) >= BATCH or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def _step(self, number: int, entry: Entry) -> None:
        gain = self.tally.add(self.state, entry)
        tally = self.tally
        values: dict[str, float | None] = {
            "usefulness": gain,
            "best_validation_gain": tally.best_gain,
            "executable": tally.executable,
            "distinct": tally.distinct,
            **{f"distinct_{tolerance}": n for tolerance, n in tally.distinct_at.items()},
            "mean_distance": tally.mean_distance,
            "mean_nearest": tally.mean_nearest,
            "entropy": tally.entropy,
            "coverage": tally.coverage,
            "best_gap_closed": tally.best_gap_closed,
            "tokens": tally.tokens,
            "cost_usd": tally.cost_usd,
            **{f"failed_{kind}": n for kind, n in tally.failed.items()},
        }
        now = int(time.time() * 1000)
        known = {key: float(value) for key, value in values.items() if value is not None}
        self._curves |= known.keys()
        if number in self._logged:
            return
        self._steps.append([(key, value, now, number) for key, value in known.items()])

    def flush(self) -> None:
        """Write the metrics that wait.

        A step is written as a whole or not at all: of one that has some of its metrics nobody would know later that
        others are missing.
        """
        self._flushed = time.monotonic()
        while self._steps:
            batch: list[tuple[str, float, int, int]] = []
            taken = 0
            while taken < len(self._steps) and (not batch or len(batch) + len(self._steps[taken]) <= BATCH):
                batch += self._steps[taken]
                taken += 1
            self.store.metrics(self.run, batch)
            del self._steps[:taken]

    def close(self) -> None:
        """Write what is known at the end: late solutions, tables, finalists, workloads, the outcome."""
        store, problem, state = self.store, self.problem, self.state
        if state.ended:
            # A budget may leave gaps in the numbers. What an interruption leaves behind a gap is written, in
            # its order, when the run goes on.
            for number in sorted(self._waiting):
                self._step(number, self._waiting[number])
        self.flush()
        self._outcome()
        for name, table in content.solutions(problem, state):
            store.table(self.run, name, table)
        store.table(self.run, "baselines.json", content.rivals(problem, state))
        for name in ("summary.json", "leaderboard.csv", "config.yaml", "report.html"):
            if (self.folder / name).is_file():
                store.file(self.run, self.folder / name)
        for which, rows in state.workloads.items():
            digest = hashlib.sha256("".join(r["digest"] for r in rows).encode()).hexdigest()[:16]
            store.dataset(self.run, f"{problem.name} {which}", digest, [r["name"] for r in rows], which)
        best = ranking.best(problem, state)
        for entry in content.finalists(state):
            child = self._finalist(entry)
            if best is not None and entry.id == best.id:
                words = "\n\n".join(verdict(problem, state))
                store.register(
                    content.model_name(problem), child, content.winner_tags(problem, state, best), words
                )
        store.end(self.run, _status(state), state.ended or "not finished")

    def _outcome(self) -> None:
        """Put the answer where MLflow's list of runs shows it."""
        best = ranking.best(self.problem, self.state)
        if best is None:
            return
        figures = content.figures(self.problem, self.state, best)
        now = int(time.time() * 1000)
        final = {f"best_{key}": value for key, value in figures.items() if key != "validation_gain"}
        # What has a curve already ends with the same value.
        spread = accounting.scalars(accounting.account(self.problem, self.state))
        final |= {key: value for key, value in spread.items() if key not in self._curves}
        self.store.metrics(self.run, [(key, value, now, 0) for key, value in final.items()])
        self.store.tag(self.run, "best", f"{best.id} {best.name}")
        self.store.tag(self.run, "mlflow.note.content", "\n\n".join(verdict(self.problem, self.state)))

    def _finalist(self, entry: Entry) -> str:
        name = f"{entry.id} {entry.name}"
        child = self.store.child(self.run, entry.id, name, {"problem": self.problem.version})
        now = int(time.time() * 1000)
        figures = content.figures(self.problem, self.state, entry)
        self.store.metrics(child, [(key, value, now, 0) for key, value in figures.items()])
        self.store.table(child, "workloads.json", content.by_workload(self.problem, self.state, entry))
        for file in ("policy.py", "waypoints.json", "design.json", "scores.json"):
            path = self.folder / "solutions" / entry.id / file
            if path.is_file():
                self.store.file(child, path)
        calls = traces.spans(self.state, entry)
        if calls and not self.store.traced(child):
            self.store.trace(
                child,
                name,
                calls,
                {"stimuli": entry.data.get("stimuli", [])},
                content.outcome(entry, figures),
            )
            self.store.finish_traces()
            if not self.store.traced(child):
                raise ConnectionError(f"the trace of {entry.id} did not arrive")  # MLflow only logs that
        self.store.end(child, "FINISHED", "")
        return child


def _status(state: RunState) -> str:
    """MLflow's word for how the run ended; an unfinished run can be resumed."""
    if state.ended == "done" or state.ended.startswith("budget"):
        return "FINISHED"
    return "KILLED"
