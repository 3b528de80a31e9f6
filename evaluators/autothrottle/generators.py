"""Loads of four kinds, one hour each by default, with the statistics of the published traces; and of many days.

The published hours were made from production traces; their statistics (mean, extremes, deviation, step a second, change
from minute to minute) are in ``docs``; these are random walks that have about the same. In requests a second before the
application's factor.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evaluators.draws import uniform

#: Seconds of an hour, between two points that a slow walk is drawn through, and of a minute.
HOUR, _KNOT, _MINUTE = 3600, 120, 60
#: Requests a second of the constant load (a third of the social network's 500, a tenth of the hotel's 2000).
CONSTANT = {"social": 500.0 / 1.5, "hotel": 200.0, "train": 200.0}


def constant(rng: np.random.Generator, application: str, seconds: int) -> np.ndarray:
    """The same load all the time."""
    return np.full(seconds, CONSTANT[application])


def diurnal(rng: np.random.Generator, application: str, seconds: int) -> np.ndarray:
    """A piece of a day: one slow rise and fall, steps of about one a second (mean 200-280, 90-400, to 15 % a minute)."""
    t = np.arange(seconds) / HOUR
    middle = uniform(rng, 210.0, 270.0)
    swing = uniform(rng, 60.0, 130.0)
    phase, second_phase = uniform(rng, 0.0, 1.0), uniform(rng, 0.0, 1.0)
    turns = uniform(rng, 0.7, 1.3)
    wave = np.sin(2 * np.pi * (turns * t + phase)) + 0.25 * np.sin(2 * np.pi * (3 * t + second_phase))
    return np.asarray(np.clip(middle + swing * wave + _walk(rng, seconds, 8.0), 90.0, 400.0))


def noisy(rng: np.random.Generator, application: str, seconds: int) -> np.ndarray:
    """Steps of ten in most seconds around a slowly changing mean (mean 158, 81-245, about 75 within a minute)."""
    level = uniform(rng, 145.0, 170.0) + _walk(rng, seconds, 18.0)
    values = np.empty(seconds)
    at = 0.0
    moves = rng.random((seconds, 2))
    for i in range(seconds):
        # Three seconds in four move by ten, towards the mean the more likely the farther off.
        if moves[i, 0] < 0.75:
            at += 10.0 if moves[i, 1] < 0.5 - at / 110.0 else -10.0
        values[i] = level[i] + at
    return np.asarray(np.clip(values, 81.0, 245.0))


def bursty(rng: np.random.Generator, application: str, seconds: int) -> np.ndarray:
    """A low load with a few surges, each minutes long (mean 163, 81-397, deviation 84, to 23 % a minute)."""
    t = np.arange(seconds, dtype=np.float64)
    surges = np.zeros(seconds)
    start = uniform(rng, -300.0, 900.0)
    while start < seconds + 600:
        rise, fall = uniform(rng, 330.0, 420.0), uniform(rng, 350.0, 500.0)
        surge = np.exp(-(((t - start) / np.where(t < start, rise, fall)) ** 2))
        surges = np.maximum(surges, uniform(rng, 1.0, 1.5) * surge)
        start += uniform(rng, 1300.0, 2000.0)
    level = uniform(rng, 86.0, 105.0) + _walk(rng, seconds, 5.0)
    return np.asarray(np.clip(level * np.exp(surges), 81.0, 397.0))


def days(rng: np.random.Generator, seconds: int) -> np.ndarray:
    """Days and weeks: a daily wave, quieter weekends, drift, and a surge now and then."""
    t = np.arange(seconds) / 86_400.0
    wave = 1.0 + 0.45 * np.sin(2 * np.pi * (t - 0.3)) + 0.12 * np.sin(4 * np.pi * t + 1.0)
    week = np.where((np.floor(t) % 7) >= 5, 0.8, 1.0)
    values = 200.0 * wave * week + _walk(rng, seconds, 8.0)
    for _ in range(int(np.ceil(seconds / 43_200.0))):
        at, wide = uniform(rng, 0.0, float(seconds)), uniform(rng, 120.0, 600.0)
        values += uniform(rng, 60.0, 180.0) * np.exp(-(((np.arange(seconds) - at) / wide) ** 2))
    return np.asarray(np.clip(values, 40.0, 400.0))


#: The four kinds of an hour.
KINDS: dict[str, Callable[[np.random.Generator, str, int], np.ndarray]] = {
    "diurnal": diurnal,
    "constant": constant,
    "noisy": noisy,
    "bursty": bursty,
}


def _walk(rng: np.random.Generator, seconds: int, deviation: float) -> np.ndarray:
    """A smooth random line: independent points every two minutes, joined by straight lines."""
    n = seconds // _KNOT + 2
    points = (rng.random((n, 4)).sum(axis=1) - 2.0) * deviation * np.sqrt(3.0)
    return np.asarray(np.interp(np.arange(seconds), np.arange(n) * _KNOT, points))
