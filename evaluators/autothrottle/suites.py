"""The synthetic workloads of a search: feedback, validation, hold-out, and loads unlike all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.autothrottle.application import Application
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import HOUR, KINDS, days
from evaluators.autothrottle.load import Load
from evaluators.draws import STREAMS, generator

_DEFAULT_COUNT = {"feedback": 12, "validation": 12, "holdout": 24}
#: Seconds measured, and seconds before them.
_MEASURED = {"feedback": 60, "validation": 120, "holdout": 360}
_BEFORE = {"feedback": 60, "validation": 60, "holdout": 60}
#: As the authors: seconds of ramp, and of measured latency before allocation is measured.
RAMP_S, SETTLE_S = 180, 30
_FIRST_SHIFT = 3
_SHIFTED_EACH = 3
_DAY_PIECE = 600


def ramped(name: str, application: Application, trace: np.ndarray, seed: int) -> Load:
    """A published hour as the authors run it: scaled, with a ramp of 180 s before it.

    In second ``i`` of the ramp the load is the trace's first value times ``1.1 ** ((i - 180) / 5)``.
    """
    scaled = np.round(trace * application.scale)
    ramp = np.round(scaled[0] * 1.1 ** ((np.arange(RAMP_S) - RAMP_S) / 5))
    return Load(name, application, np.concatenate([ramp, scaled]).astype(np.int64), RAMP_S, SETTLE_S, seed)


def synthetic_suite(
    which: str, seed: int, n: int | None = None, applications: Sequence[str] = tuple(APPLICATIONS)
) -> list[Load]:
    """The loads of a set, named like ``synthetic/feedback/07-hotel-noisy``.

    Each is a piece of a generated hour of its own, with the seconds before it to warm up; kinds and applications
    take turns.

    Args:
        which: The set.
        seed: Any non-negative integer.
        n: Number of loads; default 12 for feedback and validation, 24 for the hold-out.
        applications: Names of the applications.

    Raises:
        ValueError: An unknown set, or n below 1.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    count = _DEFAULT_COUNT[which] if n is None else n
    if count < 1:
        raise ValueError(f"a synthetic set needs at least one load, not {count}")
    loads = []
    kinds = list(KINDS)
    for i in range(count):
        rng = generator(seed, which, i)
        name = applications[i % len(applications)]
        kind = kinds[(i // len(applications)) % len(kinds)]
        hour = KINDS[kind](rng, name, HOUR)
        loads.append(
            _piece(
                rng, f"synthetic/{which}/{i:02d}-{name}-{kind}", name, hour, _BEFORE[which], _MEASURED[which]
            )
        )
    return loads


def shifted_suites(seed: int) -> dict[str, Sequence[Load]]:
    """Loads on which no search looks, by what is unlike the sets: does a policy carry over?"""
    suites: dict[str, Sequence[Load]] = {}
    names = list(APPLICATIONS)
    for number, kind in enumerate(("a third of the load", "a step", "a day"), _FIRST_SHIFT):
        loads = []
        for i in range(_SHIFTED_EACH):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, i)))
            name = names[i % len(names)]
            if kind == "a day":
                trace = days(rng, 86_400)[::144]  # a day in ten minutes
            elif kind == "a step":
                trace = np.where(np.arange(_DAY_PIECE) % 200 < 100, 120.0, 240.0)
            else:
                trace = KINDS["diurnal"](rng, name, HOUR) / 3.0
            loads.append(_piece(rng, f"synthetic/{kind}/{i:02d}-{name}", name, trace, 60, 240))
        suites[kind] = loads
    return suites


def _piece(
    rng: np.random.Generator, name: str, application: str, trace: np.ndarray, before: int, measured: int
) -> Load:
    """A random piece of a trace, and a seed."""
    app = APPLICATIONS[application]
    length = before + measured
    start = int(rng.random() * (len(trace) - length))
    rps = np.round(trace[start : start + length] * app.scale).astype(np.int64)
    return Load(name, app, rps, before, 0, int(rng.random() * 2**31))
