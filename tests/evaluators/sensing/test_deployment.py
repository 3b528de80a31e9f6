"""Deployments in a scientist's words: units, sentences, the whole file, and every mistake at once."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.sensing import units
from evaluators.sensing.deployment import Season, calibration, coordinates, read_deployment, season
from evaluators.sensing.goals import as_goals, usual, wish
from evaluators.sensing.scenario import Goals
from evaluators.sensing.seasons import drawn_seasons
from evaluators.sensing.units import WrongError

PLOT = """\
deployment: Oak ridge
place: 40.66 N, 77.90 W
season: 1 June to 20 June
visits: every 10 days
rain alerts: yes
boards:
  bacon:
    voltage: 3 V
    asleep: 10 uA
    radio session: 15 mA for 1.3 s
    power: {battery: 400 mAh, is to last: 3 years}
    sensors:
      shallow: {measures: moisture, depth: 10 cm, model: EC-5, reading: 10 mA for 10 ms}
      deep: {measures: moisture, depth: 20 cm}
      warm: {measures: temperature, depth: 10 cm}
      chamber: {measures: CO2 efflux, reading: 243 mJ}
parcels:
  ridge:
    soil: loam
    patches:
      crown: {at: "20 m east, 30 m north", apart: 20 m, nodes: [A1, A2]}
      foot:
        cover: grass
        nodes:
          B1: {at: "10 m west, 60 m north", barcode: B-0017}
goals:
  - see a wet-up within 30 min
  - The seasonal CO2 sum is within 10 %.
  - moisture within 0.02 m3/m3
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "plot.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("10 cm", "length", 0.1),
        ("15 min", "time", 900.0),
        ("2 hours", "time", 7200.0),
        ("0.03 m³/m³", "moisture", 0.03),
        ("3 %", "moisture", 0.03),
        ("10 percent", "share", 0.1),
        ("68 °F", "temperature", 20.0),
        ("293.15 K", "temperature", 20.0),
        ("30 µW", "power", 30e-6),
        ("1e-3 J", "energy", 1e-3),
        ("2.4 GHz", "frequency", 2.4e9),
        ("1 in", "rain", 25.4),
    ],
)
def test_quantities_have_the_units_people_write(text: str, kind: str, value: float) -> None:
    assert units.quantity(text, kind) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("10", "length", "needs its unit, such as 10 cm"),
        ("10 cn", "length", "did you mean cm?"),
        ("10 min", "length", "min is a unit of time"),
        ("2,4 Ah", "charge", "with a point"),
        ("some", "time", "does not begin with a number, such as 15 min"),
        ("1e999 m", "length", "too large"),
    ],
)
def test_refusals_say_what_would_be_right(text: str, kind: str, says: str) -> None:
    with pytest.raises(WrongError, match=says.replace("?", r"\?")):
        units.quantity(text, kind)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("umol m-2 s-1", 1.0),
        ("µmol/m²/s", 1.0),
        ("mmol m-2 d-1", 1000 / 86400),
        ("g C m-2 d-1", 1e6 / 12.0107 / 86400),
        ("mg CO2 m-2 h-1", 1e3 / 44.0095 / 3600),
        ("kg CO2-C ha-1 d-1", 1e9 / 12.0107 / 1e4 / 86400),
    ],
)
def test_efflux_in_moles_and_grams(unit: str, factor: float) -> None:
    assert units.scale(unit, "flux")[0] == pytest.approx(factor, rel=1e-12)


def test_grams_of_what_has_to_be_said() -> None:
    with pytest.raises(WrongError, match="grams of what"):
        units.scale("mg m-2 s-1", "flux")


