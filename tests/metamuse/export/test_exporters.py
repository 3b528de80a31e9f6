"""What every exporter keeps to, whatever it writes: members of the registry are found, not listed."""

from __future__ import annotations

import ast
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from metamuse.errors import UsageError
from metamuse.export.base import exporter_for, exporters, fits, systems_known
from metamuse.export.kinds import UntranslatableError
from metamuse.export.package import run_test
from metamuse.llm.parse import extract_code
from tests.metamuse.export import making
from tests.support.capabilities import demand

PLAIN = {
    "cache": "s3fifo",
    "binpacking": "priority_fit",
    "autothrottle": "captain",
    "dex": "tinylfu",
    "opscale": "uniform_tandem",
    "sensing": "volatility_adaptive",
}
#: Policies that compute with whole arrays.
WHOLE = {
    "autothrottle": """
import numpy as np


class Policy:
    def __init__(self, node_cores, slo_ms, n_services):
        self.seen = np.zeros(50)

    def local(self, tick, obs, usage, throttled, pos, target):
        self.seen = self.seen * 0.5 + usage
        return 0.02 + np.sum(np.maximum(self.seen, 2.0 * throttled)) / 20.0

    def global_(self, minute, service, app, services, history, pos, cluster):
        return np.max(app * 0.001)
""",
    "dex": """
import numpy as np


class Policy:
    def __init__(self, thread, threads, cpus, height):
        self.usual = np.zeros(16)

    def on_miss(self, level, op, word, full, may_offload, seen):
        self.usual = self.usual + (seen - self.usual) * 0.1
        return 2 if level > 0 and may_offload and np.sum(seen[1:3] * self.usual[1:3]) > 20.0 else 1
""",
    "opscale": """
import numpy as np


class Policy:
    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.wanted = np.zeros(n_groups)

    def control(self, t, glob, obs, prof):
        busy = obs * 2.0
        for g in range(0, len(self.wanted), 5):
            self.wanted[g] = 1.0 + busy[12 * g + 1] + glob[1] * prof[12 * g] * glob[3]

    def replicas(self, group):
        return int(min(20.0, self.wanted[group]))
""",
    "sensing": """
import numpy as np


class Policy:
    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.seen = np.zeros(4)

    def wake(self, tick, obs):
        self.seen = self.seen * 0.5 + obs[0]
        return 6 + int(3.0 * np.sum(np.maximum(np.minimum(self.seen, 1.0), 0.0)))

    def co2(self):
        return np.max(self.seen) > 0.4

    def packets(self):
        return 2
""",
}
#: Targets in another language than Python.
TRANSLATED = ("c", "dex", "node")
MEMBERS = [(t, p) for t, e in exporters().items() for p in systems_known() if fits(e, p)]


def _needs(target: str) -> None:
    for requirement in exporters()[target].requires:
        name = re.split(r"\W", requirement)[0]
        try:
            distribution(name)
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
    if target in TRANSLATED:
        demand("compiler")


def test_there_are_members() -> None:
    assert {"python", "c", "cachetools", "libcachesim"} <= set(exporters())
    assert {("c", "binpacking"), ("python", "binpacking"), ("cachetools", "cache")} <= set(MEMBERS)
    assert {
        ("c", "opscale"),
        ("kubernetes", "autothrottle"),
        ("keda", "opscale"),
        ("rayserve", "opscale"),
        ("dex", "dex"),
        ("c", "dex"),
        ("python", "sensing"),
        ("node", "sensing"),
    } <= set(MEMBERS)


@pytest.mark.parametrize(("target", "problem"), MEMBERS)
class TestContract:
    def test_its_package_passes_its_test_without_metamuse(
        self, target: str, problem: str, tmp_path: Path
    ) -> None:
        _needs(target)
        made = making.material(problem, making.problem(problem).baselines[PLAIN[problem]])
        decisions, seconds = run_test(making.write(tmp_path, target, made))
        assert decisions == sum(case.decisions for case in made.golden)
        assert seconds > 0

    def test_its_files(self, target: str, problem: str) -> None:
        made = making.material(problem, making.problem(problem).baselines[PLAIN[problem]])
        exporter = exporters()[target]
        files = exporter.files(made)
        assert "test_equivalence.py" in files
        assert files == exporter.files(making.material(problem, made.program.source))  # nothing by chance
        for name, text in files.items():
            assert not name.startswith(("/", ".")) and "metamuse/" not in text
            if name.endswith(".py"):
                imported = {
                    alias.partition(".")[0]
                    for node in ast.walk(ast.parse(text))
                    for alias in (
                        [a.name for a in node.names]
                        if isinstance(node, ast.Import)
                        else [node.module or ""]
                        if isinstance(node, ast.ImportFrom) and not node.level
                        else []
                    )
                }
                assert not imported & {"metamuse", "problems", "evaluators", "stimuli", "numba"}, name

    def test_it_explains_itself(self, target: str, problem: str) -> None:
        exporter = exporters()[target]
        assert exporter.name == target and exporter.summary and "\n" not in exporter.summary
        assert "my_package" in exporter.usage(problem).format(package="my_package")
        assert exporter.assumptions(problem) and exporter.fallback(problem)

    def test_it_refuses_or_is_exact(self, target: str, problem: str, tmp_path: Path) -> None:
        """Policies that compute with whole arrays, as a model wrote them."""
        _needs(target)
        if problem in WHOLE:
            source = WHOLE[problem]
        else:
            name = {"cache": "cache-14.md", "binpacking": "binpacking-02.md"}[problem]
            source = extract_code((Path(__file__).parents[2] / "corpus" / name).read_text())
        made = making.material(problem, source)
        if target in TRANSLATED:
            with pytest.raises(
                UntranslatableError, match=r"line \d+: an operator between an array of float64"
            ):
                making.write(tmp_path, target, made)
        else:
            decisions, _ = run_test(making.write(tmp_path, target, made))
            assert decisions == sum(case.decisions for case in made.golden)


@pytest.mark.parametrize("name", ["gdsf", "lirs", "slru"])
def test_libcachesim_is_told_what_leaves_early(name: str, tmp_path: Path) -> None:
    """Policies that evict without need of room: after refusals, insertions and hits."""
    _needs("libcachesim")
    made = making.material("cache", making.problem("cache").baselines[name])
    decisions, _ = run_test(making.write(tmp_path, "libcachesim", made))
    assert decisions == sum(case.decisions for case in made.golden)


def test_unknown_and_unfit_targets() -> None:
    with pytest.raises(
        UsageError, match="There is no target cobol; for problem=binpacking there are: c, python"
    ):
        exporter_for("cobol", "binpacking")
    with pytest.raises(UsageError, match="target=cachetools is not for problem=binpacking"):
        exporter_for("cachetools", "binpacking")
    with pytest.raises(UsageError, match="export needs target="):
        exporter_for(None, "cache")
