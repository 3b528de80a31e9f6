"""The baselines, compiled once a test run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import problems.cache.baselines
from evaluators.base import Score
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import Program, load

FOLDER = Path(next(iter(problems.cache.baselines.__path__)))
IDS = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))

Run = Callable[[str, Job], Score]


@functools.cache
def _program(policy_id: str) -> Program:
    return load((FOLDER / f"{policy_id}.py").read_text(), CONTRACT)


@functools.cache
def _compiled(policy_id: str) -> tuple[CompiledPolicy, Any]:
    policy = CompiledPolicy(_program(policy_id), (10, 31))
    return policy, bind(policy)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "policy_id" in metafunc.fixturenames:
        metafunc.parametrize("policy_id", IDS)


@pytest.fixture(scope="session")
def ids() -> list[str]:
    """The ids of all baselines."""
    return IDS


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """The checked program of a baseline."""
    return _program


@pytest.fixture(scope="session")
def run() -> Run:
    """Scores a baseline, compiled, on a job."""
    return lambda policy_id, job: simulate(*_compiled(policy_id), job)


@pytest.fixture(scope="session")
def interpret() -> Run:
    """Scores a baseline, interpreted, on a job."""

    def score(policy_id: str, job: Job) -> Score:
        policy = InterpretedPolicy(_program(policy_id), floats=_compiled(policy_id)[0].floats)
        return simulate(policy, bind(policy), job)

    return score
