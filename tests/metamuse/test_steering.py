"""Sources and strategies as configurations name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metamuse import config
from metamuse.build import make_problem
from metamuse.errors import UsageError
from metamuse.steering import make_dictionary, make_strategy
from stimuli import Dictionary


def build(folder: Path, *overrides: str) -> Dictionary:
    composed = config.compose(["problem=cache", *overrides])
    problem = make_problem(composed)
    dictionary = make_dictionary(composed, problem, folder)
    make_strategy(composed, dictionary, problem, 3)
    return dictionary


def a_run(root: Path, problem: str = "cache") -> Path:
    run = root / problem / "r20260101-000000-abcd"
    for id, text in (("s0001", "what was hit twice moves up"), ("s0002", "the oldest goes")):
        (run / "solutions" / id).mkdir(parents=True)
        waypoints = {"observations": [{"word": "w", "properties": [], "property": "", "text": text}]}
        (run / "solutions" / id / "waypoints.json").write_text(json.dumps(waypoints))
    event = {"event": "run", "at": 0.0, "config": {"problem": {"name": problem}}}
    (run / "journal.jsonl").write_text(json.dumps(event) + "\n")
    (run / "leaderboard.csv").write_text(
        "id,kind,name,status\nlru,baseline,lru,ok\ns0002,solution,b,ok\ns0009,solution,c,compile\ns0001,solution,a,ok\n"
    )
    return run


def test_the_default_is_the_papers(tmp_path: Path) -> None:
    dictionary = build(tmp_path)
    assert [source.name for source in dictionary.sources] == ["common"]
    assert len(dictionary) > 2500


@pytest.mark.parametrize("source", ["domain", "properties", "common,domain"])
def test_other_sources(source: str, tmp_path: Path) -> None:
    assert len(build(tmp_path, f"stimuli.source='{source}'")) > 40


def test_winners_are_the_observations_of_the_best(tmp_path: Path) -> None:
    a_run(tmp_path)
    dictionary = build(tmp_path, "stimuli.source='winners,common'", "stimuli.runs=latest", "stimuli.s=3")
    assert dictionary.sources[0].stimuli() == ("the oldest goes", "what was hit twice moves up")
    assert dictionary.kind("the oldest goes") == "mechanism"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stimuli.source=tarot"], "There is no stimuli.source=tarot"),
        (["stimuli.source=files"], "stimuli.files="),
        (["stimuli.files=x.md"], "stimuli.files is read by stimuli.source=files only"),
        (["stimuli.source=winners"], "stimuli.runs="),
        (["stimuli.source=winners", "stimuli.runs=latest"], "no runs"),
        (["stimuli.s=5000"], "needs 5000"),
        (["stimuli.k=0"], "stimuli.k=0 must be a whole number of at least 1"),
        (["stimuli.strategy=oracle"], "stimuli.strategy=oracle"),
    ],
)
def test_mistakes_are_one_sentence(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        build(tmp_path, *overrides)


def test_winners_of_another_problem_are_refused(tmp_path: Path) -> None:
    run = a_run(tmp_path, "binpacking")
    with pytest.raises(UsageError, match="not a run on cache"):
        build(tmp_path, "stimuli.source=winners", f"stimuli.runs='{run}'")
