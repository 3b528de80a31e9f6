"""Items a second of bin packing policies, checked and compiled as candidates run, on one core.

Two comparisons in one run, by CPU time, medians of ``ROUNDS``:

- First Fit and Best Fit by the policy kit's tree and buckets, at a million items.
- A policy that looks at all open bins for every item (best fit, written as a model would), at 10,000 items, beside
  two stand-ins for the simulators of papers, written here from what they do for each item: lists of Python
  numbers, where the simulator looks for a bin with room before the policy scans all open bins (MetaMuse's
  reference), and an array with a bin for every item from the start (FunSearch's). Bins must agree.

Usage: ``python -m benchmarks.binpacking_throughput``
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evaluators.binpacking.generators import weibull
from evaluators.binpacking.simulator import CONTRACT, bind, simulate
from evaluators.binpacking.stream import Stream
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

ROUNDS = 3
MANY, FEW = 1_000_000, 10_000

_BASELINES = Path(__file__).parents[1] / "problems" / "binpacking" / "baselines"
SCAN = '''
class Policy:
    """Best fit by looking at all open bins."""

    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        best = -1
        best_left = self.capacity + 1
        for b in range(n_open):
            left = remaining[b] - item
            if left >= 0 and left < best_left:
                best_left = left
                best = b
        return best
'''


class Bin:
    """An open bin of the first stand-in."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0

    @property
    def free(self) -> int:
        return self.capacity - self.used


def lists(stream: Stream) -> int:
    """Bins of best fit in plain Python: two scans of the open bins for every item."""
    bins: list[Bin] = []

    def choose(item: int) -> int:
        fitting = [(b.free - item, i) for i, b in enumerate(bins) if b.free >= item]
        return min(fitting)[1]

    for item in stream.items.tolist():
        if any(b.free >= item for b in bins):
            bins[choose(item)].used += item
        else:
            bins.append(Bin(stream.capacity))
            bins[-1].used += item
    return len(bins)


def bin_for_every_item(stream: Stream) -> int:
    """Bins of best fit in numpy, where unused bins compete with used ones."""
    free = np.full(len(stream.items), stream.capacity)
    for item in stream.items.tolist():
        fitting = np.nonzero(free >= item)[0]
        priorities = -(free[fitting] - item)
        free[fitting[np.argmax(priorities)]] -= item
    return int((free != stream.capacity).sum())


def compiled(source: str) -> Callable[[Stream], int]:
    policy = CompiledPolicy(load(source, CONTRACT), (100,))
    loop = bind(policy)
    return lambda stream: int(simulate(policy, loop, stream).details["bins"])


def measure(pack: Callable[[Stream], int], stream: Stream, rounds: int = ROUNDS) -> tuple[float, int]:
    """(items a second of CPU time, bins)."""
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        bins = pack(stream)
        seconds.append(time.process_time() - began)
    return len(stream.items) / statistics.median(seconds), bins


def main() -> None:
    many = weibull(np.random.default_rng(77), n=MANY)
    few = weibull(np.random.default_rng(77), n=FEW)
    warm = weibull(np.random.default_rng(1), n=500)
    print(f"{MANY:,} items, {many.name}")
    for policy_id in ("first_fit", "best_fit", "sum_of_squares"):
        pack = compiled((_BASELINES / f"{policy_id}.py").read_text())
        pack(warm)
        rate, bins = measure(pack, many)
        print(f"  {policy_id:<28}{rate / 1e6:>10.2f} M items/s{bins:>12,} bins")
    print(f"{FEW:,} items, best fit that looks at all open bins")
    pack = compiled(SCAN)
    pack(warm)
    ours, bins = measure(pack, few, rounds=11)
    print(f"  {'compiled policy':<28}{ours / 1e6:>10.3f} M items/s{bins:>12,} bins")
    for name, stand_in in (
        ("lists of Python numbers", lists),
        ("numpy, a bin for every item", bin_for_every_item),
    ):
        rate, theirs = measure(stand_in, few)
        assert theirs == bins, (name, theirs, bins)
        print(f"  {name:<28}{rate / 1e6:>10.3f} M items/s{'':>12}      {ours / rate:>8.0f} times as fast")


if __name__ == "__main__":
    main()
