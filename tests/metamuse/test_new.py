"""The scaffold: what it refuses, and that what it makes is clean, passes its own tests and can be searched."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
import yaml

from metamuse import scaffold
from metamuse.cli import main
from metamuse.errors import UsageError
from tests.support.checkout import copy, python

#: Shortest and longest name, and names that sort before and after the imports around them.
NAMES = ["ab", "zz", "aaa_queues", "two_queues", "abcdefghijklmnopqrstuvwx"]


def empty_checkout(folder: Path) -> Path:
    for part in (
        "metamuse/__init__.py",
        "problems/base.py",
        "evaluators/base.py",
        "conf/problem/x.yaml",
        "tests/x",
    ):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).touch()
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_template_is_left(name: str) -> None:
    texts = scaffold.files(name)
    assert {f"problems/{name}/problem.py", f"conf/problem/{name}.yaml"} <= set(texts)
    assert f"tests/problems/{name}/test_{name}.py" in texts
    for path, text in texts.items():
        assert "{{" not in text.replace("{{}}", ""), path
        assert "NAME" not in path
        assert text.endswith("\n")
        if path.endswith(".py"):
            ast.parse(text)
    assert yaml.safe_load(texts[f"conf/problem/{name}.yaml"])["name"] == name


def test_the_files_are_formatted_and_lint_free_whatever_the_name(tmp_path: Path) -> None:
    root = copy(tmp_path)
    for name in NAMES:
        scaffold.write(name, root)
    for arguments in (("check",), ("format", "--check")):
        folders = [
            f"{part}/{name}" for part in ("problems", "evaluators", "tests/problems") for name in NAMES
        ]
        done = python(root, "-m", "ruff", *arguments, *folders)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "new needs problem=<name>"),
        (["problem=one", "problem=two"], "new needs problem=<name>"),
        (["problem=Queues"], "cannot name a problem"),
        (["problem=q"], "cannot name a problem"),
        (["problem=two__queues"], "cannot name a problem"),
        (["problem=queues2"], "cannot name a problem"),
        (["problem=../up"], "cannot name a problem"),
        (["problem=lambda"], "cannot name a problem"),
        (["problem=cache"], "There is a problem or module cache already"),
        (["problem=base"], "There is a problem or module base already"),
        (["problem=fresh", "out=."], "is not a checkout"),
        (["problem=fresh", "nosuch=1"], "There is no setting nosuch"),
    ],
)
def test_mistakes_get_one_sentence_and_write_nothing(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "taken", ["conf/problem/fresh.yaml", "evaluators/fresh.py", "problems/fresh/x", "tests/problems/fresh/x"]
)
def test_existing_files_are_never_touched(taken: str, tmp_path: Path) -> None:
    root = empty_checkout(tmp_path)
    (root / taken).parent.mkdir(parents=True, exist_ok=True)
    (root / taken).write_text("mine")
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match="fresh already"):
        scaffold.write("fresh", root)
    assert sorted(root.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = empty_checkout(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "evaluators")
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match="evaluators cannot be written"):
        scaffold.write("fresh", root)
    assert sorted(root.rglob("*")) == before


def test_a_new_problem_passes_its_own_tests_and_is_searched_at_once(tmp_path: Path) -> None:
    root = copy(tmp_path)
    made = python(root, "-m", "metamuse", "new", "problem=two_queues")
    assert made.returncode == 0, made.stderr
    assert str(root / "problems/two_queues/problem.py") in made.stdout
    tests = python(root, "-m", "pytest", "-q", "tests/problems/two_queues")
    assert tests.returncode == 0, tests.stdout
    searched = python(root, "-m", "metamuse", "problem=two_queues", "solutions=2", "tracking=none", "--json")
    assert searched.returncode == 0, searched.stderr
    board = next((root / "runs/two_queues").glob("*/leaderboard.csv")).read_text()
    assert "round_robin" in board
    assert "alone" in board
