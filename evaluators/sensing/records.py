"""A scientist's own tables as truth: any columns, units and clocks; what is wrong in them is listed, and nothing is filled in.

What cannot be a number of its quantity is taken out; all else that looks wrong is listed and stays, unless the deployment
file says ``leave out``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from evaluators.base import WorkloadError
from evaluators.sensing import faults
from evaluators.sensing.clocks import plausible, read_times
from evaluators.sensing.columns import QUANTITIES, WEATHER, Chosen, Layout, choose, to_base
from evaluators.sensing.faults import Finding
from evaluators.streams import check_file, open_stream

#: How tables write that there is nothing, in lower case.
MISSING = (
    "",
    "na",
    "n/a",
    "nan",
    "#n/a",
    "null",
    "none",
    "nil",
    "-",
    "--",
    ".",
    "?",
    "missing",
    "inf",
    "-inf",
    "#div/0!",
    "#value!",
)
#: Numbers that loggers write for nothing; listed as such, if a quantity cannot be so.
SENTINELS = (-9999.0, -999.0, -99.0, -7999.0, -6999.0, 6999.0, 7999.0, 9999.0)
_LARGEST = 1 << 30
_NAT = np.datetime64("NaT")


@dataclass(frozen=True)
class Series:
    """Readings of one quantity at one node.

    Attributes:
        times: datetime64[s], ascending, local standard time.
        values: float64[...], in base units, finite.
    """

    times: np.ndarray
    values: np.ndarray


@dataclass
class Records:
    """All that the tables hold.

    Attributes:
        nodes: Their names, as the deployment calls them.
        series: By node and quantity (:data:`evaluators.sensing.columns.QUANTITIES`); what was never read is missing.
        findings: What is wrong.
        said: How the tables were read, in sentences.
    """

    nodes: tuple[str, ...]
    series: dict[tuple[str, str], Series]
    findings: list[Finding] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def of(self, node: str, quantity: str) -> Series | None:
        """A series, None if there is none."""
        return self.series.get((node, quantity))


@dataclass
class _Table:
    """A file's text columns.

    Attributes:
        columns: Texts, None where nothing is written, by the head's names.
        heads: Units that the file names, by column.
        comma: Whether decimals are written with a comma.
        said: What is to be said of the file.
    """

    columns: dict[str, pa.Array]
    heads: dict[str, str]
    comma: bool
    said: list[str]


def read_records(layout: Layout, longitude: float) -> Records:
    """All files of a layout; read once a process as long as they do not change.

    Args:
        layout: How.
        longitude: Degrees east of the place.

    Raises:
        WorkloadError: A file cannot be read or used.
    """
    stamps = tuple(
        (os.stat(path).st_mtime_ns, os.stat(path).st_size) if os.path.exists(path) else (0, 0)
        for path in layout.files
    )
    return _kept(_Key(layout), longitude, stamps)


class _Key:
    """A layout as a key: its dictionaries cannot be hashed."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def __hash__(self) -> int:
        return hash(repr(self.layout))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and repr(other.layout) == repr(self.layout)


@functools.lru_cache(maxsize=4)
def _kept(key: _Key, longitude: float, stamps: tuple[tuple[int, int], ...]) -> Records:
    layout = key.layout
    pieces: dict[tuple[str, str], list[Series]] = {}
    findings: list[Finding] = []
    said: list[str] = []
    for path in layout.files:
        _read_file(path, layout, longitude, pieces, findings, said)
    series = {}
    for (node, quantity), parts in pieces.items():
        series[node, quantity] = _one(node, quantity, parts, layout, findings)
    series = {key: s for key, s in series.items() if len(s.values)}
    nodes = tuple(dict.fromkeys(node for node, _ in series if node))
    if not nodes:
        raise WorkloadError(f"{', '.join(layout.files)}: no reading in it can be used")
    for quantity in ("moisture", "temperature") if layout.is_split else ():
        if not any(what == quantity for _, what in series):
            raise WorkloadError(
                f"{', '.join(layout.files)}: no reading of soil {quantity}; say where it is (records: columns: {quantity}: "
                "<name> in <unit> from <file>)"
            )
    return Records(nodes, series, findings, list(dict.fromkeys(said)))


