"""The records of real sites: what is taken out of them, and what they say of the claims."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from evaluators.base import WorkloadError
from evaluators.sensing.sites import RECORDS, read_record, replays, site_files, windows
from problems.sensing import measuring

pytestmark = pytest.mark.realdata


@pytest.fixture
def files(data_dir: Path) -> list[str]:
    return site_files(str(data_dir))


def test_known_faults_are_taken_out(files: list[str]) -> None:
    kaye, serc, _ = (read_record(path) for path in files)
    # The 6,582 negative readings of UNW and those of two other places, and what is dry beyond belief.
    assert kaye.dropped["moisture"] >= 6584
    assert serc.dropped["temperature"] >= 516
    assert serc.dropped["flux"] >= 10
    for record in (kaye, serc):
        moisture, temperature, flux = (record.hours[q][np.isfinite(record.hours[q])] for q in range(3))
        assert moisture.min() >= 0.01 and moisture.max() <= 0.65
        assert temperature.min() >= -20.0 and temperature.max() <= 45.0
        assert flux.max() <= 40.0


def test_windows_do_not_overlap_and_cover_every_site(files: list[str]) -> None:
    for path in files:
        found = windows(read_record(path))
        assert len(found) >= 3
        assert all(b - a >= 45 for (a, _), (b, _) in pairwise(found))
        assert all(len(places) >= 3 for _, places in found)


def test_replays_are_what_was_recorded(files: list[str]) -> None:
    scenarios = replays(files)
    assert len({s.digest() for s in scenarios}) == len(scenarios) >= 20
    record = read_record(files[0])
    first = next(s for s in scenarios if s.name.startswith(record.name))
    day, places = windows(record)[0]
    hours = record.hours[2, places[0], day * 24 : (day + 45) * 24]
    there = np.isfinite(hours)
    truth = first.field.values[3, 0, ::6]
    np.testing.assert_allclose(truth[there], hours[there], rtol=1e-5)
    assert first.field.known is not None
    assert first.field.known.mean() > 0.8


def test_change_concentrates_as_in_the_claims(files: list[str]) -> None:
    moisture, flux = measuring.concentration(replays(files)[::3])
    assert 0.46 <= moisture <= 0.70
    assert 0.20 <= flux <= 0.36


def test_a_folder_with_some_of_the_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / RECORDS[0]).parent.mkdir()
    (tmp_path / RECORDS[0]).touch()
    with pytest.raises(WorkloadError, match="no such file"):
        site_files(str(tmp_path))
    assert site_files(str(tmp_path / "nothing")) == []
