"""Real sites as truth: tables of CO2 efflux, moisture and temperature by place and time, with gaps and faults.

What cannot be is taken out, efflux is cleaned of single values by a median over three hours, and a window of a site is
used with those of its places whose records cover most of it. The truth between hours is interpolated; where the record
has a gap of more than half a day, errors are not measured.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from evaluators.base import WorkloadError
from evaluators.sensing.field import from_series
from evaluators.sensing.scenario import DAY, HOUR, Hardware, Node, Scenario, Trouble
from evaluators.streams import check_file, open_stream

#: The records of the folder METAMUSE_DATA that are replayed, below it.
RECORDS = (
    "sensing/cosore_kaye_shale_hills_8nodes.csv.gz",
    "sensing/cosore_pennington_serc_maryland.csv.gz",
    "sensing/cosore_savage_harvard_forest_hf006-05.csv.gz",
)
#: Columns by what they hold, the first that a table has.
_COLUMNS = {
    "place": ("node", "CSR_PORT", "place"),
    "time": ("CSR_TIMESTAMP_BEGIN", "time", "timestamp"),
    "flux": ("CSR_FLUX_CO2", "flux"),
    "moisture": ("CSR_SM5", "CSR_SM10", "moisture"),
    "temperature": ("CSR_T5", "CSR_T10", "temperature"),
}
#: What a quantity can be (m3 m-3, degC, umol m-2 s-1).
_CAN_BE = {"moisture": (0.01, 0.65), "temperature": (-20.0, 45.0), "flux": (-1.0, 40.0)}
#: Days of a window; part of its hours that a place must have; least places; longest gap in hours that counts as known.
WINDOW, _COVER, _PLACES, _GAP = 45, 0.8, 3, 12
#: Joules a day of primary cells, in turn, by preset.
_DAILY = (("text", 3.4), ("fitted", 6.0), ("text", 4.0), ("fitted", 8.0), ("text", 5.3))


@dataclass(frozen=True)
class Record:
    """A site by hours.

    Attributes:
        name: Of the site.
        places: Names of the places.
        start: Date of the first hour.
        hours: float64[3, places, H]: moisture, temperature, flux; NaN where nothing was recorded.
        dropped: Readings taken out because they cannot be, by quantity.
    """

    name: str
    places: tuple[str, ...]
    start: np.datetime64
    hours: np.ndarray
    dropped: dict[str, int]


def read_record(path: str) -> Record:
    """A table with columns for place, time, flux, moisture and temperature (those of COSORE, or these words).

    Raises:
        WorkloadError: It cannot be read, a column is missing, or it holds no usable hour.
    """
    check_file(path)
    try:
        with open_stream(path) as stream:
            table = pyarrow.csv.read_csv(stream)
    except pa.ArrowInvalid as error:
        raise WorkloadError(f"{path}: no table ({' '.join(str(error).split())})") from None
    found: dict[str, Any] = {}
    for what, names in _COLUMNS.items():
        name = next((n for n in names if n in table.column_names), None)
        if name is None:
            raise WorkloadError(f"{path}: has no column for {what} ({', '.join(names)})")
        found[what] = table.column(name)
    if not table.num_rows:
        raise WorkloadError(f"{path}: holds no rows")
    if not pa.types.is_timestamp(found["time"].type):
        raise WorkloadError(f"{path}: times are not written as 2018-08-19 16:23:51")
    times = found["time"].to_numpy().astype("datetime64[s]")
    labels = np.array([str(place) for place in found["place"].to_pylist()])
    places = tuple(sorted(set(labels.tolist())))
    start = times.min().astype("datetime64[D]")
    hour = ((times - start.astype("datetime64[s]")).astype(np.int64) + 1800) // 3600
    hours = np.full((3, len(places), int(hour.max()) + 1), np.nan)
    dropped = {}
    for q, what in enumerate(("moisture", "temperature", "flux")):
        values = np.asarray(found[what].to_numpy(zero_copy_only=False), dtype=np.float64)
        low, high = _CAN_BE[what]
        good = (values >= low) & (values <= high)
        dropped[what] = int(np.count_nonzero(np.isfinite(values) & ~good))
        for p, place in enumerate(places):
            mine = good & (labels == place)
            hours[q, p] = _means(hour[mine], values[mine], hours.shape[2])
            if what == "flux":
                hours[q, p] = _median3(hours[q, p])
    if not np.isfinite(hours).all(axis=0).any():
        raise WorkloadError(f"{path}: no hour has all of moisture, temperature and flux")
    name = Path(path).name.split(".")[0]
    return Record(name, places, start, hours, dropped)


def _means(at: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    counts = np.bincount(at, minlength=size)
    sums = np.bincount(at, values, minlength=size)
    return np.where(counts > 0, sums / np.maximum(1, counts), np.nan)


def _median3(series: np.ndarray) -> np.ndarray:
    """The median of each hour and its neighbours, of those that there are; NaN stays."""
    padded = np.pad(series, 1, constant_values=np.nan)
    around = np.sort(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)  # NaN comes last
    there = np.count_nonzero(np.isfinite(around), axis=0)
    middle = np.where(there == 3, around[1], np.where(there == 2, (around[0] + around[1]) / 2, around[0]))
    return np.where(np.isfinite(series), middle, np.nan)


def windows(record: Record, days: int = WINDOW) -> list[tuple[int, list[int]]]:
    """First day and places of every window that can be used; they do not overlap."""
    out = []
    day = 0
    while (day + days) * 24 <= record.hours.shape[2]:
        piece = np.isfinite(record.hours[:, :, day * 24 : (day + days) * 24]).mean(axis=2).min(axis=0)
        places = np.flatnonzero(piece >= _COVER).tolist()
        if len(places) >= _PLACES:
            out.append((day, places))
            day += days
        else:
            day += 5
    return out


def replay(record: Record, first: int, places: Sequence[int], number: int, days: int = WINDOW) -> Scenario:
    """One window of a site as a scenario: its places as nodes around a gateway, boards and cells in turn.

    Args:
        record: The site.
        first: Day on which the window begins.
        places: Indices of the places.
        number: Which board and cell it gets, and the seed.
        days: Length.
    """
    hours = record.hours[:, :, first * 24 : (first + days) * 24][:, list(places)]
    ticks = days * DAY
    at = np.arange(ticks) / HOUR
    values = np.empty((4, len(places), ticks))
    known = np.empty((4, len(places), ticks), dtype=bool)
    for row, q in enumerate((0, 0, 1, 2)):
        for p in range(len(places)):
            there = np.flatnonzero(np.isfinite(hours[q, p]))
            values[row, p] = np.interp(at, there, hours[q, p, there])
            place = np.clip(np.searchsorted(there, at, side="right"), 1, len(there) - 1)
            known[row, p] = there[place] - there[place - 1] <= _GAP
    start = record.start + np.timedelta64(first, "D")
    day = float((start - start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int))
    preset, daily = _DAILY[number % len(_DAILY)]
    nodes = tuple(
        Node(record.places[p], x=25.0 * (i % 4) - 37.5, y=30.0 + 25.0 * (i // 4), patch=record.name)
        for i, p in enumerate(places)
    )
    outages = ((0.6 * days, 0.6 * days + 3.0),) if number % 3 == 1 else ()
    return Scenario(
        f"{record.name}#{start}",
        nodes,
        from_series(values, day, known=known),
        Hardware.preset(preset, store_j=daily * days),
        trouble=Trouble(outages=outages),
        seed=1000 + number,
    )


def replays(paths: Sequence[str]) -> list[Scenario]:
    """All windows of some sites; files are read once a process."""
    out: list[Scenario] = []
    for path in paths:
        record = _kept(path, os.stat(path).st_mtime if os.path.exists(path) else 0.0)
        found = windows(record)
        if not found:
            raise WorkloadError(f"{path}: no {WINDOW} days of it are covered for at least {_PLACES} places")
        out += [replay(record, first, places, len(out) + i) for i, (first, places) in enumerate(found)]
    return out


@functools.lru_cache(maxsize=16)
def _kept(path: str, changed: float) -> Record:
    return read_record(path)


def site_files(folder: str | None) -> list[str]:
    """The known records below a folder of data, empty if it has none of them.

    Raises:
        WorkloadError: It holds some of them, but not all.
    """
    if not folder:
        return []
    paths = [str(Path(folder).expanduser() / name) for name in RECORDS]
    there = [path for path in paths if Path(path).is_file()]
    if there and len(there) < len(paths):
        lacking = next(path for path in paths if path not in there)
        raise WorkloadError(f"{lacking}: no such file, though others of the sites' records are there")
    return there
