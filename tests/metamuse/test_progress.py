"""What is printed while a run goes on, and at its end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from metamuse import progress
from metamuse.progress import Progress
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem, events

FOLDER = Path("runs/fake/r20260101-000000-abcd")


def console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, highlight=False)


def shown(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def follow(watcher: Progress, problem: FakeProblem, solutions: int = 40) -> RunState:
    state = RunState()
    watcher.stage("scoring the baselines")
    with watcher:
        watcher.stage("searching")
        for event in events(problem, solutions=solutions):
            state.apply(event)
            watcher.update(state)
    watcher.summary(state, FOLDER, "done")
    return state


def test_plain_lines_where_there_is_no_terminal() -> None:
    to = console(terminal=False)
    problem = FakeProblem()
    state = follow(Progress(problem, 40, console=to), problem)
    text = shown(to)
    assert "\x1b" not in text
    lines = [line for line in text.splitlines() if " done: " in line]
    assert 15 <= len(lines) <= 20, "one line for every twentieth of the solutions"
    assert "40/40 done" in lines[-1]
    assert f"{len(state.executable())} executable" in lines[-1]
    assert "best baseline cunning" in lines[-1]
    assert all(f"{kind} {n}" in lines[-1] for kind, n in state.failures().items())
    assert text.index("scoring the baselines") < text.index("searching") < text.index("40/40 done")


def test_a_line_after_some_time_even_without_much_news(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10**6, 6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    to = console(terminal=False)
    problem = FakeProblem()
    watcher = Progress(problem, 10_000, console=to)
    state = RunState()
    for event in events(problem, solutions=5, failing=0.0):
        state.apply(event)
        watcher.update(state)
    assert "5/10000 done: 5 executable" in shown(to)


def test_a_live_view_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    to = console(terminal=True)
    problem = FakeProblem()
    follow(Progress(problem, 40, console=to), problem)
    assert "40/40" in shown(to)
    assert "offline composer, not an LLM" in shown(to)
    assert " done: " not in shown(to)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_live_view_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert not Progress(FakeProblem(), 4, console=console(terminal=True)).live


def test_quiet_prints_nothing_but_an_early_end(capsys: pytest.CaptureFixture[str]) -> None:
    problem = FakeProblem()
    watcher = Progress(problem, 40, quiet=True)
    state = follow(watcher, problem)
    assert capsys.readouterr() == ("", "")
    watcher.summary(state, FOLDER, "budget: 10 dollars are spent")
    out, err = capsys.readouterr()
    assert out == ""
    assert "budget: 10 dollars are spent" in err


def test_a_run_that_goes_on_counts_what_exists() -> None:
    problem = FakeProblem()
    state = RunState.fold(events(problem, solutions=12, holdout=False, ended=""))
    watcher = Progress(problem, 40, console=console(terminal=False))
    watcher.update(state)
    watcher.update(state)
    assert watcher.tally.done == 12
    assert watcher.tally.calls == 36


def test_the_summary_says_what_was_found_and_where() -> None:
    to = console(terminal=False)
    problem = FakeProblem()
    state = follow(Progress(problem, 40, console=to), problem)
    end = shown(to).split("40/40 done")[1]
    assert "less waste than Plain" in end
    assert "better than cunning" in end
    for path in ("report.html", "leaderboard.csv"):
        assert str(FOLDER / path) in end
    rows = [
        line.split()[0]
        for line in end.splitlines()
        if line.startswith(("s0", "oracle", "cunning", "clever", "plain"))
    ]
    assert rows[0] == "oracle"
    assert sum(r.startswith("s0") for r in rows) == progress.TOP
    assert rows[-3:] == ["cunning", "clever", "plain"]
    assert "resume" not in end
    best = next(r for r in rows if r.startswith("s0"))
    assert str(FOLDER / "solutions" / best / "policy.py") in end
    assert state.ended == "done"


def test_an_early_end_says_how_to_go_on() -> None:
    problem = FakeProblem()
    state = RunState.fold(events(problem, solutions=3, holdout=False, ended="", requested=9))
    text = "\n".join(progress.summary_lines(problem, state, FOLDER, "stopped: the model is out of reach"))
    assert "stopped: the model is out of reach" in text
    assert f"resume run={FOLDER}" in text
    assert "hold-out set has not been opened" in text


def test_markup_in_names_is_text() -> None:
    to = console(terminal=False)
    watcher = Progress(FakeProblem(), 4, console=to)
    watcher._print("[bold]red[/] :smile:")
    assert shown(to) == "[bold]red[/] :smile:\n"


def test_prompts_that_wait_for_a_person_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    to = console(terminal=False)
    plain = Progress(FakeProblem(), 40, console=to)
    for numbers in ([1], [1], [1, 2, 3, 4, 5], []):
        plain.waits(FOLDER, numbers)
    assert [line.partition("] ")[2] for line in shown(to).splitlines()] == [
        f"1 prompt waits in {FOLDER / 'inbox'} (0001)",
        f"5 prompts wait in {FOLDER / 'inbox'} (0001, 0002, 0003, 0004, …)",
        "no prompt waits for an answer",
    ]
    quiet = Progress(FakeProblem(), 40, quiet=True)
    for numbers in ([1, 2], [3]):
        quiet.waits(FOLDER, numbers)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("wait") == 1, "once, or it would seem to hang"
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    to = console(terminal=True)
    with Progress(FakeProblem(), 40, console=to) as live:
        live.waits(FOLDER, [7])
    assert "your turn" in shown(to) and "(0007)" in shown(to)
