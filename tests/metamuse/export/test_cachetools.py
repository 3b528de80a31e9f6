"""The exported cache is a cache as cachetools knows them, whatever its policy does."""

from __future__ import annotations

import pickle
import random
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cachetools
import pytest

from metamuse.export.runtime import cache_engine, hashing
from metamuse.export.runtime.policy_cache import PolicyCache
from tests.metamuse.export import making

POLICIES = ["lru", "sieve", "s3fifo", "gdsf", "lirs"]


@pytest.fixture(scope="module", params=POLICIES)
def cache_class(request: pytest.FixtureRequest) -> type[PolicyCache]:
    source = making.problem("cache").baselines[request.param]
    exported = making.module(source, name=f"exported_{request.param}")

    class Exported(PolicyCache):
        policy_class = exported.Policy
        ghosts = 2.0
        name = request.param

    Exported.__qualname__ = "Exported"
    globals()["Exported"] = Exported  # where pickle looks for it
    return Exported


def _made(cls: type[PolicyCache], maxsize: int, getsizeof: Any = None, **options: Any) -> Any:
    return cls(maxsize, getsizeof, strict=True, **options)


def test_defaults(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 3)
    assert isinstance(cache, cachetools.Cache)
    assert (len(cache), cache.maxsize, cache.currsize, cache.getsizeof(5)) == (0, 3, 0, 1)
    assert repr(cache).startswith("Exported({}, maxsize=3, currsize=0")
    assert cache.fallback is None


def test_insert_and_read(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 4)
    cache.update({1: "a", "two": "b", (3, 3): "c"})
    assert (cache[1], cache["two"], cache[3, 3]) == ("a", "b", "c")
    assert set(cache) == {1, "two", (3, 3)} and len(cache) == cache.currsize == 3
    assert cache.get(1) == "a" and cache.get(9) is None and cache.get(9, "x") == "x"
    assert 1 in cache and 9 not in cache
    cache[1] = "z"
    assert cache[1] == "z" and len(cache) == 3
    with pytest.raises(TypeError):
        cache[[]] = 1
    with pytest.raises(KeyError):
        cache[9]


def test_never_too_full(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 3)
    for i in range(200):
        cache[i % 7] = i
        assert len(cache) == cache.currsize <= 3
        assert all(cache._values[key] % 7 == key for key in cache)


def test_delete_pop_and_setdefault(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 3)
    cache.update({1: 1, 2: 2, 3: 3})
    del cache[2]
    assert 2 not in cache and len(cache) == 2
    with pytest.raises(KeyError):
        del cache[2]
    assert cache.pop(3) == 3 and cache.pop(3, "none") == "none"
    with pytest.raises(KeyError):
        cache.pop(3)
    assert cache.setdefault(1, 8) == 1 and cache.setdefault(5, 8) == 8
    assert cache[5] == 8
    cache[4] = 4
    assert set(cache) == {1, 4, 5}  # what was deleted makes room
    cache.clear()
    assert len(cache) == cache.currsize == 0
    cache[1] = 2
    assert dict(cache) == {1: 2}


def test_popitem(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 3)
    cache.update({1: "a", 2: "b", 3: "c"})
    taken = dict(cache.popitem() for _ in range(3))
    assert taken == {1: "a", 2: "b", 3: "c"} and len(cache) == 0
    with pytest.raises(KeyError):
        cache.popitem()
    cache[4] = "d"
    assert cache.popitem() == (4, "d")


def test_sizes(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 6, getsizeof=lambda x: x)
    with pytest.raises(ValueError, match="value too large"):
        cache[9] = 7
    assert 9 not in cache
    cache[1] = 2
    cache[2] = 3
    with pytest.raises(ValueError, match="value too large"):
        cache[2] = 7
    if 2 not in cache:  # a policy may give up an object although there is room
        assert hasattr(cache.policy_class, "shed") or hasattr(cache.policy_class, "admit")
        return
    assert cache[2] == 3 and cache.currsize == 5
    cache[2] = 1  # shrinks
    assert cache.currsize == 3
    cache[2] = 4  # grows
    assert cache[2] == 4 and cache.currsize == sum(cache.values()) <= 6


def test_sizes_at_random(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 6, getsizeof=lambda x: x)
    with pytest.raises(ValueError, match="whole number"):
        cache[5] = 1.5
    draws = random.Random(5)
    for _ in range(500):
        cache[draws.randrange(12)] = draws.randrange(7)
        assert cache.currsize == sum(cache.values()) <= 6


