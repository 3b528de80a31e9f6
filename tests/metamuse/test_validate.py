"""``validate``: a toy problem's claims are measured, printed and judged; mistakes get a sentence."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evaluators.base import PolicyError
from metamuse import config
from metamuse.bench import WorkerBench
from metamuse.build import make_problem
from metamuse.cli import main
from metamuse.cli.validate import Finding, chosen, measure, text
from metamuse.errors import UsageError
from problems.claims import Bench, Claim, Demand, Measured, Run, claims_of

WORST = "class Policy:\n    def __init__(self, c):\n        self.c = c\n\n    def choose(self, i, r, n):\n        return -1\n"
ILLEGAL = WORST.replace("-1", "7")


def first_fit_is_better(bench: Bench) -> Measured:
    workloads = bench.problem.probes()
    sources = (bench.problem.baselines["first_fit"], WORST)
    scores = bench.scores([Run(source, workload) for source in sources for workload in workloads])
    fit, worst = scores[: len(workloads)], scores[len(workloads) :]
    better = sum(a.value < b.value for a, b in zip(fit, worst, strict=True))
    return Measured(better, (Demand("excess of a bin for each", worst[0].value, low=1.0),), {"workloads": 3})


def illegal(bench: Bench) -> Measured:
    return Measured(bench.scores([Run(ILLEGAL, bench.problem.probes()[0])])[0].value)


def claim(
    id: str = "T1", value: float = 0.5, low: float | None = 0, high: float | None = 1, **more: Any
) -> Claim:
    settings: dict[str, Any] = {"kind": "must", "measure": lambda bench: Measured(value)} | more
    return Claim(id, "Toys are right.", low, high, "A toy.", **settings)


def toy(problem: Any, quick: bool) -> Sequence[Claim]:
    return [
        claim("T1", 0, low=3, high=3, measure=first_fit_is_better),
        claim("T2", 2.0, kind="should", analysis="Toys differ."),
        claim("T3", 0.25 if quick else 0.75, kind="outcome"),
        claim("T4", measure=illegal),
    ]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("problems.claims.claims_of", toy)


def validate(*arguments: str) -> int:
    return main(["validate", "problem=binpacking", "executor.workers=1", *arguments])


@pytest.mark.parametrize(
    ("value", "low", "high", "holds"),
    [
        (1.0, 1.0, 1.0, True),
        (1.0, None, 1.0, True),
        (0.0, 0.0, None, True),
        (1.1, None, 1.0, False),
        (-0.1, 0.0, None, False),
        (math.nan, None, 1.0, False),
        (math.inf, 0.0, None, True),
    ],
)
def test_bounds_are_part_of_what_holds(
    value: float, low: float | None, high: float | None, holds: bool
) -> None:
    assert claim(low=low, high=high).holds(Measured(value)) is holds
    assert claim().holds(Measured(0.5, (Demand("more", value, low, high),))) is holds


def test_a_claim_bounds_something_and_has_a_kind() -> None:
    with pytest.raises(ValueError, match="bounds nothing"):
        claim(low=None, high=None)
    with pytest.raises(ValueError, match="none of must, should, outcome"):
        claim(kind="maybe")


def test_json_holds_every_claim(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate("--json", "--quiet") == 1
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert err == ""
    assert (answer["problem"], answer["quick"]) == ("binpacking-v1", False)
    rows = {row["id"]: row for row in answer["claims"]}
    assert list(rows) == ["T1", "T2", "T3", "T4"]
    assert set(rows["T1"]) >= {"id", "text", "value", "low", "high", "holds", "source"}
    assert [row["holds"] for row in rows.values()] == [True, False, True, False]
    assert rows["T1"]["value"] == 3
    assert rows["T1"]["demands"][0]["holds"]
    assert rows["T1"]["figures"] == {"workloads": 3}
    assert rows["T2"]["analysis"] == "Toys differ."
    assert rows["T4"]["value"] is None
    assert "PolicyError: choose() returned 7" in rows["T4"]["fault"]


def test_the_table_names_what_fails(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate() == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["claim", "kind", "value", "holds", "within"]
    assert lines[2].split() == ["T1", "holds", "must", "3", "=", "3", "Toys", "are", "right."]
    assert lines[3].split()[:4] == ["T2", "FAILS", "should", "2"]
    assert lines[-1] == "binpacking-v1: 2 of 4 claims fail: T2 (should), T4 (must)"
    assert "    Toys differ." in lines
    assert "measuring T1 (1 of 4)" in err


def test_some_claims_can_be_chosen(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate("claims=T3,T1", "--quiet") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "binpacking-v1: all 2 claims hold"


def test_the_short_form_says_that_it_is_short(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate("claims=T3", "quick=true", "--json", "--quiet") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["quick"] is True
    assert answer["claims"][0]["value"] == 0.25
    assert text("toy-v1", [], quick=True).splitlines()[-1].startswith("This was the short form")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["claims=T9"], "claims=T9: there is no such claim; there are T1, T2, T3, T4."),
        (["quick=perhaps"], "quick=perhaps must be on or off."),
    ],
)
def test_mistakes_get_a_sentence(
    toys: None, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(*arguments) == 2
    assert capsys.readouterr().err == f"metamuse: {sentence}\n"


def test_a_problem_without_claims_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert validate() == 2
    assert capsys.readouterr().err.startswith("metamuse: problem=binpacking offers no claims to validate")


def test_ids_are_unique(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    problem = make_problem(config.compose(["problem=binpacking"]))
    twice = ModuleType("problems.binpacking.claims")
    twice.claims = lambda problem, quick: [claim(), claim()]  # type: ignore[attr-defined]
    (tmp_path / "claims.py").touch()
    monkeypatch.setattr(type(problem), "folder", tmp_path)
    monkeypatch.setitem(sys.modules, twice.__name__, twice)
    with pytest.raises(ValueError, match="two claims have the same id"):
        claims_of(problem, False)


def test_a_simulator_that_breaks_is_a_finding() -> None:
    def broken(bench: Bench) -> Measured:
        raise ZeroDivisionError("by nought")

    finding = measure(claim(measure=broken), None)  # type: ignore[arg-type]
    assert not finding.holds
    assert finding.fault.startswith("ZeroDivisionError: by nought (")
    assert finding.as_json()["value"] is None


def test_numbers_that_json_lacks_become_null() -> None:
    assert Finding(claim(), Measured(math.inf)).as_json()["value"] is None


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(UsageError, match="offers no claims"):
        chosen([], None, "toy")


def counting() -> tuple[Callable[[int, int], None], list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    return lambda done, total: told.append((done, total)), told


def test_workers_change_nothing() -> None:
    settings = config.compose(["problem=binpacking"])
    problem = make_problem(settings)
    runs = [
        Run(problem.baselines[id], workload, values)
        for id, values in (("harmonic", {}), ("harmonic", {"K": 12}), ("first_fit", {}))
        for workload in problem.probes()
    ]
    outcomes = []
    for workers in (1, 2):
        tell, told = counting()
        with WorkerBench(problem, settings["problem"], workers, tell) as bench:
            scores = bench.scores([*runs, runs[0]])
            assert told[0] == (0, len(runs))
            assert told[-1] == (len(runs), len(runs))
            assert bench.scores(runs[:2]) == scores[:2]
            assert told[-1] == (0, 0)  # known already
            assert bench.each(math.hypot, [(3.0, 4.0), (5.0, 12.0)]) == [5.0, 13.0]
            with pytest.raises(PolicyError, match="returned 7"):
                bench.scores([Run(ILLEGAL, problem.probes()[0])])
        outcomes.append([(s.workload, s.value, s.details, s.decisions) for s in scores])
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][:3] != outcomes[0][3:6]  # the value of the constant reached the policy
