"""Requests a second of compiled policies against libcachesim's native loop, on one core.

One trace: 10 million requests, Zipf(1.0) over 1 million objects, a cache of 100,000 objects. Both sides run in
turn in this process, ``ROUNDS`` times; the medians of CPU time count. Two ways of counting on our side: the
simulation loop alone (checked code, as candidates run), and with reading a ``.bin`` file and giving dense ids
to its keys, which libcachesim's ``process_trace`` includes. Miss counts must agree.

Usage: ``python -m benchmarks.cache_throughput [requests]``; libcachesim (GPL-3.0) is optional and only compared.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evaluators.cache.generators import zipf
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

ROUNDS = 3
OBJECTS = 1_000_000
CAPACITY = 100_000
HASHPOWER = 17  # libcachesim's table has 2**17 buckets: its best here
NAMES = {"lru": "LRU", "sieve": "Sieve", "s3fifo": "S3FIFO"}

_BASELINES = Path(__file__).parents[1] / "problems" / "cache" / "baselines"


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """(CPU seconds, what the work returned)."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def write(path: Path, trace: Trace) -> None:
    """The trace as oracleGeneral, its keys spread over 64 bits so that making them dense is real work."""
    records = np.zeros(len(trace), [("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
    records["time"] = np.arange(len(trace)) // 1000
    records["object"] = (trace.ids.astype(np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    records["size"] = 1
    records["next"] = -1
    records.tofile(path)


def main(arguments: list[str]) -> int:
    requests = int(arguments[0]) if arguments else 10_000_000
    trace = zipf(np.random.default_rng(42), n_objects=OBJECTS, length=requests, alpha=1.0)
    try:
        import libcachesim
    except ModuleNotFoundError:
        libcachesim = None
        print("libcachesim is not installed, so only our side is shown (pip install 'libcachesim==0.3.5').")
    print(
        f"{requests:,} requests, Zipf(1.0), {trace.n_objects:,} objects seen, cache {CAPACITY:,} objects; M requests/s"
    )
    print(f"{'policy':<8}{'misses':>11}{'native':>9}{'loop':>9}{'ratio':>8}{'read+loop':>11}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zipf.oracleGeneral.bin"
        write(path, trace)
        read_trace(path)  # compiles
        for policy_id, name in NAMES.items():
            policy = CompiledPolicy(load((_BASELINES / f"{policy_id}.py").read_text(), CONTRACT), (10, 31))
            loop = bind(policy)
            simulate(policy, loop, Job(trace, CAPACITY), stop=1000)

            def ours(of: Trace, policy: CompiledPolicy = policy, loop: object = loop) -> float:
                return simulate(policy, loop, Job(of, CAPACITY)).details["misses"]

            def native(name: str = name) -> float:
                kind = libcachesim.TraceType.ORACLE_GENERAL_TRACE
                parameters = libcachesim.ReaderInitParam(ignore_obj_size=True)
                cache = getattr(libcachesim, name)(CAPACITY, hashpower=HASHPOWER)
                miss_ratio, _ = cache.process_trace(libcachesim.TraceReader(str(path), kind, parameters))
                return float(round(miss_ratio * requests))

            alone, whole, theirs = [], [], []
            for _ in range(ROUNDS):
                seconds, misses = timed(lambda ours=ours: ours(trace))
                alone.append(seconds)
                seconds, again = timed(lambda ours=ours: ours(read_trace(path)))
                whole.append(seconds)
                assert misses == again
                if libcachesim is not None:
                    seconds, reference = timed(native)
                    theirs.append(seconds)
                    assert misses == reference, (policy_id, misses, reference)
            a, w = (requests / statistics.median(s) / 1e6 for s in (alone, whole))
            if theirs:
                t = requests / statistics.median(theirs) / 1e6
                print(
                    f"{policy_id:<8}{int(misses):>11,}{t:>9.2f}{a:>9.1f}{a / t:>7.1f}x{w:>11.1f}{w / t:>7.1f}x"
                )
            else:
                print(f"{policy_id:<8}{int(misses):>11,}{'-':>9}{a:>9.1f}{'-':>8}{w:>11.1f}{'-':>8}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
