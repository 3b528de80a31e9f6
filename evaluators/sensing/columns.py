"""Which columns of a table hold what, in which units and on which clock: as the deployment file says, or guessed by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from evaluators.base import WorkloadError
from evaluators.paths import expand_paths
from evaluators.sensing import units
from evaluators.sensing.clocks import DATES, LOCAL, Zone, zone
from evaluators.sensing.plain import Section
from evaluators.sensing.units import WrongError

#: What a column can hold: kind of its unit, unit that is assumed for which medians, and how columns of it are named.
_HOLDS: dict[str, tuple[str, str, tuple[float, float], str]] = {
    "moisture": (
        "moisture",
        "m3/m3",
        (0.0, 0.8),
        r"sm|vwc|swc|theta|soil (?:moist|water)|moist|water content|soil moisture",
    ),
    "deep moisture": ("moisture", "m3/m3", (0.0, 0.8), r"(?!)"),
    "temperature": (
        "temperature",
        "degC",
        (-40.0, 60.0),
        r"ts|t(?= ?\d)|tsoil|soil t|soil temp|temp|temperature",
    ),
    "CO2 efflux": (
        "flux",
        "umol m-2 s-1",
        (-2.0, 60.0),
        r"(?:soil )?(?:f?co2 ?)?(?:ef)?flux(?: co2)?|fco2|rs|resp|soil resp",
    ),
    "rain": ("rain", "mm", (0.0, 100.0), r"rain|precip|p daily|ppt"),
    "air temperature": ("temperature", "degC", (-50.0, 60.0), r"t ?air|air t(?:emp)?|ta|t daily avg"),
}
QUANTITIES = tuple(_HOLDS)
_TIMES = r"time|timestamp|time stamp|date|date ?time|timestamp begin|timestamp start|timestamp end|lst date|datum|zeit"
_NODES = r"node|port|plot|station|site|collar|chamber|mote|wban|place|probe|sensor|box|id|node id"
#: What is found in a series and can be left out, by the word for it.
LEFT_OUT = ("spikes", "stuck", "steps")
_DAY_S = 86400.0
#: What stands for a node's name in the names of columns of a wide table, which has a column for each node.
NODE = "<node>"
#: What belongs to the place, whichever node's row or column it stands in.
WEATHER = ("rain", "air temperature")


@dataclass(frozen=True)
class Column:
    """A column and what it is in.

    Attributes:
        name: In the table's head; with :data:`NODE` in it, all columns that are so called but for that.
        unit: As written; "" if nobody said.
        file: Name of the only file (or a pattern of names) that it is in; "" for every file.
    """

    name: str
    unit: str = ""
    file: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it stands for a column of each node."""
        return NODE in self.name

    def node_in(self, name: str) -> str:
        """The node that a column of this name is of, "" if it is another column."""
        before, _, after = self.name.partition(NODE)
        fits = (
            self.is_wide
            and name.startswith(before)
            and name.endswith(after)
            and len(name) > len(before + after)
        )
        return name[len(before) : len(name) - len(after)].strip(" _-.:/") if fits else ""


@dataclass(frozen=True)
class Layout:
    """How her tables are to be read; what is empty is guessed, and the report says how.

    Attributes:
        files: Their paths.
        time: Columns of the time, one or two (date and time).
        node: Column of the node's name.
        names: What the table calls the nodes, by their names here.
        columns: By what they hold (:data:`QUANTITIES`).
        zone: The clock of the time stamps.
        dates: Order of day and month, one of :data:`evaluators.sensing.clocks.DATES`, "" if it is to be found out.
        gap: Hours without a reading up to which the truth is known by interpolation.
        window: Days of a replay.
        covered: Part of the window that a node's records must cover.
        leave_out: Of :data:`LEFT_OUT`, what does not count as truth.
    """

    files: tuple[str, ...]
    time: tuple[str, ...] = ()
    node: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    zone: Zone = LOCAL
    dates: str = ""
    gap: float = 12.0
    window: int = 45
    covered: float = 0.8
    leave_out: tuple[str, ...] = ()

    @property
    def is_wide(self) -> bool:
        """Whether a table has a column for each node."""
        return any(column.is_wide for column in self.columns.values())

    @property
    def is_split(self) -> bool:
        """Whether what is measured is in files of its own."""
        return any(column.file for column in self.columns.values())


