"""Her own tables: columns, units, clocks and encodings as they come; faults listed; gaps told and not filled in."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.sensing.clocks import zone
from evaluators.sensing.columns import Column, Layout
from evaluators.sensing.deployment import read_deployment
from evaluators.sensing.records import Records, read_records, report
from evaluators.sensing.seasons import recorded_seasons

#: Tables are read once a process: every example has a file of its own.
NUMBERS = itertools.count()
START = np.datetime64("2021-06-01T00:00:00")


def hours(n: int) -> np.ndarray:
    return START + np.arange(n) * np.timedelta64(1, "h")


def truth(n: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Plausible moisture, temperature and efflux of n hours."""
    rng = np.random.default_rng(seed)
    day = np.sin(np.arange(n) / 24 * 2 * np.pi)
    return {
        "moisture": np.round(0.25 + 0.02 * day + 0.002 * rng.standard_normal(n), 4),
        "temperature": np.round(15 + 4 * day + 0.2 * rng.standard_normal(n), 2),
        "CO2 efflux": np.round(3 + day + 0.2 * rng.standard_normal(n), 3),
    }


def table(
    path: Path, columns: dict[str, Sequence[Any]], separator: str = ",", encoding: str = "utf-8"
) -> str:
    rows = [
        separator.join(columns),
        *(separator.join(str(v) for v in row) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_bytes(("\n".join(rows) + "\n").encode(encoding))
    return str(path)


def simple(path: Path, n: int = 60, **changes: Sequence[Any]) -> str:
    return table(path, {"time": hours(n), "node": ["A1"] * n, **truth(n), **changes})


def read(*paths: str, **how: Any) -> Records:
    return read_records(Layout(tuple(paths), **how), -77.0)


def kinds(records: Records) -> set[tuple[str, str]]:
    return {(f.quantity, f.kind) for f in records.findings}


def test_a_table_is_read_as_it_stands(tmp_path: Path) -> None:
    records = read(simple(tmp_path / "a.csv"))
    assert records.nodes == ("A1",)
    for what, values in truth(60).items():
        series = records.series["A1", what]
        assert series.times.tolist() == hours(60).tolist()
        assert series.values.tolist() == values.tolist()
    assert records.findings == []
    assert any("local standard time" in s for s in records.said)
    assert any("taken as m3/m3" in s for s in records.said)


NAMES = st.sampled_from(
    [
        (
            "Soil moisture [%]",
            "soil_temp (degF)",
            "Flux (mg CO2 m-2 h-1)",
            100.0,
            (9 / 5, 32.0),
            44.0095 * 3600 / 1000,
        ),
        ("VWC_10cm", "TS_10", "FCO2", 1.0, (1.0, 0.0), 1.0),
        ("SWC (m³/m³)", "T10 (K)", "co2_flux (nmol m-2 s-1)", 1.0, (1.0, 273.15), 1000.0),
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), names=NAMES, rows=st.integers(2, 40))
def test_written_in_any_units_and_orders_and_read_back(
    tmp_path: Path, data: st.DataObject, names: tuple[Any, ...], rows: int
) -> None:
    """Shuffled columns, shuffled rows, other separators, missing values in their spellings."""
    moisture, temperature, flux, per, (slope, offset), grams = names
    real = truth(rows, seed=data.draw(st.integers(0, 99)))
    there = {
        what: np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))) for what in real
    }
    for mask in there.values():
        mask[0] = True
    missing = st.sampled_from(["", "NA", "NaN", "null", "-", "#N/A", "n/a"])

    def cells(what: str, factor: float, add: float) -> list[str]:
        return [
            repr(float(v * factor + add)) if ok else data.draw(missing)
            for v, ok in zip(real[what], there[what], strict=True)
        ]

    columns: dict[str, list[Any]] = {
        "TIMESTAMP": [str(t).replace("T", " ") for t in hours(rows)],
        "Mote": ["A1"] * rows,
        moisture: cells("moisture", per, 0.0),
        temperature: cells("temperature", slope, offset),
        flux: cells("CO2 efflux", grams, 0.0),
        "remarks": ["ok"] * rows,
    }
    order = data.draw(st.permutations(list(columns)))
    lines = data.draw(st.permutations(range(rows)))
    shuffled = {name: [columns[name][i] for i in lines] for name in order}
    path = tmp_path / f"{next(NUMBERS)}.csv"
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    table(path, shuffled, data.draw(st.sampled_from([",", ";", "\t"])), encoding)
    records = read(
        str(path),
        columns={"moisture": Column(moisture, "" if "[" in moisture or "(" in moisture else "m3/m3")}
        if per == 1.0
        else {},
    )
    for what, values in real.items():
        series = records.series["A1", what]
        assert series.times.tolist() == hours(rows)[there[what]].tolist()
        np.testing.assert_allclose(series.values, values[there[what]], atol=1e-9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 1400), packed=st.booleans())