@given(
    st.floats(1e-6, 1e6),
    st.sampled_from([(k, u) for k, (_, names) in units.UNITS.items() if k != "temperature" for u in names]),
)
def test_a_quantity_is_its_number_times_its_unit(value: float, known: tuple[str, str]) -> None:
    kind, unit = known
    assert units.quantity(f"{value!r} {unit}", kind) == pytest.approx(
        value * units.UNITS[kind][1][unit], rel=1e-12
    )


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    for read in (lambda t: units.quantity(t, "time"), units.interval, lambda t: units.scale(t, "flux"), wish, season, calibration, coordinates, lambda t: units.draw(t, 3.0)):  # fmt: skip
        try:
            read(text)
        except WrongError as error:
            said = str(error)
        else:
            said = "read"
        assert said


def test_intervals_and_draws() -> None:
    assert units.interval("twice a year") == pytest.approx(365.25 / 2)
    assert units.interval("3 times a month") == pytest.approx(365.25 / 36)
    assert units.interval("every 6 weeks") == 42.0
    assert math.isinf(units.interval("never"))
    assert units.draw("10 mA for 10 ms", 3.0) == pytest.approx(0.3e-3)
    assert units.draw("60 mJ", 3.0) == pytest.approx(0.06)
    assert units.draw("2 W for 1 min", 3.0) == pytest.approx(120.0)
    assert units.steady("10 uA", 3.0) == pytest.approx(30e-6)
    assert units.cell("2.4 Ah", 3.0) == pytest.approx(25920.0)


def test_days_places_and_calibrations() -> None:
    assert season("1 April to 31 October") == Season((4, 1), 214)
    assert season("1 Nov to 31 March") == Season((11, 1), 151)
    assert season("1 April 2027 to 2 April 2028").days == 368
    assert season("1 April to 31 October").day_of_year == 90
    assert coordinates("33.9 S, 18.4 E") == (-33.9, 18.4)
    assert calibration("1.08 x - 0.02") == (1.08, -0.02)
    assert calibration("x + 1") == (1.0, 1.0)
    for text in ("31 April to 1 May", "1 May to 1 May", "1 May", "1 May 2027 to 3 June"):
        with pytest.raises(WrongError):
            season(text)


def test_a_file_becomes_what_it_says(tmp_path: Path) -> None:
    plot = read_deployment(written(tmp_path, PLOT))
    assert (plot.name, plot.latitude, plot.longitude) == ("Oak ridge", 40.66, -77.90)
    assert plot.season.days == 20
    board = plot.boards["bacon"].hardware
    assert board.sleep_w == pytest.approx(30e-6)
    assert board.session_j == pytest.approx(0.0585)
    assert board.probe_j == pytest.approx(0.9e-3)  # three cheap probes
    assert board.store_j == pytest.approx(0.4 * 3600 * 3.0 * 20 / (3 * 365.25))
    where = {
        p.node.name: (p.parcel, p.node.patch, p.node.soil, p.node.cover, p.node.x, p.node.y)
        for p in plot.places
    }
    assert where == {
        "A1": ("ridge", "crown", "loam", "forest", 20.0, 30.0),
        "A2": ("ridge", "crown", "loam", "forest", 40.0, 30.0),
        "B1": ("ridge", "foot", "loam", "grass", -10.0, 60.0),
    }
    assert plot.places[2].barcode == "B-0017"


def test_goals_set_the_score(tmp_path: Path) -> None:
    plot = read_deployment(written(tmp_path, PLOT))
    goals = as_goals(plot.goals, np.array([0.05, 0.03, 4.0, 1.0]))
    assert goals == replace(Goals(), wetup_h=0.5, seasonal_sum=0.10, moisture=0.02 / 0.04)
    assert {w.field for w in usual(plot.goals)}.isdisjoint({w.field for w in plot.goals})


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("see 90 % of the wet-ups", "wetups_missed", 0.1),
        ("No node silent for more than 2 weeks", "silent_d", 14.0),
        ("data no older than 12 h", "age_d", 0.5),
        ("nodes up 99 % of the time", "down", 0.01),
        ("temperature within 0.5 degC", "temperature", 0.5),
        ("temperature within 0.5 K", "temperature", 0.5),
        ("CO2 efflux within 25 % of its variation", "flux", 0.25),
    ],
)
def test_sentences_are_goals(text: str, field: str, value: float) -> None:
    found = wish(text)
    assert found.field == field
    assert found.value == pytest.approx(value)


