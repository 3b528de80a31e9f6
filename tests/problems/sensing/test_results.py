"""Deployments as workloads: goals beside the score, and what was measured as netCDF and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.io import netcdf_file

from evaluators.base import Policy, WorkloadError
from evaluators.sensing import layout as k
from evaluators.sensing import simulator
from evaluators.sensing.deployment import read_deployment
from evaluators.sensing.goals import judged
from evaluators.sensing.seasons import drawn_seasons
from metamuse.cli import main
from metamuse.errors import UsageError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.scoring import plain, write
from problems.base import Problem, make
from problems.sensing.deployed import Deployed
from problems.sensing.records import main as report

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "conf/problem/sensing.yaml").read_text())
PLOT = """\
deployment: Wet Lawn
place: 39.41 N, 76.52 W
season: 1 May to 15 May
visits: never
boards:
  bacon:
    power: {battery: 60 J}
    sensors:
      shallow: {measures: moisture, depth: 5 cm, calibration: 1.1 x - 0.01}
      deep: {measures: moisture, depth: 20 cm}
      warm: {measures: temperature, depth: 7.5 cm}
      chamber: {measures: CO2 efflux}
parcels:
  yard:
    patches:
      lawn: {cover: grass, nodes: 3}
goals:
  - see a wet-up within 3 h
  - seasonal CO2 sum within 10 %
  - no node silent for more than 2 days
  - moisture within 0.02 m3/m3
"""


def configured(**changes: object) -> Problem:
    return make(CONFIG | {"sites": None} | changes)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("plots") / "plot.yaml"
    file.write_text(PLOT)
    return str(file)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return configured()


@pytest.fixture(scope="module")
def policy(problem: Problem) -> tuple[Policy, object]:
    made = CompiledPolicy(
        load(problem.baselines["split_fixed"], problem.contract), problem.init_example(), {}
    )
    return made, problem.bind(made)


@pytest.fixture(scope="module")
def workload(problem: Problem, path: str) -> Deployed:
    season = drawn_seasons(read_deployment(path), "holdout", 1, n=1)[0]
    return Deployed(season)


@pytest.fixture(scope="module")
def files(problem: Problem, policy: tuple[Policy, object], workload: Deployed) -> Mapping[str, bytes]:
    made = problem.results(*policy, workload)
    assert made is not None
    assert made.files["summary.txt"].decode().splitlines()[: len(made.lines)] == made.lines
    return made.files


def rows(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name].decode())))


def test_the_score_says_how_many_goals_are_met(
    problem: Problem, policy: tuple[Policy, object], workload: Deployed
) -> None:
    score = problem.simulate(*policy, workload)
    same, outcome, world = simulator.run(*policy, workload)
    assert score.value == same.value
    verdicts = [v for v in judged(workload, world, outcome, workload.wishes) if v.wish.asked]
    assert len(verdicts) == 4
    assert score.details["goals_asked"] == sum(v.measured is not None for v in verdicts)
    assert score.details["goals_met"] == sum(v.met for v in verdicts if v.measured is not None)


def test_goals_are_measured_node_by_node(policy: tuple[Policy, object], workload: Deployed) -> None:
    _, outcome, world = simulator.run(*policy, workload)
    by = {v.wish.field: v for v in judged(workload, world, outcome, workload.wishes)}
    assert by["seasonal_sum"].measured == outcome.parts["sum_error"]
    assert by["age_d"].measured == outcome.parts["age_d"]
    assert by["down"].measured == outcome.parts["down"]
    moisture = by["moisture"]
    # Errors of the two depths, in m3 m-3.
    assert moisture.measured == pytest.approx(np.sqrt(outcome.places[:, :2].mean(axis=0)).mean())
    assert moisture.nodes == np.count_nonzero(np.sqrt(outcome.places[:, :2]).mean(axis=1) <= 0.02)
    assert (moisture.of, moisture.met) == (3, moisture.measured <= 0.02)
    for v in by.values():
        assert 0 <= v.nodes <= v.of <= 3
        assert ("NOT met" in v.sentence()) == (not v.met)


def test_silence_is_the_longest_time_without_a_session(problem: Problem, workload: Deployed) -> None:
    """A node that opens its radio once in five days is silent for five, whatever its readings are."""
    source = problem.baselines["fixed"]
    assert "Policy" in source
    quiet = """
