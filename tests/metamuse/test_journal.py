"""The journal: append-only, torn tails, one writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from metamuse.errors import UsageError
from metamuse.journal import Journal, read


def test_events_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for i in range(5):
        journal.append("solution", number=i, text="ü\n\u2028")
    journal.close()
    assert [e["number"] for e in read(tmp_path / "j")] == list(range(5))


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped_and_the_next_event_is_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.append("a", x=1)
    journal.append("b", x=2)
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    assert [e["event"] for e in read(path)] == ["a"]
    journal = Journal(path)
    journal.append("c", x=3)
    journal.close()
    assert [e["event"] for e in read(path)] == ["a", "c"]


def test_the_second_process_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(UsageError, match="Another process"):
        Journal(tmp_path / "j")
    journal.close()
    Journal(tmp_path / "j").close()


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot write"):
        Journal(tmp_path / "nosuch" / "j")