def _read_file(
    path: str,
    layout: Layout,
    longitude: float,
    pieces: dict[tuple[str, str], list[Series]],
    findings: list[Finding],
    said: list[str],
) -> None:
    """Add the readings of a file to ``pieces``."""
    name = Path(path).name
    table = _read_table(path)
    chosen = choose(layout, list(table.columns), table.heads, name)
    said += [f"{name}: {s}" for s in [*table.said, *chosen.said]]
    times, how = read_times(
        [table.columns[c] for c in chosen.time], layout.dates, layout.zone, longitude, name
    )
    said += [f"{name}: {s}" for s in how]
    good = plausible(times)
    labels = _labels(path, table, chosen, layout, len(times))
    nameless = good & (labels == "") & (not chosen.wide)
    if nameless.any():
        findings.append(
            Finding(
                "",
                "",
                "no node",
                times[nameless].min(),
                times[nameless].max(),
                int(nameless.sum()),
                f"{name}: rows that name no node; they are left out",
            )
        )
    if not good.all():
        lost = ~good & ~np.isnat(times)
        nothing = int(np.count_nonzero(np.isnat(times)))
        if nothing:
            findings.append(
                Finding(
                    "",
                    "",
                    "clock",
                    _NAT,
                    _NAT,
                    nothing,
                    f"{name}: times that cannot be read; these rows are left out",
                )
            )
        if lost.any():
            first, last = times[lost].min(), times[lost].max()
            findings.append(
                Finding(
                    "",
                    "",
                    "clock",
                    first,
                    last,
                    int(lost.sum()),
                    f"{name}: times of a clock that was reset; these rows are left out",
                )
            )
    here = {there: name for name, there in layout.names.items()}
    if chosen.wide:
        absent = sorted(set(here) - set(chosen.wide))
        said += [f"{name}: there is no column of {there}, which is {here[there]} here" for there in absent]
    nodes = [here.get(node, node) for node in chosen.wide] or sorted(set(labels.tolist()) - {""})
    holders = [
        (what, column, [""] if what in WEATHER else nodes) for what, column in chosen.columns.items()
    ] + [
        (what, column, [here.get(node, node)])
        for node, own in chosen.wide.items()
        for what, column in own.items()
    ]
    for what, column, owners in holders:
        values, bad = _numbers(table.columns[column.name], table.comma)
        values, assumed = to_base(what, column, values, name)
        if assumed:
            said.append(f"{name}: {assumed}")
        if bad:
            findings.append(
                Finding(
                    owners[0] if chosen.wide and len(owners) == 1 else "",
                    what,
                    "no number",
                    _NAT,
                    _NAT,
                    len(bad),
                    f"{name}, column {column.name}: no numbers, such as {bad[0]!r}",
                )
            )
        for node in owners:
            mine = good & np.isfinite(values)
            if node and not chosen.wide:
                mine &= labels == node
            pieces.setdefault((node, what), []).append(Series(times[mine], values[mine]))


def _labels(path: str, table: _Table, chosen: Chosen, layout: Layout, rows: int) -> np.ndarray:
    """str[rows]: every row's node as the deployment calls it."""
    if not chosen.node:
        return np.full(rows, Path(path).name.split(".")[0], dtype=object)
    here = {there: name for name, there in layout.names.items()}
    texts = table.columns[chosen.node].to_pylist()
    return np.array([here.get(t, t) if t is not None else "" for t in texts], dtype=object)


