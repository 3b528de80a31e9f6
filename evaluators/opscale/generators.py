"""Synthetic requests by burst class. Rates are per second; times are rounded to microseconds."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.draws import uniform
from evaluators.opscale.trace import Trace


@dataclass(frozen=True)
class Lengths:
    """Log-normal lengths: medians and widths of prompts and outputs, and the longest prompt.

    The values below have the medians and means of the traces they are named after, nothing else of them.
    """

    prompt: float
    prompt_width: float
    output: float
    output_width: float
    longest: int


CODE = Lengths(1469, 0.80, 13, 1.2, 7800)
CHAT = Lengths(900, 0.9, 180, 0.8, 8000)
LONG = Lengths(6900, 0.95, 330, 0.5, 40_000)


def bursty(rng: np.random.Generator, span: float) -> np.ndarray:
    """Rates of code completion: quiet, with bursts of 6 to 40 s at 3 to 10 times the rate."""
    rate = np.full(_seconds(span), 0.5)
    at = uniform(rng, 0.0, 60.0)
    while at < span:
        length = uniform(rng, 6.0, 40.0)
        rate[int(at) : int(at + length)] = uniform(rng, 3.0, 10.0) * 0.5
        at += length + uniform(rng, 10.0, 150.0)
    return rate


def smooth(rng: np.random.Generator, span: float) -> np.ndarray:
    """Rates that swing slowly by a fifth."""
    t = np.arange(_seconds(span))
    period, phase = uniform(rng, 300.0, 1200.0), uniform(rng, 0.0, 2 * math.pi)
    return np.asarray(1.0 + 0.2 * np.sin(2 * math.pi * t / period + phase))


def diurnal(rng: np.random.Generator, span: float) -> np.ndarray:
    """A day, or several, in the time simulated: nights at a fifth of the noon's rate, minutes that differ."""
    t = np.arange(_seconds(span))
    days, phase = uniform(rng, 1.0, 3.0), uniform(rng, 0.0, 2 * math.pi)
    wave = 1.0 + 0.67 * np.sin(2 * math.pi * days * t / span + phase)
    minutes = 0.8 + 0.4 * rng.random(len(t) // 60 + 1)
    return np.asarray(wave * np.repeat(minutes, 60)[: len(t)])


def steps(rng: np.random.Generator, span: float) -> np.ndarray:
    """A rate that jumps up or down every one to five minutes."""
    rate = np.zeros(_seconds(span))
    at = 0.0
    while at < span:
        length = uniform(rng, 60.0, 300.0)
        rate[int(at) : int(at + length) + 1] = uniform(rng, 0.3, 2.0)
        at += length
    return rate


@cache
def production() -> dict[str, np.ndarray]:
    """Rates of production services, requests/s in bins of ten minutes, by service; ``data/README.md``."""
    rates: dict[str, list[float]] = {}
    with (Path(__file__).parent / "data" / "servegen_rates.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rates.setdefault(row["model"], []).append(float(row["rate"]))
    return {name: np.array(values) for name, values in rates.items()}


def fortnight(rng: np.random.Generator, span: float) -> np.ndarray:
    """The 14 days of a production service in the time simulated, from a bin that is drawn on and then around."""
    bins = production()["m-large"]
    t = np.arange(_seconds(span)) / span * len(bins)
    start = int(rng.random() * len(bins))
    return np.asarray(np.roll(bins, -start)[np.minimum(t.astype(np.int64), len(bins) - 1)])


SHAPES = {"bursty": bursty, "smooth": smooth, "diurnal": diurnal, "steps": steps, "fortnight": fortnight}


def requests(rng: np.random.Generator, shape: str, lengths: Lengths, mean_rate: float, span: float) -> Trace:
    """Requests of a class: Poisson arrivals with its rates, scaled to a mean rate, and log-normal lengths.

    Args:
        rng: Where randomness comes from.
        shape: One of :data:`SHAPES`.
        lengths: Of prompts and outputs.
        mean_rate: Requests/s.
        span: Seconds.
    """
    rate = SHAPES[shape](rng, span)
    sums = np.concatenate([[0.0], np.cumsum(rate / rate.mean() * mean_rate)])
    # Unit-rate arrivals, bent by the cumulated rate.
    gaps = -np.log1p(-rng.random(int(sums[-1] + 6 * math.sqrt(sums[-1]) + 20)))
    points = np.cumsum(gaps)
    points = points[points < sums[-1]]
    if not len(points):
        points = np.array([0.5 * sums[-1]])
    arrivals = np.round(np.interp(points, sums, np.arange(len(sums), dtype=np.float64)), 6)
    prompts = _lognormal(rng, len(arrivals), lengths.prompt, lengths.prompt_width, lengths.longest)
    outputs = _lognormal(rng, len(arrivals), lengths.output, lengths.output_width, 2000)
    return Trace(arrivals, prompts, outputs)


def _seconds(span: float) -> int:
    return math.ceil(span)


def _lognormal(rng: np.random.Generator, n: int, median: float, width: float, most: int) -> np.ndarray:
    # Box and Muller: draws from `random` alone repeat on every version of numpy.
    normal = np.sqrt(-2 * np.log1p(-rng.random(n))) * np.cos(2 * math.pi * rng.random(n))
    return np.asarray(np.clip(np.round(median * np.exp(width * normal)), 1, most).astype(np.int64))
