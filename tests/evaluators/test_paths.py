"""Paths, globs and comma lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.base import WorkloadError
from evaluators.paths import expand_paths


def test_expand_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("b.bin", "a.bin", "d/c.bin", "d/e/c.bin", "x,y.bin", "z[1].bin"):
        (tmp_path / name).write_text("x")
    assert expand_paths("a.bin") == ["a.bin"]
    assert expand_paths("b.bin, a.bin") == ["a.bin", "b.bin"]
    assert expand_paths(["*.bin", "./a.bin"]) == ["a.bin", "b.bin", "x,y.bin", "z[1].bin"]
    assert expand_paths("d/*") == ["d/c.bin"]
    assert expand_paths("d/**/*.bin") == ["d/c.bin", "d/e/c.bin"]
    assert expand_paths("x,y.bin") == ["x,y.bin"]
    assert expand_paths("z[1].bin") == ["z[1].bin"]
    assert expand_paths("a.bin,d/c*", base=tmp_path) == [str(tmp_path / "a.bin"), str(tmp_path / "d/c.bin")]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_paths("~/a.bin") == [str(tmp_path / "a.bin")]


@pytest.mark.parametrize(
    ("patterns", "why"),
    [
        ("*.zst", "no file matches"),
        ("a.bin,missing.bin", r"^missing\.bin: no file matches"),
        ("", "empty entry"),
        ("a.bin,", "empty entry"),
        ([], "no files are given"),
        (".", "is a directory"),
    ],
)
def test_expand_paths_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patterns: str | list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_text("x")
    with pytest.raises(WorkloadError, match=why):
        expand_paths(patterns)


def test_a_comma_list_longer_than_any_file_name(tmp_path: Path) -> None:
    names = [f"{'x' * 60}-{i}.txt" for i in range(200)]
    for name in names:
        (tmp_path / name).write_text("1\n")
    assert len(expand_paths(",".join(names), tmp_path)) == 200
