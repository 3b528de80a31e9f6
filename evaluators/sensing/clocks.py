"""Time stamps in the forms that loggers and spreadsheets write, on the local standard time of the place."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluators.base import WorkloadError
from evaluators.sensing.units import WrongError, near

#: Orders of a date's parts.
DATES = {
    "year": ("%Y-%m-%d", "%Y/%m/%d"),
    "day": ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"),
    "month": ("%m/%d/%Y", "%m-%d-%Y"),
}
_TIMES = (" %H:%M:%S", " %H:%M", " %H", " %I:%M:%S %p", " %I:%M %p", "")
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
#: Stamps before, and from then on, are those of a clock that was reset.
_EARLIEST, _LATEST = np.datetime64("1990-01-01", "s"), np.datetime64("2100-01-01", "s")


@dataclass(frozen=True)
class Zone:
    """The clock of time stamps that name no offset themselves.

    Attributes:
        name: Of the time zone database; "" for local standard time, which is taken as it is.
        hours: Fixed hours east of UTC; None: those of the zone.
    """

    name: str = ""
    hours: float | None = None

    def standard(self, longitude: float) -> int:
        """Seconds that the place's standard time is ahead of UTC; by the longitude if the zone does not say."""
        if self.hours is not None:
            return round(self.hours * 3600)
        if self.name:
            # Winter time is standard time, on whichever side of the year winter is.
            where = zoneinfo.ZoneInfo(self.name)
            for month in (1, 7):
                when = datetime(2020, month, 1, tzinfo=where)
                if when.dst() in (None, timedelta(0)):
                    return round((when.utcoffset() or timedelta(0)).total_seconds())
        return round(longitude / 15.0) * 3600


#: Local standard time, taken as it is.
LOCAL = Zone()