class Policy:
    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.now = 0
    def wake(self, tick, obs):
        self.now = tick
        return 144
    def co2(self):
        return False
    def packets(self):
        if self.now // 144 % 5 == 4:
            return 100
        return 0
"""
    made = CompiledPolicy(load(quiet, problem.contract), problem.init_example(), {})
    _, outcome, world = simulator.run(made, problem.bind(made), workload)
    through = world.node_ints[:, k.SESSIONS] - world.node_ints[:, k.FAILED]
    by = {v.wish.field: v for v in judged(workload, world, outcome, workload.wishes)}
    assert by["silent_d"].measured is not None
    assert by["silent_d"].measured >= 5.0 - 1 / 24
    assert by["silent_d"].nodes == 0
    assert not by["silent_d"].met
    if through.min() == 3:  # none failed: at days 4, 9 and 14
        assert by["silent_d"].measured == pytest.approx(5.0)


def test_readings_are_what_was_read(
    files: Mapping[str, bytes], policy: tuple[Policy, object], workload: Deployed
) -> None:
    _, _, world = simulator.run(*policy, workload)
    readings = rows(files, "readings.csv")
    count = {
        q: sum(r["quantity"] == q for r in readings)
        for q in ("moisture_5cm", "moisture_20cm", "temperature_7p5cm", "co2_efflux")
    }
    assert count["moisture_5cm"] == count["temperature_7p5cm"] == world.node_ints[:, k.WAKES].sum()
    assert count["co2_efflux"] == world.node_ints[:, k.CO2S].sum()
    arrived = sum(r["quantity"] == "moisture_20cm" and r["fate"] != "not_arrived" for r in readings)
    assert arrived == world.node_ints[:, k.SENT].sum()
    assert readings[0]["time"] == "2001-05-01T00:00:00-05:00"
    at = np.flatnonzero(world.flags[0] & k.READ)
    truth = workload.scenario.field.values[0, 0, at]
    said = [
        float(r["value"])
        for r in readings
        if r["node"] == readings[0]["node"] and r["quantity"] == "moisture_5cm"
    ]
    if workload.plan.fixed[0, k.FAULT] < 0:
        assert np.abs(np.array(said) - truth).max() < 6 * 0.004
    nodes = rows(files, "nodes.csv")
    spent = sum(
        float(r[f"{c}_j"])
        for r in nodes
        for c in ("sleep", "probes", "co2", "radio", "relaying", "rain_alerts")
    )
    columns = slice(k.SPENT_SLEEP, k.SPENT_ALERT + 1)
    assert spent == pytest.approx(world.node_floats[:, columns].sum(), abs=1e-3)


def test_the_netcdf_file_holds_the_same(
    files: Mapping[str, bytes], policy: tuple[Policy, object], workload: Deployed
) -> None:
    with netcdf_file(io.BytesIO(files["results.nc"]), mmap=False) as nc:
        assert nc.Conventions == b"CF-1.8"
        assert nc.featureType == b"timeSeries"
        assert nc.power == b"60 J"
        names = ["".join(c.decode() for c in row).rstrip("\0") for row in nc.variables["station_name"][:]]
        assert names == ["lawn 01", "lawn 02", "lawn 03"]
        assert nc.variables["time"].units == b"seconds since 2001-05-01 00:00:00 -05:00"
        assert float(nc.variables["depth_7p5cm"].data) == pytest.approx(0.075)
        assert nc.variables["moisture_5cm"].sensor == b"shallow, calibrated by 1.1 x -0.01"
        readings = rows(files, "readings.csv")
        for name in ("moisture_5cm", "moisture_20cm", "temperature_7p5cm", "co2_efflux"):
            variable, status = nc.variables[name], nc.variables[f"{name}_status"][:]
            there = variable[:] < 9e36
            assert (there == (status == 1)).all()
            values = [float(r["value"]) for r in readings if r["quantity"] == name and r["fate"] == "arrived"]
            np.testing.assert_allclose(variable[:][there], values, atol=2e-5, rtol=1e-5)
            q = {"moisture_5cm": 0, "moisture_20cm": 1, "temperature_7p5cm": 2, "co2_efflux": 3}[name]
            assert np.array_equal(nc.variables[f"{name}_truth"][:], workload.scenario.field.values[q])
        made = nc.variables["moisture_5cm_reconstructed"][:].astype(float)
        _, outcome, _ = simulator.run(*policy, workload)
        errors = ((made - workload.scenario.field.values[0]) ** 2).mean(axis=1)
        np.testing.assert_allclose(errors, outcome.places[:, 0], rtol=1e-4, atol=1e-9)


def test_goals_are_written(files: Mapping[str, bytes]) -> None:
    goals = rows(files, "goals.csv")
    assert [g["goal"] for g in goals[:4]] == yaml.safe_load(PLOT)["goals"]
    assert [g["asked"] for g in goals].count("yes") == 4
    assert {g["met"] for g in goals} <= {"yes", "no", ""}


def test_a_deployment_is_searched_on_and_held_out(tmp_path: Path) -> None:
    path = tmp_path / "plot.yaml"
    path.write_text(PLOT.replace("15 May", "2 May").replace("nodes: 3", "nodes: 1"))
    problem = configured(deployment=str(path))
    sets = {which: problem.workloads(which) for which in ("feedback", "holdout")}
    for which, found in sets.items():
        assert len(found) == 24  # seasons as small as this one are many
        assert {w.name.split("/")[2] for w in found} == {which}
        assert all(isinstance(w, Deployed) for w in found)
    assert not {problem.digest(w) for w in sets["feedback"]} & {problem.digest(w) for w in sets["holdout"]}
    broken = tmp_path / "broken.yaml"
    broken.write_text(PLOT.replace("measures: moisture, depth: 5", "measures: mist, depth: 5"))
    with pytest.raises(WorkloadError, match="did you mean moisture"):
        configured(deployment=str(broken))


def test_other_workloads_have_no_results(problem: Problem, policy: tuple[Policy, object]) -> None:
    assert problem.results(*policy, problem.probes()[0]) is None


def test_names_and_sizes_of_a_policys_files_are_not_trusted(tmp_path: Path) -> None:
    for name in ("../x.csv", "/etc/x.csv", "x", ".csv", "a b.csv", "X.csv"):
        with pytest.raises(UsageError, match="no plain name"):
            write({name: ""}, tmp_path / "out")
    assert not list(tmp_path.rglob("*.csv"))
    assert plain("synthetic/Oak ridge#2015-06-14/../x") == "synthetic-Oak-ridge-2015-06-14-..-x"
    assert plain("../..") == "x"


def test_score_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = np.datetime64("2021-06-01T00") + np.arange(24 * 11)
    table = [
        "time,node,moisture,temperature,flux",
        *(f"{t},{n},0.2{i % 7},1{i % 5},2.{i % 9}" for i, t in enumerate(hours) for n in "AB"),
    ]
    (tmp_path / "own.csv").write_text("\n".join(table) + "\n")
    small = tmp_path / "small.yaml"
    small.write_text(
        PLOT.replace("nodes: 3", "nodes: [A, B]") + "records: {file: own.csv, replay: 10 days}\n"
    )
    out = tmp_path / "out"
    asked = [
        "score",
        "problem=sensing",
        "policy=fixed",
        f"workloads={small}",
        f"out={out}",
        "executor.workers=1",
    ]
    assert main([*asked, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert [row["workload"] for row in results] == ["Wet Lawn#2021-06-01"]
    for row in results:
        assert sorted(Path(f).name for f in row["files"]) == [
            "goals.csv", "nodes.csv", "readings.csv", "reconstruction.csv", "results.nc", "summary.txt",
        ]  # fmt: skip
        assert all(Path(f).is_file() for f in row["files"])
        assert "see a wet-up within 3 h" in row["lines"][1]
    assert main(asked) == 2
    assert "is not empty" in capsys.readouterr().err


def test_records_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small.yaml"
    small.write_text(PLOT.replace("nodes: 3", "nodes: [A, B]") + "records: {file: own.csv}\n")
    (tmp_path / "own.csv").write_text(
        "time,node,moisture,temperature,flux\n2021-06-01 00:00,A,0.2,10,2\n2021-06-03 00:00,A,-7999,11,2\n"
        "2021-06-03 01:00,C,0.3,11,2\n"
    )
    assert report([str(small)]) == 0
    out = capsys.readouterr().out
    assert "- A: moisture 1 (2021-06-01 to 2021-06-01), temperature 2 (2021-06-01 to 2021-06-03)" in out
    assert "moisture, out of range: 1 reading from 2021-06-03T00:00:00" in out
    assert "temperature, gap: 1, together 2.0 days" in out
    assert "not in the deployment: C" in out
    small.write_text(PLOT)
    assert report([str(small)]) == 2
    assert "names no records" in capsys.readouterr().err
    assert report([]) == 2
