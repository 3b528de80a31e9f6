"""What a table's numbers say of themselves, and how its files are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.base import WorkloadError
from problems.tables import RERUN, Cell, all_tables, locate


@pytest.mark.parametrize(
    ("ours", "other", "difference", "holds"),
    [
        (6.4220, 6.42, 0.0, True),
        (6.4249, 6.42, 0.0, True),
        (6.4261, 6.42, 0.01, False),
        (6.41, 6.42, -0.01, False),
    ],
)
def test_equal_to_the_digit(ours: float, other: float, difference: float, holds: bool) -> None:
    cell = Cell("s", "r", "c", ours, other, 2, exact=True)
    assert cell.difference == difference
    assert cell.holds is holds
    row = cell.as_row()
    assert row["published"] == other and row["ours"] == ours and row["holds"] is holds


def test_a_difference_of_nothing_has_no_sign() -> None:
    assert str(Cell("s", "r", "c", 0.99999, 1.0, 2).difference) == "0.0"


def test_what_no_paper_prints_is_not_called_published() -> None:
    row = Cell("s", "r", "c", 0.484, 0.48, 2, exact=True, origin=RERUN).as_row()
    assert row["published"] is None and row["rerun"] == 0.48 and row["holds"]
    unknown = Cell("s", "r", "c", 0.5, None, 2).as_row()
    assert unknown["published"] is None and unknown["difference"] is None
    assert not {"holds", "close", "origin"} & set(unknown)


def test_close_is_said_without_a_verdict() -> None:
    near, far = (Cell("s", "r", "c", v, 0.8, 4, close=0.0005) for v in (0.8005, 0.8006))
    assert near.as_row()["close"] and not far.as_row()["close"]
    assert near.holds and far.holds


def test_tables_are_found_and_describe_themselves() -> None:
    tables = all_tables()
    assert set(tables) >= {"metamuse-cache", "binpacking"}
    for name, table in tables.items():
        assert table.name == name
        assert "https://" in table.source and "commit" in table.source and "traces=DIR" in table.source


def test_files_are_found_under_any_of_their_names(tmp_path: Path) -> None:
    wanted = {"a": ("a.bin", "train/a.bin"), "b": ("b.bin", "b.bin.zst")}
    with pytest.raises(WorkloadError, match="holds none of the 2 files"):
        locate(tmp_path, wanted)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.bin").touch()
    with pytest.raises(WorkloadError, match="lacks 1 of the 2 files wanted; the first is b"):
        locate(tmp_path, wanted)
    (tmp_path / "b.bin.zst").touch()
    assert locate(tmp_path, wanted) == {"a": tmp_path / "train/a.bin", "b": tmp_path / "b.bin.zst"}
    with pytest.raises(WorkloadError, match="is not a folder"):
        locate(tmp_path / "b.bin.zst", wanted)
