"""``reproduce``: what it prints, how it says no, and the tables themselves on the public data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluators.base import Score
from metamuse.cli import main
from metamuse.cli.reproduce import text
from problems.tables import RERUN, Cell, Table


class Toy(Table):
    name, problem, title, source, policies = "toy", "toy", "A toy", "Nowhere.", ("a",)

    def notes(self, cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]]) -> list[str]:
        return ["A note."]


def printed(*cells: Cell) -> list[str]:
    return text(Toy(), cells, Toy().notes(cells, {})).splitlines()


def test_a_row_without_differences_is_one_line() -> None:
    lines = printed(
        Cell("s", "same", "x", 1.004, 1.0, 2, exact=True),
        Cell("s", "same", "y", -0.001, 0.0, 2, exact=True),
    )
    assert lines[0] == "A toy"
    assert lines[4].split() == ["same", "=", "published", "1.00", "0.00"]
    assert lines[-2:] == ["A note.", "2 of 2 numbers that must be equal to the digit are."]


def test_differences_are_shown_with_sign_and_mark() -> None:
    lines = printed(
        Cell("s", "other", "x", 0.5, 0.25, 2, close=0.1),
        Cell("s", "other", "y", 0.5, 0.55, 2, close=0.1),
        Cell("s", "other", "z", 0.5, None, 2),
    )
    assert [line.split() for line in lines[4:7]] == [
        ["other", "ours", "0.50", "0.50", "0.50"],
        ["published", "0.25", "0.55"],
        ["difference", "+0.25*", "-0.05"],
    ]
    assert len({line.index("published") for line in lines if "published" in line}) == 1


def test_what_no_paper_prints_stands_in_parentheses() -> None:
    lines = printed(Cell("s", "rule", "x", 0.48, 0.48, 2, exact=True, origin=RERUN))
    assert lines[4].split() == ["rule", "=", "re-run", "(0.48)"]


def test_a_number_that_must_be_equal_and_is_not_is_named() -> None:
    lines = printed(Cell("s", "rule", "x", 0.49, 0.48, 2, exact=True))
    assert lines[-1] == "0 of 1 numbers that must be equal to the digit are. These are not: s, rule, x."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "reproduce needs table=<name>; there are binpacking, metamuse-cache"),
        (["table=nosuch"], "There is no table nosuch; there are binpacking, metamuse-cache"),
        (
            ["table=metamuse-cache"],
            "https://github.com/sys-intelligence/system-intelligence-benchmark (commit c534716",
        ),
        (["table=binpacking"], "https://github.com/zz1358m/MCTS-AHD-master (commit ee9c4f4"),
        (
            ["table=binpacking", "problem=cache", "traces=."],
            "belongs to problem=binpacking; drop problem=cache",
        ),
        (["table=metamuse-cache", "traces=/nosuch"], "traces=/nosuch is not a folder"),
        (["table=binpacking", "traces=."], "holds none of the 11 files wanted, such as orlib_binpack1.txt"),
    ],
)
def test_mistakes_get_a_sentence_and_exit_code_2(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "--quiet", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("metamuse: ") and error.count("\n") == 1
    assert sentence in error


def reproduce(
    table: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any], str]:
    code = main(["reproduce", f"table={table}", f"traces={folder}", "--json"])
    out, progress = capsys.readouterr()
    return code, json.loads(out), progress


def values(result: dict[str, Any], row: str, section: str = "") -> list[float]:
    return [r["ours"] for r in result["rows"] if r["row"] == row and r["section"].startswith(section)]


@pytest.mark.realdata
def test_the_cache_table(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result, progress = reproduce("metamuse-cache", data_dir / "cache/metamuse", capsys)
    assert code == 0
    assert list(result) == ["table", "problem", "source", "rows"]
    assert (result["table"], result["problem"]) == ("metamuse-cache", "cache")
    assert "lru scored" in progress
    held = [row for row in result["rows"] if "holds" in row]
    assert len(held) == 240 and all(row["holds"] and row["difference"] == 0 for row in held)
    for policy in ("fifo", "lru", "clock", "sieve", "lfu", "arc", "slru"):
        assert values(result, policy, "all")[-1] == 95, policy
    assert [round(v, 2) for v in values(result, "slru", "all")[1:5]] == [11.77, 13.54, 16.29, 17.89]
    assert values(result, "s3fifo", "all")[-1] == 81


@pytest.mark.realdata
def test_the_bin_packing_table(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result, _ = reproduce("binpacking", data_dir / "binpacking", capsys)
    assert code == 0
    assert [round(v, 4) for v in values(result, "first_fit", "sets of FunSearch")] == [
        6.4220,
        6.4500,
        5.7406,
        5.2303,
        4.2258,
    ]
    assert [round(v, 4) for v in values(result, "best_fit", "sets of FunSearch")] == [
        5.8104,
        6.0561,
        5.3678,
        4.9432,
        3.9843,
    ]
    held = [row for row in result["rows"] if "holds" in row]
    assert len(held) == 52 and all(row["holds"] for row in held)


@pytest.mark.realdata
def test_other_items_are_found_out(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "with a space"
    shutil.copytree(data_dir / "binpacking", folder)
    shutil.copy(folder / "orlib_binpack1.txt", folder / "orlib_binpack2.txt")
    code, result, _ = reproduce("binpacking", folder, capsys)
    assert code == 1
    assert {row["column"] for row in result["rows"] if not row.get("holds", True)} == {"OR2"}
