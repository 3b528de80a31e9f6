"""Every hostile program, scored as a run scores candidates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from evaluators.base import FAILURE_CLASSES
from metamuse.executor.wire import MAX_MESSAGE
from tests.hostile.case import HONEST
from tests.hostile.corpus import CORPUS
from tests.hostile.runner import SLACK_S, Result, run, write_workloads

#: All of the corpus is scored before the first of its tests.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What became of each program, by name."""
    found = asyncio.run(run(CORPUS, write_workloads(tmp_path_factory.mktemp("workloads"))))
    return {result.case.name + result.case.problem: result for result in found}


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_it_ends_as_it_must(results: dict[str, Result], case: object) -> None:
    result = results[case.name + case.problem]  # type: ignore[attr-defined]
    assert result.got == result.case.expect, result.message
    assert result.case.says in result.message
    assert result.outcome.seconds < result.limit + SLACK_S
    assert len(result.message) <= MAX_MESSAGE


def test_honest_policies_score_the_same_after_every_one(results: dict[str, Result]) -> None:
    for problem in HONEST:
        asked = [r for r in results.values() if r.case.problem == problem and r.honest is not None]
        assert len(asked) >= 10
        first = asked[0].honest
        assert isinstance(first, list)
        assert all(value > 0 for value in first)
        assert [r.case.name for r in asked if r.honest != first] == []


def test_harmless_programs_score_as_the_honest_one_does(results: dict[str, Result]) -> None:
    for problem in HONEST:
        honest = next(
            r.honest for r in results.values() if r.case.problem == problem and r.honest is not None
        )
        harmless = [r for r in results.values() if r.case.problem == problem and r.case.expect == "ok"]
        assert harmless
        assert [r.case.name for r in harmless if r.score != honest] == []


def test_names_are_unique_and_every_class_is_met() -> None:
    assert len({case.name + case.problem for case in CORPUS}) == len(CORPUS) >= 150
    # Nothing a text does is nobody's fault.
    assert {case.expect for case in CORPUS} == {*FAILURE_CLASSES, "ok"} - {"infrastructure"}


def test_refusals_are_one_sentence_without_paths(results: dict[str, Result]) -> None:
    refused = [r.message for r in results.values() if r.got in ("parse", "contract", "compile")]
    assert len(refused) > 100
    assert [m for m in refused if "\n" in m or ".py" in m or len(m) > 800] == []


def test_workloads_are_repeatable(tmp_path: Path) -> None:
    write_workloads(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    write_workloads(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
