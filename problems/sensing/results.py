"""What a policy would have measured on a deployment, as files: CF-netCDF, CSV, and whether the goals were met."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from evaluators.base import PolicyError
from evaluators.sensing import layout as k
from evaluators.sensing.goals import Verdict, longest_silence
from evaluators.sensing.scenario import DAY, HOUR, TICK_S
from evaluators.sensing.scoring import Outcome, Task
from evaluators.sensing.seasons import Season
from evaluators.sensing.taken import ARRIVED, FATES, Taken, taken
from evaluators.sensing.world import World

#: Rows of the field, what boards measure, standard name and unit of CF, and what it is in words.
_QUANTITIES = (
    (0, "moisture", "volume_fraction_of_condensed_water_in_soil", "1", "volumetric soil moisture"),
    (1, "moisture", "volume_fraction_of_condensed_water_in_soil", "1", "volumetric soil moisture"),
    (2, "temperature", "soil_temperature", "degC", "soil temperature"),
    (3, "CO2 efflux", "surface_upward_mole_flux_of_carbon_dioxide", "umol m-2 s-1", "CO2 efflux of the soil"),
)
_FILL = np.float32(9.96921e36)
#: Causes for which energy is spent.
_CAUSES = {
    "sleep": k.SPENT_SLEEP,
    "probes": k.SPENT_PROBE,
    "co2": k.SPENT_CO2,
    "radio": k.SPENT_RADIO,
    "relaying": k.SPENT_RELAY,
    "rain_alerts": k.SPENT_ALERT,
}
#: Most node-ticks of a season that are written; a file of them has about 200 MB.
MOST_STEPS = 4_000_000


@dataclass(frozen=True)
class _Measure:
    """A quantity as it is written.

    Attributes:
        name: Of its variables.
        depth: Metres, None at the surface.
        row: In the field.
        standard: Name of CF.
        unit: Of CF.
        words: Long name.
        about: The sensor.
        data: What was taken.
    """

    name: str
    depth: float | None
    row: int
    standard: str
    unit: str
    words: str
    about: str
    data: Taken


def _measures(task: Task, world: World, season: Season) -> list[_Measure]:
    """The quantities that the board has sensors for; of moisture the shallower one is the field's first."""
    out = []
    for row, kind, standard, unit, words in _QUANTITIES:
        sensors = season.board.of(kind)
        place = 1 if row == 1 else 0
        if len(sensors) <= place:
            continue
        sensor = sensors[place]
        depth = None if row == 3 else sensor.depth
        name = {0: "moisture", 1: "moisture", 2: "temperature", 3: "co2_efflux"}[row]
        if depth is not None:
            name += f"_{100 * depth:.3g}cm".replace(".", "p")
            words += f" at {100 * depth:.3g} cm"
        about = sensor.model
        if (sensor.slope, sensor.offset) != (1.0, 0.0):
            about += f", calibrated by {sensor.slope:g} x {sensor.offset:+g}"
        out.append(_Measure(name, depth, row, standard, unit, words, about, taken(task, world, row)))
    return out


def files(
    season: Season, task: Task, world: World, outcome: Outcome, verdicts: Sequence[Verdict]
) -> dict[str, bytes]:
    """``results.nc``, ``readings.csv``, ``reconstruction.csv``, ``nodes.csv``, ``goals.csv``, ``summary.txt``.

    Raises:
        PolicyError: The season is too large to be written (``memory``).
    """
    steps = task.scenario.field.nodes * task.scenario.field.ticks
    if steps > MOST_STEPS:
        raise PolicyError(
            "memory",
            f"{steps:,} node-ticks are more than the {MOST_STEPS:,} whose readings are written; a shorter season or fewer nodes",
        )
    measures = _measures(task, world, season)
    return {
        "results.nc": netcdf(season, task, world, measures),
        "readings.csv": _readings(season, task, measures),
        "reconstruction.csv": _reconstruction(season, task, measures),
        "nodes.csv": _nodes(season, task, world, outcome),
        "goals.csv": _goals(verdicts),
        "summary.txt": ("\n".join(summary(season, outcome, verdicts)) + "\n").encode(),
    }


