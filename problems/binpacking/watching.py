"""How a packing fills up: figures for the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluators.base import Policy, PolicyError
from evaluators.binpacking import simulator as s
from evaluators.binpacking.generators import weibull
from evaluators.binpacking.stream import Stream
from problems.figures import Chart, Figure, Line, Shares

#: No set of workloads draws from this stream.
_STREAM = 99
_ITEMS, _STEP = 5000, 100
#: Classes of free space at the end, as shares of a bin: above the one, up to the other.
_CLASSES = ((0.0, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.5), (0.5, 1.0))


def typical(seed: int) -> Stream:
    """Five thousand Weibull sizes, drawn for this alone.

    Args:
        seed: Of the workloads.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    return weibull(rng, n=_ITEMS)


def watched(policy: Policy, loop: Any, stream: Stream) -> list[Figure]:
    """Let a policy pack a stream, and show its bins above the bound as they come, and what is left free in them."""
    above, remaining = _pack(policy, loop, stream)
    family = f"{len(stream.items):,} Weibull sizes in bins of {stream.capacity} that no set contains."
    shares = remaining / stream.capacity
    names = ["none"]
    bins = [int((remaining == 0).sum())]
    for low, high in _CLASSES:
        names.append(f"to {100 * high:g} %")
        bins.append(int(((shares > low) & (shares <= high)).sum()))
    return [
        Chart(
            "Bins above the bound over time",
            f"{family} Open bins less those that the items so far need at least, were they known before.",
            "bins",
            "items",
            float(_STEP),
            float(_STEP * len(above)),
            [Line("", above)],
        ),
        Shares("What is left in the bins", "Bins by their free space at the end.", "bins", names, {"": bins}),
    ]


def _pack(policy: Policy, loop: Any, stream: Stream) -> tuple[list[float], np.ndarray]:
    """Bins above L1 after each step, and the free space of each bin at the end."""
    room = len(stream.items)
    remaining = np.zeros(room, dtype=np.int64)
    counters = np.zeros(5, dtype=np.int64)
    counters[s.CHOSEN] = stream.capacity
    state = policy.grow(policy.state(stream.capacity), room)
    above = []
    for stop in range(_STEP, len(stream.items) + 1, _STEP):
        if loop(state, stream.items[:stop], remaining, counters) != s.OK:
            raise PolicyError("illegal", f"it packed item {int(counters[s.NEXT])} where it cannot be")
        n_open = int(counters[s.OPEN])
        above.append(float(n_open - Stream("", stream.items[:stop], stream.capacity).lower_bound))
    return above, remaining[: int(counters[s.OPEN])]
