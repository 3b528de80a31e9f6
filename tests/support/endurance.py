"""Kills runs from outside, resumes them, and looks whether anything was lost, repeated or paid twice."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from metamuse.journal import read
from metamuse.llm.store import CompletionStore
from tests.support.openai_server import OpenAIServer

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0
#: Share of kills after which the files are given the torn last line that a crash may leave.
TORN = 0.3
#: Share of kills that wait for the last event and then a moment: tables, report, tracking are being written.
LATE = 0.15
LATE_SECONDS = 0.6


class Broken(AssertionError):
    """A promise that was not kept."""


@dataclass
class Counts:
    """What was done and seen.

    Attributes:
        by_event: Kills by the last event in the journal.
        torn: Kills after which last lines were torn.
        repeated: Requests that arrived again because a kill cut off their answer.
    """

    runs: int = 0
    kills: int = 0
    starts: int = 0
    requests: int = 0
    repeated: int = 0
    torn: int = 0
    by_event: Counter[str] = field(default_factory=Counter)


class Endurance:
    """Runs of one configuration, all of which must end like the first one, which nobody disturbs.

    Args:
        folder: Where the runs go.
        server: Answers them.
        module: What is started with ``python -m``.
        settings: Of the runs.
        rng: Chooses when to kill.
    """

    def __init__(
        self, folder: Path, server: OpenAIServer, module: str, settings: list[str], rng: np.random.Generator
    ) -> None:
        self.folder = folder
        self.server = server
        self.module = module
        self.settings = [*settings, f"llm.api_base={server.base_url}", "--quiet"]
        self.rng = rng
        self.counts = Counts()
        self._answered = 0
        reference = folder / "reference"
        self._end(self.start(reference, *self.settings))
        self.reference = only_run(reference)
        self.length = (self.reference / "journal.jsonl").stat().st_size

    def start(self, root: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a process on the runs below a root; its requests carry its number as their key."""
        self.counts.starts += 1
        root.mkdir(parents=True, exist_ok=True)
        with (root / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", self.module, *arguments, f"root={root / 'runs'}"],
                cwd=ROOT, stdout=log, stderr=log,
                env={**os.environ, "OPENAI_API_KEY": f"sk-{self.counts.starts}", **environment},
                # Under nohup tests would hand on that hang-ups are ignored, which a run respects.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
            )  # fmt: skip

    def torture(self, kills: int) -> int:
        """Begin a run, kill it up to so many times, let it end, and look at it; returns how often it was killed.

        Raises:
            Broken: A promise was not kept.
        """
        root = self.folder / f"run{self.counts.runs}"
        self.counts.runs += 1
        first_request = len(self.server.seen.bodies)
        answered: dict[int, set[str]] = {}
        arguments: tuple[str, ...] = tuple(self.settings)
        done = 0
        while done < kills:
            process = self.start(root, *arguments)
            if not self._kill(process, root):
                break  # it ended first
            done += 1
            self.counts.kills += 1
            runs = list(root.glob("runs/*/r*"))
            if not runs or not (runs[0] / "journal.jsonl").read_bytes().count(b"\n"):
                raise Broken(f"{root}: killed before anything was recorded, which no trigger asks for")
            answered[self.counts.starts + 1] = _recorded(runs[0])
            self._note(runs[0])
            arguments = (
                "resume",
                "run=latest",
                "--quiet",
                *(s for s in self.settings if s.startswith("tracking")),
            )
        else:
            self._end(self.start(root, *arguments))
        self._look_at(only_run(root), first_request, answered)
        return done

    # -- killing

    def _kill(self, process: subprocess.Popen[bytes], root: Path) -> bool:
        """Kill a process when the journal has a length drawn at random; whether it lived that long."""
        size = _size(root)
        late = self.rng.random() < LATE
        target = size + int(self.rng.integers(1, max(2, self.length - size)))
        wait_s = float(self.rng.uniform(0, LATE_SECONDS)) if late else 0.0
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None:
            if _ended(root, size) if late else _size(root) >= target:
                time.sleep(wait_s)
                break
            if time.monotonic() > deadline:
                process.kill()
                raise Broken(f"{root}: the run hangs")
            time.sleep(0.001)
        children = _children(process.pid)
        if process.poll() is not None:
            if process.returncode != 0:
                raise Broken(f"{root}: exit code {process.returncode}, see {root / 'log'}")
            return False
        process.send_signal(signal.SIGKILL)
        process.wait()
        _wait_until_gone(children)
        return True

    def _note(self, run: Path) -> None:
        *_, last = read(run / "journal.jsonl")
        self.counts.by_event[last["event"]] += 1
        if self.rng.random() < TORN:
            self.counts.torn += 1
            for name in ("journal.jsonl", "completions.jsonl"):
                with (run / name).open("ab") as file:
                    line = (
                        b'{"event": "solution", "kind": "completion", "at": 1.5, "text": "\xc3\xbc'
                        + b"x" * 9000
                    )
                    file.write(line[: int(self.rng.integers(1, len(line)))])

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            code = process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Broken("a run hangs") from None
        if code:
            raise Broken(f"a run ended with exit code {code}, see the logs in {self.folder}")

    # -- looking

    def _look_at(self, run: Path, first_request: int, answered: dict[int, set[str]]) -> None:
        """Compare a finished run with the reference.

        Args:
            run: Its directory.
            first_request: Number of its first request at the server.
            answered: What was on record when a process began, by its number.
        """

        def expect(ok: bool, sentence: str) -> None:
            if not ok:
                raise Broken(f"{run}: {sentence}")

        for name in ("leaderboard.csv", *(f"solutions/{s}" for s in _files(self.reference / "solutions"))):
            same = (run / name).read_bytes() == (self.reference / name).read_bytes()
            expect(same, f"{name} is not what an undisturbed run leaves")
        expect(_files(run / "solutions") == _files(self.reference / "solutions"), "files of solutions differ")
        events, theirs = (list(read(r / "journal.jsonl")) for r in (run, self.reference))
        for kind, key in (
            ("solution", "number"),
            ("call", "key"),
            ("entry", "id"),
            ("holdout", "id"),
            ("tuned", "of"),
            ("simplified", "of"),
        ):
            ours = sorted(e[key] for e in events if e["event"] == kind)
            expect(
                ours == sorted(e[key] for e in theirs if e["event"] == kind),
                f"{kind}: lost or recorded twice",
            )
        summaries = [json.loads((r / "summary.json").read_text()) for r in (run, self.reference)]
        for part in ("solutions", "best", "ended"):
            expect(summaries[0][part] == summaries[1][part], f"{part} of the summary differs")
        calls = [summary["cost"]["by_waypoint"] for summary in summaries]
        expect(calls[0] == calls[1], "calls of the summary differ")
        seen = self.server.seen
        asked = Counter(
            (int(headers["authorization"].rpartition("-")[2]), _digest(body["messages"], body["seed"]))
            for headers, body in zip(seen.headers[first_request:], seen.bodies[first_request:], strict=True)
        )
        distinct = {request for _, request in asked}
        expect(distinct == _recorded(run), "requests and recorded answers differ")
        expect(set(asked.values()) == {1}, "one process asked for an answer twice")
        for process, request in asked:
            expect(request not in answered.get(process, ()), "an answer on record was asked for again")
        repeated = len(asked) - len(distinct)
        cost = summaries[0]["cost"]
        expect(repeated <= cost["in_flight_at_kill"]["calls"], "an answer that a kill cut off is not booked")
        expect(cost["in_flight_at_kill"]["calls"] <= cost["unanswered"], "what was in flight is unanswered")
        self.counts.requests += len(asked)
        self.counts.repeated += repeated
        expect(not list(run.rglob("*.new")), "half-written files are left")


