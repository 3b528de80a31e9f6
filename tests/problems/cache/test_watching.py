"""What the report shows of a cache policy is what it did."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evaluators.cache import simulator
from metamuse.build import make_problem
from metamuse.config import compose
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.cache.watching import PHASES, changing, watched
from problems.figures import Chart, Shares, as_data, from_data


@pytest.fixture(scope="module", params=["unit", "bytes"])
def seen(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Figures of two policies, their scores on the same trace, and the trace."""
    problem = make_problem(compose(["problem=cache", f"problem.sizes={request.param}"]))
    job = changing(5, request.param == "bytes", 2.0)
    figures, misses = {}, {}
    for name in ("lru", "wtinylfu"):
        program = load(problem.baselines[name], problem.contract)
        policy = CompiledPolicy(program, problem.init_example(), {})
        loop = simulator.bind(policy)
        figures[name] = watched(policy, loop, job)
        misses[name] = simulator.simulate(policy, loop, job).details["misses"]
    return figures, misses, job


def test_misses_by_step_and_by_phase_add_up_to_those_of_the_score(seen) -> None:  # type: ignore[no-untyped-def]
    figures, misses, job = seen
    for name, (over_time, _, by_phase) in figures.items():
        assert isinstance(over_time, Chart)
        assert isinstance(by_phase, Shares)
        lines = {line.name: np.array(line.values) for line in over_time.lines}
        assert lines[""].mean() * len(job.trace) / 100 == pytest.approx(misses[name])
        assert np.mean(by_phase.values[""]) * len(job.trace) / 100 == pytest.approx(misses[name])
        assert (lines[""] >= lines["first requests"]).all()
        assert lines["first requests"].sum() * len(job.trace) / 100 / len(lines[""]) == pytest.approx(
            job.trace.n_objects
        )


def test_a_scan_fills_the_room_of_lru_and_not_of_a_policy_that_refuses(seen) -> None:  # type: ignore[no-untyped-def]
    figures, _, _ = seen
    phase = len(figures["lru"][1].lines[0].values) // len(PHASES)

    def idle(name: str) -> float:
        return float(np.mean(figures[name][1].lines[0].values[phase : 2 * phase]))

    assert idle("lru") > 20
    assert idle("wtinylfu") < idle("lru") - 10
    for name in figures:
        values = np.array(figures[name][1].lines[0].values)
        assert ((values >= 0) & (values <= 100)).all()


def test_figures_survive_a_journal(seen) -> None:  # type: ignore[no-untyped-def]
    figures, _, _ = seen
    for shown in figures["lru"]:
        data = json.loads(json.dumps(as_data(shown)))
        assert as_data(from_data(data)) == data
