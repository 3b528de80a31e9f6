"""The journal: append-only, torn tails, damage, full disks, clocks, one writer."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import numpy as np
import pytest

from metamuse import journal as journal_module
from metamuse.errors import StorageError, UsageError
from metamuse.journal import Journal, read
from metamuse.llm.store import CompletionStore, Record
from metamuse.llm.types import Call, LLMRequest, RawAnswer
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem, events


def write(path: Path, n: int) -> list[dict[str, object]]:
    """A journal of a plausible run's first events; returns them."""
    journal = Journal(path)
    written = []
    for event in list(events(FakeProblem(), solutions=3))[:n]:
        fields = {k: v for k, v in event.items() if k not in ("event", "at")}
        written.append(journal.append(event["event"], **fields))
    journal.close()
    return written


def test_events_come_back_in_order_and_unchanged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    texts = ["ü\n\u2028", "\x00", "\ud83d alone", "plain", "😀"]
    written = [journal.append("solution", number=i, text=text) for i, text in enumerate(texts)]
    journal.close()
    assert list(read(tmp_path / "j")) == written
    assert [e["text"] for e in written] == texts


def test_cut_off_anywhere_it_is_a_prefix_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module.os, "fsync", lambda descriptor: None)  # thousands of them
    path = tmp_path / "j"
    journal = Journal(path)
    written = [journal.append("solution", number=i, text="ü\n" * i) for i in range(4)]
    journal.close()
    data = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == ord("\n")]
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert list(read(path)) == written[:whole]
        journal = Journal(path)
        journal.append("next", x=1)
        journal.close()
        *before, last = read(path)
        assert before == written[:whole] and last["x"] == 1
        assert path.read_bytes()[: ends[whole - 1] if whole else 0] == data[: ends[whole - 1] if whole else 0]


def test_the_record_of_completions_is_as_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module.os, "fsync", lambda descriptor: None)
    path = tmp_path / "c"
    calls = [
        Call(LLMRequest("code", [{"role": "user", "content": "ü"}], str(i)), "m", 0.0, 9) for i in range(3)
    ]
    record = Record(RawAnswer("é\n", "stop", 3, 4), "m", 0.1, 0.5)
    with CompletionStore(path) as store:
        for call in calls[:2]:
            store.add(call, 0, record)
    data = path.read_bytes()
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        with CompletionStore(path) as store:
            there = [store.get(call, 0) is not None for call in calls[:2]]
            assert there == sorted(there, reverse=True) and len(store) == sum(there)
            store.add(calls[2], 0, record)
        with CompletionStore(path, read_only=True) as store:
            assert len(store) == sum(there) + 1 and store.get(calls[2], 0) == record


def test_damage_before_the_last_line_is_one_sentence_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, 6)
    lines = path.read_bytes().splitlines(keepends=True)
    rng = np.random.default_rng(0)
    for damage in (
        b"\n",
        b"\x00" * 40 + b"\n",
        b"[]\n",
        b"7\n",
        b"{}\n",
        b"[" * 5000 + b"\n",
        rng.bytes(99) + b"\n",
    ):
        path.write_bytes(b"".join([*lines[:3], damage, *lines[4:]]))
        with pytest.raises(UsageError, match=r"^Line 4 of \S+ is damaged.*head -n 3"):
            list(read(path))


def test_a_full_disk_is_a_sentence_and_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.append("a", x=1)
    room = [25]

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(descriptor, data[: room[0]], offset)
        room[0] -= written
        return written

    real = os.pwrite
    monkeypatch.setattr(journal_module.os, "pwrite", pwrite)
    for _ in range(2):
        with pytest.raises(StorageError, match="No space left on device; mend that, then resume"):
            journal.append("b", text="long" * 100)
    assert [e["event"] for e in read(path)] == ["a"]
    room[0] = 10**6
    journal.append("c")
    journal.close()
    assert [e["event"] for e in read(path)] == ["a", "c"]
    assert path.read_bytes().count(b"\n") == 2


def test_an_event_is_on_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j")

    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "fsync", fsync)
        with pytest.raises(StorageError, match="Input/output error"):
            journal.append("a")
    journal.append("b")
    journal.close()
    assert [e["event"] for e in read(tmp_path / "j")] == ["b"]


def test_the_second_process_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(UsageError, match="Another process"):
        Journal(tmp_path / "j")
    journal.close()
    Journal(tmp_path / "j").close()


def test_a_file_system_without_locks_is_told_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    journal = Journal(tmp_path / "j")
    journal.append("a")
    journal.close()
    assert "has no locks (No locks available)" in capsys.readouterr().err


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot write"):
        Journal(tmp_path / "nosuch" / "j")
    with pytest.raises(UsageError, match="Cannot read"):
        list(read(tmp_path / "nosuch" / "j"))


def test_setting_the_date_changes_no_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j")
    for minute, date in enumerate((1e9, 1e9 + 86400, 5.0, 1e9)):  # a day ahead, decades back
        monkeypatch.setattr(journal_module.time, "time", lambda date=date: date)
        monkeypatch.setattr(journal_module.time, "monotonic", lambda minute=minute: 500.0 + 60 * minute)
        journal.append("session" if minute in (0, 2) else "end", reason="")
    journal.close()
    assert RunState.fold(read(tmp_path / "j")).seconds == 120.0
