"""The event loop: exact CFS bandwidth control, the same system written down plainly, conservation, a closed loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.application import (
    UNLIMITED,
    VARIATIONS,
    Application,
    Phase,
    Service,
    Visit,
    visit,
)
from evaluators.autothrottle.applications import TINY
from evaluators.autothrottle.calendar import schedule, unschedule
from evaluators.autothrottle.histogram import bin_of, edges
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.world import World
from tests.evaluators.autothrottle.naive import Naive


def application(*services: Service, requests: tuple[tuple[float, Visit], ...]) -> Application:
    return Application("test", services, requests, 100.0, 1.0, (services[0].name,))


def one_service(ms: float, threads: int = 1, variation: float = 0.0, workers: int = UNLIMITED) -> Application:
    node = Visit("only", (Phase(ms, threads),))
    return application(Service("only", workers, variation), requests=((1.0, node),))


def steady(app: Application, users: int, seconds: int = 20, **more: object) -> Load:
    load = Load("test", app, np.full(seconds, users, dtype=np.int64), 2, 0, 5)
    return replace(load, **more)  # type: ignore[arg-type]


def run(load: Load, cores: float | list[float], seconds: float) -> World:
    """Run with fixed limits, sampled every 100 ms."""
    world = World(load)
    n = len(load.application.services)
    world.services["runtime"] = 0  # of the limit that is written now, not of the first
    world.write(np.full(n, cores) if isinstance(cores, float) else np.array(cores))
    for t in range(1, round(10 * seconds) + 1):
        world.run(t * k.PERIOD)
    return world


# -- one control group, by hand


def test_a_job_is_stopped_when_its_quota_is_used_up_and_goes_on_with_the_next_period() -> None:
    load = steady(one_service(30.0), 1, 3)
    world = World(load)
    offset = int(world.services["offset"][0]) % k.PERIOD
    world.services["runtime"] = 0
    world.write(np.array([0.1]))  # 10 core-ms a period
    while not world.services["active"][0]:
        world.run(int(world.control[k.NOW]) + k.MS)
    began = int(world.services["at"][0])
    world.run(began + 350 * k.MS)
    demand = 30 * k.MS * int(load.drift[0, 0]) >> 16
    latency = np.flatnonzero(world.histograms[0])
    assert len(latency) == 1
    assert world.services["used"][0] == demand
    assert offset == int(world.services["boundary"][0]) % k.PERIOD


@pytest.mark.parametrize("limit", [0.3, 0.45, 0.6])
def test_below_its_needs_a_service_is_throttled_in_every_period(limit: float) -> None:
    world = run(steady(one_service(20.0), 60, 22), limit, 20)  # 60 users, 20 ms each: more than a core
    used = world.services["used"][0] / (20 * k.SECOND)
    assert used <= limit * (1 + 1 / 100)
    assert used >= 0.97 * limit
    assert world.services["n_throttled"][0] >= world.services["n_periods"][0] - 3


def test_the_share_of_throttled_periods_falls_with_the_limit_to_nothing() -> None:
    load = steady(one_service(20.0, variation=0.8), 40, 32)  # about 0.8 cores
    ratios = [
        int(run(load, limit, 30).services["n_throttled"][0]) / 300 for limit in (0.3, 0.6, 0.9, 1.5, 4.0)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 0.97
    assert 0.0 < ratios[2] < 0.9
    assert ratios[-1] == 0.0


def test_a_group_that_is_idle_for_a_period_stops_its_timer() -> None:
    world = run(steady(one_service(5.0), 1, 12), 1.0, 10)
    assert 5 < world.services["n_periods"][0] < 40  # of 100: a request a second takes one or two


def test_a_write_refills_and_wakes_at_once_and_is_charged() -> None:
    load = steady(one_service(20.0), 60, 22)
    world = run(load, 0.5, 10)
    while not world.services["throttled"][0]:
        world.run(int(world.control[k.NOW]) + k.MS)
    throttles = int(world.services["n_throttled"][0])
    world.write(np.array([0.4]))
    assert world.services["throttled"][0] == 0
    assert world.services["runtime"][0] == 40 * k.MS
    assert world.services["granted"][0] == pytest.approx(40 * k.MS, rel=0.01)
    assert world.services["n_throttled"][0] == throttles  # nobody saw it at the end of a period


def test_writing_all_the_time_does_not_get_more_than_it_is_charged() -> None:
    load = steady(one_service(20.0), 200, 22)
    world = World(load)
    allocated = 0.0
    for t in range(1, 200):
        world.write(np.array([0.5 + 0.001 * (t % 2)]))
        world.run(t * k.PERIOD)
    granted = world.totals[1]
    allocated = world.totals[0] + granted
    assert world.totals[2] <= allocated
    assert granted > 0.5 * world.totals[0]  # it is not free


def test_a_burst_buffer_carries_quota_over() -> None:
    load = steady(one_service(40.0), 6, 42)
    plain, bursting = run(load, 0.5, 40), run(replace(load, burst=1.0), 0.5, 40)
    assert plain.services["n_bursts"][0] == 0
    assert bursting.services["n_bursts"][0] > 0
    assert bursting.services["n_throttled"][0] < plain.services["n_throttled"][0]


def test_more_threads_than_cores_share_them_and_a_limit_of_all_cores_never_throttles() -> None:
    wide = replace(one_service(20.0, threads=4), node_cores=2.0)  # 1.2 cores, in bursts of four threads
    world = World(steady(wide, 60, 22))
    world.run(20 * k.SECOND)
    assert int(world.services["n_throttled"][0]) == 0
    free = run(steady(replace(wide, node_cores=32.0), 60, 22), 2.0, 20)
    assert int(free.services["n_throttled"][0]) > 0
    fastest = np.flatnonzero(world.histograms[1])[0]
    assert edges()[fastest + 1] >= 10 * k.MS * int(world.drift.min()) / 65536  # 20 core-ms on two cores


# -- the calendar


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**33), st.booleans()), min_size=1, max_size=60))
def test_the_calendar_keeps_items_in_order(times: list[tuple[int, bool]]) -> None:
    items = k.in_lines(len(times), k.ITEM)
    heads = np.full(1 << k.SLOTS_BITS, -1, dtype=np.int32)
    for i, (time, _) in enumerate(times):
        schedule(items, heads, i, time)
    for i, (_, out) in enumerate(times):
        if out:
            unschedule(items, heads, i)
    left = []
    for head in heads[heads >= 0]:
        row, previous = int(head), -1
        while row >= 0:
            assert previous < 0 or (items["time"][previous], previous) < (items["time"][row], row)
            left.append(row)
            previous, row = row, int(items["next"][row])
    assert sorted(left) == [i for i, (_, out) in enumerate(times) if not out]


# -- the same system, written down plainly


@st.composite
def loads(draw: st.DrawFn) -> tuple[Load, list[float]]:
    n = draw(st.integers(1, 4))
    names = [f"s{i}" for i in range(n)]
    services = [
        Service(name, draw(st.sampled_from([1, 2, 5, UNLIMITED])), draw(st.sampled_from(VARIATIONS[1:])))
        for name in names
    ]

    def tree(depth: int) -> Visit:
        # Calls go to services further on, so that full pools cannot wait for one another.
        phases = []
        for _ in range(draw(st.integers(1, 2))):
            calls = ()
            if depth + 1 < n:
                calls = tuple(
                    tree(draw(st.integers(depth + 1, n - 1))) for _ in range(draw(st.integers(0, 2)))
                )
            phases.append(Phase(draw(st.sampled_from([0.0, 1.5, 7.0, 30.0])), draw(st.integers(1, 4)), calls))
        return Visit(names[depth], tuple(phases))

    requests = tuple((draw(st.floats(0.1, 1.0)), tree(0)) for _ in range(draw(st.integers(1, 2))))
    node_cores = draw(st.sampled_from([1.0, 3.0, 7.0, 32.0]))
    app = Application("random", tuple(services), requests, 100.0, 1.0, (names[0],), node_cores)
    rps = np.array(draw(st.lists(st.integers(0, 12), min_size=4, max_size=4)), dtype=np.int64)
    rps[0] = max(1, rps[0])
    load = Load("random", app, rps, 0, 0, draw(st.integers(0, 10**6)))
    return load, [draw(st.sampled_from([0.05, 0.2, 0.7, 2.0, 8.0])) for _ in names]


@settings(max_examples=60, deadline=None)
@given(loads())
def test_it_equals_the_plain_simulation(case: tuple[Load, list[float]]) -> None:
    load, cores = case
    world = World(load)
    world.services["runtime"] = 0
    world.write(np.array(cores))
    until = len(load.rps) * k.SECOND - 1
    world.run(until)
    naive = Naive(load, cores)
    naive.run(until)
    assert int(world.control[k.DONE]) == len(naive.latencies)
    counts = np.zeros_like(world.histograms[0])
    for latency in naive.latencies:
        counts[bin_of(latency)] += 1
    assert counts.tolist() == world.histograms[0].tolist()
    for s, group in enumerate(naive.groups):
        assert int(world.services["used"][s]) == group.used
        assert int(world.services["n_throttled"][s]) == group.throttles
        assert int(world.services["n_periods"][s]) == group.periods


@settings(max_examples=30, deadline=None)
@given(loads())
def test_no_period_uses_more_than_its_quota(case: tuple[Load, list[float]]) -> None:
    load, cores = case
    world = World(load)
    world.services["runtime"] = 0
    world.write(np.array(cores))
    for t in range(1, 10 * len(load.rps)):
        world.run(t * k.PERIOD // 3)
        assert (world.services["period_used"] <= world.services["quota"]).all()
        assert (world.services["runtime"] >= 0).all()


# -- users


def test_users_in_a_closed_loop_send_as_often_as_they_are_answered() -> None:
    load = steady(one_service(1.0), 50, 42)
    fast = run(load, 32.0, 40)
    assert int(fast.control[k.DONE]) == pytest.approx(40 * 50 / 1.001, rel=0.05)
    slow = run(steady(one_service(200.0), 50, 42), 1.0, 40)  # 5 requests a second is all that a core can do
    assert int(slow.control[k.DONE]) == pytest.approx(40 * 5, rel=0.1)
    assert int(slow.control[k.SENT]) - int(slow.control[k.DONE]) == int(slow.control[k.IN_FLIGHT]) <= 50


def test_as_many_users_as_the_load_says() -> None:
    app = one_service(1.0)
    rps = np.repeat(np.array([10, 80, 20], dtype=np.int64), 30)
    world = World(Load("test", app, rps, 1, 0, 3))
    sent = []
    for second in range(1, 90):
        world.run(second * k.SECOND)
        sent.append(int(world.control[k.SENT]))
    rates = np.diff(sent)
    assert rates[5:28].mean() == pytest.approx(10, rel=0.25)
    assert rates[35:58].mean() == pytest.approx(80, rel=0.1)
    assert rates[68:].mean() == pytest.approx(20, rel=0.25)


def test_an_open_loop_sends_whatever_happens_and_refuses_at_the_end_of_its_room() -> None:
    load = steady(one_service(2000.0), 9000, 22, closed=False)
    world = run(load, 0.01, 20)
    assert int(world.control[k.ARRIVALS]) == pytest.approx(20 * 9000, rel=0.05)
    assert int(world.control[k.REFUSED]) > 0
    assert world.histograms[0, -1] >= int(world.control[k.REFUSED])


def test_messages_delay_nobody_until_their_backlog_is_long() -> None:
    slow = visit("slow", 50.0)
    app = application(
        Service("front", variation=0.0),
        Service("slow", variation=0.0),
        requests=((1.0, Visit("front", (Phase(1.0, sends=(slow,)),))),),
    )
    load = steady(app, 30, 62)
    free = run(load, [32.0, 32.0], 10)
    assert free.unanswered().size <= 2
    held = run(load, [32.0, 0.05], 60)
    assert held.services["present"][1] <= k.BACKLOG + 30
    assert held.unanswered().size > 20  # the callers wait now


def test_the_same_load_gives_the_same_run() -> None:
    for load in TINY:
        first, second = run(load, 0.5, 10), run(load, 0.5, 10)
        assert np.array_equal(first.items, second.items)
        assert np.array_equal(first.histograms, second.histograms)


def test_two_limits_meet_the_same_requests() -> None:
    load = steady(one_service(20.0, variation=0.8), 10, 22)
    used = [int(run(load, limit, 20).services["used"][0]) for limit in (2.0, 8.0)]
    assert used[0] == pytest.approx(used[1], rel=0.02)
