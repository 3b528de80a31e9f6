"""Truth for a season: storms, a two-layer bucket, soil temperature, and CO2 efflux with what no model explains.

Sources: storms as a Poisson process with exponential depths and durations; bucket and losses after Laio et al. 2001;
damped annual and daily waves of temperature; efflux after DAMM (Davidson et al. 2012), times a pulse at rewetting,
times the residual that regressions on temperature and moisture leave at real sites: without it, policies that trigger
on temperature and moisture look better than even spacing, which they are not in the field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.draws import uniform as drawn
from evaluators.sensing.compiling import cached
from evaluators.sensing.noise import normal, uniform
from evaluators.sensing.scenario import COVERS, DAY, SOILS, Field, Node

#: mm of each of the two layers (probes in the middle of each, at 10 and 20 cm).
LAYER_MM = 150.0
#: Part of the evaporation that is taken from the upper layer.
_UPPER = 0.7
#: Damping depths in m of the daily and the annual wave (kappa = 5e-7 m2/s), and the depth of the temperature probe.
_DAILY_M, _ANNUAL_M, _DEPTH_M = 0.117, 2.24, 0.10
#: DAMM. Parameters recalled from the model's published code, not checked against the paper.
_A, _EA, _KS, _KO, _GAS = 5.38e10, 72.26, 9.95e-7, 0.121, 8.314e-3
_SOLUBLE, _OXYGEN, _PORES = 0.048 * 4.14e-4 * 3.17, 1.67 * 0.209, 0.68
_TO_UMOL = 10.0 * 1e4 / 3600.0 / 0.012011
#: Rewetting pulse: gain, saturation above which there is none, span, decay in hours (assumed).
_PULSE, _PULSE_TOP, _PULSE_SPAN, _PULSE_H = 2.0, 0.65, 0.46, 12.0
#: Residual of log flux: s.d. and decay in hours of its quick and of its slow part, so that a year's regression leaves what
#: those of three real sites leave (claim C12); a slow part of 0.28 over 8 days, as first derived, leaves too little.
RESIDUAL = ((0.23, 8.0), (0.33, 288.0))
#: Weather of temperature: s.d. in degC and decay in hours.
_WEATHER = (2.5, 72.0)
#: Spread (of the log) of the pore space that counts at a probe: stones, roots, contact. With it places differ in their means
#: by about the 0.06 m3 m-3 of a real catchment (Shale Hills).
_STONES = 0.22
#: Places of a node's parameters.
_KS_MM, _N, _BETA, _SW, _STAR, _FC, _INTERCEPT, _ET, _RAIN, _SHADE, _BIAS = range(11)


@dataclass(frozen=True)
class Climate:
    """Weather of a place.

    Attributes:
        storms: Storms a day.
        depth: Mean mm of a storm.
        hours: Mean hours of a storm.
        mean: Mean annual temperature, degC.
        annual: Amplitude of the annual wave of temperature at the surface.
        daily: Amplitude of the daily wave at the surface on a clear day in midsummer.
        pet: Evaporation a well-watered place can have in midsummer, mm a day.
        latitude: Degrees north.
        residual: Factor on the unexplained part of efflux: 1 as real sites, 0 for a deterministic flux.
    """

    storms: float = 0.30
    depth: float = 10.5
    hours: float = 4.0
    mean: float = 12.5
    annual: float = 11.5
    daily: float = 9.0
    pet: float = 5.0
    latitude: float = 39.4
    residual: float = 1.0


def season(day_of_year: np.ndarray) -> np.ndarray:
    """1 in midsummer, -1 in midwinter (northern hemisphere)."""
    return np.asarray(np.cos(2 * np.pi * (day_of_year - 172.0) / 365.25))


def sunshine(ticks: int, start: float, clouds: np.ndarray, latitude: float) -> np.ndarray:
    """float64[T]: half a sine by day, times the season's height, times the day's clouds (1 clear)."""
    day = start + np.arange(ticks) / DAY
    high = season(day)
    tilt = np.radians(23.44 * high)
    # Hours from sunrise to sunset.
    long = 24.0 / np.pi * np.arccos(np.clip(-np.tan(math.radians(latitude)) * np.tan(tilt), -0.99, 0.99))
    hour = (np.arange(ticks) % DAY) / DAY * 24.0
    arc = np.sin(np.pi * (hour - 12.0 + long / 2) / long)
    strength = 0.70 + 0.30 * high
    arc = np.where(np.abs(hour - 12.0) < long / 2, np.maximum(0.0, arc), 0.0)
    return np.asarray(arc * strength * np.repeat(clouds, DAY)[:ticks])


def storms(rng: np.random.Generator, climate: Climate, ticks: int) -> np.ndarray:
    """float64[T], mm: Poisson storms of exponential depth and duration, intensity constant within each."""
    rain = np.zeros(ticks)
    time = 0.0
    while True:
        time += -math.log(1.0 - float(rng.random())) / climate.storms * DAY
        if time >= ticks:
            return rain
        depth = -math.log(1.0 - float(rng.random())) * climate.depth
        length = max(1, round(-math.log(1.0 - float(rng.random())) * climate.hours * 6))
        first = int(time)
        last = min(ticks, first + length)
        rain[first:last] += depth / length


def make_field(
    nodes: Sequence[Node], climate: Climate, days: int, start: float, rng: np.random.Generator
) -> Field:
    """Draw a season.

    Args:
        nodes: The places.
        climate: Their weather.
        days: Length.
        start: Day of the year of the first midnight.
        rng: Draws weather and places.
    """
    ticks = days * DAY
    rain = storms(rng, climate, ticks)
    wet = rain.reshape(days, DAY).sum(axis=1) > 2.0
    draws = rng.random(days)
    clouds = np.where(
        wet, np.where(draws < 0.6, 0.15, 0.5), np.where(draws < 0.15, 0.15, np.where(draws < 0.45, 0.5, 1.0))
    )
    sun = sunshine(ticks, start, clouds, climate.latitude)
    day = start + np.arange(ticks) / DAY
    seed = int(rng.integers(1 << 62))
    weather = np.empty(ticks)
    _walk(weather, seed, _WEATHER[0], _WEATHER[1])
    annual = climate.mean + climate.annual * np.cos(2 * np.pi * (day - 200.0) / 365.25)
    hour = np.arange(ticks) % DAY / DAY
    swing = climate.daily * (0.55 + 0.45 * season(day)) * np.repeat(0.3 + 0.7 * clouds, DAY)
    air = annual + weather + 0.7 * swing * np.sin(2 * np.pi * (hour - 0.375))
    lag = _DEPTH_M / _ANNUAL_M
    deep = climate.mean + climate.annual * math.exp(-lag) * np.cos(2 * np.pi * (day - 200.0) / 365.25 - lag)
    deep += 0.6 * weather
    lag = _DEPTH_M / _DAILY_M
    wave = swing * math.exp(-lag) * np.sin(2 * np.pi * (hour - 0.375) - lag)
    places = np.array([_place(node, rng) for node in nodes])
    values = np.empty((4, len(nodes), ticks), dtype=np.float32)
    pet = climate.pet * np.maximum(0.15, 0.55 + 0.45 * season(day)) * sun_shape(sun)
    _fill(values, places, rain, pet, deep, wave, seed, climate.residual)
    return Field(
        values, rain.astype(np.float32), air.astype(np.float32), sun.astype(np.float32), start % 365.25
    )


def sun_shape(sun: np.ndarray) -> np.ndarray:
    """float64[T]: how a day's evaporation is spread over its ticks; sums to a little below 1 on a clear day."""
    days = sun.reshape(-1, DAY)
    total = days.sum(axis=1, keepdims=True)
    clear = np.maximum(total, 1e-9)
    return np.asarray((days / clear * np.minimum(1.0, 0.3 + total / 45.0)).reshape(-1))


