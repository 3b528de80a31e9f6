"""A deployment in a scientist's words: her YAML file, checked as a whole, as data.

The levels are those of the field: parcels hold patches, patches hold nodes; a node has a board, a board has sensors and a
supply. :mod:`evaluators.sensing.seasons` makes scenarios of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from evaluators.sensing import units
from evaluators.sensing.columns import Layout, read_layout
from evaluators.sensing.field import Climate
from evaluators.sensing.goals import Wish, wish
from evaluators.sensing.plain import Section, read_plain
from evaluators.sensing.scenario import COVERS, PROBE_J, SOILS, Hardware, Node, Radio
from evaluators.sensing.suites import MARYLAND, PRAIRIE, UPLAND
from evaluators.sensing.units import WrongError

CLIMATES = {"maryland": MARYLAND, "prairie": PRAIRIE, "upland": UPLAND}
#: Batteries by name: what one holds, and its volts. Assumed: usual figures of makers, at small loads and 20 degC.
BATTERIES = {
    "2 AA alkaline": ("2.1 Ah", 3.0),
    "1 AA lithium thionyl": ("2.4 Ah", 3.6),
    "D lithium thionyl": ("19 Ah", 3.6),
    "LiPo pouch": ("1.2 Ah", 3.7),
    "coin cell": ("0.22 Ah", 3.0),
}
#: Panels by name: electrical milliwatts at noon in midsummer, and joules of the store behind them (assumed).
PANELS = {"small panel": ("1 mW", "60 J"), "palm panel": ("20 mW", "400 J"), "hand panel": ("200 mW", "4 kJ")}
#: What sensors can measure, and joules of a CO2 reading if the file does not say (single shot of an SCD41, datasheet).
MEASURES, _CO2_J = ("moisture", "temperature", "CO2 efflux"), 0.243
#: Most nodes, and most days of a season.
_MOST_NODES, _LONGEST = 2000, 1100
_MONTHS = "january february march april may june july august september october november december".split()


@dataclass(frozen=True)
class Sensor:
    """A sensor of a board.

    Attributes:
        measures: One of :data:`MEASURES`.
        depth: Metres below the surface, 0 for efflux.
        model: What it is, for the results.
        reading_j: Joules of one reading.
        slope: Of the calibration: what is measured is ``slope * raw + offset``.
        offset: Of the calibration.
    """

    measures: str
    depth: float
    model: str
    reading_j: float
    slope: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Board:
    """A kind of board with its sensors and its supply.

    Attributes:
        name: In the file.
        hardware: What the simulator needs; the store is that of the season.
        sensors: In the file's order.
        supply: In words, for the results.
        cell_j: Usable joules of its battery, or of the store behind its panel.
        lasts: Days that they are for; 0 for a panel.
    """

    name: str
    hardware: Hardware
    sensors: tuple[Sensor, ...]
    supply: str
    cell_j: float
    lasts: float

    def store(self, days: float) -> float:
        """Joules for so many days: their part of a battery, at most all of it."""
        return self.cell_j * (min(1.0, days / self.lasts) if self.lasts > 0 else 1.0)

    def of(self, measures: str) -> list[Sensor]:
        """Its sensors of a kind, the shallowest first."""
        return sorted((s for s in self.sensors if s.measures == measures), key=lambda s: s.depth)


@dataclass(frozen=True)
class Place:
    """A node in its place.

    Attributes:
        node: What the simulator needs.
        parcel: Its parcel.
        board: Name of its board.
        barcode: As on its box, "" if there is none.
    """

    node: Node
    parcel: str
    board: str
    barcode: str


@dataclass(frozen=True)
class Season:
    """From the first to the last day, both included.

    Attributes:
        first: Month and day.
        days: Number of days.
        year: If the file names one.
    """

    first: tuple[int, int]
    days: int
    year: int | None = None

    @property
    def day_of_year(self) -> int:
        """Of the first day, 0 for the 1st of January."""
        return (date(2001, *self.first) - date(2001, 1, 1)).days


@dataclass(frozen=True)
class Deployment:
    """All that the file says.

    Attributes:
        name: What results call it.
        file: Path of the file.
        latitude: Degrees north.
        longitude: Degrees east.
        climate: Weather that seasons are drawn from.
        season: When the nodes are out.
        visits: Days between two visits, infinite if nobody comes.
        radio: Links and routes.
        rain_alerts: Whether a gauge or a sentinel node sends them.
        boards: By name.
        places: The nodes.
        goals: As she wrote them.
        records: How her own records are to be read; None: there are none.
    """

    name: str
    file: str
    latitude: float
    longitude: float
    climate: Climate
    season: Season
    visits: float
    radio: Radio
    rain_alerts: bool
    boards: Mapping[str, Board]
    places: tuple[Place, ...]
    goals: tuple[Wish, ...]
    records: Layout | None = field(default=None)


def one_of(known: Mapping[str, Any] | tuple[str, ...]) -> Callable[[str], str]:
    """A reader of a word from a list, whatever its capitals."""
    names = {name.lower(): name for name in known}

    def read(text: str) -> str:
        found = names.get(" ".join(text.lower().split()))
        if found is None:
            hint = units.near(text, names.values()) or f"; there are {', '.join(names.values())}"
            raise WrongError(f"{text} is not known{hint}")
        return found

    return read


def yes(text: str) -> bool:
    """``yes`` or ``no``.

    Raises:
        WrongError: It is neither.
    """
    if text.lower() in ("yes", "true", "on"):
        return True
    if text.lower() in ("no", "false", "off"):
        return False
    raise WrongError(f"{text} is neither yes nor no")


def coordinates(text: str) -> tuple[float, float]:
    """Degrees north and east of "39.41 N, 76.52 W".

    Raises:
        WrongError: It is written otherwise, or lies on no globe.
    """
    match = re.fullmatch(r"([\d.]+)\s*°?\s*([NS])\s*,?\s*([\d.]+)\s*°?\s*([EW])", text.strip(), re.IGNORECASE)
    wrong = WrongError(f"{text!r} is written like 39.41 N, 76.52 W, in degrees with decimals")
    if match is None:
        raise wrong
    try:
        north, east = float(match[1]), float(match[3])
    except ValueError:
        raise wrong from None
    if north > 90 or east > 180:
        raise WrongError(f"{text!r} lies on no globe: 90 degrees N or S, 180 degrees E or W at most")
    return (-north if match[2].upper() == "S" else north), (-east if match[4].upper() == "W" else east)


def season(text: str) -> Season:
    """Of "1 April to 31 October", with or without years.

    Raises:
        WrongError: It is written otherwise, or is too long or no time at all.
    """
    parts = re.split(r"\s+(?:to|until|-|–)\s+", " ".join(text.split()))
    if len(parts) != 2:
        raise WrongError(f"{text!r} is written like 1 April to 31 October")
    (first, year), (last, until) = _day(parts[0]), _day(parts[1])
    if (year is None) != (until is None):
        raise WrongError(f"{text!r}: give both days a year, or neither")
    begins = date(year or 2001, *first)
    ends = date(until or 2001, *last)
    if until is None and ends < begins:
        ends = date(2002, *last)
    days = (ends - begins).days + 1
    if days < 2:
        raise WrongError(f"{text!r} ends before it begins")
    if days > _LONGEST:
        raise WrongError(f"{text!r} is longer than {_LONGEST} days")
    return Season(first, days, year)


def _day(text: str) -> tuple[tuple[int, int], int | None]:
    match = re.fullmatch(r"(\d{1,2})\.? ([A-Za-z]+)\.?(?: (\d{4}))?", text.strip())
    wrong = WrongError(f"{text!r} is no day such as 1 April or 1 April 2027")
    if match is None:
        raise wrong
    months = [
        i for i, name in enumerate(_MONTHS, 1) if len(match[2]) >= 3 and name.startswith(match[2].lower())
    ]
    if not months:
        raise WrongError(
            f"there is no month {match[2]}{units.near(match[2], [m.capitalize() for m in _MONTHS])}"
        )
    year = int(match[3]) if match[3] else None
    try:
        date(year or 2001, months[0], int(match[1]))
    except ValueError:
        raise wrong from None
    return (months[0], int(match[1])), year


def calibration(text: str) -> tuple[float, float]:
    """Slope and offset of "1.08 x - 0.02" (x: the raw reading).

    Raises:
        WrongError: It is written otherwise, or its slope is 0.
    """
    match = re.fullmatch(r"([\d.e+-]*?)\s*\*?\s*x\s*(?:([+-])\s*([\d.]+))?", units.plain(text), re.IGNORECASE)
    wrong = WrongError(f"{text!r} is written like 1.08 x - 0.02, where x is what the sensor says")
    if match is None:
        raise wrong
    try:
        slope = float(match[1] or 1.0)
        offset = float((match[2] or "") + (match[3] or "0"))
    except ValueError:
        raise wrong from None
    if slope == 0:
        raise WrongError(f"{text!r}: the slope is 0, all readings would be the same")
    return slope, offset


def _between(kind: str, low: float, high: float, words: str) -> Callable[[str], float]:
    """A reader of a quantity within bounds, which ``words`` name."""

    def read(text: str) -> float:
        value = units.quantity(text, kind)
        if not low <= value <= high:
            raise WrongError(f"{text} is out of bounds; {words}")
        return value

    return read


def _named(text: str) -> str:
    return " ".join(text.split())


def read_deployment(path: str) -> Deployment:
    """The file, checked.

    Raises:
        WorkloadError: It cannot be read, or cannot be meant; the message lists all that is to be put right.
    """
    file = read_plain(path)
    notes = file.notes
    name = file.take("deployment", _named, Path(path).stem)
    latitude, longitude = file.take("place", coordinates, (40.0, 0.0), "39.41 N, 76.52 W")
    span = file.take("season", season, Season((4, 1), 60), "1 April to 31 October")
    visits = file.take("visits", units.interval, math.inf)
    climate = _climate(file, latitude)
    radio = _radio(file.section("radio"))
    alerts = file.take("rain alerts", yes, False)
    boards = {
        board: _board(board, section, span.days)
        for board, section in file.sections("boards", "board", "the names of boards")
    }
    if not boards and "boards" in file:
        notes.add(file.line_of("boards"), "boards names no board")
    places = tuple(_places(file, boards))
    if not places and "parcels" in file:
        notes.add(file.line_of("parcels"), "there is no node in any parcel")
    if len(places) > _MOST_NODES:
        notes.add(file.line_of("parcels"), f"{len(places)} nodes are more than the {_MOST_NODES} of one file")
    seen: dict[str, int] = {}
    for place in places:
        seen[place.node.name] = seen.get(place.node.name, 0) + 1
    for twice in (node for node, count in seen.items() if count > 1):
        notes.add(
            file.line_of("parcels"), f"there are {seen[twice]} nodes {twice}; every node has its own name"
        )
    goals = []
    for text in file.texts("goals"):
        try:
            goals.append(wish(text.text))
        except WrongError as error:
            notes.add(text.line, f"goals: {error}")
    for twice in {w.field for w in goals if sum(v.field == w.field for v in goals) > 1}:
        both = "; ".join(w.text for w in goals if w.field == twice)
        notes.add(file.line_of("goals"), f"goals: two of them are about the same thing: {both}")
    records = None
    if "records" in file:
        records = read_layout(file.section("records", "records", "file: readings.csv"), Path(path).parent)
    file.done()
    notes.check()
    return Deployment(
        name,
        path,
        latitude,
        longitude,
        climate,
        span,
        visits,
        radio,
        alerts,
        boards,
        places,
        tuple(goals),
        records,
    )


def _climate(file: Section, latitude: float) -> Climate:
    """The weather that seasons are drawn from: one of :data:`CLIMATES` with what the file differs in."""
    weather = file.section("weather")
    like = weather.take("like", one_of(CLIMATES), "maryland")
    climate = replace(CLIMATES[like], latitude=latitude)
    storms = weather.take("rain comes", lambda t: 1.0 / units.interval(t), climate.storms)
    depth = weather.take("a rain brings", _between("rain", 0.1, 200.0, "0.1 to 200 mm"), climate.depth)
    hours = weather.take("a rain lasts", lambda t: units.quantity(t, "time") / 3600.0, climate.hours)
    mean = weather.take(
        "mean temperature", _between("temperature", -20.0, 40.0, "-20 to 40 degC"), climate.mean
    )
    weather.done()
    if storms <= 0 or not math.isfinite(storms) or hours <= 0:
        weather.notes.add(weather.line, "weather: rain comes now and then, and lasts a while")
        storms, hours = climate.storms, climate.hours
    return replace(climate, storms=storms, depth=depth, hours=hours, mean=mean)


def _radio(section: Section) -> Radio:
    plain = Radio()
    bands = {900e6: "900", 868e6: "900", 915e6: "900", 2.4e9: "2.4"}

    def band(text: str) -> str:
        hertz = units.quantity(text, "frequency")
        found = bands.get(round(hertz, 3))
        if found is None:
            raise WrongError(f"{text}: links are known for 868, 900 and 915 MHz (one kind) and for 2.4 GHz")
        return found

    reach = section.take("range", _between("length", 1.0, 5000.0, "1 m to 5 km"), plain.range_m)
    relays = section.take("nodes relay", yes, plain.relays)
    found = Radio(section.take("band", band, plain.band), range_m=reach, relays=relays)
    section.done()
    return found


def _board(name: str, section: Section, days: int) -> Board:
    """A board with its sensors; ``days`` are those of the season."""
    notes, usual = section.notes, Hardware()
    volts = section.take("voltage", _between("voltage", 0.9, 24.0, "0.9 to 24 V"), 3.0)
    preset = section.take("probe readings", one_of(PROBE_J), "text")

    def energy(key: str, default: float) -> float:
        return section.take(key, lambda text: units.draw(text, volts), default)

    changes: dict[str, Any] = {
        "sleep_w": section.take("asleep", lambda text: units.steady(text, volts), usual.sleep_w),
        "alert_w": section.take("listening for rain", lambda text: units.steady(text, volts), usual.alert_w),
        "session_j": energy("radio session", usual.session_j),
        "packet_j": energy("packet", usual.packet_j),
        "relay_j": energy("relayed packet", usual.relay_j),
    }
    sensors = tuple(
        _sensor(sensor, part, volts, PROBE_J[preset])
        for sensor, part in section.sections("sensors", f"board {name}: sensor", "the names of sensors")
    )
    line = section.line_of("sensors")
    for kind, most in (("moisture", 2), ("temperature", 1), ("CO2 efflux", 1)):
        own = [s for s in sensors if s.measures == kind]
        if not own and kind != "CO2 efflux" and all(s.measures for s in sensors):
            notes.add(
                line,
                f"board {name} has no sensor that measures {kind}; every node is followed by moisture and temperature",
            )
        if len(own) > most:
            notes.add(
                line, f"board {name} has {len(own)} sensors of {kind}; {most} of a node can be followed"
            )
        if len({s.depth for s in own}) < len(own):
            notes.add(line, f"board {name} has two sensors of {kind} at the same depth")
    co2 = [s for s in sensors if s.measures == "CO2 efflux"]
    changes["probe_j"] = sum(s.reading_j for s in sensors if s.measures != "CO2 efflux")
    changes["co2_j"] = co2[0].reading_j if co2 else 0.0
    supply, cell, lasts, panel = _supply(section.section("power", f"board {name}: power", "battery: 2.4 Ah, or panel: 20 mW"), volts, days)  # fmt: skip
    section.done()
    hardware = replace(usual, **changes, panel_w=panel, co2_sensor=bool(co2))
    board = Board(name, hardware, sensors, supply, cell, lasts)
    return replace(board, hardware=replace(hardware, store_j=board.store(days)))


def _supply(section: Section, volts: float, days: int) -> tuple[str, float, float, float]:
    """In words, usable joules, days that they are for (0: a panel), and watts of the panel."""

    def battery(text: str) -> tuple[str, float]:
        kind = next((b for b in BATTERIES if b.lower() == text.lower()), None)
        if kind is not None:
            charge, own = BATTERIES[kind]
            return kind, units.cell(charge, own)
        if not text[:1].isdigit() or " AA" in f" {text}":
            raise WrongError(
                f"there is no battery {text}{units.near(text, BATTERIES) or '; there are ' + ', '.join(BATTERIES)}, or write 2.4 Ah"
            )
        return text, units.cell(text, volts)

    def panel(text: str) -> tuple[str, float, float]:
        kind = next((p for p in PANELS if p == text.lower()), None)
        if kind is not None:
            watts, joules = PANELS[kind]
            return kind, units.quantity(watts, "power"), units.quantity(joules, "energy")
        if not text[:1].isdigit():
            raise WrongError(
                f"there is no panel {text}{units.near(text, PANELS) or '; there are ' + ', '.join(PANELS)}, or write 20 mW"
            )
        return text, units.quantity(text, "power"), 60.0

    line, notes = section.line, section.notes
    if "battery" in section and "panel" in section:
        notes.add(line, f"{section.title}: a battery, or a panel with its store, not both")
        return "", 1.0, 0.0, 0.0
    if "panel" in section:
        words, watts, joules = section.take("panel", panel, ("panel", 0.02, 60.0))
        joules = section.take("store", lambda text: units.cell(text, volts), joules)
        section.done()
        if joules <= 0 or watts <= 0:
            notes.add(line, f"{section.title}: panel and store hold something")
            joules, watts = 60.0, 0.02
        return f"{words} with {joules:g} J", joules, 0.0, watts
    words, joules = section.take("battery", battery, ("battery", 1.0), "2.4 Ah")
    usable = section.take("usable", _between("share", 0.01, 1.0, "1 to 100 %"), 1.0)
    lasts = section.take("is to last", lambda text: units.quantity(text, "time") / 86400.0, 0.0)
    section.done()
    if joules <= 0:
        notes.add(line, f"{section.title}: the battery holds something")
        joules = 1.0
    return words, joules * usable, lasts if lasts > 0 else float(days), 0.0


def _sensor(name: str, section: Section, volts: float, probe_j: float) -> Sensor:
    measures = section.take("measures", one_of(MEASURES), "", "moisture, temperature or CO2 efflux")
    depth = 0.0
    if measures in ("moisture", "temperature"):
        depth = section.take(
            "depth", _between("length", 0.01, 0.5, "probes are followed from 1 to 50 cm"), 0.1, "10 cm"
        )
    elif "depth" in section:
        section.take("depth", _named, "")
        if measures:
            line = section.line_of("depth")
            section.notes.add(line, f"{section.title}: efflux is measured at the surface, it has no depth")
    usual = _CO2_J if measures == "CO2 efflux" else probe_j
    reading = section.take("reading", lambda text: units.draw(text, volts), usual)
    slope, offset = section.take("calibration", calibration, (1.0, 0.0))
    model = section.take("model", _named, name)
    section.done()
    if reading < 0:
        section.notes.add(section.line_of("reading"), f"{section.title}: a reading takes energy")
    return Sensor(measures, depth, model, max(0.0, reading), slope, offset)


def _position(text: str) -> tuple[float, float]:
    """Metres east and north of the gateway, of "40 m east, 20 m north".

    Raises:
        WrongError: It is written otherwise.
    """
    x = y = 0.0
    for part in (p.strip() for p in text.split(",")):
        match = re.fullmatch(r"(.+) (east|west|north|south)", part, re.IGNORECASE)
        if match is None:
            raise WrongError(f"{text!r} is written like 40 m east, 20 m north (of the gateway)")
        metres = units.quantity(match[1], "length")
        way = match[2].lower()
        x += {"east": metres, "west": -metres}.get(way, 0.0)
        y += {"north": metres, "south": -metres}.get(way, 0.0)
    return x, y


#: What parcels, patches and nodes may say, the inner one's word counting.
@dataclass(frozen=True)
class _Ground:
    soil: str = "sandy loam"
    cover: str = "forest"
    sun: float = 1.0
    board: str = ""
    at: tuple[float, float] = (0.0, 0.0)

    def within(self, section: Section, boards: Mapping[str, Board]) -> _Ground:
        """This, with what a part of the file says of itself."""
        return _Ground(
            section.take("soil", one_of(SOILS), self.soil),
            section.take("cover", one_of(COVERS), self.cover),
            section.take("sunlight", _between("share", 0.0, 1.0, "0 to 100 % of the open sky"), self.sun),
            section.take("board", one_of(tuple(boards)), self.board),
            section.take("at", _position, self.at),
        )


def _places(file: Section, boards: Mapping[str, Board]) -> Iterator[Place]:
    ground = _Ground(board=next(iter(boards)) if len(boards) == 1 else "")
    for parcel, outer in file.sections("parcels", "parcel", "the names of parcels"):
        around = ground.within(outer, boards)
        for patch, inner in outer.sections("patches", f"parcel {parcel}, patch", "the names of patches"):
            yield from _patch(parcel, patch, inner, around.within(inner, boards), boards)
        outer.done()


def _patch(
    parcel: str, patch: str, section: Section, ground: _Ground, boards: Mapping[str, Board]
) -> Iterator[Place]:
    """Its nodes: a number of them, a list of names, or a section with what each has of its own."""
    apart = section.take("apart", _between("length", 0.1, 2000.0, "10 cm to 2 km"), 15.0)
    found = section.take_any("nodes", "a number, a list of names, or a section with their names")
    own: list[tuple[str, Section | None]] = []
    line = section.line_of("nodes")
    if isinstance(found, Section):
        own = [(name, found.section(name, f"node {name}")) for name in found.names()]
    elif isinstance(found, int):
        own = [(f"{patch} {i:02d}", None) for i in range(1, found + 1)]
    elif found is not None:
        own = [(name, None) for name in found]
    wide = max(1, math.ceil(math.sqrt(len(own))))
    for i, (name, part) in enumerate(own):
        # Where a node stands if it does not say: on a square grid that begins at its patch.
        x, y = ground.at[0] + apart * (i % wide), ground.at[1] + apart * (i // wide)
        here, barcode = replace(ground, at=(x, y)), ""
        if part is not None:
            here = here.within(part, boards)
            barcode = part.take("barcode", _named, "")
            part.done()
        if not here.board and boards:
            section.notes.add(line, f"node {name} does not say which board it has: {', '.join(boards)}")
        node = Node(name, here.at[0], here.at[1], patch, here.soil, here.cover, here.sun)
        yield Place(node, parcel, here.board, barcode)
    section.done()