def only_run(root: Path) -> Path:
    """The one run directory below a root."""
    (run,) = root.glob("runs/*/r*")
    return run


def _files(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".new")
    )


def _size(root: Path) -> int:
    return sum(p.stat().st_size for p in root.glob("runs/*/r*/journal.jsonl"))


def _ended(root: Path, since: int) -> bool:
    """Whether a run's last event was written after its journal had a length."""
    for path in root.glob("runs/*/r*/journal.jsonl"):
        with path.open("rb") as file:
            file.seek(since)
            return b'"event": "end"' in file.read()
    return False


def _digest(messages: list[dict[str, str]], seed: int) -> str:
    plain = [{"role": m["role"], "content": m["content"]} for m in messages]
    return hashlib.sha256(json.dumps([plain, seed]).encode()).hexdigest()


def _recorded(run: Path) -> set[str]:
    if not (run / "completions.jsonl").exists():
        return set()
    with CompletionStore(run / "completions.jsonl", read_only=True) as store:
        return {_digest(row["messages"], row["seed"] + row["ask"]) for row in store.completions()}


def _children(pid: int) -> list[int]:
    try:
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _wait_until_gone(pids: list[int]) -> None:
    """Scoring processes must not outlive the run."""
    deadline = time.monotonic() + 10
    while alive := [pid for pid in pids if _runs(pid)]:
        if time.monotonic() > deadline:
            raise Broken(f"processes {alive} outlive the run that was killed")
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
