"""The kernel against the plain simulator, conservation, and what a policy may not do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import PolicyError
from evaluators.opscale import bounds, kernel, simulator
from evaluators.opscale import layout as k
from evaluators.opscale.generators import CHAT, CODE
from evaluators.opscale.models import FFN, OPERATORS, WHOLE
from evaluators.opscale.scenario import Past, Scenario, System
from evaluators.opscale.suites import made
from evaluators.opscale.world import World, make_world
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from tests.evaluators.opscale.naive import Naive

PAST = Past(3.0, 8.0, 2.0, 1500.0, 4e6, 60.0)
FIXED = """
COUNT = 3  # tune: 0..5000
SIZE = 8  # tune: -100..100
CAP = 0  # tune: -5..100000
KEY = 0  # tune: -9..9


class Policy:
    '''A fixed number.'''

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.seen = 0.0

    def control(self, t, glob, obs, prof):
        self.seen = t

    def replicas(self, group):
        return COUNT if group % 5 == 0 else 0

    def share(self, group):
        return SIZE

    def batch(self, group):
        return CAP

    def pack(self, group):
        return KEY
"""


def scenario(seed: int, n: int, phases: str, rate: float, **system: object) -> Scenario:
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(-np.log1p(-rng.random(n))) / rate
    prompts = rng.integers(1, 7000, n)
    outputs = rng.integers(1, 120, n)
    return Scenario("drawn", System(phases=phases, **system), arrivals, prompts, outputs, PAST)  # type: ignore[arg-type]


def planned(given: Scenario, plan: list[dict[int, int]]) -> World:
    world = make_world(given)
    world.advance()
    for targets in plan[: int(world.ints[k.STEPS])]:
        world.act[:, k.TARGET] = [targets.get(g, 0) for g in range(world.groups)]
        world.advance()
    return world


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(5, 60),
    st.sampled_from([2.0, 8.0, 20.0]),
    st.lists(st.integers(0, 5), min_size=4, max_size=4),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 3.0]),
)
def test_prefill_is_the_plain_simulator(
    seed: int, n: int, rate: float, counts: list[int], pools: bool, delay: float
) -> None:
    given_ = scenario(seed, n, "prefill", rate, model_delay=delay, operator_delay=delay)
    groups = OPERATORS if pools else (WHOLE,)
    rng = np.random.default_rng(seed)
    plan = [
        {g: max(1, int(counts[int(rng.integers(4))])) for g in groups}
        for _ in range(int(given_.span / 2.0) + 2)
    ]
    world, plain = planned(given_, plan), Naive(given_, plan).run()
    ttft = world.requests[:, k.TTFT]
    assert {i for i in range(n) if ttft[i] >= 0} >= set(plain.ttft) - {
        i for i, t in plain.ttft.items() if t > 20
    }
    for i, value in plain.ttft.items():
        if ttft[i] >= 0:
            assert ttft[i] == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert float(world.floats[k.GPU_SECONDS]) == pytest.approx(plain.gpu_seconds, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 60),
    st.sampled_from([1.0, 10.0, 60.0]),
    st.sampled_from([0.0, 1.3, 5.0]),
)
def test_decode_is_the_plain_simulator(seed: int, n: int, rate: float, delay: float) -> None:
    given_ = scenario(seed, n, "decode", rate, model_delay=delay)
    rng = np.random.default_rng(seed)
    count, plan = 1, []
    for _ in range(int(given_.span / 2.0) + 2):
        count += int(
            rng.integers(0, 2)
        )  # replicas only come: leaving ones move their sequences, which takes a moment
        plan.append({WHOLE: min(count, 6)})
    world, plain = planned(given_, plan), Naive(given_, plan).run()
    assert int(world.ints[k.DONE]) == len(plain.tbt) == n
    for i, value in plain.tbt.items():
        assert world.requests[i, k.TBT] == pytest.approx(value, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["prefill", "decode", "serve"]),
    st.sampled_from(["time_shared", "uniform_tandem"]),
    st.sampled_from([1, 3, 4, 8, 16]),
    st.sampled_from([4, 12, 64]),
    st.integers(-1, 2),
)
def test_nothing_is_lost_and_no_gpu_is_overfull(
    seed: int, phases: str, whole: str, share: int, gpus: int, key: int
) -> None:
    given_ = scenario(seed, 80, phases, 6.0, whole=whole, gpus=gpus, model_delay=3.0)
    world = make_world(given_)
    rng = np.random.default_rng(seed)
    servers, gpu_table, residents = world.arrays[7], world.arrays[10], world.arrays[11]
    world.advance()
    limit = gpus * given_.system.interval
    while world.ints[k.STEP] < world.ints[k.STEPS]:
        before = float(world.floats[k.GPU_SECONDS])
        world.act[:, k.TARGET] = rng.integers(0, 4, world.groups)
        world.act[:, k.SHARE], world.act[:, k.PACK] = share, key
        world.affinity[:] = rng.integers(-3, 4, world.affinity.shape)
        world.advance()
        assert 0 <= float(world.floats[k.GPU_SECONDS]) - before <= limit + 1e-9
        assert gpu_table[:, k.EIGHTHS].max() <= 8
        assert gpu_table[:, k.MEMORY].max() <= world.floats[k.ROOM]
        assert (residents.sum(axis=1) == gpu_table[:, k.COUNT]).all()
        used = servers[servers[:, k.STATE] != k.UNUSED]
        assert used[:, k.GPUS].sum() == gpu_table[:, k.COUNT].sum()
        assert np.isfinite(world.obs).all()
        assert (world.obs >= 0).all()
    n = len(given_.arrivals)
    assert world.ints[k.NEXT] == n
    assert world.ints[k.GOOD] <= world.ints[k.DONE] <= n
    finished = (
        world.requests[:, k.TBT] if "decode" in phases or phases == "serve" else world.requests[:, k.TTFT]
    )
    assert (finished >= 0).sum() == world.ints[k.DONE]
    busy = float(world.floats[k.BUSY_PREFILL] + world.floats[k.BUSY_DECODE])
    # What has begun is counted whole, also if it ends after the last interval.
    assert busy <= float(world.floats[k.GPU_SECONDS]) + 30.0


def compiled(**values: int) -> tuple[CompiledPolicy, object]:
    policy = CompiledPolicy(load(FIXED, simulator.CONTRACT), (5, 2.0, 1.5, 0.05)).with_values(values)
    return policy, simulator.bind(policy)


def test_modes_agree_and_runs_repeat() -> None:
    given_ = made(np.random.default_rng(3), "x", System(phases="serve", gpus=12), "bursty", CHAT, 3.0, 60.0)
    policy, loop = compiled()
    first, again = (simulator.simulate(policy, loop, given_) for _ in range(2))
    plain = InterpretedPolicy(load(FIXED, simulator.CONTRACT))
    third = simulator.simulate(plain, simulator.bind(plain), given_)
    assert first.details == again.details == third.details
    assert first.decisions == again.decisions == third.decisions
    assert first.value == third.value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"COUNT": 5000}, r"replicas\(0\) returned 5000"),
        ({"SIZE": 0}, r"share\(0\) returned 0"),
        ({"SIZE": 9}, r"share\(0\) returned 9, it must be 1 to 8 eighths"),
        ({"CAP": -1}, r"batch\(0\) returned -1"),
        ({"KEY": -2}, r"pack\(0\) returned -2"),
    ],
)
def test_impossible_decisions(values: dict[str, int], message: str) -> None:
    policy, loop = compiled(**values)
    with pytest.raises(PolicyError, match=message) as failed:
        simulator.simulate(policy, loop, scenario(1, 10, "prefill", 5.0))
    assert failed.value.kind == "illegal"


def test_one_request_by_hand() -> None:
    given_ = Scenario("one", System(), np.array([1.0]), np.array([2048]), np.array([10]), PAST)
    targets = np.array([1, 0, 0, 0, 0])
    world = bounds.run_fixed(given_, targets)
    assert world.requests[0, k.TTFT] == pytest.approx(0.1542, rel=0.01)  # claim V2
    pools = bounds.run_fixed(given_, np.array([0, 1, 1, 1, 1]))
    hops = 3 * 32 * 10e-6 + 32 * 2048 * (12288 + 8192 + 8192) / 300e9
    assert pools.requests[0, k.TTFT] == pytest.approx(world.requests[0, k.TTFT] + hops, rel=1e-9)
    steps = int(world.ints[k.STEPS])
    assert world.floats[k.GPU_SECONDS] == steps * 2.0
    assert pools.floats[k.GPU_SECONDS] == 4 * steps * 2.0


def test_a_hot_operator_relieves_whole_replicas() -> None:
    given_ = made(np.random.default_rng(5), "x", System(), "smooth", CODE, 20.0, 120.0)
    alone = bounds.run_fixed(given_, np.array([3, 0, 0, 0, 0]))
    hot = bounds.run_fixed(given_, np.array([3, 0, 0, 0, 2]))
    more = bounds.run_fixed(given_, np.array([5, 0, 0, 0, 0]))
    ttft = [float(np.mean(w.requests[:, k.TTFT])) for w in (alone, hot, more)]
    assert ttft[0] > 2 * ttft[1]
    assert ttft[1] < 2.5 * ttft[2]


def test_the_load_delay_is_waited_for() -> None:
    given_ = Scenario("one", System(model_delay=7.0), np.array([2.5]), np.array([512]), np.array([1]), PAST)
    world = planned(given_, [{WHOLE: 0}, *[{WHOLE: 1}] * 20])
    alone = bounds.run_fixed(given_, np.array([1, 0, 0, 0, 0]))
    assert world.requests[0, k.TTFT] == pytest.approx(2.0 + 7.0 - 2.5 + alone.requests[0, k.TTFT])


def test_decode_with_two_way_tp_cannot_meet_a_tight_target() -> None:
    """Two micro-batches read the weights twice: a large model's FFN on two GPUs has a floor beyond 60 ms."""
    system = System(model="llama3-70b", tp=4, phases="decode", tbt=0.06, gpus=256)
    given_ = made(np.random.default_rng(2), "x", system, "smooth", CHAT, 4.0, 60.0)
    shares = np.array([8, 16, 16, 16, 16])
    two = bounds.run_fixed(given_, np.array([0, 9, 9, 9, 9]), shares)
    four = bounds.run_fixed(given_, np.array([0, 9, 9, 9, 9]), np.array([8, 16, 16, 16, 32]))
    assert two.ints[k.GOOD] == 0
    assert four.ints[k.GOOD] > 0.9 * len(given_.arrivals)


