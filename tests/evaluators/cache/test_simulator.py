"""The cache simulator: which method is called when, slots and memory, legality, counting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import PolicyError
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace

ALL = frozenset(m.name for m in CONTRACT.methods)


class Logged:
    """A policy made of Python functions that writes down every call (evicts the oldest unless told otherwise)."""

    compiled = False

    def __init__(self, **overrides: Callable[..., Any]) -> None:
        self.overrides = overrides
        self.methods = ALL - {"shed"} if "shed" not in overrides else ALL
        self.calls: list[tuple[Any, ...]] = []
        self.queue: list[int] = []
        self.capacity = self.n_slots = 0

    def reads(self, method: str, parameter: str) -> bool:
        return True

    def state(self, capacity: int, n_slots: int) -> Logged:
        self.capacity, self.n_slots = capacity, n_slots
        self.queue.clear()
        return self

    def grow(self, state: Any, room: int) -> Any:
        return state

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        functions: dict[str, Any] = {}
        for method in CONTRACT.methods:
            if method.name in self.methods:
                functions[method.name] = self._logging(method.name)
            else:
                functions[method.name] = defaults[method.name].py_func
        return factory(view=lambda state: state, show=lambda array: array, **functions)

    def _logging(self, name: str) -> Callable[..., Any]:
        def call(state: Any, *arguments: Any) -> Any:
            answer = self.overrides.get(name, getattr(self, f"_{name}"))(*arguments)
            self.calls.append((name, *arguments))
            return answer

        return call

    def _on_hit(self, *a: int) -> None: ...
    def _on_forget(self, *a: int) -> None: ...

    def _admit(self, *a: int) -> bool:
        return True

    def _keeps(self, slot: int) -> bool:
        return False

    def _victim(self, *a: int) -> int:
        return self.queue[0]

    def _on_evict(self, slot: int, *a: int) -> None:
        self.queue.remove(slot)

    def _on_insert(self, slot: int, *a: Any) -> None:
        self.queue.append(slot)

    def _shed(self, *a: int) -> int:
        return -1

    def named(self, *names: str) -> list[tuple[Any, ...]]:
        return [c for c in self.calls if c[0] in names]


def run(
    policy: Logged, keys: Sequence[int], capacity: int, sizes: Sequence[int] | None = None, **job: Any
) -> Any:
    trace = Trace.from_keys("/home/ada/t", np.array(keys), sizes=None if sizes is None else np.array(sizes))
    return simulate(policy, bind(policy), Job(trace, capacity, sizes is not None, **job))


def test_order_of_calls_on_a_miss_with_eviction() -> None:
    policy = Logged()
    score = run(policy, [1, 2, 3, 3], capacity=2)
    assert [c[0] for c in policy.calls] == [
        "admit", "on_insert", "admit", "on_insert", "admit", "victim", "on_evict", "on_insert", "on_hit",
    ]  # fmt: skip
    assert score.value == 3 / 4
    assert score.details["misses"] == 3
    assert score.details["evictions"] == 1


def test_now_is_the_number_of_the_request_and_keys_are_stable() -> None:
    policy = Logged()
    run(policy, [7, 8, 7, 9, 7], capacity=2)
    inserted = policy.named("on_insert")
    hits = policy.named("on_hit")
    assert [c[4] for c in inserted] == [0, 1, 3, 4]
    assert [c[4] for c in hits] == [2]
    assert hits[0][2] == inserted[0][2] == inserted[3][2], "one object, one key"
    assert all(0 <= c[2] < 2**63 for c in policy.calls if c[0] in ("on_hit", "on_insert", "admit"))
    evicted = policy.named("on_evict")
    assert evicted[0][2] == inserted[0][2], "on_evict gets the victim's own key"


def test_a_returning_object_gets_its_slot_back_and_is_remembered() -> None:
    policy = Logged()
    run(policy, [1, 2, 3, 1], capacity=2)
    first, _, _, again = policy.named("on_insert")
    assert first[1] == again[1]
    assert (first[5], again[5]) == (False, True)


def test_slots_are_recycled_oldest_first_and_told_so() -> None:
    policy = Logged()
    run(policy, list(range(20)), capacity=2, ghost_budget=1.0)
    assert policy.n_slots == 2 + 2 + 1
    forgotten = [c[1] for c in policy.named("on_forget")]
    evicted = [c[1] for c in policy.named("on_evict")]
    assert forgotten == evicted[: len(forgotten)]
    assert max(c[1] for c in policy.named("on_insert")) == policy.n_slots - 1


def test_kept_slots_are_passed_over_until_all_are_kept() -> None:
    policy = Logged(keeps=lambda slot: slot == 0)
    run(policy, [*range(20), 0], capacity=2, ghost_budget=1.0)
    assert 0 not in [c[1] for c in policy.named("on_forget")]
    assert policy.named("on_insert")[-1][1] == 0
    assert policy.named("on_insert")[-1][5] is True
    greedy = Logged(keeps=lambda slot: True)
    run(greedy, list(range(20)), capacity=2, ghost_budget=1.0)
    assert len(greedy.named("on_forget")) == 20 - greedy.n_slots


def test_a_refused_object_is_remembered_but_not_cached() -> None:
    policy = Logged(admit=lambda slot, key, size, now: now != 0)
    score = run(policy, [1, 1, 1], capacity=2)
    assert score.details["misses"] == 2
    assert [c[0] for c in policy.calls] == ["admit", "admit", "on_insert", "on_hit"]
    assert policy.named("on_insert")[0][5] is True


def test_others_can_be_shed_after_a_refusal() -> None:
    """GDSF needs it: a newcomer may displace some and then be the next to go itself."""
    policy = Logged(
        admit=lambda slot, key, size, now: now < 2,
        shed=lambda slot, key, size, now: policy.queue[0] if now == 2 and policy.queue else -1,
    )
    score = run(policy, [1, 2, 3, 1, 2], capacity=2)
    assert score.details["misses"] == 5
    assert score.details["evictions"] == 2
    assert [c[0] for c in policy.calls if c[4] == 2] == [
        "admit",
        "shed",
        "on_evict",
        "shed",
        "on_evict",
        "shed",
    ]


def test_larger_than_the_cache_is_bypassed_without_a_call() -> None:
    policy = Logged()
    score = run(policy, [1, 2, 1], capacity=10, sizes=[4, 11, 4])
    assert score.details["misses"] == 2
    assert {c[2] for c in policy.named("admit")} == {policy.named("on_insert")[0][2]}
    assert score.details["byte_miss_ratio"] == pytest.approx(15 / 19)


def test_bytes_evict_until_it_fits() -> None:
    policy = Logged()
    run(policy, [1, 2, 3, 4], capacity=10, sizes=[3, 3, 3, 9])
    assert len(policy.named("victim")) == 3
    assert [c[3] for c in policy.named("on_evict")] == [3, 3, 3]


def test_a_changed_size_is_applied_then_evictions_follow() -> None:
    policy = Logged(victim=lambda slot, *a: next(s for s in policy.queue if s != slot))
    run(policy, [1, 2, 1, 3], capacity=10, sizes=[3, 3, 8, 2])
    assert [c[0] for c in policy.calls[4:7]] == ["on_hit", "victim", "on_evict"]
    assert policy.named("on_evict")[0][3] == 3
    grown = Logged()
    run(grown, [1, 2, 1, 2], capacity=10, sizes=[3, 3, 12, 3])
    assert [c[3] for c in grown.named("on_evict")] == [12], "an object that outgrows the cache leaves it"
    assert grown.calls[-1][0] == "on_hit"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda slot: slot, "incoming"),
        (lambda slot: 99, "not a slot"),
        (lambda slot: -1, "not a slot"),
        (lambda slot: 0, "not cached"),
    ],
)
def test_illegal_victims_are_classified(answer: Callable[[int], int], reason: str) -> None:
    first = True

    def victim(slot: int, *a: int) -> int:
        nonlocal first
        if reason == "not cached" and first:
            first = False
            return 0
        return answer(slot)

    with pytest.raises(PolicyError, match=reason) as caught:
        run(Logged(victim=victim), [1, 2, 3, 4, 5], capacity=2)
    assert caught.value.kind == "illegal"
    assert "at request" in caught.value.message
    assert " of t, " in caught.value.message, "messages go to the model, a user's folders do not"


def test_warmup_is_served_but_not_counted() -> None:
    score = run(Logged(), [1, 2, 1, 3, 1, 2], capacity=2, warmup=2)
    assert score.details["requests"] == 4
    whole = run(Logged(), [1, 2, 1, 3, 1, 2], capacity=2)
    assert score.details["misses"] == whole.details["misses"] - 2


def test_no_memory_is_given_to_those_who_make_no_use_of_it() -> None:
    job = Job(Trace.from_keys("t", np.arange(100)), 10)
    plain = Logged()
    plain.methods = frozenset({"victim", "on_hit", "on_insert", "on_evict"})
    plain.reads = lambda method, parameter: parameter == "slot"  # type: ignore[method-assign]
    assert job.n_slots(plain) == 11
    plain.reads = lambda method, parameter: parameter == "remembered"  # type: ignore[method-assign]
    assert job.n_slots(plain) == 31
    plain.methods |= {"keeps"}
    plain.reads = lambda method, parameter: False  # type: ignore[method-assign]
    assert job.n_slots(plain) == 31


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), min_size=1, max_size=80),
    st.integers(1, 14),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_books_are_kept_right(requests: list[tuple[int, int]], capacity: int, budget: float) -> None:
    """Against a plain dictionary: what is cached, what is used, who has which slot."""
    cached: dict[int, int] = {}
    slots: dict[int, int] = {}

    def on_insert(slot: int, key: int, size: int, now: int, remembered: bool) -> None:
        if remembered:
            assert slots[slot] == key
        slots[slot] = key
        assert key not in cached
        cached[key] = size
        assert sum(cached.values()) <= capacity
        policy.queue.append(slot)

    def on_evict(slot: int, key: int, size: int, now: int) -> None:
        assert cached.pop(key) == size
        assert slots[slot] == key
        policy.queue.remove(slot)

    def on_hit(slot: int, key: int, size: int, now: int) -> None:
        assert slots[slot] == key
        assert cached[key] == size

    policy = Logged(on_insert=on_insert, on_evict=on_evict, on_hit=on_hit)
    sizes = {k: 1 + (k * 5) % 6 for k, _ in requests}
    keys = [k for k, _ in requests]
    score = run(policy, keys, capacity, sizes=[sizes[k] for k in keys], ghost_budget=budget)
    assert score.details["misses"] + len(policy.named("on_hit")) == len(keys)
