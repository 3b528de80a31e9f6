"""The synthetic workloads of a search: feedback, validation and hold-out sets of disjoint random streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from evaluators.cache.generators import ALPHA_STEPS, bursts, mixture, one_hit, scan_loop, shifting, zipf
from evaluators.cache.trace import Trace
from evaluators.draws import STREAMS, generator, integer, uniform

Suite = Literal["feedback", "validation", "holdout"]

_DEFAULT_COUNT: dict[str, int] = {"feedback": 30, "validation": 24, "holdout": 24}

# The spread of the paper's 30 feedback traces: exponent and distinct objects.
_ALPHA = (0.61, 2.0)
_OBJECTS = (1061, 2367)
_LENGTH = (20_000, 30_000)


def synthetic_suite(
    which: Suite, seed: int, n: int | None = None, *, with_sizes: bool = False
) -> list[Trace]:
    """Returns the traces of a set, named like `synthetic/feedback/07-loop-n1812-s0.05`.

    Feedback alternates Zipf traces (exponents stratified over the paper's range) with the five stress
    families, so that half of the embedding separates policies by frequency and half by everything else.
    Validation and hold-out give every family the same weight. Each trace has its own random stream
    `SeedSequence(seed, spawn_key=(set, index))`, so sets never share one and trace i does not depend on n
    (except for the strata of the Zipf exponents).

    Args:
        which: The set.
        seed: Any non-negative integer.
        n: Number of traces; default 30 for feedback, 24 for the others.
        with_sizes: Give objects lognormal sizes; the requests are the same as without.

    Raises:
        ValueError: An unknown set, or n below 1.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    count = _DEFAULT_COUNT[which] if n is None else n
    if count < 1:
        raise ValueError(f"a synthetic set needs at least one trace, not {count}")
    zipf_every = 2 if which == "feedback" else len(_STRESS) + 1
    n_zipf = -(-count // zipf_every)
    traces = []
    for i in range(count):
        rng = generator(seed, which, i)
        stratum, place = divmod(i, zipf_every)
        if place == 0:
            trace = _draw_zipf(rng, with_sizes, stratum, n_zipf)
        else:
            trace = _STRESS[(stratum * (zipf_every - 1) + place - 1) % len(_STRESS)](rng, with_sizes)
        traces.append(replace(trace, name=f"synthetic/{which}/{i:02d}-{trace.name}"))
    return traces


def _exponent(rng: np.random.Generator, low: float, high: float) -> float:
    return round(uniform(rng, low, high) * ALPHA_STEPS) / ALPHA_STEPS


def _draw_zipf(rng: np.random.Generator, with_sizes: bool, stratum: int, strata: int) -> Trace:
    step = (_ALPHA[1] - _ALPHA[0]) / strata
    low = _ALPHA[0] + stratum * step
    return zipf(
        rng,
        alpha=_exponent(rng, low, low + step),
        n_objects=integer(rng, *_OBJECTS),
        length=integer(rng, *_LENGTH),
        with_sizes=with_sizes,
    )


def _draw_loop(rng: np.random.Generator, with_sizes: bool) -> Trace:
    return scan_loop(
        rng,
        n_objects=integer(rng, 800, 2400),
        length=integer(rng, *_LENGTH),
        skip=uniform(rng, 0.0, 0.2),
        with_sizes=with_sizes,
    )


def _draw_shifting(rng: np.random.Generator, with_sizes: bool) -> Trace:
    return shifting(
        rng,
        alpha=_exponent(rng, 0.7, 1.3),
        n_objects=integer(rng, 1500, 3000),
        length=integer(rng, *_LENGTH),
        phases=integer(rng, 4, 16),
        drift=uniform(rng, 0.3, 1.0),
        with_sizes=with_sizes,
    )


def _draw_mixture(rng: np.random.Generator, with_sizes: bool) -> Trace:
    # At a cache of 10 % of the objects these loops are 0.5 to 4 times the cache.
    return mixture(
        rng,
        alpha=_exponent(rng, 0.7, 1.3),
        n_objects=integer(rng, *_OBJECTS),
        length=integer(rng, *_LENGTH),
        loop_objects=integer(rng, 100, 800),
        loop_share=uniform(rng, 0.2, 0.6),
        run=integer(rng, 20, 400),
        with_sizes=with_sizes,
    )


def _draw_bursts(rng: np.random.Generator, with_sizes: bool) -> Trace:
    return bursts(
        rng,
        alpha=_exponent(rng, 0.7, 1.2),
        n_objects=integer(rng, *_OBJECTS),
        length=integer(rng, *_LENGTH),
        burst_share=uniform(rng, 0.2, 0.6),
        burst_objects=integer(rng, 5, 40),
        burst_length=integer(rng, 50, 400),
        with_sizes=with_sizes,
    )


def _draw_one_hit(rng: np.random.Generator, with_sizes: bool) -> Trace:
    return one_hit(
        rng,
        alpha=_exponent(rng, 0.7, 1.2),
        n_objects=integer(rng, *_OBJECTS),
        length=integer(rng, *_LENGTH),
        share=uniform(rng, 0.15, 0.5),
        with_sizes=with_sizes,
    )


_STRESS: tuple[Callable[[np.random.Generator, bool], Trace], ...] = (
    _draw_loop,
    _draw_shifting,
    _draw_mixture,
    _draw_bursts,
    _draw_one_hit,
)
