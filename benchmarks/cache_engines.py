"""Requests a CPU second of one trace under several engines, by policy and size; equal miss counts where defined alike.

    python -m benchmarks.cache_engines [requests=1e7] [objects=1e6]

Engines, one after the other in this process, so that ratios are of one run: our compiled, checked policies (the loop
alone, and with reading a file and making its ids dense), libcachesim's native loop (which reads the file as well), its
plugin cache with hooks in Python, cachetools, and a loop in plain Python. What runs in Python serves a prefix only.
libcachesim (GPL-3.0) and cachetools are optional and only compared.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cache_throughput import timed, write
from evaluators.cache.generators import zipf
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

_BASELINES = Path(__file__).parents[1] / "problems" / "cache" / "baselines"
#: Our ids, libcachesim's names.
NATIVE = {
    "fifo": "FIFO",
    "lru": "LRU",
    "clock": "Clock",
    "lfu": "LFU",
    "sieve": "Sieve",
    "s3fifo": "S3FIFO",
    "arc": "ARC",
}
TOOLS = {"fifo": "FIFOCache", "lru": "LRUCache", "lfu": "LFUCache"}
SHARES = (0.01, 0.1)
#: Share of the requests that engines in Python serve.
PREFIX = 0.1


def plain_lru(keys: Sequence[int], capacity: int) -> int:
    """Misses of LRU, by an ordered dictionary."""
    cached: OrderedDict[int, None] = OrderedDict()
    misses = 0
    for key in keys:
        if key in cached:
            cached.move_to_end(key)
        else:
            misses += 1
            if len(cached) == capacity:
                cached.popitem(last=False)
            cached[key] = None
    return misses


def plain_fifo(keys: Sequence[int], capacity: int) -> int:
    """Misses of FIFO, by a set and a queue."""
    cached: set[int] = set()
    queue: deque[int] = deque()
    misses = 0
    for key in keys:
        if key not in cached:
            misses += 1
            if len(queue) == capacity:
                cached.discard(queue.popleft())
            cached.add(key)
            queue.append(key)
    return misses


PLAIN = {"lru": plain_lru, "fifo": plain_fifo}


def with_cachetools(name: str, keys: Sequence[int], capacity: int) -> int:
    """Misses of one of cachetools' caches."""
    import cachetools

    cache = getattr(cachetools, name)(capacity)
    misses = 0
    for key in keys:
        if cache.get(key) is None:
            misses += 1
            cache[key] = True
    return misses


def plugin(path: Path, policy: str, capacity: int) -> int:
    """Misses of libcachesim's plugin cache; its hooks keep an ordered dictionary."""
    import libcachesim

    moves = policy == "lru"

    def hit(cached: OrderedDict[int, None], request: Any) -> None:
        if moves:
            cached.move_to_end(request.obj_id)

    def miss(cached: OrderedDict[int, None], request: Any) -> None:
        cached[request.obj_id] = None

    cache = libcachesim.PluginCache(
        cache_size=capacity,
        cache_init_hook=lambda _: OrderedDict(),
        cache_hit_hook=hit,
        cache_miss_hook=miss,
        cache_eviction_hook=lambda cached, _: cached.popitem(last=False)[0],
        cache_remove_hook=lambda cached, key: cached.pop(key, None),
        cache_free_hook=lambda cached: cached.clear(),
        hashpower=_hashpower(capacity),
    )
    return _misses(cache, path)


def _hashpower(capacity: int) -> int:
    # Its default of 24 costs more than most runs.
    return min(20, max(8, capacity.bit_length() + 1))


def _misses(cache: Any, path: Path) -> int:
    import libcachesim

    kind = libcachesim.TraceType.ORACLE_GENERAL_TRACE
    reader = libcachesim.TraceReader(str(path), kind, libcachesim.ReaderInitParam(ignore_obj_size=True))
    ratio, _ = cache.process_trace(reader)
    misses: int = round(ratio * reader.get_num_of_req())
    return misses