def short(season: Season, outcome: Outcome, verdicts: Sequence[Verdict]) -> list[str]:
    """For the terminal: which goal is met, by how much, on how many nodes; the usual ones if nobody asked for any."""
    d = outcome.details
    lines = [
        f"{season.scenario.name}: {len(season.places)} node{'s' if len(season.places) > 1 else ''} for {season.scenario.days:g} days from {season.start:%-d %B}"
    ]
    asked = [v for v in verdicts if v.wish.asked]
    lines += [f"  {v.sentence()}" for v in asked or verdicts]
    lines.append(
        f"  {d['wakes_a_day']:.1f} readings, {d['co2_a_day']:.1f} of CO2 and {d['sessions_a_day']:.2f} radio sessions a node and day, "
        f"for {d['joules_a_day']:.2f} J; {d['deaths']:.0f} of {d['nodes']:.0f} nodes are dead at the end"
    )
    return lines


def summary(season: Season, outcome: Outcome, verdicts: Sequence[Verdict]) -> list[str]:
    """:func:`short`, then the goals that nobody asked for, and what is to be known of the truth."""
    lines = short(season, outcome, verdicts)
    others = [v for v in verdicts if not v.wish.asked]
    if 0 < len(others) < len(verdicts):
        lines.append("  Not asked for, with their usual values:")
        lines += [f"    {v.sentence()}" for v in others]
    return lines + [f"  {s}" for s in season.said]


def _ahead(season: Season) -> int:
    """Seconds that the season's clock is ahead of UTC."""
    layout = season.deployment.records
    if layout is not None and not season.drawn:
        return layout.zone.standard(season.deployment.longitude)
    return round(season.deployment.longitude / 15.0) * 3600


def _offset(season: Season) -> str:
    minutes = _ahead(season) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _stamps(season: Season, ticks: np.ndarray) -> list[str]:
    """Times of ticks, as ISO 8601 with the offset."""
    times = np.datetime64(season.start, "s") + (ticks * int(TICK_S)).astype("timedelta64[s]")
    offset = _offset(season)
    return [f"{text}{offset}" for text in np.datetime_as_string(times, unit="s").tolist()]


def _csv(columns: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(dict(columns)), sink, pyarrow.csv.WriteOptions(quoting_style="needed"))
    return sink.getvalue()


def _rounded(values: np.ndarray) -> pa.Array:
    """Numbers with what a sensor can tell; NaN is an empty cell."""
    return pa.array(np.round(values.astype(np.float64), 5), from_pandas=True)


def _readings(season: Season, task: Task, measures: Sequence[_Measure]) -> bytes:
    """Every reading that was taken, a row each."""
    names = [node.name for node in task.scenario.nodes]
    columns: dict[str, list[Any]] = {"node": [], "time": [], "quantity": [], "unit": [], "fate": []}
    values = []
    for m in measures:
        nodes, ticks = np.nonzero(m.data.fate)
        columns["node"] += [names[n] for n in nodes]
        columns["time"] += _stamps(season, ticks)
        columns["quantity"] += [m.name] * len(nodes)
        columns["unit"] += [m.unit] * len(nodes)
        columns["fate"] += [FATES[f] for f in m.data.fate[nodes, ticks]]
        values.append(m.data.said[nodes, ticks])
    return _csv({**columns, "value": _rounded(np.concatenate(values))})


def _reconstruction(season: Season, task: Task, measures: Sequence[_Measure]) -> bytes:
    """Every full hour: what the base makes of what arrived, beside the truth."""
    ticks = np.arange(0, task.scenario.field.ticks, HOUR)
    names = [node.name for node in task.scenario.nodes]
    columns: dict[str, Any] = {
        "node": [name for name in names for _ in ticks],
        "time": _stamps(season, ticks) * len(names),
    }
    for m in measures:
        columns[m.name] = _rounded(m.data.made[:, ticks].reshape(-1))
        columns[f"{m.name}_truth"] = _rounded(m.data.truth[:, ticks].reshape(-1))
    return _csv(columns)