def read_layout(section: Section, folder: Path) -> Layout:
    """The part ``records`` of a deployment file; paths are relative to its folder."""
    notes = section.notes
    files: list[str] = []
    for text in section.texts("file"):
        try:
            files += expand_paths(text.text, folder)
        except WorkloadError as error:
            notes.add(text.line, f"file: {error}")
    if "file" not in section:
        notes.add(section.line, "records does not say file; write it like file: readings.csv")
    columns = {}
    listed = section.section("columns", "columns")
    for what in QUANTITIES:
        found = listed.take(what, lambda text, what=what: _column(text, what), None)  # type: ignore[misc]
        if found is not None:
            columns[what] = found
    listed.done()
    names = {}
    for what, column in columns.items():
        if column.file and not any(fnmatch(Path(file).name, column.file) for file in files):
            notes.add(listed.line_of(what), f"{what}: none of the files is called {column.file}")
    renamed = section.section("names", "names")
    for here in renamed.names():
        names[here] = renamed.take(here, str, here)
    known = {"day/month/year": "day", "month/day/year": "month", "year/month/day": "year"}
    out = Layout(
        tuple(files),
        tuple(text.text for text in section.texts("time")),
        section.take("node", str, ""),
        names,
        columns,
        section.take("time zone", zone, LOCAL),
        section.take("dates", lambda text: _choice(text, known), ""),
        section.take("longest gap", _span(1 / 6, 14 * 24.0, 3600.0, "10 min to 14 days"), 12.0),
        int(section.take("replay", _span(2.0, 400.0, _DAY_S, "2 to 400 days"), 45.0)),
        section.take("covered", lambda text: units.quantity(text, "share"), 0.8),
        tuple(
            word for text in section.texts("leave out") if (word := _left_out(section, text.text, text.line))
        ),
    )
    section.done()
    if out.node and out.is_wide:
        notes.add(
            section.line_of("node"),
            f"node: a table has either a column with the nodes' names or a column for each node ({NODE} in columns)",
        )
    if len(out.time) > 2:
        notes.add(section.line_of("time"), "time: one column, or two of date and time")
    if not 0 < out.covered <= 1:
        notes.add(section.line_of("covered"), "covered: more than 0 and at most 100 %")
    assert set(known.values()) == set(DATES)
    return out


def _choice(text: str, known: Mapping[str, str]) -> str:
    found = known.get("".join(text.lower().split()))
    if found is None:
        raise WrongError(f"{text} is not known{units.near(text, known) or '; there are ' + ', '.join(known)}")
    return found


def _left_out(section: Section, text: str, line: int) -> str:
    if text in LEFT_OUT:
        return text
    section.notes.add(
        line,
        f"leave out: {text} is not known{units.near(text, LEFT_OUT) or '; there are ' + ', '.join(LEFT_OUT)}",
    )
    return ""