def test_every_usual_goal_is_a_sentence_that_means_itself() -> None:
    plain = Goals()
    for w in usual([]):
        if w.unit != "s.d.":
            again = wish(w.text)
            assert (again.field, again.value) == (w.field, pytest.approx(getattr(plain, w.field)))


def test_all_mistakes_are_said_at_once_each_with_its_line(tmp_path: Path) -> None:
    wrong = (
        PLOT.replace("measures: moisture, depth: 10 cm, model", "measures: mositure, depth: 10 cm, model")
        .replace("1 June", "1 Jone")
        .replace("soil: loam", "soil: sand loam")
        .replace("asleep: 10 uA", "asleep: 10")
        .replace("rain alerts", "rain alert")
        .replace("within 30 min", "in 30 min")
    )
    with pytest.raises(WorkloadError) as found:
        read_deployment(written(tmp_path, wrong))
    lines = str(found.value).splitlines()
    assert "6 things to put right" in lines[0]
    expected = [
        (3, "did you mean June?"),
        (5, "did you mean rain alerts?"),
        (9, "such as 10 mA"),
        (13, "did you mean moisture?"),
        (19, "did you mean sandy loam?"),
        (27, "did you mean see a wet-up within X?"),
    ]
    assert len(lines) == 1 + len(expected)
    for line, (number, says) in zip(lines[1:], expected, strict=True):
        assert line.startswith(f"  line {number}: ")
        assert says in line


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("battery: 400 mAh", "battery: 2 AA alkalin"), "did you mean 2 AA alkaline?"),
        (("battery: 400 mAh", "battery: 400 mAh, panel: 20 mW"), "not both"),
        (
            (
                "      deep: {measures: moisture, depth: 20 cm}",
                "      deep: {measures: moisture, depth: 10 cm}",
            ),
            "same depth",
        ),
        (("nodes: [A1, A2]", "nodes: [A1, A1]"), "there are 2 nodes A1"),
        (("depth: 20 cm", "depth: 20 cm, depth: 30 cm"), "stands here twice"),
        (("      warm: {measures: temperature, depth: 10 cm}\n", ""), "no sensor that measures temperature"),
        (("place: 40.66 N, 77.90 W\n", ""), "does not say place; write it like place: 39.41 N, 76.52 W"),
        (("  - moisture within 0.02 m3/m3", "  - seasonal CO2 sum within 5 %"), "about the same thing"),
        (("season: 1 June", "season:\t1 June"), "tab"),
        (("nodes: [A1, A2]", "nodes: many"), "a number, a list of names"),
    ],
)
def test_one_mistake_is_one_sentence(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    assert change[0] in PLOT
    with pytest.raises(WorkloadError) as found:
        read_deployment(written(tmp_path, PLOT.replace(*change)))
    assert says in str(found.value)
    assert "\n" not in str(found.value)
    assert ", line " in str(found.value)


def test_files_that_are_no_deployments(tmp_path: Path) -> None:
    for text, says in (
        ("- a\n- b\n", "no names with values"),
        ("a: [", "cannot be read as YAML"),
        ("", "no names"),
    ):
        with pytest.raises(WorkloadError, match=says):
            read_deployment(written(tmp_path, text))
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(WorkloadError, match="more than 100,000 values"):
        read_deployment(written(tmp_path, bomb))
    (tmp_path / "latin.yaml").write_bytes(b"deployment: M\xfcller\n")
    with pytest.raises(WorkloadError, match="not UTF-8"):
        read_deployment(str(tmp_path / "latin.yaml"))


LINES = PLOT.splitlines()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "twice", "empty", "garble"]))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, line: int, how: str
) -> None:
    lines = list(LINES)
    if how == "drop":
        del lines[line]
    elif how == "twice":
        lines.insert(line, lines[line])
    elif how == "empty":
        lines[line] = lines[line].partition(":")[0] + ":"
    else:
        lines[line] = lines[line].replace("e", "ee", 1).replace("1", "one", 1)
    path = tmp_path_factory.mktemp("plots") / "plot.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        said = read_deployment(str(path)).file
    except WorkloadError as error:
        said = str(error)
    assert said.startswith(str(path))


