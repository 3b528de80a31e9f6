"""What is wrong in a series of readings: gaps, stuck sensors, spikes, steps, and numbers that cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: What a quantity can be; moisture m3 m-3, temperature degC, efflux umol m-2 s-1, rain mm a reading.
POSSIBLE = {
    "moisture": (0.0, 0.70),
    "deep moisture": (0.0, 0.70),
    "temperature": (-30.0, 60.0),
    "CO2 efflux": (-5.0, 40.0),
    "rain": (0.0, 200.0),
    "air temperature": (-60.0, 60.0),
}
#: Least jump of a spike from what lies around it; least fall that is a step; hours of equal readings that are stuck.
_SPIKE = {
    "moisture": 0.05,
    "deep moisture": 0.05,
    "temperature": 5.0,
    "CO2 efflux": 5.0,
    "air temperature": 15.0,
}
_STEP = {"moisture": 0.08, "deep moisture": 0.08, "temperature": 8.0}
_STUCK_H = {
    "moisture": 120.0,
    "deep moisture": 240.0,
    "temperature": 24.0,
    "CO2 efflux": 24.0,
    "air temperature": 24.0,
}
_STUCK_READINGS, _AROUND, _LASTS = 12, 5, 24


@dataclass(frozen=True)
class Finding:
    """Something wrong in a series.

    Attributes:
        node: Whose.
        quantity: Of what.
        kind: ``gap``, ``stuck``, ``spikes``, ``steps``, ``out of range``, ``no number``, ``twice`` or ``clock``.
        first: Time of the first reading concerned (of a gap: the last before it).
        last: Time of the last one (of a gap: the first after it).
        readings: How many.
        text: More, for a person.
    """

    node: str
    quantity: str
    kind: str
    first: np.datetime64
    last: np.datetime64
    readings: int
    text: str = ""


def gaps(times: np.ndarray, hours: float) -> list[tuple[int, int]]:
    """Pairs of neighbouring readings, by index, that are further apart."""
    wide = np.flatnonzero(np.diff(times).astype(np.int64) > hours * 3600)
    return [(int(i), int(i) + 1) for i in wide]


def stuck(times: np.ndarray, values: np.ndarray, quantity: str) -> list[tuple[int, int]]:
    """First and last index of every run of equal readings that is too long to be true."""
    if quantity not in _STUCK_H or len(values) < _STUCK_READINGS:
        return []
    edges = np.flatnonzero(np.diff(values) != 0)
    firsts = np.concatenate([[0], edges + 1])
    lasts = np.concatenate([edges, [len(values) - 1]])
    hours = (times[lasts] - times[firsts]).astype(np.int64) / 3600
    long = (lasts - firsts + 1 >= _STUCK_READINGS) & (hours >= _STUCK_H[quantity])
    return [(int(a), int(b)) for a, b in zip(firsts[long], lasts[long], strict=True)]


def spikes(values: np.ndarray, quantity: str) -> np.ndarray:
    """bool[...]: single readings far from the median of the five around them, and of what is usual there."""
    if quantity not in _SPIKE or len(values) < _AROUND:
        return np.zeros(len(values), dtype=bool)
    away = np.abs(values - _around(values))
    usual = 1.4826 * np.median(away)
    return np.asarray(away > max(_SPIKE[quantity], 6.0 * usual))


def _around(values: np.ndarray) -> np.ndarray:
    """The median of each reading and its neighbours."""
    half = _AROUND // 2
    padded = np.pad(values, half, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, _AROUND), axis=1))


def steps(times: np.ndarray, values: np.ndarray, quantity: str) -> np.ndarray:
    """int64[...]: indices at which the level changes at once, for good, in a way that soil does not.

    Moisture rises quickly in any rain, so that only its falls count.
    """
    if quantity not in _STEP or len(values) < 2 * _LASTS:
        return np.zeros(0, dtype=np.int64)
    jump = np.diff(values)
    soon = np.diff(times).astype(np.int64) <= 3 * 3600
    large = (-jump if "moisture" in quantity else np.abs(jump)) > _STEP[quantity]
    out = []
    for i in np.flatnonzero(large & soon) + 1:
        before, after = values[max(0, i - _LASTS) : i], values[i : i + _LASTS]
        if (
            len(before) == _LASTS == len(after)
            and abs(np.median(after) - np.median(before)) > _STEP[quantity]
        ):
            out.append(int(i))
    return np.array(out, dtype=np.int64)