def test_a_truncated_file_is_read_up_to_there_or_refused(tmp_path: Path, cut: int, packed: bool) -> None:
    whole = Path(simple(tmp_path / "whole.csv", 30)).read_bytes()
    data = gzip.compress(whole, mtime=0) if packed else whole
    path = tmp_path / f"{next(NUMBERS)}-cut.csv{'.gz' if packed else ''}"
    path.write_bytes(data[: min(cut, len(data) - 1)])
    full = read(str(tmp_path / "whole.csv"))
    try:
        records = read(str(path))
    except WorkloadError as error:
        assert path.name in str(error)  # noqa: PT017 - either way is right, a traceback is not
        return
    assert not packed
    # Only the row that was cut may hold something else.
    for what in truth(1):
        series = records.of("A1", what)
        if series is not None:
            assert (
                series.values[:-1].tolist()
                == full.series["A1", what].values[: len(series.values) - 1].tolist()
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / f"{next(NUMBERS)}-bytes.csv"
    path.write_bytes(data)
    with pytest.raises(WorkloadError, match=r"bytes\.csv"):
        read(str(path))


def test_windows_1252_is_read_and_said(tmp_path: Path) -> None:
    n = 20
    path = table(
        tmp_path / "a.csv", {"time": hours(n), "node": ["Müller"] * n, **truth(n)}, encoding="cp1252"
    )
    records = read(path)
    assert records.nodes == ("Müller",)
    assert any("Windows-1252" in s for s in records.said)


def test_a_logger_table_with_decimal_commas_and_units_in_its_head(tmp_path: Path) -> None:
    n = 20
    real = truth(n)
    toa5 = tmp_path / "toa5.csv"
    rows = [
        '"TOA5","plot","CR1000","1234"',
        '"TIMESTAMP","RECORD","VWC_Avg","T_10_Avg"',
        '"TS","RN","%","Deg C"',
        '"","","Avg","Avg"',
        *(
            f'"{str(t).replace("T", " ")}",{i},{100 * real["moisture"][i]:.6f},"NAN"'
            for i, t in enumerate(hours(n))
        ),
    ]
    toa5.write_text("\n".join(rows) + "\n")
    records = read(str(toa5))
    assert records.nodes == ("toa5",)
    np.testing.assert_allclose(records.series["toa5", "moisture"].values, real["moisture"], atol=1e-8)
    comma = table(
        tmp_path / "comma.csv",
        {
            "time": hours(n),
            "node": ["A1"] * n,
            **{k: [str(v).replace(".", ",") for v in vs] for k, vs in real.items()},
        },
        ";",
    )
    found = read(comma)
    assert found.series["A1", "moisture"].values.tolist() == real["moisture"].tolist()
    assert any("comma" in s for s in found.said)


@pytest.mark.parametrize(
    ("written", "how", "first"),
    [
        ("2021-06-01T04:00:00Z", {}, "2021-05-31T23:00:00"),
        ("2021-06-01T04:00:00+02:00", {}, "2021-05-31T21:00:00"),
        ("2021-06-01 04:00", {}, "2021-06-01T04:00:00"),
        ("2021-06-01 04:00:00.250", {}, "2021-06-01T04:00:00"),
        ("31.05.2021 04:00", {}, "2021-05-31T04:00:00"),
        ("05/31/2021 04:00 PM", {}, "2021-05-31T16:00:00"),
        ("06/01/2021 04:00", {"dates": "day"}, "2021-01-06T04:00:00"),
        ("1622520000", {"zone": zone("UTC")}, "2021-06-01T04:00:00"),
        ("2021-06-01 04:00", {"zone": zone("America/New_York")}, "2021-06-01T03:00:00"),
        ("2021-06-01 04:00", {"zone": zone("UTC-5")}, "2021-06-01T04:00:00"),
    ],
)  # fmt: skip
def test_clocks(tmp_path: Path, written: str, how: dict[str, Any], first: str) -> None:
    path = table(tmp_path / "a.csv", {"time": [written], "moisture": [0.2], "temperature": [10.0]})
    assert str(read(path, **how).series["a", "moisture"].times[0]) == first


def test_an_hour_that_a_clock_shows_twice_is_told(tmp_path: Path) -> None:
    times = ["2021-11-07 00:30", "2021-11-07 01:30", "2021-11-07 01:30", "2021-11-07 02:30"]
    path = table(
        tmp_path / "a.csv", {"time": times, "moisture": [0.2, 0.21, 0.22, 0.23], "temperature": [9] * 4}
    )
    records = read(path, zone=zone("America/New_York"))
    assert ("moisture", "twice") in kinds(records)
    assert records.series["a", "moisture"].values.tolist() == [0.2, 0.21, 0.23]
    assert str(records.series["a", "moisture"].times[-1]) == "2021-11-07T02:30:00"  # summer time is over


def test_what_can_be_read_in_two_ways_is_asked(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.csv", {"time": ["01/02/2021 04:00"] * 3, "moisture": [0.2] * 3, "temperature": [9] * 3}
    )
    with pytest.raises(WorkloadError, match="day/month or month/day; say records: dates"):
        read(path)
    percent = table(tmp_path / "b.csv", {"time": hours(3), "moisture": [21, 22, 23], "temperature": [9] * 3})
    with pytest.raises(WorkloadError, match=r"say its unit .*in %"):
        read(percent)


@pytest.mark.parametrize(
    ("head", "how", "says"),
    [
        (("time", "moistur", "temp"), {"columns": {"moisture": Column("moisture")}}, "did you mean moistur?"),
        (("time", "x", "y"), {}, "looks like soil moisture; it has time, x, y"),
        (("when", "moisture", "temp"), {}, "looks like the time"),
        (("time", "time", "temp"), {}, "two columns are called 'time'"),
        (("1", "2", "3"), {}, "has no head"),
    ],
)
def test_columns_that_are_not_there(
    tmp_path: Path, head: tuple[str, ...], how: dict[str, Any], says: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(head) + "\n2021-06-01,0.2,10\n")
    with pytest.raises(WorkloadError) as found:
        read(str(path), **how)
    assert says in str(found.value)
    assert "a.csv" in str(found.value)


def test_faults_are_listed_and_stay_unless_they_are_to_go(tmp_path: Path) -> None:
    n = 900
    real = truth(n)
    moisture, temperature, flux = (real[k].copy() for k in real)
    moisture[100] = -7999.0
    moisture[300:] -= 0.12  # for good
    temperature[200] += 20
    flux[400:440] = 2.5
    times = np.delete(hours(n), slice(600, 648))
    cells = {
        k: np.delete(v, slice(600, 648)) for k, v in zip(real, (moisture, temperature, flux), strict=True)
    }
    words = [str(v) for v in cells["temperature"]]
    words[5] = "ERROR"
    path = table(
        tmp_path / "a.csv", {"time": times, "node": ["A1"] * len(times), **cells, "temperature": words}
    )
    records = read(path)
    assert kinds(records) == {
        ("moisture", "out of range"),
        ("moisture", "steps"),
        ("temperature", "spikes"),
        ("CO2 efflux", "stuck"),
        ("temperature", "no number"),
        *((what, "gap") for what in real),
    }
    by = {(f.quantity, f.kind): f for f in records.findings}
    assert by["moisture", "steps"].first == hours(n)[300]
    assert by["temperature", "spikes"].first == hours(n)[200]
    assert (by["CO2 efflux", "stuck"].first, by["CO2 efflux", "stuck"].readings) == (hours(n)[400], 40)
    assert "logger's word for nothing" in by["moisture", "out of range"].text
    assert (by["moisture", "gap"].first, by["moisture", "gap"].last) == (hours(n)[599], hours(n)[648])
    assert len(records.series["A1", "moisture"].values) == n - 48 - 1
    text = "\n".join(report(records))
    assert "ERROR" in text
    assert "together 2.0 days" in text
    left = read(path, leave_out=("spikes", "stuck", "steps"))
    assert len(left.series["A1", "temperature"].values) == n - 48 - 1 - 1
    assert len(left.series["A1", "CO2 efflux"].values) == n - 48 - 40
    assert left.series["A1", "moisture"].times[-1] < hours(n)[300]


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    """A storm's rise of moisture is no fault."""
    n = 600
    moisture = truth(n)["moisture"]
    moisture[300:] += 0.12 * np.exp(-np.arange(n - 300) / 60)
    assert read(simple(tmp_path / "a.csv", n, moisture=moisture)).findings == []


def test_clocks_that_were_reset_and_rows_that_are_cut(tmp_path: Path) -> None:
    path = Path(simple(tmp_path / "a.csv", 20))
    rows = path.read_text().splitlines()
    rows[3] = rows[3].replace("2021-06-01", "1970-01-01")
    rows[5] = rows[5].rpartition(",")[0]
    path.write_text("\n".join(rows) + "\n")
    records = read(str(path))
    assert ("", "clock") in kinds(records)
    assert any("1 rows are left out" in s for s in records.said)
    assert len(records.series["A1", "moisture"].values) == 18


def plot(tmp_path: Path, records: str) -> str:
    path = tmp_path / "plot.yaml"
    path.write_text(
        f"""\
place: 40 N, 77 W
season: 1 June to 30 July
boards:
  b:
    power: {{battery: 60 J}}
    sensors:
      m: {{measures: moisture, depth: 5 cm}}
      t: {{measures: temperature, depth: 5 cm}}
      c: {{measures: CO2 efflux}}
parcels:
  p: {{patches: {{q: {{nodes: [A1, A2]}}}}}}
records:
{records}"""
    )
    return str(path)


def test_gaps_are_known_as_such_in_a_replay(tmp_path: Path) -> None:
    n = 24 * 21
    keep = np.ones(n, dtype=bool)
    keep[100:130] = False  # 31 hours without a reading
    keep[200:206] = False  # 7 hours: near enough
    columns: dict[str, Any] = {
        "time": hours(n)[keep],
        "node": ["one"] * int(keep.sum()),
        **{k: v[keep] for k, v in truth(n).items()},
    }
    table(tmp_path / "a.csv", columns)
    found = recorded_seasons(
        read_deployment(plot(tmp_path, "  file: a.csv\n  replay: 10 days\n  names: {A1: one}\n"))
    )
    assert [s.scenario.name for s in found] == ["plot#2021-06-01", "plot#2021-06-11"]
    first = found[0].scenario
    assert [node.name for node in first.nodes] == ["A1"]
    assert first.field.known is not None
    at = np.arange(10 * 144)
    expected = ~((at > 99 * 6) & (at < 130 * 6))
    for q in (0, 2, 3):
        assert first.field.known[q, 0].tolist() == expected.tolist()
    np.testing.assert_allclose(
        first.field.values[0, 0, ::6][keep[:240]], truth(n)["moisture"][:240][keep[:240]], atol=1e-6
    )
    assert any(
        "A1: of the window no truth is known for moisture" in s and "errors are not measured" in s
        for s in found[0].said
    )
    assert first.hardware.store_j == pytest.approx(60.0 * 10 / 60)
    assert found[1].scenario.field.known is not None
    assert found[1].scenario.field.known.all()


def test_rain_and_air_of_the_table_are_the_weather(tmp_path: Path) -> None:
    n = 24 * 11
    rain = np.zeros(n)
    rain[30] = 7.5
    table(
        tmp_path / "a.csv",
        {"time": hours(n), "node": ["A1"] * n, **truth(n), "rain (mm)": rain, "air_temp": np.full(n, 21.5)},
    )
    (season,) = recorded_seasons(read_deployment(plot(tmp_path, "  file: a.csv\n  replay: 10 days\n")))
    assert float(season.scenario.field.rain.sum()) == pytest.approx(7.5)
    assert float(season.scenario.field.rain[30 * 6]) == pytest.approx(7.5)
    assert set(season.scenario.field.air.tolist()) == {21.5}


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ("  file: a.csv\n  replay: 10 days\n  names: {A2: A2}\n", None),
        ("  file: b.csv\n", "no file matches"),
        ("  file: a.csv\n  time zone: America/New_Yrk\n", "did you mean America/New_York?"),
        ("  file: a.csv\n  columns:\n    mositure: x in %\n", "did you mean moisture?"),
        ("  file: a.csv\n  columns:\n    moisture: x in percentages\n", "no unit percentages"),
        ("  file: a.csv\n  leave out: [spike]\n", "did you mean spikes?"),
        ("  file: a.csv\n  node: node\n  columns: {moisture: M_<node>}\n", "a column for each node"),
        ("  file: a.csv\n  columns: {rain: R_<node>}\n", "is that of the place"),
        ("  file: a.csv\n  columns: {moisture: <node>_<node>}\n", "stands once in a name"),
        ("  file: a.csv\n  columns: {moisture: M from b.csv}\n", "none of the files is called b.csv"),
        ("  file: a.csv\n  longest gap: 3 mm\n", "a time is written like"),
        ("  file: a.csv\n  replay: 45 days\n", "at best"),
        ("  file: a.csv\n  names: {A1: x, A2: y}\n", "call them alike"),
    ],
)
def test_what_is_said_of_records_is_checked(tmp_path: Path, records: str, says: str | None) -> None:
    n = 24 * 11
    columns: dict[str, Any] = {"time": hours(n), "node": ["A1"] * n, **truth(n)}
    if says == "call them alike":
        columns["node"] = ["Z9"] * n
    table(tmp_path / "a.csv", columns)
    if says is None:
        assert len(recorded_seasons(read_deployment(plot(tmp_path, records)))) == 1
        return
    with pytest.raises(WorkloadError) as found:
        recorded_seasons(read_deployment(plot(tmp_path, records)))
    assert says in str(found.value)


