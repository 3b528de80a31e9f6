"""The command: what it writes, what it refuses, and that a failure leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metamuse.cli import main
from metamuse.export import package
from metamuse.export.golden import ENOUGH


def test_export_of_a_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert (
        main(["export", "problem=binpacking", "policy=best_fit", "target=python", f"out={out}", "--json"])
        == 0
    )
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["decisions"] >= ENOUGH and told["target"] == "python" and told["solution"] == "best_fit"
    assert {"README.md", "LICENSE", "pyproject.toml", "golden.gz", "test_equivalence.py"} <= set(
        told["files"]
    )
    assert sorted(told["files"]) == sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    readme = (out / "README.md").read_text()
    assert "Best fit" in readme and "not found by search" in readme and "First Fit takes over" in readme
    assert f"{told['decisions']:,} decisions" in readme
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert main(["export", "problem=binpacking", "policy=best_fit", "target=python", f"out={out}"]) == 2
    assert "is not empty; name another folder, or add overwrite=true" in capsys.readouterr().err


def test_a_wrong_export_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = package._make

    async def wrong(*args: Any) -> dict[str, Any]:
        made = await make(*args)
        name = "binpacking_worst_fit/policy.py"
        made["files"][name] = made["files"][name].replace("return ", "return -1 - 0 * ", 1)
        assert "-1 - 0 *" in made["files"][name]
        for text in ("return self.bins.highest()", "return self.free.largest()"):
            made["files"][name] = made["files"][name].replace(text, "return -1")
        return made

    monkeypatch.setattr(package, "_make", wrong)
    out = tmp_path / "out"
    assert main(["export", "problem=binpacking", "policy=worst_fit", "target=python", f"out={out}"]) == 1
    assert "worst_fit was not exported: the exported policy is not equivalent" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["policy=lru", "target=python"], "export needs out=<folder>."),
        (["target=python", "out={out}"], "export needs run="),
        ([], "target=<one of c, cachetools, libcachesim, python for problem=cache>; and out=<folder>."),
        (["problem=dex"], "target=<one of c, dex, python for problem=dex>; and out=<folder>."),
        (["policy=lru", "target=nothing", "out={out}"], "There is no target nothing"),
        (["policy=nobody", "target=python", "out={out}"], "There is no policy nobody"),
        (["policy=belady", "target=python", "out={out}"], "belady is a bound"),
        (
            ["problem=binpacking", "policy=best_fit", "target=cachetools", "out={out}"],
            "is not for problem=binpacking",
        ),
        (["run=nowhere", "target=python", "out={out}"], "No run nowhere"),
    ],
)
def test_usage(words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["export", *(word.format(out=out) for word in words)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_files_that_are_no_export_are_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    words = ["policy=lru", "target=python", f"out={tmp_path}", "overwrite=true"]
    assert main(["export", *words]) == 2
    assert "holds no export, so it is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
