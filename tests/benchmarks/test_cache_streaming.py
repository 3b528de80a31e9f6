"""The short form of the long trace: both ways to serve it agree, and the figures are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cache_streaming import figures, show


def test_the_short_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(300_000, 50_000, ["lru"], tmp_path)
    first, second = found["spooled_now"], found["found_in_spool"]
    assert first["requests"] == second["requests"] == 300_000
    assert (
        first["equal_on_prefix"]["lru"] == first["policies"]["lru"]["misses"]
    )  # here the prefix is all of it
    assert 0 < second["policies"]["lru"]["miss_ratio"] < 1
    show(found)
    assert "300,000 requests" in capsys.readouterr().out
