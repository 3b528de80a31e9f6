"""Where machine code of the simulators is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import evaluators
from metamuse import build


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/metamuse/numba"


def sources(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Evaluators that consist of these files."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(evaluators, "__file__", str(folder / "__init__.py"))
    build._sources_digest.cache_clear()


def test_changed_sources_never_meet_old_machine_code(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources(tmp_path / "evaluators", monkeypatch, kernel="from layout import N", layout="N = 1")
    first = build.cache_folder()
    assert first is not None and first.parent == home and first.is_dir()
    assert build.cache_folder() == first
    sources(tmp_path / "evaluators", monkeypatch, layout="N = 2")
    assert build.cache_folder() != first
    sources(tmp_path / "evaluators", monkeypatch, layout="N = 1")
    assert build.cache_folder() == first


def test_only_few_outdated_folders_are_kept(home: Path) -> None:
    for age in range(6):
        (home / f"old{age}").mkdir(parents=True)
        os.utime(home / f"old{age}", (1e9 - age, 1e9 - age))
    build._sources_digest.cache_clear()
    folder = build.cache_folder()
    assert folder is not None
    assert sorted(path.name for path in home.iterdir() if path != folder) == ["old0", "old1", "old2"]


COMPILES = """
import numba
from metamuse.policy.intrinsics import hash64
hash64.enable_caching()
hash64.compile((numba.int64, numba.int64))
print(sum(hash64.stats.cache_hits.values()))
"""


def test_what_was_cut_short_is_compiled_again(home: Path) -> None:
    folder = build.cache_folder()
    assert folder is not None
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}

    def hits() -> int:
        done = subprocess.run(
            [sys.executable, "-c", COMPILES], env=env, capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert (hits(), hits()) == (0, 1)
    files = sorted(folder.rglob("*.nb[ci]"))
    assert {path.suffix for path in files} == {".nbc", ".nbi"}
    assert build.cache_folder() == folder
    assert sorted(folder.rglob("*.nb[ci]")) == files, "what is whole is kept"
    for path in files:
        whole = path.read_bytes()
        for damaged in (b"", whole[:-1], bytes(len(whole))):
            path.write_bytes(damaged)
            build.cache_folder()
            assert not path.exists()
        path.write_bytes(whole)
    assert hits() == 1
    files[0].write_bytes(b"")
    build.cache_folder()
    assert (hits(), hits()) == (0, 1)


def test_no_folder_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert build.cache_folder() is None


@pytest.fixture(autouse=True)
def own_digest() -> object:
    """Whatever a test made of the digest ends with it."""
    yield
    build._sources_digest.cache_clear()
