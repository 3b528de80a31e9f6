"""A trace larger than one wants in memory, for real: generated on disk, spooled, scored block by block.

    python -m benchmarks.cache_streaming [requests=2e8] [objects=2e7] [policies=lru,sieve,s3fifo] [folder=DIR] [json=true]

Keys are drawn from a continuous Zipf-like law (exponent 0.9) and spread over 64 bits, written as ``.npy`` (8 bytes a
request) by a process of its own. A second process spools the file and scores the policies at 10 % of the objects, as
``problem.spool`` does in a scoring process. Printed: CPU and wall seconds, requests a second, and resident memory
(``VmHWM`` and its parts); the same by arithmetic for a billion requests; and for a prefix of the trace that fits into
memory the miss counts of both ways, which must be equal.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.spool import spooled
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

ROOT = Path(__file__).parents[1]
_BASELINES = ROOT / "problems" / "cache" / "baselines"
ALPHA = 0.9
#: Requests that are drawn at a time.
BATCH = 1 << 21
#: Longest prefix that is also scored in memory.
PREFIX = 5_000_000
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def generate(path: Path, requests: int, objects: int) -> None:
    """Write keys as .npy; rank r has density proportional to r to the power -ALPHA over [1, objects + 1)."""
    rng = np.random.default_rng(11)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint64, shape=(requests,))
    high = float(objects + 1) ** (1 - ALPHA)
    for start in range(0, requests, BATCH):
        u = rng.random(min(BATCH, requests - start))
        ranks = (1 + u * (high - 1)) ** (1 / (1 - ALPHA))
        out[start : start + len(u)] = ranks.astype(np.uint64) * _SPREAD
    out.flush()


def memory() -> dict[str, float]:
    """Resident memory of this process in MiB: now, of it not mapped from files, and the most there was."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    names = {"now": "VmRSS", "anonymous": "RssAnon", "most": "VmHWM"}
    return {name: round(int(fields[field][0]) / 1024, 1) for name, field in names.items()}


class Clock:
    """CPU and wall seconds since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        # Never nothing: the clock of a process may stand still over a short trace.
        cpu = max(time.process_time() - self._cpu, 1e-4)
        return {"cpu_s": round(cpu, 4), "wall_s": round(time.perf_counter() - self._wall, 2)}


def measure(path: Path, spool: Path, policies: list[str]) -> dict[str, Any]:
    """Spool the file and score the policies; meant for a process of its own, so that its memory is that of this."""
    prefix = path.with_name("prefix.npy")
    keys = np.load(path, mmap_mode="r")
    np.save(prefix, keys[: min(PREFIX, len(keys))])
    del keys
    compiled = {}
    small = read_trace(prefix)
    agreed = {}
    for name in policies:
        policy = CompiledPolicy(load((_BASELINES / f"{name}.py").read_text(), CONTRACT), (16, 49))
        compiled[name] = policy, bind(policy)
        agreed[name] = simulate(*compiled[name], Job(small, small.capacity("10%"))).details["misses"]
    small = spooled(str(prefix), spool)
    for name, misses in agreed.items():
        again = simulate(*compiled[name], Job(small, small.capacity("10%"))).details["misses"]
        assert again == misses, (name, again, misses)
    del small
    figures: dict[str, Any] = {"before": memory(), "equal_on_prefix": agreed}
    clock = Clock()
    trace = spooled(str(path), spool)
    figures["spooling"] = clock.read() | {"memory": memory()}
    figures["requests"], figures["objects"] = len(trace), trace.n_objects
    clock = Clock()
    trace.digest()
    figures["hashing"] = clock.read()
    # From here on as a scoring process that finds the file in the spool.
    figures["policies"] = {}
    job = Job(trace, trace.capacity("10%"))
    for name in policies:
        clock = Clock()
        score = simulate(*compiled[name], job)
        took = clock.read()
        figures["policies"][name] = took | {
            "misses": int(score.details["misses"]),
            "miss_ratio": score.value,
            "requests_per_cpu_s": round(len(trace) / took["cpu_s"]),
            "memory": memory(),
        }
    figures["capacity"] = job.capacity
    figures["in_memory_mb"] = round(4 * len(trace) / 2**20, 1)
    return figures


def child(arguments: list[str]) -> dict[str, Any]:
    """Run this module in a process of its own; returns what it prints."""
    command = [sys.executable, "-m", "benchmarks.cache_streaming", *arguments]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return dict(json.loads(done.stdout))


def figures(requests: int, objects: int, policies: list[str], folder: Path) -> dict[str, Any]:
    """Generate in ``folder``, measure in fresh processes: once spooling, once finding the spool full."""
    path = folder / "trace.npy"
    generate(path, requests, objects)
    first = child(["measure", str(path), str(folder / "spool"), *policies])
    second = child(["measure", str(path), str(folder / "spool"), *policies])
    for name in policies:
        assert first["policies"][name]["misses"] == second["policies"][name]["misses"]
    return {"spooled_now": first, "found_in_spool": second}


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    first, second = found["spooled_now"], found["found_in_spool"]
    n = first["requests"]
    print(
        f"{n:,} requests, {first['objects']:,} objects, capacity {first['capacity']:,}; in memory the ids alone "
        f"would take {first['in_memory_mb']:,.0f} MiB"
    )
    print(f"equal miss counts on the prefix, in memory and from the spool: {first['equal_on_prefix']}")
    took, most = first["spooling"], first["spooling"]["memory"]["most"]
    print(
        f"spooling: {took['cpu_s']:.1f} CPU s, {n / took['cpu_s'] / 1e6:.1f} M requests a CPU second; most memory "
        f"{most:,.0f} MiB, before {first['before']['now']:,.0f}"
    )
    print(f"hashing: {second['hashing']['cpu_s']:.1f} CPU s")
    for name, row in second["policies"].items():
        rate = row["requests_per_cpu_s"]
        print(
            f"{name:8} {row['misses']:>12,} misses ({row['miss_ratio']:.4f}), {rate / 1e6:6.1f} M requests a CPU second; "
            f"memory {row['memory']['now']:,.0f} MiB, of it anonymous {row['memory']['anonymous']:,.0f}, most so far "
            f"{row['memory']['most']:,.0f}; 10^9 requests at this rate: {1e9 / rate:.0f} s"
        )
    print(
        f"by arithmetic, 10^9 requests to as many objects: {1e9 / n * took['cpu_s']:.0f} s to spool once, 4 GB on disk, "
        "the same memory"
    )


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] == "measure":
        print(json.dumps(measure(Path(arguments[1]), Path(arguments[2]), arguments[3:])))
        return
    given = dict(argument.split("=", 1) for argument in arguments)
    requests, objects = int(float(given.get("requests", 2e8))), int(float(given.get("objects", 2e7)))
    policies = given.get("policies", "lru,sieve,s3fifo").split(",")
    folder = Path(tempfile.mkdtemp(dir=given.get("folder")))
    try:
        found = figures(requests, objects, policies, folder)
    finally:
        shutil.rmtree(folder)
    if given.get("json") == "true":
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main(sys.argv[1:])
