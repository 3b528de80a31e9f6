"""Erlang's formula, and plans made with it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.opscale.erlang import (
    Station,
    brute_force,
    erlang_c,
    greedy,
    mean_wait,
    packed,
    stations,
    time_shared,
    uniform,
)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_erlang_c_is_the_textbook_sum(servers: int, part: float) -> None:
    load = part * servers
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    exact = last / (sum(load**i / math.factorial(i) for i in range(servers)) + last)
    assert erlang_c(servers, load) == pytest.approx(exact, rel=1e-9)


def test_one_server_is_mm1() -> None:
    assert mean_wait(1, 0.8, 1.0) == pytest.approx(4.0)
    assert mean_wait(2, 2.0, 1.0) == math.inf


def test_packing() -> None:
    assert packed([0.5, 0.5, 0.25, 0.75]) == 2
    assert packed([2.0, 0.125]) == 3
    assert packed([]) == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.005, 0.2), min_size=2, max_size=4), st.floats(0.5, 30.0), st.floats(1.2, 4.0))
def test_the_oracle_is_never_worse_than_greedy(services: list[float], rate: float, slack: float) -> None:
    net = tuple(Station(((1.0, s),)) for s in services)
    slo = slack * sum(services)
    found, best = greedy(net, rate, slo), brute_force(net, rate, slo, spare=8)
    assert found is not None
    assert found.latency <= slo
    if best is not None:
        assert best.gpus <= found.gpus
    other = uniform(net, rate, slo)
    assert other is not None
    assert found.gpus <= other.gpus


def test_the_published_accounting_of_the_baselines() -> None:
    """An earlier prototype: 40/s 20 -> 8 GPUs and 160/s 76 -> 28 of a tandem; whole replicas take 7 and 26."""
    net = stations("llama3-8b", "a100", 2048.0)
    slo = 3 * sum(s.sizes[0][1] for s in net)
    for rate, tandem, pools, whole in ((40.0, 20, 8, 7), (160.0, 76, 28, 26)):
        plans = uniform(net, rate, slo), greedy(net, rate, slo), time_shared(net, rate, slo)
        assert [p.gpus for p in plans if p] == pytest.approx([tandem, pools, whole], abs=4)
        assert plans[2] is not None
        assert plans[1] is not None
        assert plans[2].gpus <= plans[1].gpus  # at equal delays sharing a GPU beats splitting the work


def test_an_slo_below_the_service_is_refused() -> None:
    net = (Station(((1.0, 0.1),)), Station(((1.0, 0.1),)))
    assert greedy(net, 1.0, 0.15) is None
    assert uniform(net, 1.0, 0.15) is None
    assert time_shared(net, 1.0, 0.15) is None
    assert brute_force(net, 1.0, 0.15, spare=2) is None