def rate(work: Callable[[], int], requests: int, rounds: int) -> tuple[float, int]:
    """(Requests a CPU second, median of some rounds; misses)."""
    seconds = []
    misses = 0
    for _ in range(rounds):
        took, misses = timed(work)
        seconds.append(max(took, 1e-9))
    return requests / statistics.median(seconds), int(misses)


def figures(
    requests: int, objects: int, rounds: int = 3, only: Sequence[str] = tuple(NATIVE)
) -> list[dict[str, Any]]:
    """A row a policy and size: rates in requests a CPU second (None: engine not there) and misses."""
    trace = zipf(np.random.default_rng(42), n_objects=objects, length=requests, alpha=1.0)
    prefix = Trace("prefix", trace.ids[: max(1000, int(PREFIX * requests))])
    keys = prefix.ids.tolist()
    present = {name: _present(name) for name in ("libcachesim", "cachetools")}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path, short = Path(folder) / "t.oracleGeneral.bin", Path(folder) / "p.oracleGeneral.bin"
        write(path, trace)
        write(short, prefix)
        read_trace(path)  # compiles
        for id in only:
            name = NATIVE[id]
            policy = CompiledPolicy(load((_BASELINES / f"{id}.py").read_text(), CONTRACT), (10, 31))
            loop = bind(policy)
            simulate(policy, loop, Job(prefix, 1000), stop=1000)

            def ours(of: Trace, capacity: int, policy: Any = policy, loop: Any = loop) -> int:
                return int(simulate(policy, loop, Job(of, capacity)).details["misses"])

            for share in SHARES:
                capacity = int(share * trace.n_objects)
                row: dict[str, Any] = {"policy": id, "capacity": capacity, "share": share}
                row["loop"], row["misses"] = rate(lambda c=capacity: ours(trace, c), requests, rounds)
                row["read_and_loop"], again = rate(
                    lambda c=capacity: ours(read_trace(path), c), requests, rounds
                )
                assert again == row["misses"]
                on_prefix = ours(prefix, capacity)
                if present["libcachesim"]:
                    import libcachesim

                    def native(name: str = name, capacity: int = capacity) -> int:
                        cache = getattr(libcachesim, name)(capacity, hashpower=_hashpower(capacity))
                        return _misses(cache, path)

                    row["native"], theirs = rate(native, requests, rounds)
                    if theirs == requests:
                        del row["native"]  # its S3-FIFO stores nothing in a cache this small
                    else:
                        assert theirs == row["misses"], (id, capacity, theirs, row["misses"])
                    if id in PLAIN:
                        row["plugin"], theirs = rate(
                            lambda c=capacity, i=id: plugin(short, i, c), len(prefix), 1
                        )
                        assert theirs == on_prefix, (id, capacity, theirs, on_prefix)
                if present["cachetools"] and id in TOOLS:
                    # LFU breaks ties by an order of its own, so its misses differ.
                    row["cachetools"], theirs = rate(
                        lambda c=capacity, i=id: with_cachetools(TOOLS[i], keys, c), len(prefix), 1
                    )
                    assert id == "lfu" or theirs == on_prefix, (id, capacity, theirs, on_prefix)
                if id in PLAIN:
                    row["python"], theirs = rate(lambda c=capacity, i=id: PLAIN[i](keys, c), len(prefix), 1)
                    assert theirs == on_prefix
                rows.append(row)
    return rows


def _present(name: str) -> bool:
    try:
        __import__(name)
    except ModuleNotFoundError:
        return False
    return True


def main(arguments: list[str]) -> None:
    given = dict(argument.split("=", 1) for argument in arguments)
    rows = figures(int(float(given.get("requests", 1e7))), int(float(given.get("objects", 1e6))))
    columns = ("loop", "read_and_loop", "native", "plugin", "cachetools", "python")
    print(
        f"{'policy':8}{'capacity':>9}{'misses':>11}"
        + "".join(f"{c:>15}" for c in columns)
        + "   M requests/CPU s"
    )
    for row in rows:
        cells = "".join(f"{row[c] / 1e6:15.2f}" if c in row else f"{'-':>15}" for c in columns)
        print(f"{row['policy']:8}{row['capacity']:>9,}{row['misses']:>11,}{cells}")


if __name__ == "__main__":
    main(sys.argv[1:])
