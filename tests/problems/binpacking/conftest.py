"""The baselines of the bin packing problem."""

from __future__ import annotations

import pytest

import evaluators.binpacking.simulator
import problems.binpacking.baselines
from tests.support.shelf import Shelf

SHELF = Shelf(problems.binpacking.baselines, evaluators.binpacking.simulator, (100,))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "policy_id" in metafunc.fixturenames:
        metafunc.parametrize("policy_id", SHELF.ids)


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return SHELF
