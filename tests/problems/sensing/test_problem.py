"""The problem as the hub sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.base import WorkloadError
from evaluators.sensing import simulator
from evaluators.sensing.scenario import Fault, Goals, Hardware, Node, Radio
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.base import Problem, make
from problems.figures import Chart, Grid, Shares
from problems.sensing.watching import watched

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "conf/problem/sensing.yaml").read_text())
REQUIRED = set(
    "fixed split_fixed send_on_delta dual_prediction rain_reactive energy_neutral volatility_adaptive pomdp".split()
)
HEAD = "node,CSR_TIMESTAMP_BEGIN,CSR_FLUX_CO2,CSR_SM5,CSR_T5\n"


def configured(**changes: object) -> Problem:
    return make(CONFIG | {"sites": None} | changes)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return configured()


@pytest.fixture(scope="module")
def probes(problem: Problem) -> list[simulator.Measured]:
    return list(problem.probes())


def interpreted(problem: Problem, source: str) -> tuple[InterpretedPolicy, object]:
    policy = InterpretedPolicy(load(source, problem.contract))
    return policy, problem.bind(policy)


def changed(problem: Problem, *pairs: tuple[str, str]) -> str:
    source = problem.baselines["split_fixed"]
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return source


def test_the_folder_holds_the_baselines(problem: Problem) -> None:
    assert set(problem.baselines) == REQUIRED == set(problem.neighbours)


@pytest.mark.parametrize("baseline", ["split_fixed", "rain_reactive", "pomdp"])
def test_modes_agree(problem: Problem, probes: list[simulator.Measured], baseline: str) -> None:
    program = load(problem.baselines[baseline], problem.contract)
    compiled = CompiledPolicy(program, problem.init_example())
    plain = InterpretedPolicy(program, compiled.values, compiled.floats)
    loops = problem.bind(compiled), problem.bind(plain)
    for task in probes:
        one, two = (problem.simulate(p, q, task) for p, q in zip((compiled, plain), loops, strict=True))
        assert one.decisions == two.decisions
        assert one.value == two.value


def test_the_best_fixed_schedule_scores_one(problem: Problem, probes: list[simulator.Measured]) -> None:
    for task in probes:
        at = task.schedule
        source = changed(
            problem,
            ("PROBE = 6", f"PROBE = {at.probe}"),
            ("CO2 = 24", f"CO2 = {at.co2}"),
            ("RADIO = 72", f"RADIO = {at.radio}"),
        )
        policy, loop = interpreted(problem, source)
        assert problem.simulate(policy, loop, task).value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return PROBE", "return 0", r"wake\(\) returned 0"),
        ("return PROBE", "return 1009", r"wake\(\) returned 1009"),
        ("self.send = 4096", "self.send = 5000", r"packets\(\) returned 5000"),
        ("self.send = 4096", "self.send = -5000", r"packets\(\) returned -5000"),
    ],
)
def test_impossible_decisions_end_the_policy(
    problem: Problem, probes: list[simulator.Measured], old: str, new: str, said: str
) -> None:
    policy, loop = interpreted(problem, changed(problem, (old, new), ("RADIO = 72 ", "RADIO = 6 ")))
    with pytest.raises(simulator.PolicyError, match=said) as caught:
        problem.simulate(policy, loop, probes[0])
    assert caught.value.kind == "illegal"


def test_the_gateway_is_asked_and_its_number_arrives(
    problem: Problem, probes: list[simulator.Measured]
) -> None:
    source = changed(
        problem,
        ("return PROBE", "return 72 if obs[16] == 3.0 else PROBE"),
        (
            "    def co2(self)",
            "    def gateway(self, day, node, net):\n        return 3.0 if node == 0 else 0.0\n\n    def co2(self)",
        ),
    )
    policy, loop = interpreted(problem, source)
    _, _, world = simulator.run(policy, loop, probes[0])
    wakes = world.node_ints[:, simulator.k.WAKES]
    assert wakes[0] < wakes[1] / 4


def test_who_may_not_forward_does_not(problem: Problem, probes: list[simulator.Measured]) -> None:
    relays = simulator.Measured(probes[2].scenario.on(radio=Radio(range_m=1e4, relays=True)))
    silent = changed(
        problem,
        ("    def co2(self)", "    def forwards(self, node):\n        return False\n\n    def co2(self)"),
    )
    for task in (probes[2], relays):
        policy, loop = interpreted(problem, silent)
        _, _, world = simulator.run(policy, loop, task)
        assert world.node_ints[:, simulator.k.RELAYED].sum() == 0


def test_cheaper_boards_reach_all_synthetic_scenarios() -> None:
    given = configured(hardware={"co2_j": 0.1, "probe_j": None})
    scenario = given.probes()[0].scenario
    assert scenario.hardware.co2_j == 0.243  # probes are what they are
    from evaluators.sensing.suites import synthetic_suite

    for made in synthetic_suite("validation", 1, 3, given._hardware):
        assert made.hardware.co2_j == 0.1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hardware": {"colour": 1}}, "hardware has no colour"),
        ({"hardware": {"store_j": -1}}, "not negative"),
        ({"workloads": dict.fromkeys(("feedback", "validation", "holdout"), "sites")}, "METAMUSE_DATA"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, object], said: str) -> None:
    with pytest.raises(WorkloadError, match=said):
        configured(**changes).workloads("holdout")


@pytest.mark.parametrize(
    "made",
    [
        lambda: Node("a", soil="clay"),
        lambda: Node("a", cover="snow"),
        lambda: Node("a", sun=2.0),
        lambda: Hardware.preset("gen1"),
        lambda: Radio(band="5"),
        lambda: Goals(age_d=0.0),
        lambda: Fault(0, "melted", "moisture", 1.0),
        lambda: Fault(0, "stuck", "pH", 1.0),
    ],
)
def test_a_deployment_says_what_is_wrong(made) -> None:
    with pytest.raises(WorkloadError):
        made()


def table(path: Path, days: int, text: str = "") -> Path:
    rng = np.random.default_rng(1)
    lines = []
    for hour in range(24 * days):
        stamp = np.datetime64("2015-06-01T00:10:00") + np.timedelta64(hour, "h")
        for place in "ab", "cd", "ef":
            flux = 3.0 + float(rng.random())
            lines.append(
                f"{place},{str(stamp).replace('T', ' ')},{flux:.3f},{0.2 + 0.01 * (hour // 300 % 3):.3f},{15 + hour % 24 / 8:.2f}"
            )
    path.write_text(HEAD + "\n".join(lines) + "\n" + text)
    return path


def test_records_become_windows_with_gaps_and_faults_taken_out(tmp_path: Path) -> None:
    fault = "ab,2015-06-03 04:05:00,678263,-1.5,144\n"
    problem = configured()
    (task,) = problem.load(str(table(tmp_path / "site.csv", 46, fault)))
    scenario = task.scenario
    assert [node.name for node in scenario.nodes] == ["ab", "cd", "ef"]
    assert scenario.field.values[3].max() < 5.0
    assert scenario.field.day_of_year == 151.0
    assert scenario.name == "site#2015-06-01"
    assert task.digest == problem.load(str(tmp_path / "site.csv"))[0].digest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "no column for place"),
        (HEAD, "no rows"),
        (HEAD + "a,2015-06-04 18:10:30,900,-1,200\n", "no hour has all"),
        (HEAD + "a,yesterday,1,0.2,3\n", "not written as"),
        (HEAD + "a,2015-06-04 18:10:30,1.0,0.2,3\n", "covered"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "site.csv"
    path.write_text(content)
    with pytest.raises(WorkloadError, match=said):
        configured().load(str(path))


def test_a_season_in_pictures(problem: Problem, probes: list[simulator.Measured]) -> None:
    policy, loop = interpreted(problem, problem.baselines["split_fixed"])
    figures = watched(policy, loop, probes[2])
    titles = {figure.title: figure for figure in figures}
    nodes, days = len(probes[2].scenario.nodes), int(probes[2].scenario.days)
    grid = titles["Rain and moisture, node by day"]
    assert isinstance(grid, Grid)
    assert (len(grid.cells), len(grid.cells[0]), len(grid.above)) == (nodes, days, days)
    storm = titles["Map of the heaviest storm"]
    assert isinstance(storm, Grid)
    assert 1 <= sum(cell is not None for row in storm.cells for cell in row) <= nodes
    curve = titles["Yield over time"]
    assert isinstance(curve, Chart)
    assert all(of >= own - 1e-9 for own, of in zip(curve.lines[0].values, curve.lines[1].values, strict=True))
    assert any(isinstance(figure, Shares) for figure in figures)


def test_the_oracle_is_no_worse_than_even_spacing() -> None:
    from evaluators.sensing.oracle import best_times

    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=400))
    times, wrong = best_times(y, 40)
    at = np.arange(400)
    assert wrong == pytest.approx(float(np.mean((np.interp(at, times, y[times]) - y) ** 2)))
    evenly = np.linspace(0, 399, len(times)).astype(int)
    assert wrong < 0.8 * float(np.mean((np.interp(at, evenly, y[evenly]) - y) ** 2))
    # What is not known costs nothing, so that it is given no readings.
    known = at < 200
    times, wrong = best_times(y, 40, known)
    line = np.interp(at, times, y[times])
    assert wrong == pytest.approx(float(np.mean((line - y)[known] ** 2)))
    assert np.count_nonzero(times >= 200) <= 2
    # Of all pairs of times the oracle's pair is the best.
    short = y[:30]
    pair, least = best_times(short, 2)
    tried = [
        float(np.mean((np.interp(at[:30], [i, j], short[[i, j]]) - short) ** 2))
        for i in range(30)
        for j in range(i + 1, 30)
    ]
    assert len(pair) > 2 or least == pytest.approx(min(tried))