def zone(text: str) -> Zone:
    """Of "local standard time", "UTC", "UTC-5", "-05:00" or "America/New_York".

    Raises:
        WrongError: There is no such zone.
    """
    written = text.strip()
    if written.lower() in ("local standard time", "standard time", "local"):
        return LOCAL
    if match := re.fullmatch(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", written, re.IGNORECASE):
        hours = (int(match[2]) + int(match[3] or 0) / 60) * (-1 if match[1] == "-" else 1)
        if abs(hours) > 14:
            raise WrongError(f"{text} is more than 14 hours from UTC")
        return Zone("", hours)
    if written.upper() in ("UTC", "GMT", "Z"):
        return Zone("", 0.0)
    try:
        zoneinfo.ZoneInfo(written)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        hint = near(written, known) or "; it is written like local standard time, UTC-5 or America/New_York"
        raise WrongError(f"there is no time zone {text}{hint}") from None
    return Zone(written)


def read_times(
    columns: Sequence[pa.Array], dates: str, where: Zone, longitude: float, file: str
) -> tuple[np.ndarray, list[str]]:
    """Time stamps as datetime64[s] in local standard time, NaT where one cannot be read; and how they were read.

    Args:
        columns: Texts of the time, or of date and time.
        dates: Order of day and month, "" if it is to be found out.
        where: The clock.
        longitude: Degrees east of the place, for stamps that name their offset.
        file: For messages.

    Raises:
        WorkloadError: They are in no known form, or day and month cannot be told apart.
    """
    text = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(columns[0], columns[1], " ")
    text = pc.utf8_trim_whitespace(text)
    text = pc.replace_substring_regex(text, r"^(\d{4}-\d{2}-\d{2})T", r"\1 ")
    text = pc.replace_substring_regex(text, r"(\d{2}:\d{2}:\d{2})[.,]\d+", r"\1")
    offsets = pc.extract_regex(text, r"(?P<offset>" + _OFFSET + ")")
    timed = pc.match_substring_regex(text, r"\d{2}:\d{2}.*" + _OFFSET)
    whole = _count(timed)
    said = []
    if whole:
        text = pc.if_else(timed, pc.replace_substring_regex(text, _OFFSET, ""), text)
        text = pc.utf8_trim_whitespace(text)
    times, order = _parsed(text, dates, file)
    if order:
        said.append(f"dates are read as {order}")
    naive = np.ones(len(times), dtype=bool)
    standard = where.standard(longitude)
    if whole:
        naive = ~np.asarray(pc.fill_null(timed, False).to_numpy(zero_copy_only=False), dtype=bool)
        found = pc.struct_field(offsets, "offset").to_pylist()
        ahead = {o: _seconds(o) for o in set(found) if o}
        shift = np.array([standard - ahead[o] if o else 0 for o in found], dtype="timedelta64[s]")
        times = np.where(naive, times, times + shift)
        said.append(
            f"time stamps name their offset; they are put on UTC{_signed(standard)}, the place's standard time"
        )
    if naive.any():
        times, how = _on_standard(times, naive, where, standard)
        said.append(how)
    return times, said


def _parsed(text: pa.Array, dates: str, file: str) -> tuple[np.ndarray, str]:
    """Naive times, and the order of the dates' parts if it had to be found out."""
    known = len(text) - text.null_count
    numbers = pc.match_substring_regex(text, r"^\d{9,11}$")
    if known and _count(numbers) > known / 2:
        seconds = pc.cast(pc.if_else(numbers, text, None), pa.int64())
        return _nat(pc.cast(seconds, pa.timestamp("s"))), "seconds since 1970"
    best: dict[str, np.ndarray] = {}
    for order in (dates,) if dates else DATES:
        for day in DATES[order]:
            for clock in _TIMES:
                found = _nat(pc.strptime(text, format=day + clock, unit="s", error_is_null=True))
                if not np.isnat(found).all():
                    before = best.get(order)
                    best[order] = found if before is None else np.where(np.isnat(before), found, before)
    read = {order: int(np.count_nonzero(~np.isnat(found))) for order, found in best.items()}
    if not read or max(read.values()) < max(1, known / 2):
        example = next((t for t in text.to_pylist() if t), "nothing")
        raise WorkloadError(
            f"{file}: times such as {example!r} cannot be read; they are written like 2018-08-19 16:23:51"
        )
    most = max(read.values())
    orders = [order for order, count in read.items() if count == most]
    if len(orders) > 1:
        if np.array_equal(best[orders[0]], best[orders[1]], equal_nan=True):
            orders = orders[:1]
        else:
            example = next(t for t in text.to_pylist() if t)
            raise WorkloadError(
                f"{file}: {example!r} can be day/month or month/day; say records: dates: day/month/year or month/day/year"
            )
    order = orders[0]
    words = {"year": "", "day": "day/month/year", "month": "month/day/year"}[order]
    return best[order], "" if dates else words


def _count(flags: pa.Array) -> int:
    """How many are true."""
    return int(pc.sum(pc.cast(flags, pa.int64())).as_py() or 0)


def _nat(times: pa.Array) -> np.ndarray:
    """Arrow's times as datetime64[s]; what is missing is NaT."""
    return np.asarray(times.to_numpy(zero_copy_only=False), dtype="datetime64[s]")


def _seconds(offset: str) -> int:
    if offset == "Z":
        return 0
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 3600 + int(offset[-2:]) * 60)


def _signed(seconds: int) -> str:
    return f"{seconds / 3600:+g}"


def _on_standard(times: np.ndarray, naive: np.ndarray, where: Zone, standard: int) -> tuple[np.ndarray, str]:
    """Naive times of the zone's clock on standard time."""
    if where.hours is not None:
        return times, f"time stamps are on UTC{_signed(standard)}, as the deployment file says"
    if not where.name:
        return times, "time stamps name no zone and are taken as local standard time (records: time zone: …)"
    # The hour that a clock shows twice in autumn is taken for the first of the two, the one that it skips for the next.
    stamps = pa.array(np.where(naive, times, np.datetime64("NaT")))
    zoned = pc.assume_timezone(stamps, where.name, ambiguous="earliest", nonexistent="latest")
    utc = np.asarray(
        pc.cast(zoned, pa.timestamp("s", "UTC")).to_numpy(zero_copy_only=False), dtype="datetime64[s]"
    )
    moved = np.where(naive, utc + np.timedelta64(standard, "s"), times)
    return moved, f"time stamps of {where.name} are put on its standard time, UTC{_signed(standard)}"


def plausible(times: np.ndarray) -> np.ndarray:
    """bool[...]: stamps that are there, and not of a clock that was reset."""
    return np.asarray(~np.isnat(times) & (times >= _EARLIEST) & (times < _LATEST))
