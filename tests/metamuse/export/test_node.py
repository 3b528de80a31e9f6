"""Soil sensor nodes: what boards can hold, MicroPython, the fallback in both languages, the gateway, the energy bound."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse.export.golden import Case
from metamuse.export.package import run_test
from metamuse.export.runtime.equivalence_sensing import differences
from metamuse.export.runtime.soil_node import Gateway, SoilNode
from metamuse.export.runtime.words_sensing import asked, difference
from metamuse.export.targets.node import EXPORTER, bare, energy
from problems.sensing import baselines
from tests.metamuse.export import making
from tests.support.capabilities import micropython, needs

#: A policy that fails in the middle, with a gateway that does, too.
FAILING = """
class Policy:
    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.left = 20
        self.most = 10.0

    def wake(self, tick, obs):
        self.left -= 1
        return 144 // self.left

    def co2(self):
        return self.left % 3 == 0

    def packets(self):
        return -2

    def gateway(self, day, node, net):
        if day == 3 and node == 1:
            return self.most / (net[8] - net[8])
        return net[8 * node] * self.most

    def forwards(self, node):
        return node % 2 == 0
"""
BASELINES = sorted(path.stem for path in Path(baselines.__file__).parent.glob("[a-z]*.py"))
BOARD = (60.0, 240.0, 3e-5, 0.0009, 0.243, 0.06, 0.012, 0.0)
SUNNY = (60.0, 60.0, 3e-5, 0.1158, 0.243, 0.06, 0.012, 0.02)
POOR = (60.0, 1.0, 3e-5, 0.1158, 0.0, 0.06, 0.012, 0.0)


def write(tmp_path: Path, baseline: str, target: str = "node") -> Path:
    made = making.material("sensing", making.problem("sensing").baselines[baseline])
    return making.write(tmp_path, target, made)


@needs("cross-compilers")
@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_fits_half_of_a_board(tmp_path: Path, baseline: str) -> None:
    folder = write(tmp_path, baseline)
    command = [sys.executable, "board_sizes.py"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert set(found["boards"]) == {"MicaZ (ATmega128L)", "ATmega1284P", "Cortex-M0+"}
    for board in found["boards"].values():
        assert board["flash"] > 1000 and board["ram"] > 0
    assert found["same_in_single_precision"] >= 0.99 * found["wake_ups"]


@needs("micropython")
@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_decides_the_same_under_micropython(tmp_path: Path, baseline: str) -> None:
    folder = write(tmp_path, baseline)
    environment = {**os.environ, "MICROPYTHON": micropython()}
    command = [sys.executable, "test_micropython.py"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["equal"] > 400


def test_bare_modules_run_under_cpython(tmp_path: Path) -> None:
    """What is left for boards is the same program."""
    files = EXPORTER.files(
        making.material("sensing", making.problem("sensing").baselines["volatility_adaptive"])
    )
    space: dict[str, Any] = {"__name__": "bare"}
    for name in ("policy", "soil_node"):
        text = files[f"micropython/{name}.py"]
        assert "annotations" not in text and "typing" not in text and '"""' not in text and "->" not in text
        exec(compile(text, name, "exec"), space)
    made = making.material("sensing", making.problem("sensing").baselines["volatility_adaptive"])

    class Made:
        @staticmethod
        def node(*init: float) -> Any:
            return space["SoilNode"](space["Policy"], *init, strict=True)

    for case in made.golden:
        assert not differences(flat(case), Made)


def test_bare_keeps_what_runs() -> None:
    text = bare(
        '"""Says."""\nfrom typing import Any\nX: int = 3  # three\ndef f(a: int, *, b: Any = 1) -> int:\n    "says"\n'
    )
    assert text == "X = 3\n\ndef f(a, *, b=1):\n    pass\n"


def flat(case: Case) -> dict[str, Any]:
    """A case as a package reads it."""
    return {**case.fields, **{name: column.tolist() for name, column in case.columns.items()}}


class Failing:
    """Nodes and a gateway that fall back."""

    def __init__(self) -> None:
        self.policy = making.module(FAILING, "sensing", "failing_policy").Policy
        self.made: list[Any] = []

    def node(self, *init: float) -> SoilNode:
        self.made.append(SoilNode(self.policy, *init))
        return self.made[-1]  # type: ignore[no-any-return]

    def gateway(self, nodes: int, init: tuple[float, ...]) -> Gateway:
        self.made.append(Gateway(self.policy, nodes, init))
        return self.made[-1]  # type: ignore[no-any-return]


def failing_case(board: tuple[float, ...], holes: bool) -> tuple[dict[str, Any], Failing]:
    """What the Python export decides before and after the policy fails, as if it were golden."""
    rng = np.random.default_rng(3)
    made = Failing()
    node = made.node(*board)
    case: dict[str, Any] = {
        "name": "failing",
        "nodes": 2,
        "rest": [board[0], 0.0, *board[2:]],
        "store_j": board[1],
    }
    case |= {name: [] for name in "node tick sleep co2 packets listen obs day order forwards net".split()}
    case["stores"] = [board[1]]
    tick = 0
    for row in range(400):
        obs = rng.random(20)
        if holes and row % 7 == 3:
            obs[5] = (np.nan, np.inf)[row % 2]
        action = node.decide(tick, obs)
        for name, value in zip(
            ("node", "tick", "sleep", "co2", "packets", "listen"), (0, tick, *action), strict=True
        ):
            case[name].append(int(value))
        case["obs"] += obs.tolist()
        tick += action.sleep
    gateway = made.gateway(2, board)
    for day in range(6):
        net = rng.random(16)
        case["net"] += net.tolist()
        for order, forwards in gateway.decide(day, net):
            case["day"].append(day)
            case["order"].append(order)
            case["forwards"].append(int(forwards))
    return case, made


