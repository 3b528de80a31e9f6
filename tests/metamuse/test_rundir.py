"""Files of a run directory that two processes write, or one that is killed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metamuse import derived, rundir
from tests.support.fake_run import FakeProblem, fake_state


def test_two_who_write_the_same_file_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace = tmp_path / "report.html", os.replace

    def meanwhile(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "replace", replace)
        rundir.write_atomically(path, "of the other")
        assert path.read_text() == "of the other"
        replace(source, target)

    monkeypatch.setattr(os, "replace", meanwhile)
    rundir.write_atomically(path, "of this one")
    assert path.read_text() == "of this one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_half_written_is_deleted(tmp_path: Path) -> None:
    state = fake_state(FakeProblem(), solutions=2)
    theirs = tmp_path / "outbox" / "0001.md.new"
    halves = [tmp_path / "report.html.7.abcd.new", tmp_path / "solutions" / "s0000" / "policy.py.7.abcd.new"]
    for file in (theirs, *halves):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    assert derived.write_solutions(state, tmp_path)
    assert not any(file.exists() for file in halves)
    assert theirs.exists(), "what a person writes is theirs"
    assert (tmp_path / "solutions" / "s0000" / "scores.json").is_file()
