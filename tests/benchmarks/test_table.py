"""The tables of ``python -m benchmarks`` and of the page on scale show what is on record, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import search_scale, table
from benchmarks.cache_engines import figures
from benchmarks.parts import PARTS
from benchmarks.search_scale import Constants, Search


def test_the_page_on_speed_shows_the_record() -> None:
    page = command.PAGE.read_text(encoding="utf-8")
    assert table.put(page, table.block(table.recorded())) == page


def test_the_readme_shows_the_record() -> None:
    text = command.README.read_text(encoding="utf-8")
    assert table.put(text, table.figures(table.recorded()), *table.FIGURES) == text


def test_the_page_on_scale_shows_its_record() -> None:
    page = search_scale.PAGE.read_text(encoding="utf-8")
    found = json.loads(search_scale.RECORD.read_text(encoding="utf-8"))
    assert table.put(page, search_scale.block(found), search_scale.BEGIN, search_scale.END) == page


def test_a_page_without_a_block() -> None:
    with pytest.raises(ValueError, match="has no block"):
        table.put("nothing", "new")


def test_every_part_is_shown() -> None:
    assert {"cache", *table._SHOWN} == set(PARTS)


def test_a_part_that_fails_does_not_hinder_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Done:
        def __init__(self, code: int, out: str, err: str) -> None:
            self.returncode, self.stdout, self.stderr = code, out, err

    rows = [{"solutions": 100, "target": "explore", "median_ms": 1.25, "max_ms": 2.0}]

    def run(arguments: list[str], **_: Any) -> Done:
        return (
            Done(1, "", "a\nValueError: broken")
            if "hub" in arguments
            else Done(0, json.dumps(rows) + "\n", "")
        )

    monkeypatch.setattr(command.subprocess, "run", run)
    assert command.main(["parts=stimuli,hub", "short=true"]) == 1
    out = capsys.readouterr().out
    assert (
        "1.2 at 100" in out and "hub could not be measured: ValueError: broken" in out and "short form" in out
    )
    assert command.main(["parts=nope"]) == 2
    assert "There is no nope; parts are cache, " in capsys.readouterr().err


def test_engines_count_the_same_misses() -> None:
    pytest.importorskip("cachetools")
    rows = figures(20_000, 2_000, 1, ("fifo", "lru"))
    by = {(row["policy"], row["share"]): row for row in rows}
    assert by["lru", 0.1]["misses"] < by["fifo", 0.1]["misses"] < by["fifo", 0.01]["misses"]
    assert all(
        by["lru", share][engine] > 0 for share in (0.01, 0.1) for engine in ("loop", "cachetools", "python")
    )


CONSTANTS = Constants(
    fixed=1.0,
    rates={"a": 1e7, "b": 2e7, "c": 4e7},
    row_bytes=400,
    row_seconds=1e-5,
    calls={"observation": 3.0, "formulation": 1.0, "code": 1.0, "repair": 1.0},
    prompt_tokens={"observation": 300.0, "formulation": 700.0, "code": 2000.0, "repair": 3000.0},
)


def test_the_arithmetic() -> None:
    search = Search(
        solutions=100, traces=10, requests=2e8, sample=0.1, cores=4, lag=8, call_s=5, concurrency=10,
        tokens_a_minute=1e6, disk=1e9, memory=1e8,
    )  # fmt: skip
    assert search.candidate(CONSTANTS) == pytest.approx(1 + 10 * 2e7 / 2e7)
    limits = search.limits(CONSTANTS)
    assert limits["scoring"] == pytest.approx(100 * 11 / 4)
    assert limits["the model's answers"] == pytest.approx(100 * 5 * 5 / 10)
    assert limits["the disk"] == pytest.approx(100 * 10 * 2e7 * 4 / 1e9)
    kept = replace(search, memory=1e9).limits(CONSTANTS)  # the files stay in memory once read
    assert kept["the disk"] == pytest.approx(limits["the disk"] / 100)
    low = search_scale.tokens_of(CONSTANTS, 0)
    assert low[0] == pytest.approx(3 * 300 + 700 + 2000)  # no repair at the low side
    assert limits["the rate limit"] == pytest.approx(
        100 * sum(search_scale.tokens_of(CONSTANTS, 1)) / 1e6 * 60
    )
    cores, other = search.saturation(CONSTANTS)
    del limits["scoring"]
    assert limits[other] == max(limits.values()) == pytest.approx(100 * 11 / cores)