def wide(path: Path, n: int = 60, **more: Sequence[Any]) -> str:
    """A column for each of three nodes and two quantities."""
    columns: dict[str, Sequence[Any]] = {"time": hours(n)}
    for i, node in enumerate(("P1", "P2", "P3")):
        columns[f"VWC_{node}"] = truth(n, seed=i)["moisture"]
        columns[f"{node} soil T"] = truth(n, seed=i)["temperature"]
    return table(path, {**columns, **more})


WIDE = {"moisture": Column("VWC_<node>", "m3/m3"), "temperature": Column("<node> soil T", "degC")}


def test_a_column_for_each_node(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.csv", battery=["3.1"] * 60, rain=["0"] * 60)
    records = read(path, columns=WIDE, names={"A1": "P1"})
    assert records.nodes == ("A1", "P2", "P3")
    for i, node in enumerate(records.nodes):
        for what in ("moisture", "temperature"):
            assert records.series[node, what].times.tolist() == hours(60).tolist()
            assert records.series[node, what].values.tolist() == truth(60, seed=i)[what].tolist()
    assert ("", "rain") in records.series
    assert any("has columns of 3 nodes: P1, P2, P3" in s for s in records.said)


def test_faults_of_one_column_are_its_nodes(tmp_path: Path) -> None:
    n = 60
    bad: list[Any] = list(truth(n)["moisture"])
    bad[7], bad[9] = -7999.0, "broken"
    path = wide(tmp_path / "a.csv", n, VWC_P2=bad)
    records = read(path, columns=WIDE)
    assert {(f.node, f.kind) for f in records.findings} == {("P2", "out of range"), ("P2", "no number")}
    assert len(records.series["P2", "moisture"].values) == n - 2
    text = "\n".join(report(records))
    assert "column VWC_P2: no numbers, such as 'broken'" in text


def test_the_longest_name_has_the_column(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.csv", 60, VWC_P1_20cm=truth(60, seed=9)["moisture"])
    deep = {**WIDE, "deep moisture": Column("VWC_<node>_20cm", "m3/m3")}
    records = read(path, columns=deep)
    assert records.nodes == ("P1", "P2", "P3")
    assert records.series["P1", "deep moisture"].values.tolist() == truth(60, seed=9)["moisture"].tolist()
    assert any("P2, P3 have no column for deep moisture" in s for s in records.said)


def test_one_column_counts_for_all_nodes_and_that_is_said(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.csv", 60, soil=truth(60, seed=5)["temperature"])
    records = read(path, columns={"moisture": WIDE["moisture"], "temperature": Column("soil", "degC")})
    for node in ("P1", "P2", "P3"):
        assert (
            records.series[node, "temperature"].values.tolist() == truth(60, seed=5)["temperature"].tolist()
        )
    assert any("soil counts for all nodes (temperature)" in s for s in records.said)


def test_a_file_for_each_quantity(tmp_path: Path) -> None:
    n = 60
    files = []
    for what in ("moisture", "temperature"):
        each = {f"P{i}": truth(n, seed=i)[what] for i in range(2)}
        files.append(table(tmp_path / f"{what}.csv", {"time": hours(n), **each}))
    own = {
        "moisture": Column("<node>", "m3/m3", "moist*.csv"),
        "temperature": Column("<node>", "degC", "temperature.csv"),
    }
    records = read(*files, columns=own)
    assert records.nodes == ("P0", "P1")
    assert records.series["P1", "temperature"].values.tolist() == truth(n, seed=1)["temperature"].tolist()
    with pytest.raises(WorkloadError, match="no reading of soil temperature; say where it is"):
        read(files[0], columns={"moisture": own["moisture"]})


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"columns": {"moisture": Column("SWC_<node>")}}, "has no columns like SWC_<node> for moisture"),
        ({"columns": {"moisture": WIDE["moisture"]}}, "columns: temperature: <name with <node> in it>"),
        ({"columns": WIDE, "names": {"A1": "P9"}}, "there is no column of P9, which is A1 here"),
        ({}, "VWC_P2, VWC_P1 could be moisture, too, and are not read; if every node has a column"),
    ],
)
def test_wide_tables_that_are_not_as_said(tmp_path: Path, how: dict[str, Any], says: str) -> None:
    path = wide(tmp_path / "a.csv", soil_temp=truth(60)["temperature"])
    try:
        said = " ".join(read(path, **how).said)
    except WorkloadError as error:
        said = str(error)
    assert says in said


