"""Every baseline does what it is named after, alike in both modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.base import Score
from evaluators.dex import simulator
from evaluators.dex.cell import Cell
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/dex.yaml").read_text()))
REQUIRED = set(
    "dex dex_no_offload dex_offload_only dex_eager always_admit always_offload threshold_offload clock sieve s3fifo tinylfu".split()
)
CELL = Cell(
    "x", keys=400_000, cache_mb=0.4, servers=2, memory=2, threads=4, ops=6000, warm=3000, cpus=2, seed=5
)


def state(baseline: str, **values: float):  # type: ignore[no-untyped-def]
    return InterpretedPolicy(load(PROBLEM.baselines[baseline], PROBLEM.contract), values).state(1, 8, 4, 5)


def scored(baseline: str, cell: Cell = CELL, **values: float) -> Score:
    policy = InterpretedPolicy(load(PROBLEM.baselines[baseline], PROBLEM.contract), values)
    return simulator.simulate(policy, simulator.bind(policy), cell)


def test_the_folder_holds_the_baselines() -> None:
    assert set(PROBLEM.baselines) == REQUIRED


@pytest.mark.parametrize("baseline", sorted(REQUIRED))
def test_modes_agree(baseline: str) -> None:
    program = load(PROBLEM.baselines[baseline], PROBLEM.contract)
    compiled = CompiledPolicy(program, PROBLEM.init_example())
    plain = InterpretedPolicy(program, compiled.values, compiled.floats)
    loops = PROBLEM.bind(compiled), PROBLEM.bind(plain)
    for workload in PROBLEM.probes():
        one, two = PROBLEM.simulate(compiled, loops[0], workload), PROBLEM.simulate(plain, loops[1], workload)
        assert one.decisions == two.decisions
        assert one.details == two.details


def test_who_never_offloads_and_who_admits_all() -> None:
    found = {
        name: scored(name).details for name in ("always_admit", "dex_no_offload", "dex_offload_only", "dex")
    }
    assert found["always_admit"]["rpcs"] == found["always_admit"]["rejected"] == 0
    assert found["dex_no_offload"]["rpcs"] == 0
    assert found["dex_no_offload"]["rejected"] > 5 * (
        found["dex_no_offload"]["admitted"] - found["dex_no_offload"]["misses_1"]
    )
    assert found["dex_offload_only"]["admitted"] == 0
    assert found["dex_offload_only"]["rpcs"] > 0.1


def test_eager_admission_is_dex_with_another_number() -> None:
    eager, seen = state("dex_eager"), np.zeros(16)
    assert [eager.on_miss(0, op, 0, True, False, seen) for op in (0, 1, 3)] == [1, 1, 1]
    assert [eager.on_miss(1, 0, 0, True, True, seen), eager.timed] == [1, True]


def test_dex_fills_its_windows_and_then_weighs() -> None:
    policy = state("dex", EXPLORE=0.001)
    seen = np.zeros(16)
    done = []
    for us in [5.0] * 50 + [8.0] * 50:
        done.append(policy.on_miss(1, 0, 0, True, True, seen))
        policy.on_done(1, done[-1], us)
    assert done == [1] * 50 + [2] * 50
    # 8 µs a call against two reads of 5.04 µs, times 1.2.
    later = [policy.on_miss(1, 0, 0, True, True, seen) for _ in range(400)]
    assert later.count(2) > 390
    assert [policy.on_miss(2, 0, 0, True, False, seen), policy.on_miss(2, 0, 0, False, True, seen)] == [1, 1]
    for _ in range(300):
        policy.timed = True
        policy.on_done(1, 2, 20.0)
    later = [policy.on_miss(1, 0, 0, True, True, seen) for _ in range(400)]
    assert later.count(1) > 390


def test_dexs_coin_is_for_leaves_of_a_full_cache_and_for_scans() -> None:
    policy, seen = state("dex"), np.zeros(16)
    assert [policy.on_miss(0, 0, 0, False, False, seen) for _ in range(50)] == [1] * 50
    for op, full in ((0, True), (3, False)):
        drawn = [policy.on_miss(0, op, 0, full, False, seen) for _ in range(3000)]
        assert set(drawn) == {0, 1}
        assert sum(drawn) == pytest.approx(300, abs=60)


def test_clock_spares_what_was_used_lately() -> None:
    policy = state("clock", EPOCH=1000)
    word = policy.on_hit(0, 0, 0, 5000)
    assert policy.score(0, False, word, 5900) > policy.score(0, False, word, 9000)
    assert policy.score(0, False, 0, 5900) < policy.score(0, False, word, 5900)


def test_tinylfu_admits_what_is_used_more_than_victims() -> None:
    policy, seen = state("tinylfu", EPOCH=1000), np.zeros(16)
    victim = policy.counted(0, 100, 3)
    for _ in range(200):
        policy.score(0, False, victim, 100)
    assert [policy.on_miss(0, 0, policy.counted(0, 100, n), True, False, seen) for n in (1, 3, 4, 9)] == [
        0,
        0,
        1,
        1,
    ]
    assert policy.aged(policy.counted(0, 100, 8), 2100) == 2


def test_s3fifo_knows_who_comes_back() -> None:
    policy, seen = state("s3fifo", GHOST=20_000, ADMIT=0.001), np.zeros(16)
    first = policy.note(0, 0, 0, 1000)
    soon, late = policy.note(0, 0, first, 11_000), policy.note(0, 0, first, 90_000)
    assert policy.on_miss(0, 0, soon, True, False, seen) == 1
    assert policy.on_miss(0, 0, late, True, False, seen) == 0
    used = policy.on_hit(0, 0, first, 1000)
    assert (
        policy.score(0, False, soon, 0) > policy.score(0, False, used, 0) > policy.score(0, False, first, 0)
    )


def test_sieve_clears_the_bit_of_what_went() -> None:
    policy = state("sieve")
    assert policy.score(0, False, policy.on_hit(0, 0, 0, 1), 1) > policy.score(
        0, False, policy.note(0, 0, 1, 1), 1
    )


def test_a_threshold_follows_the_threads_own_means() -> None:
    policy, seen = state("threshold_offload", TRY=0.001), np.zeros(16)
    answers = []
    for read, call in ((4.0, 7.0), (4.0, 9.0)):
        seen[1], seen[2] = read, call
        answers.append(sum(policy.on_miss(1, 0, 0, True, True, seen) == 2 for _ in range(100)))
    assert answers[0] == 100
    assert answers[1] < 10