def _span(low: float, high: float, each: float, words: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = units.quantity(text, "time") / each
        if not low <= value <= high:
            raise WrongError(f"{text} is out of bounds; {words}")
        return value

    return read


def _column(text: str, what: str) -> Column:
    """Of "VWC_10cm in %", "VWC_<node> in % from moisture.csv"."""
    text, _, file = text.partition(" from ")
    name, found, unit = text.rpartition(" in ")
    if found:
        units.scale(unit, _HOLDS[what][0])
    out = (
        Column(name.strip(), unit.strip(), file.strip()) if found else Column(text.strip(), "", file.strip())
    )
    if out.name.count(NODE) > 1:
        raise WrongError(f"{NODE} stands once in a name")
    if out.is_wide and what in WEATHER:
        raise WrongError(f"{what} is that of the place, not of a node; name one column")
    return out


def _words(name: str) -> str:
    """A column's name in lower case and words, without a unit in brackets, and without COSORE's prefix."""
    name = re.sub(r"[\[(].*?[\])]", " ", units.plain(name)).lower()
    return re.sub(r"^csr ", "", " ".join(re.split(r"[\W_]+", name)).strip())


def depth_of(name: str) -> float | None:
    """Centimetres that a column's name speaks of, as ``SM5`` or ``VWC_10cm`` do."""
    found = re.findall(r"(\d+) ?(?:cm)?", re.sub(r"co2|m2|m3", "", _words(name)))
    return float(found[-1]) if found else None


def _alike(names: Sequence[str], pattern: str) -> list[str]:
    """The columns whose names begin with the pattern or are it, better ones first."""
    whole = [n for n in names if re.fullmatch(rf"(?:{pattern})", _words(n))]
    begun = [n for n in names if re.match(rf"(?:{pattern})(?:[ \d]|ure|ation|$)", _words(n))]
    return list(dict.fromkeys([*whole, *begun]))


@dataclass
class Chosen:
    """The columns of a table that are read.

    Attributes:
        time: One or two.
        node: Or "".
        columns: By what they hold.
        said: How that was found out, in sentences.
        wide: By node (as the table calls it) and what they hold; empty if rows, not columns, are a node's.
    """

    time: tuple[str, ...]
    node: str
    columns: dict[str, Column]
    said: list[str]
    wide: dict[str, dict[str, Column]] = field(default_factory=dict)


def choose(layout: Layout, names: Sequence[str], heads: Mapping[str, str], where: str) -> Chosen:
    """The columns of a table.

    Args:
        layout: What the deployment file says.
        names: The table's head.
        heads: Units that the table itself names, by column.
        where: Name of the file.

    Raises:
        WorkloadError: A column that was named is not there, or time, moisture or temperature cannot be found.
    """
    wrong: list[str] = []
    said: list[str] = []
    asked = {w: c for w, c in layout.columns.items() if not c.file or fnmatch(where, c.file)}

    def there(name: str, what: str) -> str:
        if name in names:
            return name
        wrong.append(
            f"has no column {name} for {what}{units.near(name, names) or '; it has ' + ', '.join(names)}"
        )
        return ""

    def guess(what: str, pattern: str, free: Sequence[str]) -> str:
        found = _alike(free, pattern)
        if found:
            said.append(f"{found[0]} is taken for the {what}, by its name")
        return found[0] if found else ""

    time = tuple(there(name, "time") for name in layout.time) or (guess("time", _TIMES, names),)
    if time == ("",) and not layout.time:
        wrong.append(
            f"has no column that looks like the time; it has {', '.join(names)} (records: time: <name>)"
        )
    columns: dict[str, Column] = {}
    for what, column in asked.items():
        if not column.is_wide and there(column.name, what):
            columns[what] = Column(column.name, column.unit or heads.get(column.name, ""))
    free = [n for n in names if n not in {*time, *(c.name for c in columns.values())}]
    wide = _spread({w: c for w, c in asked.items() if c.is_wide}, free, heads, wrong)
    if wide:
        said += _told_wide(wide, columns)
    node = ""
    if layout.node:
        node = there(layout.node, "node")
    elif not layout.is_wide:
        node = guess("node", _NODES, [n for n in names if n not in time])
    # What stands in files or columns of its own is said for all that is measured, so that nothing else is taken for it.
    spelled = layout.is_wide or layout.is_split
    # Narrow names first: "air temperature" is no soil temperature.
    for what in ("air temperature", "rain", "CO2 efflux", "moisture", "temperature"):
        taken = {*time, node, *(c.name for c in columns.values())}
        taken |= {c.name for own in wide.values() for c in own.values()}
        found = [n for n in _alike(names, _HOLDS[what][3]) if n not in taken]
        if what in layout.columns or not found or (spelled and what not in WEATHER):
            continue
        if what in ("moisture", "temperature"):
            found.sort(key=lambda n: abs((depth_of(n) or 10.0) - 10.0))
        columns[what] = _headed(found[0], heads)
        said.append(f"{found[0]} is taken for {what}, by its name")
        deep = [n for n in found[1:] if abs((depth_of(n) or 1e9) - 20.0) <= 5.0]
        if what == "moisture" and deep and "deep moisture" not in columns:
            columns["deep moisture"] = _headed(deep[0], heads)
            said.append(f"{deep[0]} is taken for moisture at 20 cm, by its name")
        rest = [n for n in found[1:] if n not in deep[:1]]
        if rest and not node and what not in WEATHER:
            said.append(
                f"{', '.join(rest)} could be {what}, too, and {'are' if len(rest) > 1 else 'is'} not read; if every node has a "
                f"column of its own, say so (records: columns: {what}: {NODE} where its name stands)"
            )
    for what in () if layout.is_split else ("moisture", "temperature"):
        if what in columns or any(what in own for own in wide.values()):
            continue
        if not any(f"for {what}" in w for w in wrong):
            example = f"<name with {NODE} in it>" if layout.is_wide else "<name>"
            wrong.append(
                f"has no column that looks like soil {what}; it has {', '.join(names)} "
                f"(records: columns: {what}: {example} in <unit>)"
            )
    if wrong:
        raise WorkloadError("\n  ".join(f"{where} {w}" for w in wrong))
    return Chosen(time, node, columns, said, wide)


def _spread(
    asked: Mapping[str, Column], free: Sequence[str], heads: Mapping[str, str], wrong: list[str]
) -> dict[str, dict[str, Column]]:
    """Columns by node and by what they hold: a column belongs to the name that says most of it."""
    out: dict[str, dict[str, Column]] = {}
    left = list(free)
    for what, column in sorted(asked.items(), key=lambda one: -len(one[1].name)):
        found = [(name, node) for name in left if (node := column.node_in(name))]
        if not found:
            wrong.append(f"has no columns like {column.name} for {what}; it has {', '.join(free)}")
        for name, node in found:
            if what in out.setdefault(node, {}):
                wrong.append(f"has two columns for {what} of {node}: {out[node][what].name} and {name}")
                continue
            headed = _headed(name, heads)
            out[node][what] = Column(name, column.unit or headed.unit)
            left.remove(name)
    return out


def _told_wide(wide: Mapping[str, Mapping[str, Column]], columns: Mapping[str, Column]) -> list[str]:
    """What is to be said of a table with a column for each node."""
    said = [f"has columns of {len(wide)} nodes: {', '.join(wide)}"]
    held = list(dict.fromkeys(what for own in wide.values() for what in own))
    for what in held:
        without = [node for node, own in wide.items() if what not in own]
        if without:
            said.append(f"{', '.join(without)} {'have' if len(without) > 1 else 'has'} no column for {what}")
    said += [
        f"{column.name} counts for all nodes ({what})"
        for what, column in columns.items()
        if what not in WEATHER
    ]
    return said


def _headed(name: str, heads: Mapping[str, str]) -> Column:
    bracket = re.search(r"[\[(](.+?)[\])]", name)
    return Column(name, heads.get(name) or (bracket[1] if bracket else ""))


def to_base(what: str, column: Column, values: np.ndarray, where: str) -> tuple[np.ndarray, str]:
    """Values in base units, and a sentence on the unit if it was assumed.

    Raises:
        WorkloadError: The unit cannot be right, or has to be said.
    """
    kind, assumed, (low, high), _ = _HOLDS[what]
    unit, said = column.unit, ""
    there = values[np.isfinite(values)]
    middle = float(np.median(there)) if len(there) else low
    if not unit:
        if not low <= middle <= high:
            raise WorkloadError(
                f"{where}: {column.name} holds numbers around {middle:.4g}, which is no {what} in {assumed}; "
                f"say its unit (records: columns: {what}: {column.name} in {'%' if kind == 'moisture' else '<unit>'})"
            )
        unit, said = (
            assumed,
            f"{column.name} names no unit; its numbers, around {middle:.3g}, are taken as {assumed}",
        )
    try:
        factor, offset = units.scale(unit, kind)
    except WrongError as error:
        raise WorkloadError(f"{where}: {column.name}: {error}") from None
    return values * factor + offset, said