@pytest.mark.realdata
def test_real_tables_with_their_faults(data_dir: Path) -> None:
    folder = data_dir / "sensing"
    kaye = read(str(folder / "cosore_kaye_shale_hills_8nodes.csv.gz"))
    assert sorted(kaye.nodes) == ["LNE", "LNW", "LSE", "LSW", "UNE", "UNW", "USE", "USW"]
    below = {(f.node, f.quantity): f.readings for f in kaye.findings if f.kind == "out of range"}
    assert below["UNW", "moisture"] >= 6500  # 6,582 below 0, of them a few at the same time as another
    assert below["UNE", "moisture"] == below["USW", "moisture"] == 1
    serc = read(str(folder / "cosore_pennington_serc_maryland.csv.gz"))
    hot = sum(f.readings for f in serc.findings if (f.quantity, f.kind) == ("temperature", "out of range"))
    assert hot == 516
    assert any("678260" in f.text for f in serc.findings if f.quantity == "moisture")
    savage = read(str(folder / "cosore_savage_harvard_forest_hf006-05.csv.gz"))
    assert len(savage.nodes) == 8
    with pytest.raises(WorkloadError, match="no column that looks like soil moisture"):
        read(str(folder / "ksu_ks003_station_solar_battery_rain.csv.gz"))
    uscrn = Layout((str(folder / "uscrn_2020_daily_soil_stations.csv.gz"),), gap=36.0)
    daily = read_records(uscrn, -75.8)
    assert len(daily.nodes) > 90
    assert any("soil_moisture_10_daily is taken for moisture" in s for s in daily.said)
    assert any("soil_moisture_20_daily is taken for moisture at 20 cm" in s for s in daily.said)
    assert any("p_daily_calc is taken for rain" in s for s in daily.said)
    assert replace(uscrn, gap=12.0) != uscrn


@pytest.mark.realdata
def test_a_real_site_is_replayed(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "sensing" / "cosore_kaye_shale_hills_8nodes.csv.gz"
    path = plot(tmp_path, f"  file: {source}\n").replace("[A1, A2]", "[LNE, LNW]")
    text = Path(path).read_text().replace("[A1, A2]", "[LNE, LNW, LSE, LSW, UNE, UNW, USE, USW]")
    Path(path).write_text(text)
    found = recorded_seasons(read_deployment(path))
    assert len(found) >= 12
    for season in found:
        known = season.scenario.field.known
        assert known is not None
        assert known.mean(axis=2).min() >= 0.8