def test_seasons_are_drawn_for_her_nodes(tmp_path: Path) -> None:
    plot = read_deployment(written(tmp_path, PLOT))
    made = drawn_seasons(plot, "feedback", 3, n=2)
    again = drawn_seasons(plot, "feedback", 3, n=2)
    assert [s.scenario.digest() for s in made] == [s.scenario.digest() for s in again]
    assert made[0].scenario.digest() != made[1].scenario.digest()
    scenario = made[0].scenario
    assert [node.name for node in scenario.nodes] == ["A1", "A2", "B1"]
    assert scenario.field.day_of_year == 151.0
    assert scenario.trouble.visits == (10.0,)
    assert scenario.goals.wetup_h == 0.5


def test_each_kind_of_board_is_a_scenario(tmp_path: Path) -> None:
    lean = """\
  lean:
    power: {panel: small panel}
    sensors:
      shallow: {measures: moisture, depth: 5 cm}
      warm: {measures: temperature, depth: 5 cm}
parcels:
"""
    text = (
        PLOT.replace("parcels:\n", lean)
        .replace("cover: grass", "board: lean")
        .replace("soil: loam", "board: bacon")
    )
    plot = read_deployment(written(tmp_path, text))
    made = drawn_seasons(plot, "holdout", 1, n=1)
    assert [s.board.name for s in made] == ["bacon", "lean"]
    assert [len(s.places) for s in made] == [2, 1]
    assert not made[1].scenario.hardware.co2_sensor
    assert made[1].scenario.hardware.panel_w == pytest.approx(1e-3)
    assert made[1].scenario.hardware.store_j == pytest.approx(60.0)


PAGE = (Path(__file__).parents[3] / "docs" / "sensing-deployment.md").read_text(encoding="utf-8")
EXAMPLE, RECORDS, WIDE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_shows_a_file_that_is_read(tmp_path: Path) -> None:
    plain = read_deployment(written(tmp_path, EXAMPLE))
    assert len(plain.places) == 6
    (tmp_path / "readings.csv").write_text("TIMESTAMP\n")
    full = read_deployment(written(tmp_path, EXAMPLE + RECORDS))
    assert full.records is not None
    assert full.records.files == (str(tmp_path / "readings.csv"),)
    assert full.records.names == {"A1": "mote 17", "A2": "mote 18"}
    wide = re.sub(r"  columns:\n(?:    .*\n)+", WIDE, RECORDS.replace("  node: mote\n", ""))
    assert read_deployment(written(tmp_path, EXAMPLE + wide)).records is not None


def test_the_page_shows_the_messages_that_come(tmp_path: Path) -> None:
    wrong = EXAMPLE.replace("moisture\n", "mositure\n", 1).replace("depth: 20 cm", "depth: 20 min")
    with pytest.raises(WorkloadError) as found:
        read_deployment(written(tmp_path, wrong))
    shown = re.search(r"^    (plot\.yaml: 2 things.*?)\n\n", PAGE, re.M | re.S)
    assert shown is not None
    assert str(found.value).replace(str(tmp_path) + "/", "") == shown[1].replace("\n    ", "\n")


def test_the_page_lists_every_goal_with_its_usual_value(tmp_path: Path) -> None:
    table = dict(re.findall(r"^\| ([^|]*\bX\b[^|]*) \| ([^|]+) \|$", PAGE, re.M))
    assert len(table) == 12
    plain = Goals()
    for form, value in table.items():
        if "variation" not in value:
            found = wish(form.replace("X", value))
            assert found.value == pytest.approx(getattr(plain, found.field)), form
