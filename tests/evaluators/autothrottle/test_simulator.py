"""Scoring of CPU control: what laws see, what is charged, how they fail; Captain; histograms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.autothrottle.applications import TINY
from evaluators.autothrottle.contract import CONTRACT
from evaluators.autothrottle.histogram import BINS, bin_of, edges, percentile
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.simulator import bind, cost, simulate
from evaluators.base import PolicyError, Score
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

PAIR, ONE = TINY
HEAD = "import math\nimport numpy as np\n\n\nclass Policy:\n    def __init__(self, node_cores, slo_ms, n_services):\n"
LOCAL = "    def local(self, tick, obs, usage, throttled, pos, target):\n"
GLOBAL = "    def global_(self, minute, service, app, services, history, pos, cluster):\n"


def policy(local: str = "", global_: str = "", init: str = "self.n = 0.0") -> Any:
    """A policy from the lines of its methods."""
    parts = [(LOCAL, local), (GLOBAL, global_)]
    text = HEAD + "        " + init.replace("\n", "\n        ") + "\n"
    for signature, body in parts:
        if body:
            text += signature + "        " + body.replace("\n", "\n        ") + "\n"
    return CompiledPolicy(load(text, CONTRACT), (32.0, 200.0, 4))


def score(made: Any, given: Load = ONE) -> Score:
    return simulate(made, bind(made), given)


def test_a_wide_limit_costs_what_it_is_and_meets_the_objective() -> None:
    details = score(policy("return 4.0")).details
    assert details["limit_cores"] == pytest.approx(4.0, rel=1e-6)
    assert details["writes"] == 0.0  # one at the first tick, which is not measured
    assert details["violated"] == 0.0
    assert details["usage_cores"] <= details["cores"]


def test_a_starved_service_pays_for_it() -> None:
    starved = score(policy("return 0.05"))
    assert starved.details["violated"] == 1.0
    assert starved.value > 10 * score(policy("return 4.0")).value
    assert starved.details["throttle_ratio"] > 0.9


def test_changing_limits_all_the_time_gains_nothing() -> None:
    still = score(policy("return 0.5")).details
    busy = score(policy("return 0.5 + 0.0001 * (tick % 2)")).details
    assert busy["writes"] > 100
    assert busy["cores"] - still["cores"] > 0.5 * (busy["usage_cores"] - still["usage_cores"])
    assert busy["cores"] >= busy["usage_cores"]


def test_a_change_below_the_threshold_is_none() -> None:
    made = score(policy("return obs[0] + 0.000009"))
    assert made.details["writes"] == 0.0
    assert made.details["limit_cores"] == pytest.approx(ONE.application.node_cores)


@pytest.mark.parametrize("value", ["math.nan", "math.inf", "-math.inf"])
def test_no_number_ends_the_candidate(value: str) -> None:
    for made in (policy(f"return {value}"), policy(global_=f"return {value}")):
        with pytest.raises(PolicyError, match="must be a finite number") as failure:
            score(made)
        assert failure.value.kind == "illegal"
        assert failure.value.event is not None


def test_a_crash_is_told_with_its_tick() -> None:
    with pytest.raises(PolicyError, match=r"at tick 7 of probe-one") as failure:
        score(policy("if tick == 7:\n    return 1.0 / self.n\nreturn 1.0"))
    assert failure.value.kind == "crash"


@pytest.mark.parametrize("array", ["obs", "usage", "throttled"])
def test_what_a_policy_sees_cannot_be_written(array: str) -> None:
    text = f"{array}[0] = 1.0\nreturn 1.0"
    with pytest.raises(PolicyError):
        policy(text)
    program = load(
        policy("return 1.0").program.source.replace("return 1.0", text.replace("\n", "\n        ")), CONTRACT
    )
    interpreted = InterpretedPolicy(program)
    with pytest.raises(PolicyError, match="read-only"):
        score(interpreted)


def test_limits_and_targets_are_clipped() -> None:
    assert score(policy("return 1e9")).details["limit_cores"] == pytest.approx(ONE.application.node_cores)
    assert score(policy("return -5.0")).details["limit_cores"] == pytest.approx(0.01)
    low, high = score(policy("return target", "return 7.0")), score(policy("return 1.0"))
    assert low.details["limit_cores"] == pytest.approx(high.details["limit_cores"])


def test_rings_hold_the_last_samples() -> None:
    law = (
        "self.n += obs[4]\n"
        "if usage[pos] != obs[4] or throttled[pos] != obs[1] or len(usage) != 50:\n    return math.nan\n"
        "if tick > 50 and usage[(pos + 1) % 50] != self.old[tick % 50 - 49 + 50 - 50]:\n    return math.nan\n"
        "self.old[tick % 50] = obs[4]\n"
        "return 0.6"
    )
    assert score(policy(law, init="self.n = 0.0\nself.old = np.zeros(50)")).value > 0


def test_the_global_law_sees_the_minute() -> None:
    law = (
        "if minute == 0:\n    return 0.5\n"
        "good = app[0] > 5.0 and app[0] < 25.0 and app[1] > 0.0 and app[1] <= app[4]\n"
        "good = good and abs(app[6] - 2.0 * services[4]) < 1e-6 and services[7 * service + 0] <= services[7 * service + 2]\n"
        "good = good and history[8 * pos + 4] == app[4] and pos == minute - 1 and cluster[1] == 1\n"
        "return 0.25 if good else math.nan"
    )
    series: dict[str, list[Any]] = {}
    made = policy("return 1.0", law)
    simulate(made, bind(made), PAIR, series)
    assert [t.tolist() for t in series["targets"]] == [[0.5, 0.5], [0.25, 0.25]]
    assert len(series["limits"]) == PAIR.seconds
    assert len(series["p99"]) == 1


def test_the_captain_within_equals_the_baseline() -> None:
    source = Path("problems/autothrottle/baselines/captain.py").read_text(encoding="utf-8")
    baseline = CompiledPolicy(load(source, CONTRACT), (32.0, 200.0, 4))
    for target in (0.0, 0.1, 0.3):
        made = baseline.with_values({"HIGH": target, "REST": target})
        within = policy(global_=f"return {target}")
        for load_of in TINY:
            one, two = score(made, load_of), score(within, load_of)
            assert (one.value, one.details) == (two.value, two.details)


def test_the_same_decisions_in_both_modes_and_every_time() -> None:
    source = Path("problems/autothrottle/baselines/captain.py").read_text(encoding="utf-8")
    program = load(source, CONTRACT)
    for made in (CompiledPolicy(program, (32.0, 200.0, 4)), InterpretedPolicy(program)):
        first, second = score(made), score(made)
        assert (first.value, first.details, first.decisions) == (
            second.value,
            second.details,
            second.decisions,
        )
        assert first.decisions == score(CompiledPolicy(program, (32.0, 200.0, 4))).decisions


def test_another_seed_is_another_load() -> None:
    made = policy("return 4.0")
    assert score(made).details["p99_ms"] != score(made, replace(ONE, seed=99)).details["p99_ms"]


@given(st.floats(0.1, 100), st.floats(1, 1000), st.floats(0.1, 50))
def test_cost_grows_with_cores_and_latency_and_has_no_step(cores: float, p99: float, demand: float) -> None:
    assert cost(cores, 0.99 * p99, 100.0, demand) <= cost(cores, p99, 100.0, demand)
    assert cost(0.99 * cores, p99, 100.0, demand) < cost(cores, p99, 100.0, demand)
    assert cost(cores, 100.0, 100.0, demand) == cores
    assert cost(cores, 101.0, 100.0, demand) >= 1.0999 * cores


@given(st.integers(0, 2**40))
def test_a_latency_is_within_its_bin(ns: int) -> None:
    place, at = bin_of(ns), edges()
    assert at[place] <= ns
    assert ns < at[place + 1] or place == BINS - 1


@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=300), st.sampled_from([50, 90, 99]))
def test_percentiles_are_the_authors_to_a_bin(latencies: list[int], p: int) -> None:
    counts = np.zeros(BINS, dtype=np.int64)
    for latency in latencies:
        counts[bin_of(latency)] += 1
    exact = sorted(latencies)[max(0, (p * len(latencies) - 1) // 100)]
    assert percentile(counts, p) * 1e6 == pytest.approx(exact, rel=0.017, abs=1)