def test_the_penalty_is_monotone_and_dear() -> None:
    given_ = made(np.random.default_rng(5), "x", System(), "bursty", CODE, 10.0, 120.0)
    values, attained = [], []
    for count in range(12):
        found = simulator.score(given_, bounds.run_fixed(given_, np.array([count, 0, 0, 0, 0])), {}, None)
        values.append(found.value)
        attained.append(found.details["attainment"])
    assert attained == sorted(attained)
    missed = [v for v, a in zip(values, attained, strict=True) if a < 0.99]
    good = [v for v, a in zip(values, attained, strict=True) if a >= 0.99]
    assert missed
    assert min(missed) > min(good)
    assert missed == sorted(missed, reverse=True)


def test_bounds_are_bounds() -> None:
    for phases, lengths in (("prefill", CODE), ("decode", CHAT), ("serve", CHAT)):
        given_ = made(
            np.random.default_rng(5), "x", System(phases=phases, gpus=24), "steps", lengths, 6.0, 200.0
        )
        least, fixed = bounds.work(given_), bounds.fixed(given_)
        assert 0 < least.value < fixed.value
        assert fixed.details["attainment"] >= 0.99
        busy = fixed.details["busy_gpu_hours"]
        assert least.value <= busy


def test_energy_both_ways() -> None:
    given_ = made(np.random.default_rng(5), "x", System(gpus=20), "smooth", CODE, 6.0, 100.0)
    few, many = (
        simulator.score(given_, bounds.run_fixed(given_, np.array([c, 0, 0, 0, 0])), {}, None)
        for c in (4, 20)
    )
    assert few.details["energy_mj"] < few.details["energy_kept_mj"]
    assert many.details["energy_mj"] == pytest.approx(many.details["energy_kept_mj"])
    seconds = many.details["gpu_hours"] * 3600
    assert many.details["energy_mj"] == pytest.approx(
        (80 * seconds + 320 * many.details["busy_gpu_hours"] * 3600) / 1e6
    )


def test_tandem_is_four_devices_a_replica() -> None:
    given_ = made(np.random.default_rng(5), "x", System(whole="uniform_tandem"), "smooth", CODE, 6.0, 100.0)
    tandem = simulator.score(given_, bounds.run_fixed(given_, np.array([2, 0, 0, 0, 0])), {}, None)
    shared = given_.on(whole="time_shared")
    pools = simulator.score(shared, bounds.run_fixed(shared, np.array([0, 2, 2, 2, 2])), {}, None)
    assert tandem.details == pools.details
    assert dataclasses.replace(given_.system).whole == "uniform_tandem"
    assert FFN == 4


def test_the_kernel_takes_no_arrays_of_another_kind() -> None:
    world = make_world(scenario(1, 5, "prefill", 5.0))
    assert kernel.addresses(world.arrays).shape == (len(kernel.KINDS), 4)
    for bad in (world.floats.astype(np.float32), np.zeros((2, len(world.floats)))[:, 0], world.requests):
        with pytest.raises(ValueError, match="not f1"):
            kernel.addresses([world.arrays[0], bad, *world.arrays[2:]])