def _one(
    node: str, quantity: str, parts: Sequence[Series], layout: Layout, findings: list[Finding]
) -> Series:
    """The pieces of a series in order, without what cannot be; what is wrong goes to ``findings``."""
    times = np.concatenate([p.times for p in parts])
    values = np.concatenate([p.values for p in parts])
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]

    def note(kind: str, which: np.ndarray, text: str = "") -> None:
        where = times[which]
        findings.append(Finding(node, quantity, kind, where.min(), where.max(), len(where), text))

    twice = (
        np.concatenate([[False], np.diff(times).astype(np.int64) == 0]) if len(times) else np.zeros(0, bool)
    )
    # Rain and air stand in every node's row, so that the same hour comes many times.
    if twice.any() and node:
        note("twice", np.flatnonzero(twice), "the same time again; the first reading stays")
    times, values = times[~twice], values[~twice]
    low, high = faults.POSSIBLE[quantity]
    impossible = (values < low) | (values > high)
    if impossible.any():
        wrong = values[impossible]
        marks = sorted({float(v) for v in wrong if v in SENTINELS})
        text = f"{wrong.min():.6g} to {wrong.max():.6g}; left out"
        if marks:
            text += f" ({', '.join(f'{m:g}' for m in marks)}: a logger's word for nothing)"
        note("out of range", np.flatnonzero(impossible), text)
        times, values = times[~impossible], values[~impossible]
    out = np.zeros(len(times), dtype=bool)
    stay = "left out" if "spikes" in layout.leave_out else "they stay in"
    spiky = faults.spikes(values, quantity)
    if spiky.any():
        note(
            "spikes", np.flatnonzero(spiky), f"{values[spiky].min():.4g} to {values[spiky].max():.4g}; {stay}"
        )
        out |= spiky & ("spikes" in layout.leave_out)
    for first, last in faults.stuck(times, values, quantity):
        how = "left out" if "stuck" in layout.leave_out else "they stay in"
        note("stuck", np.arange(first, last + 1), f"always {values[first]:.6g}; {how}")
        out[first : last + 1] |= "stuck" in layout.leave_out
    for at in faults.steps(times, values, quantity):
        how = "the readings from there on are left out" if "steps" in layout.leave_out else "all stays in"
        note("steps", np.array([at]), f"from {values[at - 1]:.4g} to {values[at]:.4g}, for good; {how}")
        if "steps" in layout.leave_out:
            out[at:] = True
    times, values = times[~out], values[~out]
    for before, after in faults.gaps(times, layout.gap) if node else []:
        hours = (times[after] - times[before]).astype(np.int64) / 3600
        findings.append(
            Finding(node, quantity, "gap", times[before], times[after], 0, f"{hours:.0f} h without a reading")
        )
    return Series(times, values)


def _numbers(texts: pa.Array, comma: bool) -> tuple[np.ndarray, list[str]]:
    """float64[rows], NaN where nothing is written, and the texts that are no numbers."""
    if comma:
        texts = pc.replace_substring(texts, ",", ".")
    try:
        numbers = pc.cast(texts, pa.float64())
        return numbers.to_numpy(zero_copy_only=False).astype(np.float64), []
    except pa.ArrowInvalid:
        out = np.full(len(texts), np.nan)
        bad = []
        for i, text in enumerate(texts.to_pylist()):
            if text is None:
                continue
            try:
                out[i] = float(text)
            except ValueError:
                bad.append(text)
        return out, bad