def _nodes(season: Season, task: Task, world: World, outcome: Outcome) -> bytes:
    """A row a node: who it is, what it did, what it spent, and its own errors."""
    ni, nf = world.node_ints, world.node_floats
    ticks = task.scenario.field.ticks
    died = np.where(ni[:, k.DIED] >= 0, ni[:, k.DIED] / DAY, np.nan)
    columns: dict[str, Any] = {
        "node": [p.node.name for p in season.places],
        "parcel": [p.parcel for p in season.places],
        "patch": [p.node.patch for p in season.places],
        "board": [p.board for p in season.places],
        "barcode": [p.barcode for p in season.places],
        "readings": ni[:, k.WAKES],
        "readings_arrived": ni[:, k.SENT],
        "co2_readings": ni[:, k.CO2S],
        "radio_sessions": ni[:, k.SESSIONS],
        "radio_sessions_failed": ni[:, k.FAILED],
        "longest_silence_d": _rounded(longest_silence(ni, ticks) / DAY),
        "down_d": _rounded(ni[:, k.DOWN_TICKS] / DAY),
        "died_on_day": _rounded(died),
        "battery_left_part": _rounded(nf[:, k.STORE] / nf[:, k.CAPACITY]),
    }
    for cause, column in _CAUSES.items():
        columns[f"{cause}_j"] = _rounded(nf[:, column])
    errors = np.sqrt(outcome.places[:, :4])
    columns |= {
        "moisture_rmse": _rounded(errors[:, 0]),
        "temperature_rmse": _rounded(errors[:, 2]),
    }
    if task.scenario.hardware.co2_sensor:
        columns |= {"co2_rmse": _rounded(errors[:, 3]), "co2_sum_error_part": _rounded(outcome.places[:, 4])}
    return _csv(columns)


def _goals(verdicts: Sequence[Verdict]) -> bytes:
    return _csv(
        {
            "goal": [v.wish.text for v in verdicts],
            "asked": ["yes" if v.wish.asked else "no" for v in verdicts],
            "met": ["" if v.measured is None else "yes" if v.met else "no" for v in verdicts],
            "measured": pa.array([v.measured for v in verdicts], pa.float64()),
            "limit": [v.wish.value for v in verdicts],
            "unit": [v.wish.unit for v in verdicts],
            "nodes_met": [v.nodes for v in verdicts],
            "nodes": [v.of for v in verdicts],
        }
    )