@needs("compiler")
@pytest.mark.parametrize("board", [BOARD, SUNNY, POOR])
@pytest.mark.parametrize("target", ["c", "node"])
def test_the_fallback_is_the_same_in_c(tmp_path: Path, target: str, board: tuple[float, ...]) -> None:
    case, _ = failing_case(board, holes=True)
    making.write(tmp_path, target, making.material("sensing", FAILING, []))
    program = tmp_path / "tried"
    sources = [str(tmp_path / "sensing_tried.c"), str(tmp_path / "equivalence.c")]
    subprocess.run(["cc", "-std=c99", "-O1", *sources, "-lm", "-o", str(program)], check=True)
    row = array("q", [1]) + asked(case)
    said = subprocess.run([str(program)], input=row.tobytes(), capture_output=True, check=True).stdout
    answers = array("q")
    answers.frombytes(said)
    found = iter(answers)
    assert difference(case, found) == ""
    assert next(found) > 1  # the line that failed


def test_what_the_fallback_does() -> None:
    case, made = failing_case(BOARD, holes=False)
    node, gateway = made.made
    assert "ZeroDivisionError" in node.fallback and "ZeroDivisionError" in gateway.fallback
    assert set(case["sleep"][20:]) == {2}
    at = [tick for tick, co2 in zip(case["tick"], case["co2"], strict=True) if co2][-5:]
    # 40 % of the 240 / 60 - 2.592 J that a day has to spend pay for a reading every 62.1 ticks; it wakes every second one.
    assert {b - a for a, b in itertools.pairwise(at)} == {64}
    sent = [tick for tick, packets in zip(case["tick"], case["packets"], strict=True) if packets][-4:]
    assert {b - a for a, b in itertools.pairwise(sent)} == {144}
    assert case["order"][-6:] == [0.0] * 6 and case["forwards"][-6:] == [1] * 6
    poor, _ = failing_case(POOR, holes=False)
    assert set(poor["sleep"][20:]) == {1008} and not any(poor["co2"][20:])


@pytest.mark.parametrize("place", range(8))
def test_a_board_that_makes_no_sense(place: int) -> None:
    policy = making.module(FAILING, "sensing", "failing_policy").Policy
    wrong = [*BOARD]
    wrong[place] = -1.0
    with pytest.raises(ValueError, match="positive"):
        SoilNode(policy, *wrong)
    with pytest.raises(ValueError, match="20 numbers"):
        SoilNode(policy, *BOARD).decide(0, [0.0] * 19)


def test_a_policy_with_a_gateway_is_exported(tmp_path: Path) -> None:
    source = FAILING.replace("self.left -= 1", "self.left = 7").replace("day == 3 and node == 1", "day < 0")
    made = making.material("sensing", source)
    assert sum(len(case.columns["day"]) for case in made.golden) > 20
    decisions, _ = run_test(making.write(tmp_path, "python", made))
    assert decisions == sum(case.decisions for case in made.golden)


#: Arrays, one of them as long as the season.
ARRAYS = """
import numpy as np


class Policy:
    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.seen = np.zeros(12)
        self.days = np.zeros(int(season_days) + 1, dtype=np.int16)
        self.at = 0

    def wake(self, tick, obs):
        self.at = (self.at + 1) % 12
        self.seen[self.at] = obs[2]
        self.days[min(tick // 144, len(self.days) - 1)] += 1
        return 3 + int(abs(self.seen[self.at] - self.seen[(self.at + 1) % 12])) % 6

    def co2(self):
        return self.at % 3 == 0

    def packets(self):
        return self.days[0]
"""


@needs("compiler")
def test_arrays_stand_in_a_fixed_piece_of_memory(tmp_path: Path) -> None:
    made = making.material("sensing", ARRAYS)
    folder = making.write(tmp_path, "node", made)
    decisions, _ = run_test(folder)
    assert decisions == sum(case.decisions for case in made.golden)
    source = folder / "sensing_tried.c"
    assert "malloc" not in source.read_text() and "calloc(" not in source.read_text()
    program = folder / "tried"
    sources = [str(source), str(folder / "equivalence.c")]
    subprocess.run(["cc", "-DSENSING_TRIED_WORDS=13", *sources, "-lm", "-o", str(program)], check=True)
    row = array("q", [1]) + asked(flat(made.golden[0]))  # too few words for a season: _start says NULL
    assert (
        subprocess.run([str(program)], input=row.tobytes(), capture_output=True, check=False).returncode == 4
    )


def test_energy_is_below_its_bound() -> None:
    for baseline in ("split_fixed", "volatility_adaptive"):
        made = making.material("sensing", making.problem("sensing").baselines[baseline])
        rows = [line.split("|") for line in energy(made).splitlines() if line.startswith("| probe-")]
        assert len(rows) == len(made.golden)
        for _, _, mean, most, bound, _ in rows:
            assert 0.0 < float(mean) <= float(most) < float(bound)
