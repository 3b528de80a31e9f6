"""One policy's workloads spread over processes: every one once, and the same rows however many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse import config, scoring
from metamuse.scoring import PART_SECONDS, score, spread
from problems.base import make

SETS = st.dictionaries(st.sampled_from("abc"), st.lists(st.floats(0, 1e4), max_size=9), max_size=3)


@given(SETS, st.integers(0, 9))
def test_every_workload_is_in_one_part(seconds: dict[str, list[float]], free: int) -> None:
    parts = spread(seconds, free)
    assert 1 <= len(parts) <= max(1, free)
    for which, all_ in seconds.items():
        numbers = [number for part in parts for number in part[which]]
        assert sorted(numbers) == list(range(len(all_)))
        assert all(part[which] == sorted(part[which]) for part in parts)
    longest = max((s for all_ in seconds.values() for s in all_), default=0.0)
    loads = [sum(seconds[which][n] for which in part for n in part[which]) for part in parts]
    assert max(loads) - min(loads) <= longest + 1e-6


def test_short_work_is_not_spread() -> None:
    assert len(spread({"given": [0.01] * 30}, 8)) == 1
    assert len(spread({"given": [PART_SECONDS] * 30}, 8)) == 8
    assert len(spread({"given": [PART_SECONDS * 9]}, 8)) == 1


def rows(overrides: list[str], sources: dict[str, str | None], patterns: str) -> list[dict[str, Any]]:
    scored = score(config.compose(overrides), sources, {"given": patterns})
    for row in scored:
        row["details"] = {k: v for k, v in row["details"].items() if "second" not in k and "per_s" not in k}
        row["details"].pop("ns_per_decision", None)
    return scored


def test_rows_do_not_depend_on_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "PART_SECONDS", 1e-9)
    tasks = []
    run = scoring._Bench.run
    monkeypatch.setattr(scoring._Bench, "run", lambda self, *given: tasks.append(given) or run(self, *given))
    for i in range(5):
        np.save(tmp_path / f"{i}.npy", np.random.default_rng(i).integers(0, 50 + i, 1000 * (i + 1)))
    overrides = ["problem=cache", "problem.sample=0.5", f"problem.spool={tmp_path / 'spool'}"]
    sources: dict[str, str | None] = {"lru": make(config.compose(overrides)["problem"]).baselines["lru"]}
    patterns = str(tmp_path / "*.npy")
    alone = rows([*overrides, "executor.workers=1"], sources, patterns)
    assert len(tasks) == 1
    spread_out = rows([*overrides, "executor.workers=3"], sources, patterns)
    assert len(tasks) == 1 + 3
    assert spread_out == alone
    assert [row["workload"] for row in alone] == [str(tmp_path / f"{i}.npy") for i in range(5)]
    assert all(row["status"] == "ok" and row["details"]["standard_error"] > 0 for row in alone)
