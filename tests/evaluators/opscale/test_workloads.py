"""Traces, generators, sets."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.opscale.generators import CODE, SHAPES, fortnight, production, requests
from evaluators.opscale.scenario import Scenario, System, rates, seen
from evaluators.opscale.suites import shifted_suites, synthetic_suite
from evaluators.opscale.trace import Trace, read_trace

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:05.0,3180,0\n"


def test_azure(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(AZURE)
    trace = read_trace(path)
    assert trace.arrivals == pytest.approx([0.0, 1.02004], abs=1e-6)
    assert trace.prompts.tolist() == [4808, 3180]
    assert trace.outputs.tolist() == [10, 1]
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n12.5,1,2\n10,3,4\n")
    assert read_trace(path).arrivals.tolist() == [0.0, 2.5]
    assert read_trace(path).prompts.tolist() == [3, 1]


HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def arrivals(path, *stamps: str, bom: str = "") -> list[float]:
    path.write_text(bom + HEAD + "".join(f"{stamp},1,2\n" for stamp in stamps), encoding="utf-8")
    found: list[float] = read_trace(path).arrivals.tolist()
    return found


def test_azure_with_zones(tmp_path) -> None:
    path = tmp_path / "a.csv"
    assert arrivals(
        path, "2024-05-10 00:00:00.009930+00:00", "2024-05-10 00:00:01+00:00", "2024-05-10 00:00:02.5000000Z"
    ) == pytest.approx([0.0, 0.99007, 2.49007], abs=1e-6)
    # In UTC: 22:00:00.25, 22:30 and 22:00:01.
    assert arrivals(
        path, "2024-05-11 00:00:00.2500000+02:00", "2024-05-10 17:00:00-05:30", "2024-05-10T22:00:01Z"
    ) == pytest.approx([0.0, 0.75, 1799.75], abs=1e-6)
    assert arrivals(path, "2024-05-10 00:00:00", "2024-05-10 00:00:00.0000005") == pytest.approx(
        [0.0, 5e-7], abs=2.5e-7
    ), "seven digits, as far as float64 holds them"


@pytest.mark.parametrize("zone", ["", "Z", "+00:00", "-07:00", "+05:30"])
@settings(deadline=None)  # it writes files
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_a_zone_that_all_have_changes_nothing(tmp_path_factory, zone: str, ticks: list[int]) -> None:
    start = datetime(2024, 5, 10)
    stamps = [f"{start + timedelta(seconds=tick // 10**7)}.{tick % 10**7:07}{zone}" for tick in ticks]
    path = tmp_path_factory.getbasetemp() / "zones.csv"
    assert arrivals(path, *stamps) == pytest.approx([(t - min(ticks)) / 1e7 for t in sorted(ticks)], abs=1e-6)


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (
            ("2024-05-10 00:00:00", "2024-05-10 00:00:01Z"),
            "line 3: its TIMESTAMP has a time zone, those before",
        ),
        (("2024-05-10 00:00:00.5+00:00", "2024-05-10 00:00:01.5"), "line 3: its TIMESTAMP has no time zone"),
        (("12.5", "2024-05-10 00:00:01Z"), "line 3: its TIMESTAMP has a time zone"),
        (("2024-05-10 00:00:00.5+25:00",), "line 2: not a request"),
        (("2024-05-10 00:00:00.5+00:00:x",), "line 2: not a request"),
    ],
)
def test_zones_that_do_not_fit(tmp_path, stamps: tuple[str, ...], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        arrivals(tmp_path / "a.csv", *stamps)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path) -> None:
    assert arrivals(tmp_path / "a.csv", "1", "3", bom="\ufeff") == [0.0, 2.0]
    line = '{"timestamp": 3000, "input_length": 5, "output_length": 6}\n'
    (tmp_path / "a.jsonl").write_text("\ufeff" + line, encoding="utf-8")
    assert read_trace(tmp_path / "a.jsonl").prompts.tolist() == [5]


def test_mooncake(tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"timestamp": 3000, "input_length": 5, "output_length": 6, "hash_ids": [1]}\n\n')
    trace = read_trace(path)
    assert (trace.arrivals.tolist(), trace.prompts.tolist(), trace.outputs.tolist()) == ([0.0], [5], [6])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column TIMESTAMP"),
        ("TIMESTAMP,ContextTokens\n1,2\n", "has no column GeneratedTokens"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "no requests"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nx,1,2\n", "line 2: not a request"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nnan,1,2\n", "line 2: not a request"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n1,-1,2\n", "line 2: not a request .-1 tokens"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n1,2\n", "line 2: not a request"),
        ('{"timestamp": 1, "input_length": 2}\n', "line 1: not a request"),
        ('{"timestamp": 1, "input_length": 2, "output_length": 99999999}\n', "line 1: not a request"),
        ("{\n", "line 1: not a request"),
    ],
)
def test_bad_files(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(WorkloadError, match=message):
        read_trace(path)


def test_files_that_are_not_there_or_no_text(tmp_path) -> None:
    with pytest.raises(WorkloadError, match="No such file"):
        read_trace(tmp_path / "none")
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkloadError, match="no text"):
        read_trace(tmp_path / "b")


@given(st.integers(1, 5), st.integers(0, 100))
def test_thickening_keeps_every_request(times: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    trace = Trace(np.sort(rng.random(20)) * 100, rng.integers(1, 9, 20), rng.integers(1, 9, 20))
    thick = trace.thickened(times, 5.0, rng)
    assert len(thick.arrivals) == 20 * times
    assert (np.diff(thick.arrivals) >= 0).all()
    assert thick.prompts.sum() == times * trace.prompts.sum()
    assert thick.arrivals.max() <= trace.arrivals.max() + 5


def test_parts_of_the_time_range_are_disjoint_and_complete() -> None:
    trace = Trace(np.linspace(0, 100, 41), np.arange(1, 42), np.ones(41, dtype=np.int64))
    parts = [trace.part(low, high) for low, high in ((0.0, 0.5), (0.5, 0.75), (0.75, 1.0))]
    assert np.concatenate([p.prompts for p in parts]).tolist() == trace.prompts.tolist()
    assert all(p.arrivals[0] >= 0 for p in parts)


def test_shapes_have_their_burstiness() -> None:
    peaks = {}
    for shape in SHAPES:
        trace = requests(np.random.default_rng(4), shape, CODE, 20.0, 1800.0)
        assert len(trace.arrivals) / 1800 == pytest.approx(20.0, rel=0.05)
        r = rates(trace.arrivals, 10.0)
        peaks[shape] = float(r.max() / r.mean())
        assert np.median(trace.prompts) == pytest.approx(1469, rel=0.05)
    assert peaks["bursty"] > 2.5 > peaks["steps"] > peaks["smooth"]
    assert peaks["smooth"] < 1.7


def test_a_fortnight_is_the_production_rates_from_some_bin_on() -> None:
    bins = production()["m-large"]
    one, other = (fortnight(np.random.default_rng(seed), float(len(bins))) for seed in (1, 2))
    assert np.array_equal(np.sort(one), np.sort(bins))
    start = int(np.flatnonzero((bins == one[0]) & (np.roll(bins, -1) == one[1]))[0])
    assert np.array_equal(np.roll(bins, -start), one)
    assert not np.array_equal(one, other)


def test_the_failing_suite_fails_at_times_of_its_own() -> None:
    suite = shifted_suites(1)["failures"]
    assert {s.system.mtbf for s in suite} == {3600.0}
    assert len({s.system.failure_seed for s in suite}) == len(suite)


def test_sets_are_disjoint_repeat_and_vary() -> None:
    sets = {which: synthetic_suite(which, 1) for which in ("feedback", "validation", "holdout")}
    digests = [s.digest() for suite in sets.values() for s in suite]
    digests += [s.digest() for suite in shifted_suites(1).values() for s in suite]
    assert len(set(digests)) == len(digests)
    assert [s.digest() for s in synthetic_suite("holdout", 1, 3)] == [s.digest() for s in sets["holdout"][:3]]
    assert synthetic_suite("holdout", 2, 1)[0].digest() != sets["holdout"][0].digest()
    feedback = sets["feedback"]
    assert {s.system.model_delay for s in feedback} == {1.0, 10.0, 40.0}
    assert len({s.system.model for s in feedback}) == 4
    assert {s.system.phases for s in feedback} == {"prefill", "decode", "serve"}
    assert all(
        s.system.whole == "uniform_tandem"
        for s in synthetic_suite("feedback", 1, 4, {"whole": "uniform_tandem"})
    )


def test_bad_sets() -> None:
    with pytest.raises(ValueError, match="no synthetic set"):
        synthetic_suite("x", 1)
    with pytest.raises(ValueError, match="at least one"):
        synthetic_suite("feedback", 1, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "gpt"}, "there is no model gpt"),
        ({"gpu": "v100"}, "there is no GPU v100"),
        ({"phases": "both"}, "phases is one of"),
        ({"whole": "x"}, "whole is one of"),
        ({"tp": 3}, "tp is 1, 2, 4 or 8"),
        ({"gpus": 0}, "gpus is 1..512"),
        ({"ttft": 0.0}, "interval and SLOs are positive"),
        ({"model_delay": -1.0}, "delays are not negative"),
        ({"mtbf": -1.0}, "nor are mtbf and failure_seed"),
        ({"failure_seed": -1}, "nor are mtbf and failure_seed"),
    ],
)
def test_systems_that_cannot_be(changes: dict, message: str) -> None:
    with pytest.raises(WorkloadError, match=re.escape(message)):
        System(**changes)


def test_scenarios_that_cannot_be() -> None:
    trace = requests(np.random.default_rng(4), "smooth", CODE, 2.0, 30.0)
    past = seen(trace)
    with pytest.raises(WorkloadError, match="no requests"):
        Scenario("x", System(), trace.arrivals[:0], trace.prompts[:0], trace.outputs[:0], past)
    with pytest.raises(WorkloadError, match="ascend"):
        Scenario("a/b/x", System(), trace.arrivals[::-1], trace.prompts, trace.outputs, past)
    with pytest.raises(WorkloadError, match=r"^x: prompts"):
        Scenario("a/b/x", System(), trace.arrivals, 0 * trace.prompts, trace.outputs, past)
