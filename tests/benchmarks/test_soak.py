"""A short soak: nothing is left open, nothing is lost over a kill, memory grows by what is new and no more."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.soak import Soak, show
from metamuse.journal import read

SOLUTIONS = 100
WINDOW = 20


@pytest.mark.timeout(900)
def test_a_run_ends_as_it_began(tmp_path: Path) -> None:
    soak = Soak(tmp_path, SOLUTIONS, WINDOW, real=False, settings=["tracking=none"])
    figures = soak(kill=0.4)
    samples = figures["samples"]
    firsts = [s["solutions"] for s in samples if s.get("event") == "first"]
    assert len(firsts) == 2 and firsts[1] >= 0.4 * SOLUTIONS
    # The resumed process, once warm.
    warm, *rest = [s for s in samples if s["solutions"] > firsts[1]]
    assert rest and all(s["fds"] <= warm["fds"] + 2 for s in rest)
    assert all(s["threads"] <= warm["threads"] + 2 and s["processes"] == 0 for s in rest)
    assert rest[-1]["rss_mb"] < 1.15 * warm["rss_mb"]
    numbers = [e["number"] for e in read(soak.run / "journal.jsonl") if e["event"] == "solution"]
    assert sorted(numbers) == list(range(SOLUTIONS))
    with (soak.run / "leaderboard.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "solution"]
    assert len(rows) == SOLUTIONS
    assert all((soak.run / "solutions" / row["id"] / "scores.json").is_file() for row in rows)
    show(figures)
