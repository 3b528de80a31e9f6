"""The simulator's own laws decide as the baselines do, and what is best in hindsight is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import problems.autothrottle.baselines
from evaluators.autothrottle import hindsight, native
from evaluators.autothrottle.contract import CONTRACT
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.simulator import bind, simulate
from evaluators.autothrottle.social import SOCIAL
from evaluators.base import Score
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

FOLDER = Path(problems.autothrottle.baselines.__path__[0])
N = len(SOCIAL.services)


def short(seconds: int = 70, users: int = 60, seed: int = 3) -> Load:
    rng = np.random.default_rng(seed)
    return Load("short", SOCIAL, rng.integers(users // 2, users, seconds), 10, 0, seed)


def played(policy_id: str, on: Load, **values: float) -> Score:
    policy = CompiledPolicy(
        load((FOLDER / f"{policy_id}.py").read_text(), CONTRACT), (32.0, 200.0, N), values
    )
    return simulate(policy, bind(policy), on)


@pytest.mark.parametrize(("policy_id", "sync"), [("k8s_cpu", native.SLOW), ("k8s_cpu_fast", native.FAST)])
def test_the_utilisation_laws_are_the_baselines(policy_id: str, sync: int) -> None:
    ours = native.run(native.utilisation(SOCIAL, 0.4, sync), short())
    assert ours.details == played(policy_id, short(), T=0.4).details
    assert ours.details["writes"] > 0


def test_captain_of_the_simulator_is_the_baseline() -> None:
    ours = native.run(native.pair(SOCIAL, 0.06, 0.2), short())
    assert ours.details == played("captain", short(), HIGH=0.06, REST=0.2).details
    assert ours.details["throttle_ratio"] > 0


def test_limits_follow_their_schedule() -> None:
    series: dict[str, list[np.ndarray]] = {}
    limits = np.full((N, 2), 8.0)
    limits[1] = (4.0, 2.0)
    native.run(native.scheduled(limits), short(130), series)
    seen = np.array(series["limits"])
    assert np.all(seen[1:60, 1] == 4.0)
    assert np.all(seen[61:, 1] == 2.0)  # the last one stays
    assert np.all(seen[1:, 0] == 8.0)


def test_runs_start_afresh() -> None:
    law = native.utilisation(SOCIAL, 0.5, native.FAST)
    assert native.run(law, short()).details == native.run(law, short()).details


def test_a_score_is_kept_only_for_the_same_law_numbers_and_load(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(native, "run", lambda law, load: made.append(load) or Score("w", float(len(made))))
    monkeypatch.setattr(native, "_known", {})

    def value(target: float, on: Load, sync: int = native.FAST) -> float:
        return native.scored(native.utilisation(SOCIAL, target, sync), on).value

    assert [value(0.4, short()), value(0.4, short()), value(0.5, short())] == [1.0, 1.0, 2.0]
    assert [value(0.4, short(seed=4)), value(0.4, short(), native.SLOW), value(0.4, short())] == [
        3.0,
        4.0,
        1.0,
    ]


def choice(setting: tuple[float, ...], cost: float, violated: bool) -> hindsight.Choice:
    return hindsight.Choice(setting, Score("w", cost, {"violated": float(violated)}))


def test_the_best_is_the_cheapest_that_meets_the_objective() -> None:
    choices = [choice((1,), 5.0, True), choice((2,), 9.0, False), choice((3,), 7.0, False)]
    assert hindsight.best(choices).setting == (3,)
    assert hindsight.best(choices[:1]).setting == (1,)


@pytest.mark.parametrize("seed", range(20))
def test_the_staircase_finds_the_best_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against all 81 pairs, for made-up cores that fall and P99s that rise with both targets."""
    rng = np.random.default_rng(seed)
    grid = hindsight.TARGETS
    cores = np.cumsum(rng.random(9))[:, None] + np.cumsum(rng.random(9))[None, :]
    p99 = np.cumsum(rng.random(9))[:, None] + np.cumsum(rng.random(9))[None, :]
    slo = float(rng.uniform(p99.min(), p99.max()))
    asked = []

    def made_up(pair: tuple[float, float], load: None) -> Score:
        asked.append(pair)
        i, j = grid.index(pair[0]), grid.index(pair[1])
        missed = max(0.0, p99[i, j] - slo)
        return Score("w", 20 - cores[i, j] + 100 * missed, {"violated": float(missed > 0)})

    monkeypatch.setattr(hindsight, "pair", lambda application, high, rest: (high, rest))
    monkeypatch.setattr(hindsight, "scored", made_up)
    found = hindsight.static_pair(short())
    assert len(asked) <= 17
    everything = [hindsight.Choice((a, b), made_up((a, b), None)) for a in grid for b in grid]
    assert found.score.value == hindsight.best(everything).score.value


def test_the_highest_utilisation_that_meets_the_objective_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hindsight, "utilisation", lambda application, target, sync: target)
    monkeypatch.setattr(
        hindsight, "scored", lambda target, load: Score("w", 10 - target, {"violated": float(target > 0.6)})
    )
    assert hindsight.static_utilisation(short(), native.FAST).setting == (0.6,)
