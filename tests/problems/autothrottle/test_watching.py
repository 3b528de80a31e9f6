"""What the report shows of a policy is what it did."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.autothrottle import simulator
from evaluators.autothrottle.application import Application, Service, visit
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import HOUR
from evaluators.autothrottle.load import Load
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.autothrottle.watching import hour, watched
from problems.figures import Chart, Shares, as_data

FIXED = """
class Policy:
    def __init__(self, node_cores, slo_ms, n_services):
        self.limit = 0.25

    def local(self, tick, obs, usage, throttled, pos, target):
        return self.limit
"""

_APP = Application(
    "tiny",
    (Service("front", 8, 0.4), Service("back", 4, 0.4)),
    ((1.0, visit("front", 2.0, visit("back", 4.0))),),
    slo_ms=60.0,
    scale=1.0,
    high=("back",),
    node_cores=4.0,
)


def test_figures_say_what_was_allocated_used_and_late() -> None:
    policy = InterpretedPolicy(load(FIXED, simulator.CONTRACT))
    busy = Load("busy", _APP, np.full(180, 20, dtype=np.int64), 60, 0, 3)
    cores, throttling, minutes, services = watched(policy, simulator.bind(policy), busy)
    assert isinstance(cores, Chart) and isinstance(throttling, Chart) and isinstance(minutes, Chart)
    assert isinstance(services, Shares)
    allocated, used = cores.lines
    assert list(allocated.values) == pytest.approx([0.5] * 12)
    assert all(0.02 < value < 0.25 for value in used.values)
    assert cores.end == 2.0
    (late,) = minutes.lines
    assert len(late.values) == 2 and minutes.level == ("objective 60 ms", 60.0)
    assert services.names == ["back", "front"]
    assert list(services.values[""]) == pytest.approx([0.25, 0.25])
    assert services.values["in use"][0] > services.values["in use"][1]
    assert sum(services.values["in use"]) == pytest.approx(float(np.mean(used.values)), rel=1e-9)
    (held,) = throttling.lines
    assert 0.0 < float(np.mean(held.values)) < 60.0
    for figure in (cores, throttling, minutes, services):
        assert as_data(figure)["title"]


@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_hour_is_drawn_from_the_seed_alone(application: str) -> None:
    first, again, other = hour(application, 1), hour(application, 1), hour(application, 2)
    assert first.seconds == HOUR + first.ramp_s
    assert np.array_equal(first.rps, again.rps)
    assert not np.array_equal(first.rps, other.rps)
