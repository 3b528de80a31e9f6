"""Replicas that fail: when, what is lost with them, and that nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.opscale import bounds, simulator
from evaluators.opscale import layout as k
from evaluators.opscale.generators import CHAT, CODE
from evaluators.opscale.models import WHOLE
from evaluators.opscale.pool import draw
from evaluators.opscale.scenario import Past, Scenario, System
from evaluators.opscale.suites import made
from evaluators.opscale.world import World, make_world

PAST = Past(3.0, 8.0, 2.0, 1500.0, 4e6, 60.0)
SERVERS, CLOCKS = 7, 8


def started(given_: Scenario, targets: list[int], dies: dict[int, float]) -> World:
    """A run whose servers, by number, die when they are told to."""
    world = make_world(given_)
    world.act[:, k.TARGET] = targets
    world.floats[k.MTBF] = 1e15
    world.advance()
    world.advance()
    for s, when in dies.items():
        world.arrays[CLOCKS][s, k.DIES] = when
    while world.ints[k.STEP] < world.ints[k.STEPS]:
        world.advance()
    return world


def test_a_lost_batch_is_served_again_by_the_next_replica() -> None:
    """One replica; it dies while it serves the request, is missed at the next decision, and loads for 5 s."""
    system = System(model_delay=5.0)
    given_ = Scenario("one", system, np.array([2.5]), np.array([2048]), np.array([10]), PAST)
    calm = bounds.run_fixed(given_, np.array([1, 0, 0, 0, 0]))
    service = float(calm.requests[0, k.TTFT])
    world = started(given_, [1, 0, 0, 0, 0], {0: 2.5 + service / 2})
    assert world.ints[k.FAILED] == 1
    assert world.requests[0, k.TTFT] == pytest.approx(4.0 + 5.0 - 2.5 + service)
    # Its GPU is away from its death to the decision; what it did until then was in vain, but not for free.
    assert calm.floats[k.GPU_SECONDS] - world.floats[k.GPU_SECONDS] == pytest.approx(1.5 - service / 2)
    assert world.floats[k.BUSY_PREFILL] == pytest.approx(1.5 * calm.floats[k.BUSY_PREFILL])


def test_a_dead_replica_takes_no_more_requests() -> None:
    """Two replicas, two requests far apart: without the first one the second serves both."""
    arrivals = np.array([2.5, 3.5])
    given_ = Scenario("two", System(model_delay=50.0), arrivals, np.array([512, 512]), np.array([1, 1]), PAST)
    calm = bounds.run_fixed(given_, np.array([2, 0, 0, 0, 0]))
    world = started(given_, [2, 0, 0, 0, 0], {0: 2.2})
    assert world.ints[k.FAILED] == 1
    assert world.requests[:, k.TTFT] == pytest.approx(calm.requests[:, k.TTFT])


def test_order_is_kept_when_a_batch_comes_back() -> None:
    """A batch of two dies while a third waits, which arrived before its death and so goes first."""
    arrivals = np.array([2.5, 2.5, 2.55])
    prompts = np.array([1024, 1024, 2048])
    given_ = Scenario("three", System(), arrivals, prompts, np.ones(3, dtype=np.int64), PAST)
    world = make_world(given_)
    world.act[WHOLE, k.TARGET], world.act[WHOLE, k.CAP] = 2, 2048
    world.floats[k.MTBF] = 1e15
    world.advance()
    world.advance()
    world.arrays[CLOCKS][0, k.DIES] = 2.6
    world.arrays[CLOCKS][1, k.FREE] = 2.7
    while world.ints[k.STEP] < world.ints[k.STEPS]:
        world.advance()
    done = world.requests[:, k.ARRIVAL] + world.requests[:, k.TTFT]
    assert 2.7 < done[2] < done[0] == done[1]


def test_a_decode_replica_takes_its_sequences_with_it() -> None:
    """One of one: all begin again once another is there, and the time is theirs."""
    system = System(phases="decode", model_delay=5.0, tbt=10.0)
    n = 8
    given_ = Scenario("few", system, np.full(n, 2.1), np.full(n, 500), np.full(n, 200), PAST)
    calm = bounds.run_fixed(given_, np.array([1, 0, 0, 0, 0]))
    alone = calm.requests[:, k.TBT] * 200
    assert alone.min() > 1.0
    world = started(given_, [1, 0, 0, 0, 0], {0: 3.1})
    assert world.ints[k.FAILED] == 1
    assert world.ints[k.DONE] == n
    # An iteration's time is held until something happens, here other ends of intervals than in the calm run.
    assert world.requests[:, k.TBT] * 200 == pytest.approx(4.0 + 5.0 - 2.1 + alone, rel=1e-3)
    assert world.floats[k.KV_USED] == 0


def test_of_several_decode_replicas_a_part_is_lost() -> None:
    system = System(phases="decode", tbt=10.0, model_delay=1.0)
    n = 400
    given_ = Scenario("many", system, np.full(n, 2.1), np.full(n, 500), np.full(n, 200), PAST)
    calm = bounds.run_fixed(given_, np.array([4, 0, 0, 0, 0]))
    world = started(given_, [4, 0, 0, 0, 0], {2: 3.1})
    assert world.ints[k.DONE] == n
    late = int((world.requests[:, k.TBT] > 1.2 * calm.requests[:, k.TBT].max()).sum())
    assert n / 4 - 4 * 9 < late < n / 4 + 4 * 9


def test_times_between_failures_are_exponential() -> None:
    chances = np.array([draw(3, i, 0) for i in range(20_000)])
    assert 0.0 <= chances.min() < chances.max() < 1.0
    lives = -np.log1p(-chances)
    assert lives.mean() == pytest.approx(1.0, abs=4 / np.sqrt(len(lives)))
    assert np.quantile(lives, 0.9) == pytest.approx(np.log(10), rel=0.05)
    assert abs(np.corrcoef(chances[1:], chances[:-1])[0, 1]) < 0.03


def test_failures_come_at_their_rate_and_repeat() -> None:
    """Ten whole replicas of two GPUs for 900 s at 500 s a GPU: 36 failures expected."""
    system = System(model="mixtral-8x7b", tp=2, ttft=3.0, model_delay=1.0, mtbf=500.0, failure_seed=1)
    given_ = made(np.random.default_rng(5), "x", system, "smooth", CODE, 4.0, 900.0)
    runs = [bounds.run_fixed(s, np.array([10, 0, 0, 0, 0])) for s in (given_, given_.on(failure_seed=2))]
    counts = [int(world.ints[k.FAILED]) for world in runs]
    for count in counts:
        assert abs(count - 36) < 4 * 6
    again = bounds.run_fixed(given_, np.array([10, 0, 0, 0, 0]))
    assert np.array_equal(again.requests, runs[0].requests)
    assert not np.array_equal(runs[0].requests, runs[1].requests)
    score = simulator.score(given_, runs[0], {}, None)
    assert score.details["failures"] == counts[0]
    none = simulator.score(given_, bounds.run_fixed(given_, np.zeros(5, dtype=np.int64)), {}, None)
    for one, missed in ((score, 1.0 - score.details["attainment"]), (none, 0.05)):
        assert one.details["missed"] == pytest.approx(missed)


def test_failures_cost_attainment_and_spares_buy_it_back() -> None:
    system = System(mtbf=120.0, model_delay=40.0)
    given_ = made(np.random.default_rng(5), "x", system, "smooth", CODE, 20.0, 600.0)
    attained = [
        simulator.score(s, bounds.run_fixed(s, np.array([c, 0, 0, 0, 0])), {}, None).details["attainment"]
        for s, c in ((given_.on(mtbf=0.0), 6), (given_, 6), (given_, 12))
    ]
    assert attained[1] < attained[2]
    assert attained[1] < attained[0]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["prefill", "decode", "serve"]),
    st.sampled_from(["time_shared", "uniform_tandem"]),
    st.sampled_from([3, 8, 16]),
    st.sampled_from([5.0, 30.0]),
)
def test_nothing_is_lost_for_good(seed: int, phases: str, whole: str, share: int, mtbf: float) -> None:
    """Targets that change at random while replicas die, then enough of them that live: all requests are done."""
    system = System(
        phases=phases, whole=whole, gpus=48, model_delay=3.0, mtbf=mtbf, failure_seed=seed, tbt=5.0
    )
    given_ = made(np.random.default_rng(seed), "x", system, "smooth", CHAT, 5.0, 30.0)
    world = make_world(given_)
    rng = np.random.default_rng(seed)
    servers, clocks, gpus, residents = (world.arrays[i] for i in (SERVERS, CLOCKS, 10, 11))
    world.advance()
    for step in range(120):
        world.act[:, k.TARGET] = rng.integers(0, 4, world.groups) if step < 25 else 3
        world.act[:, k.SHARE] = share
        if step == 25:
            world.floats[k.MTBF] = 0.0
            clocks[:, k.DIES] = 1e18
        world.advance()
        assert gpus[:, k.EIGHTHS].max() <= 8
        assert (residents.sum(axis=1) == gpus[:, k.COUNT]).all()
        used = servers[servers[:, k.STATE] != k.UNUSED]
        assert used[:, k.GPUS].sum() == gpus[:, k.COUNT].sum()
        assert (world.obs >= 0).all()
        assert np.isfinite(world.obs).all()
    n = len(given_.arrivals)
    assert world.ints[k.FAILED] > 0
    assert world.ints[k.DONE] == n
    assert world.floats[k.KV_USED] == pytest.approx(0.0)
    last = k.TTFT if phases == "prefill" else k.TBT
    assert (world.requests[:, last] >= 0).all()
