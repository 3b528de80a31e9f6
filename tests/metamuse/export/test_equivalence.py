"""Exported policies decide as the compiled ones do: in Python and in C, baselines of both problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from metamuse.export.package import ExportFailedError, run_test
from tests.metamuse.export import making
from tests.support.capabilities import demand

#: What between them uses all structures and most of the language; benchmarks/exports.py runs all baselines.
CACHE = ["adaptsize", "cacheus", "gdsf", "lhd", "lirs"]
BINPACKING = ["harmonic", "sum_of_squares"]
POLICIES = [("cache", name) for name in CACHE] + [("binpacking", name) for name in BINPACKING]
POLICIES += [("autothrottle", name) for name in ("tower", "vpa")]
POLICIES += [("dex", name) for name in ("clock", "dex", "s3fifo")]
POLICIES += [("opscale", name) for name in ("hybrid", "operator_erlang")]


@pytest.mark.parametrize(("problem", "name"), POLICIES, ids=[name for _, name in POLICIES])
@pytest.mark.parametrize("target", ["python", "c"])
def test_decides_as_compiled(target: str, problem: str, name: str, tmp_path: Path) -> None:
    if target == "c":
        demand("compiler")
    made = making.material(problem, making.problem(problem).baselines[name])
    decisions, _ = run_test(making.write(tmp_path, target, made))
    assert decisions == sum(case.decisions for case in made.golden) > 300


@pytest.mark.parametrize("target", ["python", "c", "cachetools"])
def test_a_difference_is_found(target: str, tmp_path: Path) -> None:
    if target == "c":
        demand("compiler")
    baselines = making.problem("cache").baselines
    golden = making.recorded("cache", making.compiled("cache", baselines["lru"]))
    made = making.material("cache", baselines["fifo"], golden)
    with pytest.raises(ExportFailedError, match=r"not equivalent: probe, .*in the simulator"):
        run_test(making.write(tmp_path, target, made))


def test_the_test_cannot_import_metamuse(tmp_path: Path) -> None:
    (tmp_path / "test_equivalence.py").write_text("import metamuse\n")
    with pytest.raises(ExportFailedError, match="hidden while an export is tested: metamuse"):
        run_test(tmp_path)