def netcdf(season: Season, task: Task, world: World, measures: Sequence[_Measure]) -> bytes:
    """A file after CF-1.8 (netCDF-3, time series of stations on one time axis)."""
    from scipy.io import netcdf_file  # takes a while, see problems.sensing.deployed.deployed

    scenario, deployment = task.scenario, season.deployment
    n, ticks = scenario.field.nodes, scenario.field.ticks
    sink = io.BytesIO()
    file = netcdf_file(sink, "w", version=2)
    file.Conventions = "CF-1.8"
    file.featureType = "timeSeries"
    file.title = f"Simulated readings of the soil sensor network {_ascii(deployment.name)}"
    file.institution = "not given"
    file.history = "written by metamuse score, problem=sensing"
    truth = "drawn weather and soil" if season.drawn else "records of the deployment"
    file.source = f"simulation of a sensing policy; truth: {truth}"
    file.power = _ascii(season.board.supply)
    file.references = "arXiv:2102.10260"
    file.comment = _ascii("; ".join(season.said)) or "none"
    file.createDimension("station", n)
    file.createDimension("time", ticks)

    def variable(name: str, kind: str, dimensions: tuple[str, ...], data: Any, **about: Any) -> None:
        made = file.createVariable(name, kind, dimensions)
        for key, value in about.items():
            setattr(made, "_FillValue" if key == "fill" else key, value)
        made[...] = data

    def text(name: str, values: Sequence[str], **about: Any) -> None:
        plain = [_ascii(value) for value in values]
        width = max(1, *(len(value) for value in plain))
        file.createDimension(f"{name}_length", width)
        letters = np.array([list(value.ljust(width, "\0")) for value in plain], dtype="S1")
        variable(name, "c", ("station", f"{name}_length"), letters, **about)

    text(
        "station_name",
        [p.node.name for p in season.places],
        cf_role="timeseries_id",
        long_name="name of the node",
    )
    text("patch", [p.node.patch for p in season.places], long_name="patch of the node")
    text("barcode", [p.barcode for p in season.places], long_name="barcode of the node")
    metres = 111_320.0
    y = np.array([p.node.y for p in season.places])
    x = np.array([p.node.x for p in season.places])
    north = deployment.latitude + y / metres
    east = deployment.longitude + x / (metres * max(0.01, np.cos(np.radians(deployment.latitude))))
    variable(
        "lat", "d", ("station",), north, standard_name="latitude", long_name="latitude", units="degrees_north"
    )
    variable(
        "lon", "d", ("station",), east, standard_name="longitude", long_name="longitude", units="degrees_east"
    )
    since = f"seconds since {season.start:%Y-%m-%d} 00:00:00 {_offset(season)}"
    seconds = TICK_S * np.arange(ticks)
    variable(
        "time",
        "d",
        ("time",),
        seconds,
        standard_name="time",
        long_name="time",
        units=since,
        calendar="standard",
        axis="T",
    )
    for depth in sorted({m.depth for m in measures if m.depth is not None}):
        about = {
            "standard_name": "depth",
            "long_name": "depth of the probe",
            "units": "m",
            "positive": "down",
            "axis": "Z",
        }
        variable(_depth(depth), "d", (), depth, **about)
    for m in measures:
        where = "lat lon station_name" + ("" if m.depth is None else f" {_depth(m.depth)}")
        same = {"coordinates": where, "standard_name": m.standard, "units": m.unit, "fill": _FILL}
        grid = ("station", "time")
        arrived = np.where(m.data.fate == ARRIVED, m.data.said, np.nan)
        variable(
            m.name, "f", grid, _filled(arrived), **same,
            long_name=f"{m.words}, readings that reached the base", cell_methods="time: point",
            ancillary_variables=f"{m.name}_status", sensor=_ascii(m.about),
        )  # fmt: skip
        variable(
            f"{m.name}_status", "b", grid, m.data.fate, coordinates=where, standard_name="status_flag",
            long_name=f"what became of the reading of {m.words}", flag_values=np.arange(len(FATES), dtype=np.int8),
            flag_meanings=" ".join(FATES),
        )  # fmt: skip
        variable(
            f"{m.name}_reconstructed",
            "f",
            grid,
            _filled(m.data.made),
            **same,
            long_name=f"{m.words}, as the base makes it of the readings",
            cell_methods="time: point",
        )
        variable(
            f"{m.name}_truth",
            "f",
            grid,
            _filled(m.data.truth),
            **same,
            long_name=f"{m.words}, truth",
            cell_methods="time: point",
        )
    for cause, column in _CAUSES.items():
        what = cause.replace("_", " ")
        spent = world.node_floats[:, column]
        variable(
            f"energy_{cause}",
            "d",
            ("station",),
            spent,
            units="J",
            long_name=f"energy spent for {what} over the season",
            coordinates="lat lon station_name",
        )
    file.flush()
    return sink.getvalue()


def _depth(depth: float) -> str:
    return f"depth_{100 * depth:.3g}cm".replace(".", "p")


def _filled(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), _FILL, values).astype(np.float32)


def _ascii(text: str) -> str:
    """netCDF-3 keeps bytes; other letters are written as question marks."""
    return text.encode("ascii", "replace").decode()