def _place(node: Node, rng: np.random.Generator) -> list[float]:
    """Parameters of a node: its soil's and cover's, with what differs from place to place."""
    ks, n, beta, wilt, star, capacity = SOILS[node.soil]

    def spread() -> float:
        # Sum of twelve uniform numbers: normal enough, and the bits behind `random` never change.
        return float(rng.random(12).sum()) - 6.0

    return [
        10.0 * ks * math.exp(0.6 * spread()),
        (n + 0.02 * max(-2.0, min(2.0, spread()))) * min(1.4, math.exp(_STONES * spread())),
        beta,
        wilt,
        star,
        capacity,
        COVERS[node.cover],
        math.exp(0.15 * spread()),
        math.exp(0.15 * spread()),
        drawn(rng, 0.5, 1.0) if node.cover == "forest" else drawn(rng, 0.8, 1.2),
        0.5 * spread(),
    ]


@cached
def _walk(out, seed, sd, hours):  # type: ignore[no-untyped-def]
    """A stationary AR(1) in steps of a tick."""
    keep = math.exp(-1.0 / (6.0 * hours))
    new = sd * math.sqrt(1.0 - keep * keep)
    x = sd * normal(seed, 17, -1)
    for t in range(len(out)):
        x = keep * x + new * normal(seed, 17, t)
        out[t] = x


@cached
def damm(temperature, moisture):  # type: ignore[no-untyped-def]
    """CO2 efflux in umol m-2 s-1 of 10 cm of soil at degC and m3 m-3."""
    kelvin = temperature + 273.15
    substrate = _SOLUBLE * moisture * moisture * moisture
    oxygen = _OXYGEN * max(0.02, _PORES - moisture) ** (4.0 / 3.0)
    rate = _A * math.exp(-_EA / (_GAS * kelvin))
    return rate * substrate / (_KS + substrate) * oxygen / (_KO + oxygen) * _TO_UMOL