def test_missing(cache_class: type[PolicyCache]) -> None:
    class Filled(cache_class):  # type: ignore[valid-type, misc]  # the base is a parameter
        def __missing__(self, key: int) -> int:
            self[key] = key * 10
            return key * 10

    cache = Filled(2, strict=True)
    assert [cache[1], cache[2], cache[1], cache[3]] == [10, 20, 10, 30]
    assert cache.get(7) is None and cache.get(3) == 30


def test_with_cached_and_threads(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 16)

    @cachetools.cached(cache, lock=threading.Lock())
    def square(x: int) -> int:
        return x * x

    wrong = []

    def work(seed: int) -> None:
        draws = random.Random(seed)
        for _ in range(400):
            x = draws.randrange(40)
            if square(x) != x * x:
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(cache) <= 16 and cache.fallback is None


def test_pickle(cache_class: type[PolicyCache]) -> None:
    cache = _made(cache_class, 3)
    cache.update({1: "a", 2: "b"})
    again = pickle.loads(pickle.dumps(cache))
    for part in (cache, again):
        for i in range(10):
            part[i] = i
    assert dict(again) == dict(cache)


def test_misuse_with_deletions(cache_class: type[PolicyCache]) -> None:
    """Keys come, go and are deleted at random: the policy never fails, and the books agree."""
    cache = _made(cache_class, 20, getsizeof=lambda x: x % 5 + 1)
    draws = random.Random(9)
    for step in range(5000):
        key = int(draws.paretovariate(0.8)) % 90
        if step % 7 == 0 and key in cache:
            del cache[key]
        elif step % 50 == 0 and len(cache):
            cache.popitem()
        elif key in cache:
            assert cache[key] % 90 == key
        else:
            cache[key] = key + 90 * draws.randrange(3)
    assert cache.currsize == sum(v % 5 + 1 for v in cache.values()) == sum(cache._sizes.values())


def test_a_filter_refuses_silently() -> None:
    class Half:
        def __init__(self, capacity: int, n_slots: int) -> None:
            self.queue: list[int] = []

        def admit(self, slot: int, key: int, size: int, now: int) -> bool:
            return key % 2 == 0

        def victim(self, slot: int, key: int, size: int, now: int) -> int:
            return self.queue[0]

        def on_evict(self, slot: int, key: int, size: int, now: int) -> None:
            self.queue.remove(slot)

        def on_insert(self, slot: int, key: int, size: int, now: int, remembered: bool) -> None:
            self.queue.append(slot)

    class Filtered(PolicyCache):
        policy_class = Half

    cache = Filtered(10)
    for i in range(40):
        assert cache.setdefault(i, i) == i
    assert 0 < cache.refused < 40 and len(cache) == 10
    kept = {key for key in cache if hashing.hash64(key, 0x51ED) % 2}
    assert not kept


def test_a_policy_that_fails_is_replaced_by_fifo(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def __init__(self, capacity: int, n_slots: int) -> None:
            self.calls = 0

        def victim(self, slot: int, key: int, size: int, now: int) -> int:
            self.calls += 1
            if self.calls > 2:
                raise ZeroDivisionError("a mistake")
            return 0 if self.calls == 1 else 1

    class Failing(PolicyCache):
        policy_class = Broken

    cache = Failing(3)
    for i in range(50):
        cache[i] = i
    assert cache.fallback == "ZeroDivisionError: a mistake"
    assert list(cache) == [47, 48, 49]
    assert sum("FIFO takes over" in record.message for record in caplog.records) == 1


def test_sizes_of_a_policy_that_cannot_take_them() -> None:
    class Unsized(PolicyCache):
        policy_class = SimpleNamespace
        takes_sizes = False

    with pytest.raises(ValueError, match="leave getsizeof out"):
        Unsized(10, len)


def test_keys_are_hashed_as_in_the_simulator() -> None:
    from evaluators.cache.driver import KEY_SEED
    from metamuse.policykit import hash64

    assert cache_engine.KEY_SEED == KEY_SEED
    for x in (0, 1, -1, 2**63 - 1, -(2**63), 123456789):
        assert hashing.hash64(x, KEY_SEED) == hash64(x, KEY_SEED)


def test_golden_decisions(tmp_path: Path) -> None:
    from metamuse.export.package import run_test

    for name in ("lru", "adaptsize"):
        made = making.material("cache", making.problem("cache").baselines[name])
        folder = tmp_path / name
        decisions, _ = run_test(making.write(folder, "cachetools", made))
        assert decisions > 1000
