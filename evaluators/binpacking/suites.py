"""The synthetic workloads of a search: feedback, validation, hold-out, and streams unlike all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from evaluators.binpacking.generators import gaussian, triplets, two_peaks, uniform, weibull
from evaluators.binpacking.stream import Stream
from evaluators.draws import STREAMS, generator, integer
from evaluators.draws import uniform as uniform_number

_DEFAULT_COUNT = {"feedback": 30, "validation": 24, "holdout": 24}

# The published lengths up to 10,000: with longer streams a rule that looks at all open bins takes seconds.
_LENGTHS = (5000, 1000, 5000, 10_000)
_SHIFTED_EACH = 4
_FIRST_SHIFT = 3  # number of the first random stream after those of the sets


def synthetic_suite(which: str, seed: int, n: int | None = None) -> list[Stream]:
    """Returns the streams of a set, named like `synthetic/feedback/07-weibull-k2.31-s41-c100-n5000`.

    Feedback alternates Weibull sizes whose shape is stratified and whose scale and length vary (the paper's
    feedback family) with Gaussian and uniform sizes. Validation and hold-out give the published families,
    Weibull(3, 45), Gaussian(0.3662, 0.1416) and uniform 20..100 in bins of 150, the same weight.

    Args:
        which: The set.
        seed: Any non-negative integer.
        n: Number of streams; default 30 for feedback, 24 for the others.

    Raises:
        ValueError: An unknown set, or n below 1.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    count = _DEFAULT_COUNT[which] if n is None else n
    if count < 1:
        raise ValueError(f"a synthetic set needs at least one stream, not {count}")
    streams = []
    for i in range(count):
        rng = generator(seed, which, i)
        stream = _feedback(rng, i, count) if which == "feedback" else _published(rng, i)
        streams.append(replace(stream, name=f"synthetic/{which}/{i:02d}-{stream.name}"))
    return streams


def shifted_suites(seed: int) -> dict[str, Sequence[Stream]]:
    """Streams on which no search looks, four of a kind, by what is unlike the sets: does a policy carry over?"""
    kinds: dict[str, Callable[[np.random.Generator], Stream]] = {
        "capacity 500": lambda rng: weibull(rng, n=10_000, capacity=500),
        "capacity 1000": lambda rng: gaussian(rng, n=5000, capacity=1000),
        "triplets": triplets,
        "two peaks": two_peaks,
        "120 items": lambda rng: weibull(rng, n=120),
        "20,000 items": lambda rng: weibull(rng, n=20_000),
    }
    suites: dict[str, Sequence[Stream]] = {}
    for number, (kind, draw) in enumerate(kinds.items(), _FIRST_SHIFT):
        streams = []
        for i in range(_SHIFTED_EACH):
            sequence = np.random.SeedSequence(seed, spawn_key=(number, i))
            stream = draw(np.random.default_rng(sequence))
            streams.append(replace(stream, name=f"synthetic/{kind}/{i:02d}-{stream.name}"))
        suites[kind] = streams
    return suites


def _feedback(rng: np.random.Generator, i: int, count: int) -> Stream:
    stratum, other = divmod(i, 2)
    n = 500 * integer(rng, 2, 10)
    if not other:
        step = 3.0 / -(-count // 2)
        shape = uniform_number(rng, 1.5 + stratum * step, 1.5 + (stratum + 1) * step)
        return weibull(rng, n=n, shape=shape, scale=uniform_number(rng, 30.0, 60.0))
    if stratum % 2:
        low = integer(rng, 1, 30)
        return uniform(rng, n=n, low=low, high=integer(rng, 60, 110))
    return gaussian(rng, n=n, mean=uniform_number(rng, 0.25, 0.5), deviation=uniform_number(rng, 0.08, 0.2))


def _published(rng: np.random.Generator, i: int) -> Stream:
    round_, family = divmod(i, 3)
    n = _LENGTHS[round_ % len(_LENGTHS)]
    if family == 0:
        return weibull(rng, n=n)
    if family == 1:
        return gaussian(rng, n=n)
    return uniform(rng, n=n // 10 if n > 1000 else n)
