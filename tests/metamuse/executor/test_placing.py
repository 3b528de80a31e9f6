"""Workloads as bytes, for the nodes of a cluster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import problems.base
from metamuse import config
from metamuse.evaluation import place
from metamuse.executor import placing
from problems.base import SHIFTS


def back(data: bytes, folder: Path) -> object:
    (folder / "placed").write_bytes(data)
    return placing.unpack(folder / "placed")


def test_arrays_that_are_read_only_stay_so(tmp_path: Path) -> None:
    fixed, free = np.arange(5), np.arange(3.0)
    fixed.flags.writeable = False
    one, other = back(placing.pack([fixed, free]), tmp_path)  # type: ignore[misc]
    assert not one.flags.writeable and other.flags.writeable
    assert (one == fixed).all() and one.dtype == fixed.dtype and one.flags.c_contiguous


@pytest.mark.parametrize("problem", ["cache", "binpacking", "autothrottle", "dex"])
def test_a_node_gets_what_the_hub_has(problem: str, tmp_path: Path) -> None:
    settings = config.compose([f"problem={problem}"])["problem"]
    setup = {"problem": settings, "sets": {"holdout": None, SHIFTS: None}}
    data = placing.load("metamuse.evaluation:setup", setup)
    assert data is not None
    there, sets, _ = back(data, tmp_path)  # type: ignore[misc]
    placed = place(setup)
    assert placed is not None
    here, own, _ = placed
    assert sets.keys() == own.keys()
    for name, workloads in own.items():
        assert [there.digest(w) for w in sets[name]] == [here.digest(w) for w in workloads]
    assert there.config == problems.base.make(settings).config


def test_what_is_larger_than_memory_is_left_to_the_nodes() -> None:
    settings = config.compose(["problem=cache", "problem.spool=/somewhere"])["problem"]
    setup = {"problem": settings, "sets": {"holdout": None}}
    assert placing.load("metamuse.evaluation:setup", setup) is None


def test_an_entry_that_loads_for_itself_is_left_to_it() -> None:
    assert placing.load("tests.metamuse.executor.handlers:plain", {}) is None
