"""Shadow mode: the difference is the simulator's, chance is no finding, and lasting changes are found."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from metamuse.export.runtime.cache_engine import HIT, KEY_SEED, Engine
from metamuse.export.runtime.cache_shadow import CacheShadow
from metamuse.export.runtime.hashing import hash64
from metamuse.export.runtime.scaling_shadow import ScalingShadow
from metamuse.export.runtime.shadow import USUAL, Comparison, Watch, interval
from tests.metamuse.export import making
from tests.metamuse.export.test_serving import CONFIG, ByQueue


def live(n: int, alpha: float, objects: int, seed: int, first: int = 0) -> list[int]:
    """Keys by a power law."""
    draws = random.Random(seed)
    weights = [1.0 / (i + 1) ** alpha for i in range(objects)]
    return [first + key for key in draws.choices(range(objects), weights, k=n)]


def policy(name: str, module: str) -> Any:
    return making.module(making.problem("cache").baselines[name], name=module).Policy


class Live:
    """A cache in charge: FIFO."""

    def __init__(self, capacity: int) -> None:
        self.engine = Engine(policy("fifo", "live_fifo"), capacity, capacity, 0.0, lambda key: None)

    def hit(self, key: int) -> bool:
        return self.engine.request(key, hash64(key, KEY_SEED), 1) == HIT


class TestCacheShadow:
    def test_it_counts_what_each_misses(self) -> None:
        keys = live(20_000, 0.9, 3000, 1)
        shadow = CacheShadow(policy("sieve", "shadow_sieve"), 200, window=1000)
        charge, alone = Live(200), Engine(policy("sieve", "shadow_sieve"), 200, 200, 0.0, lambda key: None)
        missed = [0, 0]
        for key in keys:
            hit = charge.hit(key)
            missed[0] += not hit
            missed[1] += alone.request(key, hash64(key, KEY_SEED), 1) != HIT
            shadow.request(key, hit)
        report = shadow.report()
        assert report.windows == 20
        assert report.incumbent == pytest.approx(missed[0] / 20_000)
        assert report.shadow == pytest.approx(missed[1] / 20_000)
        assert report.better and report.low < report.difference < report.high
        assert not report.drift and not report.search_again

    def test_no_better_than_itself(self) -> None:
        shadow = CacheShadow(policy("fifo", "live_fifo"), 200, window=500)
        charge = Live(200)
        for key in live(8000, 0.9, 3000, 2):
            shadow.request(key, charge.hit(key))
        report = shadow.report()
        assert (report.difference, report.low, report.high) == (0.0, 0.0, 0.0) and not report.better
        assert report.search_again == ["the shadow is no better than the policy in charge"]

    def test_another_traffic_is_found(self) -> None:
        shadow = CacheShadow(policy("sieve", "shadow_sieve"), 200, window=500)
        charge = Live(200)
        for key in live(500 * (USUAL + 10), 0.9, 3000, 3):
            shadow.request(key, charge.hit(key))
        assert not shadow.report().drift
        for key in live(500 * 20, 0.5, 30_000, 4, first=10_000):
            shadow.request(key, charge.hit(key))
        report = shadow.report()
        assert any(one.startswith("the share of keys new in a window has gone up") for one in report.drift)
        assert any("another one" in one for one in report.search_again)

    def test_a_sample_of_keys(self) -> None:
        keys = live(60_000, 0.8, 20_000, 5)
        whole = CacheShadow(policy("lru", "shadow_lru"), 2000, window=1000)
        part = CacheShadow(policy("lru", "shadow_lru"), 2000, window=1000, sample=0.25)
        for key in keys:
            whole.request(key, False)
            part.request(key, False)
        assert part.report().shadow == pytest.approx(whole.report().shadow, abs=0.06)
        assert part.report().windows < 0.5 * whole.report().windows

    def test_refused(self) -> None:
        with pytest.raises(ValueError, match=r"0\.\.1"):
            CacheShadow(policy("lru", "shadow_lru"), 10, sample=0.0)


class TestStatistics:
    def test_intervals_hold_the_mean_as_often_as_they_say(self) -> None:
        """95 % of them, give and take; values that go with the ones before them, too."""
        draws = random.Random(7)
        for memory in (0.0, 0.5):
            inside = 0
            for _ in range(400):
                value, values = draws.gauss(0, 1) / math.sqrt(1 - memory * memory), []
                for _ in range(60):
                    value = memory * value + draws.gauss(0, 1)
                    values.append(value)
                low, high = interval(values)
                inside += low <= 0.0 <= high
            assert 0.90 <= inside / 400 <= 0.99

    def test_too_few(self) -> None:
        assert all(map(math.isnan, interval([1.0] * 9)))
        report = Comparison().report()
        assert math.isnan(report.difference) and not report.search_again and not report.better

    def test_chance_is_seldom_an_alarm(self) -> None:
        draws = random.Random(11)
        alarms = 0
        for _ in range(100):
            watch = Watch()
            for _ in range(200):
                watch.add(draws.gauss(10.0, 1.0))
            alarms += watch.alarm != 0
        assert alarms <= 10

    @pytest.mark.parametrize(("shift", "alarm"), [(2.0, 1), (-2.0, -1)])
    def test_a_lasting_change_is_found_soon(self, shift: float, alarm: int) -> None:
        draws = random.Random(13)
        watch = Watch()
        for _ in range(USUAL):
            watch.add(draws.gauss(10.0, 1.0))
        for _ in range(20):
            watch.add(draws.gauss(10.0 + shift, 1.0))
        assert watch.alarm == alarm

    def test_a_lost_lead_is_told(self) -> None:
        draws = random.Random(17)
        compared = Comparison()
        for i in range(2 * USUAL):
            lead = 0.05 if i < USUAL else 0.01
            compared.add(0.4 + draws.gauss(0, 0.01), 0.4 - lead + draws.gauss(0, 0.01), {})
        assert compared.report().search_again == ["the shadow's lead has become smaller than it was"]


def test_scaling() -> None:
    shadow = ScalingShadow(ByQueue, CONFIG, window=5)
    for step in range(100):
        whole = {"rps": 10.0, "attainment": 0.9 if step < 30 else 1.0}
        each = {"prefill": {"waiting": 20.0 if step % 2 else 40.0}}
        wanted = shadow.interval(2.0 * step, whole, each, {"prefill": 6, "decode": 2})
        assert wanted == {"prefill": 3 if step % 2 else 5, "decode": 1}
    report = shadow.report()
    assert report.windows == 20 and report.incumbent == 16.0 and report.shadow == pytest.approx(10.0)
    assert report.better and (shadow.intervals, shadow.risky) == (100, 30)
