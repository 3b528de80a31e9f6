"""Files that people, editors and scripts leave in the outbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metamuse.llm.inbox_answers import Outbox, answers_in
from metamuse.llm.inbox_text import split


@pytest.mark.parametrize(
    "name",
    [
        "0007.md",
        "7.txt",
        "0007-formulation.md",
        "0007 (1).md",
        "007.MD",
        "7.json",
        "0007.md.txt",
        "0007_a.py",
    ],
)
def test_names_that_are_answers(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("stone")
    assert taken(tmp_path) == {7: "stone"}


@pytest.mark.parametrize(
    "name",
    [
        "70.md", "notes.md", "x0007.md", ".0007.md.swp", ".0007.md", "0007.md~", "#0007.md#", ".#0007.md", "~$07.md",
        "0007.md.new", "0007.md.Ab12Cd", "0007.md.part", "0007.md.crdownload", "0007.tmp", "0007",
    ],
)  # fmt: skip
def test_names_that_are_none(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("stone")
    assert taken(tmp_path) == {}


def taken(folder: Path) -> dict[int, str]:
    outbox = Outbox(folder, settle_s=0.0)
    outbox.take({7, 8})
    return outbox.take({7, 8})


@pytest.mark.parametrize(
    "data",
    [
        b"one\r\ntwo  \r\n",
        b"\xef\xbb\xbfone\ntwo",
        "\ufeffone\r\ntwo".encode("utf-16-le"),
        "\ufeffone\ntwo".encode("utf-16-be"),
        b"one\rtwo\n\n",
    ],
)
def test_line_ends_and_byte_order_marks_of_any_system(data: bytes) -> None:
    assert answers_in("7.md", data) == {7: "one\ntwo"}


def test_what_chat_windows_put_into_copied_code() -> None:
    assert answers_in("7.md", "if\u00a0x:\n\u00a0\u00a0y\u200b = 1".encode()) == {7: "if x:\n  y = 1"}


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_no_answer(data: bytes) -> None:
    assert answers_in("7.md", data) == {}


def test_a_file_is_read_once_it_has_not_changed_for_a_while(tmp_path: Path) -> None:
    clock = [0.0]
    outbox = Outbox(tmp_path / "made", settle_s=1.0, clock=lambda: clock[0])
    path = tmp_path / "made/0007.md"
    assert outbox.take({7}) == {}
    steps = [(0.0, ""), (0.5, "st"), (1.4, "sto"), (2.3, "ston"), (3.2, None), (3.4, None)]
    found = []
    for seconds, text in steps:
        clock[0] = seconds
        if text is not None:
            path.write_text(text)
        found.append(outbox.take({7}))
    assert found == [{}, {}, {}, {}, {}, {7: "ston"}]
    clock[0], stamp = 4.0, path.stat().st_mtime_ns
    path.write_text("tons")  # as long as before
    os.utime(path, ns=(stamp + 10**6, stamp + 10**6))
    assert outbox.take({7}) == {}
    clock[0] = 5.1
    assert outbox.take({7}) == {7: "tons"}
    assert outbox.take({8}) == {}


def test_of_two_answers_the_later_one_counts(tmp_path: Path) -> None:
    for name, text, stamp in (("7.txt", "new", 2), ("0007.md", "old", 1)):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (stamp, stamp))
    assert taken(tmp_path) == {7: "new"}


def test_a_link_to_nothing_and_a_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "0007.md").symlink_to(tmp_path / "nothing")
    (tmp_path / "0008.md").mkdir()
    assert taken(tmp_path) == {}


def test_several_answers_in_one_file() -> None:
    text = "Here they are.\n\n## === 0007 ===\none\n\n---\n\n=== 0008 ===\n\n=== 0012 ===\r\n```python\n# == 3 ==\n```"
    assert split(text.replace("\r", "")) == {7: "one", 12: "```python\n# == 3 ==\n```"}
    assert answers_in("anything.md", text.encode()).keys() == {7, 12}
    assert answers_in("0007.md", text.encode()).keys() == {7, 12}
    assert answers_in("0099.md", text.encode()) == {99: text.replace("\r", "")}, "part of one answer"
    assert split("nothing of the kind") == {}
