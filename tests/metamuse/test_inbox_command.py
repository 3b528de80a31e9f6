"""``metamuse inbox``, and whole runs whose model is whoever fills the outbox."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metamuse.cli import main
from metamuse.journal import Journal
from metamuse.llm import LLMRequest
from metamuse.llm.inbox_ledger import FILE, Asked, Ledger
from metamuse.llm.types import Call
from tests.support.scripted import answer as scripted

ROOT = Path(__file__).parents[2]


def call(n: int, *more: dict[str, str]) -> Call:
    messages = [{"role": "system", "content": "Rules."}, {"role": "user", "content": f"Question {n}"}, *more]
    return Call(LLMRequest("code", messages, f"{n}/code"), "inbox", 0.4, 100)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of which prompt 1 is answered and 2 to 4 wait, 4 because the answer to 1 was of no use."""
    folder = tmp_path / "runs/cache/r20260101-000000-abcd"
    folder.mkdir(parents=True)
    Journal(folder / "journal.jsonl").close()
    again = ({"role": "assistant", "content": "?"}, {"role": "user", "content": "That answer is of no use."})
    ledger = Ledger(folder / FILE)
    for asked in (call(1), call(2), call(3), call(1, *again)):
        prompt = ledger.ask(asked, asked.digest(0))
        if prompt.number == 1:
            ledger.answered(prompt)
    ledger.close()
    (folder / "outbox").mkdir()
    monkeypatch.chdir(tmp_path)
    return folder


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["inbox", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_waits(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "outbox/3.md").write_text("here")
    (run / "outbox/thoughts.md").write_text("here")
    found = listed(capsys)
    assert (found["run"], found["working"], found["answered"]) == (run.name, False, 1)
    assert [(row["number"], row["after"], bool(row["given"])) for row in found["waiting"]] == [
        ("0002", None, False),
        ("0003", None, True),
        ("0004", "0001", False),
    ]
    assert found["waiting"][0]["age_s"] < 60
    assert [Path(path).name for path in found["strangers"]] == ["thoughts.md"]
    assert main(["inbox"]) == 0
    out = capsys.readouterr().out
    assert "3 wait, 1 are answered" in out
    assert "answer is in 3.md" in out
    assert "the answer to 0001 could not be used" in out
    assert "thoughts.md names no prompt" in out
    assert "resume run=" in out


def test_whether_the_run_is_at_work(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(run / "journal.jsonl")
    assert listed(capsys)["working"] is True
    journal.close()


def test_a_prompt_is_printed_although_its_file_is_gone(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "prompt=0002"]) == 0
    assert capsys.readouterr().out == "Rules.\n\n---\n\nQuestion 2\n"
    assert main(["inbox", "prompt=all"]) == 0
    out = capsys.readouterr().out
    assert out.count("Rules.") == 1
    assert "=== 0002 ===\n\nQuestion 2" in out and "=== 0004 ===\n\nQuestion 1" in out


def test_answers_are_handed_in(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "reply, 1.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert main(["inbox", "answer=2", f"file={run / 'reply, 1.txt'}"]) == 0
    assert (run / "outbox/0002.md").read_text() == "one\ntwo\n"
    text = "=== 0003 ===\nthree\n=== 0004 ===\nfour\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inbox", "answer=all"]) == 0
    capsys.readouterr()
    assert all(row["given"] for row in listed(capsys)["waiting"])


