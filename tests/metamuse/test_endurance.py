"""Runs that are killed, ended, starved, moved: each goes on and ends like one that nobody disturbs.

Problem, scores and litellm are replaced (:mod:`tests.support.quick_hub`); the rest is the product, in processes of its
own that are killed from outside. ``python -m benchmarks.kill_resume`` does it at length.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from metamuse import derived
from metamuse.journal import Journal
from metamuse.state import RunState
from tests.support import quick_hub
from tests.support.endurance import Endurance, only_run
from tests.support.fake_run import FakeProblem, fake_state
from tests.support.openai_server import Behaviour, OpenAIServer

KILLS = 16
SMALL = ["tracking=none", "solutions=6", "search.lag=3", "stimuli.warmup=2", "search.finalists=2"]


@pytest.fixture(scope="module")
def endurance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endurance]:
    """A server, and a run that nobody disturbs."""
    with OpenAIServer(default=Behaviour("ok", delay_s=0.03), answer=quick_hub.answer) as server:
        settings = [*quick_hub.SETTINGS, *SMALL]
        folder = tmp_path_factory.mktemp("endurance")
        yield Endurance(folder, server, "tests.support.quick_hub", settings, np.random.default_rng(0))


def begin(endurance: Endurance, root: Path) -> subprocess.Popen[bytes]:
    """Start a run; returns when it has made a solution."""
    process = endurance.start(root, *endurance.settings)
    wait_for(lambda: b'"event": "solution"' in journal(root))
    assert process.poll() is None
    return process


def journal(root: Path) -> bytes:
    """The journals below a root."""
    return b"".join(path.read_bytes() for path in root.glob("runs/*/r*/journal.jsonl"))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def ends_well(endurance: Endurance, run: Path, root: Path, *more: str) -> None:
    """Resume a run and compare it with the reference."""
    process = endurance.start(root, "resume", f"run={run}", "--quiet", *more)
    assert process.wait(120) == 0, (root / "log").read_text()
    same_as_reference(endurance, run)


def same_as_reference(endurance: Endurance, run: Path) -> None:
    """The run ended like the one that nobody disturbed."""
    assert (run / "leaderboard.csv").read_bytes() == (endurance.reference / "leaderboard.csv").read_bytes()


def test_killed_anywhere_nothing_is_lost_repeated_or_paid_twice(endurance: Endurance) -> None:
    while endurance.counts.kills < KILLS:
        endurance.torture(KILLS - endurance.counts.kills)
    assert endurance.counts.requests > endurance.counts.runs * 20


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT]],
    ids=["term", "hup", "int2"],
)
def test_asked_to_end_it_ends_resumable(
    endurance: Endurance, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    process = begin(endurance, tmp_path)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.02)
    assert process.wait(60) == 130
    log = (tmp_path / "log").read_text()
    assert "go on with: python -m metamuse resume run=" in log
    assert "Traceback" not in log
    ends_well(endurance, only_run(tmp_path), tmp_path)


def test_a_second_process_is_refused_and_a_run_survives_its_scoring_process(
    endurance: Endurance, tmp_path: Path
) -> None:
    process = begin(endurance, tmp_path)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    second = endurance.start(tmp_path / "second", "resume", f"run={only_run(tmp_path)}", "--quiet")
    process.send_signal(signal.SIGSTOP)  # however slow the machine: the run is still there
    try:
        assert second.wait(60) == 2
    finally:
        process.send_signal(signal.SIGCONT)
    (sentence,) = (tmp_path / "second" / "log").read_text().splitlines()
    assert "Another process works on this run" in sentence
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    assert process.wait(120) == 0
    same_as_reference(endurance, only_run(tmp_path))


def test_what_was_lost_for_no_fault_of_its_own_is_told_and_made_up_for(
    endurance: Endurance, tmp_path: Path
) -> None:
    lost = {"QUICK_HUB_LOSES": "clever s0005.0"}
    assert endurance.start(tmp_path, *endurance.settings, **lost).wait(120) == 1
    run = only_run(tmp_path)
    log = (tmp_path / "log").read_text()
    assert "2 evaluations came to nothing for no fault of theirs" in log
    assert "its process was taken away" in log and "a resumed run tries them again" in log
    assert json.loads((run / "summary.json").read_text())["solutions"]["failed"] == {"infrastructure": 1}
    ends_well(endurance, run, tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_without_room_it_stops_and_goes_on_when_there_is_room(
    endurance: Endurance, tmp_path: Path, share: float
) -> None:
    # Of all files only the journal and the record of completions get that long.
    room = int(share * endurance.length)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        process = endurance.start(tmp_path, *endurance.settings)
        assert process.wait(120) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log = (tmp_path / "log").read_text()
    assert "File too large" in log and "resume the run" in log and "Traceback" not in log
    ends_well(endurance, only_run(tmp_path), tmp_path)


def test_files_that_cannot_be_written_are_told_and_written_by_report(
    endurance: Endurance, tmp_path: Path
) -> None:
    process = endurance.start(tmp_path, *endurance.settings)
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/r*/solutions"))))
    process.send_signal(signal.SIGSTOP)
    run = only_run(tmp_path)
    shutil.rmtree(run / "solutions")
    (run / "solutions").write_text("in the way")
    (run / "summary.json").mkdir()
    process.send_signal(signal.SIGCONT)
    assert process.wait(120) == 1
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert log.count("Nothing is lost, the journal has everything") == 2
    (run / "solutions").unlink()
    (run / "summary.json").rmdir()
    assert endurance.start(tmp_path, "report", f"run={run}").wait(120) == 0
    same_as_reference(endurance, run)
    assert json.loads((run / "summary.json").read_text())["ended"] == "done"
    assert len(list(run.glob("solutions/s*/policy.py"))) >= 6


def test_a_run_that_was_moved_goes_on_where_it_is(endurance: Endurance, tmp_path: Path) -> None:
    process = begin(endurance, tmp_path)
    process.kill()
    process.wait()
    elsewhere = tmp_path / "a backup" / "of it"
    shutil.copytree(only_run(tmp_path), elsewhere)
    ends_well(endurance, elsewhere, tmp_path)
    assert {p.name for p in (tmp_path / "a backup").iterdir()} == {"of it"}
    ends_well(endurance, only_run(tmp_path), tmp_path)


def test_whoever_goes_on_may_ask_for_more(endurance: Endurance, tmp_path: Path) -> None:
    process = begin(endurance, tmp_path)
    process.kill()
    process.wait()
    run = only_run(tmp_path)
    assert endurance.start(tmp_path, "resume", f"run={run}", "--quiet", "solutions=8").wait(120) == 0
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["solutions"]["requested"], summary["solutions"]["attempted"]) == (8, 8)
    assert summary["cost"]["in_flight_at_kill"]["calls"] <= summary["cost"]["unanswered"]


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ({"format": 99, "metamuse": "9.1"}, "was written by MetaMuse 9.1 in format 99"),
        ({"problem": "cache-v9"}, "began with cache-v9, and this version of MetaMuse has cache-v0"),
        (None, "its run ended before it began"),
    ],
)
def test_a_run_of_another_version_is_one_sentence(
    endurance: Endurance, tmp_path: Path, first: dict[str, object] | None, says: str
) -> None:
    run = tmp_path / "runs" / "cache" / "r1"
    run.mkdir(parents=True)
    writer = Journal(run / "journal.jsonl")
    if first is not None:
        begun = json.loads((endurance.reference / "journal.jsonl").read_text().splitlines()[0])
        fields = {k: v for k, v in begun.items() if k not in ("event", "at", "clock")}
        writer.append("run", **(fields | first))
    writer.close()
    assert endurance.start(tmp_path, "resume", "run=latest").wait(60) == 2
    (sentence,) = (tmp_path / "log").read_text().splitlines()
    assert says in sentence


def test_an_error_in_the_report_costs_the_report_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("float division")

    monkeypatch.setattr(derived, "write_report", broken)
    assert not derived.write_results(FakeProblem(), fake_state(FakeProblem(), solutions=4), tmp_path)
    assert (tmp_path / "leaderboard.csv").is_file() and (tmp_path / "summary.json").is_file()
    assert (
        f"ZeroDivisionError: float division. Nothing is lost, the journal has everything: python -m metamuse report run={tmp_path}"
        in capsys.readouterr().err
    )


def test_a_view_that_fails_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = []

    def view(state: RunState, event: dict[str, object]) -> None:
        calls.append(event)
        raise KeyError("gain")

    watcher = derived.guarded(tmp_path, view)
    for number in range(3):
        watcher(RunState(), {"event": "call", "at": float(number)})
    assert len(calls) == 1
    assert capsys.readouterr().err.count("KeyError") == 1