def _read_table(path: str) -> _Table:
    """A table of texts: separators, head, comments and encodings as they come.

    Raises:
        WorkloadError: It is no table.
    """
    check_file(path)
    with open_stream(path) as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise WorkloadError(
            f"{path}: is larger than {_LARGEST >> 30} GiB; give it in pieces, as a list of files"
        )
    text, said = _decoded(path, data)
    lines = text.split("\n", 60)[:60]
    head = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if head is None:
        raise WorkloadError(f"{path}: holds no rows")
    toa5 = lines[head].lstrip('"').startswith("TOA5") and len(lines) > head + 4
    if toa5:  # Campbell's loggers: what kind, names, units, how they were averaged
        head += 1
    separator = max(",;\t", key=lines[head].count)
    if separator not in lines[head]:
        raise WorkloadError(
            f"{path}, line {head + 1}: is no head of a table; names are separated by commas, semicolons or tabs"
        )
    names = [name.strip().strip('"').strip() for name in lines[head].rstrip("\r").split(separator)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WorkloadError(f"{path}, line {head + 1}: two columns are called {twice[0]!r}")
    if all(_is_number(name) for name in names):
        raise WorkloadError(
            f"{path}, line {head + 1}: the table has no head; its first line names the columns"
        )
    heads = {}
    if toa5:
        cells = [cell.strip().strip('"') for cell in lines[head + 1].split(separator)]
        heads = {name: unit for name, unit in zip(names, cells, strict=False) if unit}
        said.append("is a table of a Campbell logger (TOA5); units are those of its third line")
    broken: list[str] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        broken.append(f"{row.actual_columns} of {row.expected_columns} columns in {row.text[:60]!r}")
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(text.encode()),
            pyarrow.csv.ReadOptions(column_names=names, skip_rows=head + (3 if toa5 else 1)),
            pyarrow.csv.ParseOptions(delimiter=separator, invalid_row_handler=skip),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise WorkloadError(f"{path}: no table ({' '.join(str(error).split())})") from None
    if not table.num_rows:
        raise WorkloadError(f"{path}: holds no rows below its head")
    if broken:
        said.append(
            f"{len(broken)} rows are left out for having too few or too many columns, the first: {broken[0]}"
        )
    columns = {}
    for name in names:
        texts = pc.utf8_trim_whitespace(table.column(name).combine_chunks())
        nothing = pc.is_in(pc.utf8_lower(texts), pa.array(MISSING))
        columns[name] = pc.if_else(nothing, None, texts)
    comma = separator != "," and any(
        pc.any(pc.match_substring_regex(c, r"^[+-]?\d+,\d+$")).as_py() for c in columns.values()
    )
    if comma:
        said.append("decimals are written with a comma")
    return _Table(columns, heads, comma, said)


def _decoded(path: str, data: bytes) -> tuple[str, list[str]]:
    """The text, and what is to be said of its encoding."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(encoding).replace("\r\n", "\n"), []
            except UnicodeDecodeError:
                raise WorkloadError(
                    f"{path}: begins as {encoding} text but is not; save it as CSV, UTF-8"
                ) from None
    if b"\0" in data[:4096]:
        raise WorkloadError(f"{path}: is no text; a spreadsheet is saved as CSV first")
    try:
        return data.decode("utf-8").replace("\r\n", "\n"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        said = f"is not UTF-8 text (line {line}); it is read as Windows-1252"
        return data.decode("cp1252", "replace").replace("\r\n", "\n"), [said]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def report(records: Records, nodes: Sequence[str] | None = None) -> list[str]:
    """What was read and what is wrong, in plain lines."""
    lines = [f"- {s}" for s in records.said]
    for node in records.nodes if nodes is None else nodes:
        parts = []
        for quantity in QUANTITIES:
            found = records.of(node, quantity)
            if found is not None:
                first, last = str(found.times[0])[:10], str(found.times[-1])[:10]
                parts.append(f"{quantity} {len(found.values):,} ({first} to {last})")
        lines.append(f"- {node}: {', '.join(parts) or 'no readings'}")
        lines += _told([f for f in records.findings if f.node == node])
    lines += _told([f for f in records.findings if f.node == ""])
    return lines


def _told(findings: Sequence[Finding]) -> list[str]:
    """Findings in lines, those of a kind together."""
    lines = []
    kinds = list(dict.fromkeys((f.quantity, f.kind) for f in findings))
    for quantity, kind in kinds:
        own = [f for f in findings if (f.quantity, f.kind) == (quantity, kind)]
        first = own[0]
        head = f"  - {quantity or 'time'}, {kind}: "
        if kind == "gap":
            hours = [(f.last - f.first).astype("timedelta64[s]").astype(np.int64) / 3600 for f in own]
            longest = own[int(np.argmax(hours))]
            lines.append(
                f"{head}{len(own)}, together {sum(hours) / 24:.1f} days; the longest from {longest.first} to {longest.last}"
            )
            continue
        count = sum(f.readings for f in own)
        when = (
            ""
            if np.isnat(first.first)
            else f" from {first.first}" + (f" to {own[-1].last}" if count > 1 else "")
        )
        more = f"; {len(own)} times, the first" if len(own) > 1 else ";"
        lines.append(f"{head}{count:,} reading{'s' if count > 1 else ''}{when}{more} {first.text}")
    return lines
