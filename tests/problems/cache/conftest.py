"""The baselines of the cache problem, compiled once a test run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import evaluators.cache.simulator
import problems.cache.baselines
from evaluators.base import Score
from evaluators.cache.simulator import Job
from metamuse.policy.program import Program
from tests.support.shelf import Shelf

SHELF = Shelf(problems.cache.baselines, evaluators.cache.simulator, (10, 31))

Run = Callable[[str, Job], Score]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "policy_id" in metafunc.fixturenames:
        metafunc.parametrize("policy_id", SHELF.ids)


@pytest.fixture(scope="session")
def ids() -> list[str]:
    """The ids of all baselines."""
    return SHELF.ids


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """The checked program of a baseline."""
    return SHELF.program


@pytest.fixture(scope="session")
def run() -> Run:
    """Scores a baseline, compiled, on a job."""
    return SHELF.run


@pytest.fixture(scope="session")
def interpret() -> Run:
    """Scores a baseline, interpreted, on a job."""
    return SHELF.interpret