@cached
def _loss(s, p):  # type: ignore[no-untyped-def]
    """Leakage of a layer in mm a tick at saturation ``s``; it never drains below field capacity."""
    if s <= p[_FC]:
        return 0.0
    beta = p[_BETA]
    full = p[_KS_MM] / 144.0
    flow = full * (math.exp(beta * (s - p[_FC])) - 1.0) / (math.exp(beta * (1.0 - p[_FC])) - 1.0)
    return min(flow, (s - p[_FC]) * p[_N] * LAYER_MM)


@cached
def _stress(s, p):  # type: ignore[no-untyped-def]
    """Part of the possible evaporation that a layer gives."""
    return min(1.0, max(0.0, (s - p[_SW]) / (p[_STAR] - p[_SW])))


@cached
def _fill(values, places, rain, pet, deep, wave, seed, residual):  # type: ignore[no-untyped-def]
    """All nodes, tick by tick (``values`` float32[4, N, T])."""
    keep_pulse = math.exp(-1.0 / (6.0 * _PULSE_H))
    quick_sd, slow_sd = residual * RESIDUAL[0][0], residual * RESIDUAL[1][0]
    quick_keep, slow_keep = math.exp(-1.0 / (6.0 * RESIDUAL[0][1])), math.exp(-1.0 / (6.0 * RESIDUAL[1][1]))
    quick_new = quick_sd * math.sqrt(1.0 - quick_keep * quick_keep)
    slow_new = slow_sd * math.sqrt(1.0 - slow_keep * slow_keep)
    for i in range(len(places)):
        p = places[i]
        room = p[_N] * LAYER_MM
        upper = 0.5 * (p[_STAR] + p[_FC]) + 0.1 * (uniform(seed, i, -1) - 0.5)
        lower = 0.5 * (p[_STAR] + p[_FC])
        canopy = 0.0
        pulse = 0.0
        quick = quick_sd * normal(seed, 4 * i + 100, -1)
        slow = slow_sd * normal(seed, 4 * i + 101, -1)
        for t in range(len(rain)):
            through = 0.0
            canopy += rain[t] * p[_RAIN]
            if canopy > p[_INTERCEPT]:
                through = canopy - p[_INTERCEPT]
                canopy = p[_INTERCEPT]
            wet = min(canopy, pet[t])
            canopy -= wet
            demand = (pet[t] - wet) * p[_ET]
            leak = _loss(upper, p)
            before = upper
            upper += (through - _UPPER * demand * _stress(upper, p) - leak) / room
            lower += (leak - (1.0 - _UPPER) * demand * _stress(lower, p) - _loss(lower, p)) / room
            # What a saturated layer cannot hold goes up, and from the upper one it runs off.
            if lower > 1.0:
                upper += lower - 1.0
                lower = 1.0
            upper = min(1.0, upper)
            pulse *= keep_pulse
            if upper > before:
                pulse += _PULSE * (upper - before) * max(0.0, _PULSE_TOP - before) / _PULSE_SPAN
            quick = quick_keep * quick + quick_new * normal(seed, 4 * i + 100, t)
            slow = slow_keep * slow + slow_new * normal(seed, 4 * i + 101, t)
            temperature = deep[t] + p[_SHADE] * wave[t] + p[_BIAS]
            moisture = upper * p[_N]
            values[0, i, t] = moisture
            values[1, i, t] = lower * p[_N]
            values[2, i, t] = temperature
            values[3, i, t] = damm(temperature, moisture) * (1.0 + pulse) * math.exp(quick + slow)


def from_series(
    values: np.ndarray,
    start: float,
    *,
    rain: np.ndarray | None = None,
    air: np.ndarray | None = None,
    sun: np.ndarray | None = None,
    latitude: float = 40.0,
    known: np.ndarray | None = None,
) -> Field:
    """The truth from records.

    Args:
        values: [4, N, T] at every tick, gaps filled in (:func:`evaluators.sensing.sites.to_ticks`).
        start: Day of the year of the first midnight.
        rain: [T] mm a tick. Default: derived from the rise of the nodes' median moisture, so that rain alerts exist.
        air: [T] degC. Default: the mean soil temperature.
        sun: [T]. Default: half clouded days at the latitude.
        latitude: Degrees north.
        known: bool[4, N, T], see :class:`Field`.
    """
    ticks = values.shape[2]
    if rain is None:
        level = np.median(values[0], axis=0)
        rise = np.maximum(0.0, np.diff(level, prepend=level[:1]))
        rain = np.where(rise > 5e-4, rise * LAYER_MM, 0.0)
    if sun is None:
        days = -(-ticks // DAY)
        sun = sunshine(ticks, start, np.full(days, 0.65), latitude)
    if air is None:
        air = values[2].mean(axis=0)
    return Field(
        np.ascontiguousarray(values, dtype=np.float32),
        np.asarray(rain, dtype=np.float32),
        np.asarray(air, dtype=np.float32),
        np.asarray(sun, dtype=np.float32),
        start % 365.25,
        known,
    )