@pytest.mark.parametrize(
    ("arguments", "text", "sentence"),
    [
        (["answer=1"], "x", "0001 does not wait"),
        (["answer=9"], "x", "There is no prompt 9"),
        (["answer=two"], "x", "There is no prompt two"),
        (["answer=2"], " \n", "The answer is empty"),
        (["answer=all"], "x", "announces no numbers"),
        (["answer=2", "file=missing.md"], "", "Cannot read the answer"),
        (["answer=2", "prompt=2"], "", "not both"),
    ],
)
def test_mistakes_are_sentences(
    run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    text: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inbox", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert list((run / "outbox").iterdir()) == []


def test_a_run_without_an_inbox(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / FILE).unlink()
    assert main(["inbox"]) == 2
    assert "has no inbox" in capsys.readouterr().err


# -- whole runs


class Person:
    """Answers prompts of a run in an order of its own."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self._order = random.Random(seed)
        self.given: set[int] = set()

    def answer(self, most: int) -> None:
        """Answer up to so many of the prompts that wait."""
        for ledger in self.root.glob("runs/cache/r*/inbox.jsonl"):
            asked = Asked.of(ledger)
            open_ = [n for n in asked.waiting if n not in self.given]
            for number in self._order.sample(open_, min(most, len(open_))):
                text = scripted({"messages": list(asked.prompts[number].messages)})
                if number == 2:
                    text = "I would rather not answer in JSON."
                (ledger.parent / "outbox" / f"{number}.md").write_text(text, newline="\r\n")
                self.given.add(number)

    def attend(self, process: subprocess.Popen[str], until: int | None = None) -> None:
        """Answer until the process ends, or until so many answers are given."""
        deadline = time.monotonic() + 200
        while process.poll() is None and (until is None or len(self.given) < until):
            assert time.monotonic() < deadline, "the run waits for something"
            self.answer(3)
            time.sleep(0.3)


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "metamuse", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=200)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out + err


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A small search on small traces."""
    import numpy as np

    folder = tmp_path_factory.mktemp("traces")
    for seed, which in enumerate(("feedback", "validation", "holdout")):
        for i in range(2):
            keys = np.random.default_rng([seed, i]).zipf(1.3, 2000) % 500
            (folder / f"{which}-{i}.txt").write_text("\n".join(map(str, keys)))
    return [
        "problem=cache",
        "solutions=3",
        "search.lag=2",
        "stimuli.warmup=1",
        "search.finalists=1",
        "search.tune_trials=0",
        "search.simplify_trials=0",
        "tracking=none",
        "problem.baselines=lru",
        *(f"problem.workloads.{w}={folder}/{w}-*.txt" for w in ("feedback", "validation", "holdout")),
    ]


def only_run(root: Path) -> Path:
    (found,) = root.glob("runs/cache/r*")
    return found


@pytest.mark.timeout(600)
def test_a_run_is_the_same_in_any_order_of_answers_stopped_and_resumed(
    settings: list[str], tmp_path: Path
) -> None:
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    for folder in (straight, stopped):
        folder.mkdir()
    people = {folder: Person(folder, seed) for seed, folder in enumerate((straight, stopped))}
    processes = {folder: start(*settings, "llm=inbox", cwd=folder) for folder in people}
    people[stopped].attend(processes[stopped], until=9)
    processes[stopped].send_signal(signal.SIGINT)
    assert "go on with" in finish(processes[stopped], 130)
    people[stopped].answer(2)  # while nothing runs
    processes[stopped] = start("resume", "run=latest", cwd=stopped)
    for folder, person in people.items():
        person.attend(processes[folder])
        out = finish(processes[folder])
        assert "wait in " in out or "waits in " in out
        assert "not metered" in out
        assert "a person asked by hand" in out
        summary = json.loads((only_run(folder) / "summary.json").read_text())
        assert summary["cost"]["usd"] == "unknown"
        assert summary["solutions"]["attempted"] == 3
        asked = Asked.of(only_run(folder) / FILE)
        assert asked.waiting == []
        assert any(prompt.after == 2 for prompt in asked.prompts.values()), "the broken answer is asked again"
        assert len(asked.prompts) == len(person.given) == summary["cost"]["calls"], "nothing is asked twice"
    boards = {(only_run(folder) / "leaderboard.csv").read_text() for folder in people}
    assert len(boards) == 1


def test_the_pace_for_people_is_a_default_only(tmp_path: Path) -> None:
    from metamuse import config

    assert config.compose(["llm=inbox"])["solutions"] < config.compose([])["solutions"]
    paced = config.compose(["llm=inbox", "solutions=30", "search.lag=7"])
    assert (paced["solutions"], paced["search"]["lag"]) == (30, 7)
