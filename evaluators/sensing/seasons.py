"""Scenarios of a deployment: seasons in drawn weather, or windows of her own records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from evaluators.base import WorkloadError
from evaluators.draws import generator, integer
from evaluators.sensing.deployment import Board, Deployment, Place
from evaluators.sensing.field import from_series, make_field
from evaluators.sensing.goals import with_goals
from evaluators.sensing.records import Records, Series, read_records
from evaluators.sensing.scenario import DAY, TICK_S, Field, Scenario, Trouble
from evaluators.sensing.suites import drawn_trouble

#: Node-days of a set of drawn seasons, as of the synthetic sets; least and most seasons of one.
_NODE_DAYS, _LEAST, _MOST = 7680, 2, 24
#: Quantities of the records in the rows of a field, and what stands for the second moisture if there is none.
_ROWS = ("moisture", "deep moisture", "temperature", "CO2 efflux")
#: Step of a search for the next window, days.
_STEP = 5


@dataclass(frozen=True)
class Season:
    """A scenario and what it stands for.

    Attributes:
        scenario: What is simulated.
        deployment: Of whom.
        board: Of its nodes.
        places: Its nodes.
        start: The first day; of a drawn season in a year that stands for any.
        drawn: Whether its weather is drawn.
        said: What is to be known of its truth, in sentences.
    """

    scenario: Scenario
    deployment: Deployment
    board: Board
    places: tuple[Place, ...]
    start: date
    drawn: bool
    said: tuple[str, ...] = field(default=())


def drawn_seasons(deployment: Deployment, which: str, seed: int, n: int | None = None) -> list[Season]:
    """Seasons in weather that is drawn, as for the synthetic sets; a board each, if there are several.

    Args:
        deployment: The deployment.
        which: The set.
        seed: Any non-negative integer.
        n: Number of seasons; default: as many node-days as the synthetic feedback set has, 2 to 24.
    """
    nodes, days = len(deployment.places), deployment.season.days
    count = min(_MOST, max(_LEAST, _NODE_DAYS // (nodes * days))) if n is None else n
    out = []
    for i in range(count):
        rng = generator(seed, which, i)
        every = [place.node for place in deployment.places]
        truth = make_field(every, deployment.climate, days, deployment.season.day_of_year, rng)
        trouble = drawn_trouble(rng, nodes, days)
        number = integer(rng, 0, (1 << 40) - 1)
        for board, rows in _boards(deployment):
            scenario = Scenario(
                f"synthetic/{deployment.name}/{which}/{i:02d}{_of(deployment, board)}",
                tuple(every[row] for row in rows),
                replace(truth, values=np.ascontiguousarray(truth.values[:, rows])),
                board.hardware,
                deployment.radio,
                trouble=_own(deployment, trouble, rows),
                seed=number,
            )
            start = date(deployment.season.year or 2001, *deployment.season.first)
            places = tuple(deployment.places[row] for row in rows)
            said = ("weather and truth are drawn; moisture at 10 and 20 cm, temperature at 10 cm",)
            out.append(
                Season(with_goals(scenario, deployment.goals), deployment, board, places, start, True, said)
            )
    return out


def _boards(deployment: Deployment) -> list[tuple[Board, list[int]]]:
    """Boards that nodes have, with the numbers of those nodes."""
    rows: dict[str, list[int]] = {}
    for i, place in enumerate(deployment.places):
        rows.setdefault(place.board, []).append(i)
    return [(deployment.boards[name], own) for name, own in rows.items()]


def _of(deployment: Deployment, board: Board) -> str:
    return f"/{board.name}" if len(_boards(deployment)) > 1 else ""


def _own(deployment: Deployment, trouble: Trouble, rows: Sequence[int]) -> Trouble:
    """What goes wrong at some of the nodes, and when somebody comes."""
    at = {row: i for i, row in enumerate(rows)}
    return replace(
        trouble,
        faults=tuple(replace(f, node=at[f.node]) for f in trouble.faults if f.node in at),
        leaks=tuple((at[node], a, b) for node, a, b in trouble.leaks if node in at),
        visits=_visits(deployment, deployment.season.days),
        alerts=deployment.rain_alerts,
    )


def _visits(deployment: Deployment, days: int) -> tuple[float, ...]:
    """Days of the visits of a season."""
    if math.isinf(deployment.visits):
        return ()
    count = math.ceil(days / deployment.visits) - 1
    return tuple(deployment.visits * i for i in range(1, count + 1))


def recorded_seasons(deployment: Deployment) -> list[Season]:
    """Windows of her own records, a board each; they do not overlap.

    A window takes the nodes whose moisture, temperature and (if the board measures it) efflux are known for most of it.
    Between two readings that are not too far apart the truth is interpolated; in a gap the simulator runs on with what
    lies around it, and errors are not measured there.

    Raises:
        WorkloadError: The records cannot be read, name other nodes, or cover no window.
    """
    layout = deployment.records
    assert layout is not None
    records = read_records(layout, deployment.longitude)
    out: list[Season] = []
    reasons: list[str] = []
    for board, rows in _boards(deployment):
        own = [row for row in rows if deployment.places[row].node.name in records.nodes]
        out += _windows(deployment, records, board, own, reasons)
    if out:
        return out
    known = {place.node.name for place in deployment.places}
    if not known & set(records.nodes):
        raise WorkloadError(
            f"{deployment.file}: the records are of nodes {_list(records.nodes)}, the deployment has {_list(sorted(known))}; "
            "call them alike, or say records: names: {<here>: <in the table>}"
        )
    raise WorkloadError(
        "\n  ".join(
            [
                f"{deployment.file}: no {layout.window} days are known of any node ({layout.covered:.0%} are needed):",
                *reasons,
            ]
        )
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _windows(
    deployment: Deployment, records: Records, board: Board, rows: Sequence[int], reasons: list[str]
) -> list[Season]:
    layout = deployment.records
    assert layout is not None
    needed = ["moisture", "temperature"] + (["CO2 efflux"] if board.hardware.co2_sensor else [])
    usable = []
    for row in rows:
        name = deployment.places[row].node.name
        lacking = [q for q in needed if records.of(name, q) is None]
        if lacking:
            reasons.append(f"{name} has no readings of {', '.join(lacking)}")
        else:
            usable.append(row)
    if not usable:
        return []
    spans = [records.series[deployment.places[row].node.name, q] for row in usable for q in needed]
    first = min(s.times[0] for s in spans).astype("datetime64[D]")
    last = max(s.times[-1] for s in spans).astype("datetime64[D]")
    out: list[Season] = []
    day, most = first, dict.fromkeys(usable, 0.0)
    while day + layout.window <= last + 1:
        share = {
            row: _share(records, deployment.places[row].node.name, needed, day, layout.window, layout.gap)
            for row in usable
        }
        good = [row for row in usable if share[row] >= layout.covered]
        most = {row: max(most[row], share[row]) for row in usable}
        if good:
            out.append(_replay(deployment, records, board, good, day, len(out)))
            day += layout.window
        else:
            day += _STEP
    if not out:
        days = int((last - first).astype(int)) + 1
        reasons += [
            f"{deployment.places[row].node.name}: {days} days in all, at best {most[row]:.0%} of {layout.window}"
            for row in usable
        ]
    return out


def _ticks(day: np.datetime64, days: int) -> np.ndarray:
    """float64[T]: seconds since 1970 of a window's ticks."""
    return np.asarray(day.astype("datetime64[s]").astype(np.int64) + TICK_S * np.arange(days * DAY))


def _at(series: Series, ticks: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Values at ticks between readings, and where two readings are near enough to believe them."""
    times = series.times.astype(np.int64).astype(float)
    values = np.interp(ticks, times, series.values)
    after = np.searchsorted(times, ticks, side="left")
    before = np.searchsorted(times, ticks, side="right") - 1
    inside = (before >= 0) & (after < len(times))
    width = times[np.minimum(after, len(times) - 1)] - times[np.maximum(before, 0)]
    return values, inside & (width <= gap * 3600.0)


def _share(
    records: Records, node: str, needed: Sequence[str], day: np.datetime64, days: int, gap: float
) -> float:
    """Part of a window in which all that is needed is known of a node."""
    ticks = _ticks(day, days)
    known = [_at(records.series[node, q], ticks, gap)[1] for q in needed]
    return float(np.logical_and.reduce(known).mean())


def _replay(
    deployment: Deployment,
    records: Records,
    board: Board,
    rows: Sequence[int],
    day: np.datetime64,
    number: int,
) -> Season:
    layout = deployment.records
    assert layout is not None
    days = layout.window
    ticks = _ticks(day, days)
    values = np.zeros((4, len(rows), len(ticks)))
    known = np.zeros((4, len(rows), len(ticks)), dtype=bool)
    said = []
    for i, row in enumerate(rows):
        name = deployment.places[row].node.name
        for q, what in enumerate(_ROWS):
            series = records.of(name, what)
            if series is None and what == "deep moisture":
                series = records.series[name, "moisture"]  # one probe stands for both
            if series is not None:
                values[q, i], known[q, i] = _at(series, ticks, layout.gap)
        unknown = {
            what: 100 * (1 - known[q, i].mean())
            for q, what in enumerate(_ROWS)
            if records.of(name, what) is not None
        }
        gaps = ", ".join(f"{what} {part:.1f} %" for what, part in unknown.items() if part > 0)
        if gaps:
            said.append(f"{name}: of the window no truth is known for {gaps}; errors are not measured there")
    start = day.astype(object)
    truth = _with_weather(
        from_series(values, (start - date(start.year, 1, 1)).days, latitude=deployment.latitude, known=known),
        records,
        ticks,
        said,
    )
    hardware = replace(board.hardware, store_j=board.store(days))
    if board.lasts > 0:
        said.append(
            f"{days} days have {100 * hardware.store_j / board.cell_j:.3g} % of a battery, {hardware.store_j:.0f} J"
        )
    scenario = Scenario(
        f"{deployment.name}#{day}{_of(deployment, board)}",
        tuple(deployment.places[row].node for row in rows),
        truth,
        hardware,
        deployment.radio,
        trouble=Trouble(visits=_visits(deployment, days), alerts=deployment.rain_alerts),
        seed=2000 + number,
    )
    places = tuple(deployment.places[row] for row in rows)
    return Season(
        with_goals(scenario, deployment.goals), deployment, board, places, start, False, tuple(said)
    )


def _with_weather(truth: Field, records: Records, ticks: np.ndarray, said: list[str]) -> Field:
    """The truth with rain and air temperature of the records, where they have any."""
    rain, air = records.of("", "rain"), records.of("", "air temperature")
    if rain is not None:
        edges = np.append(ticks, ticks[-1] + TICK_S)
        total, _ = np.histogram(rain.times.astype(np.int64), edges, weights=rain.values)
        truth = replace(truth, rain=total.astype(np.float32))
    else:
        said.append(
            "there is no rain in the records; where moisture rises at most nodes, it is taken to have rained"
        )
    if air is not None:
        values, near = _at(air, ticks, 24.0)
        if near.mean() > 0.5:
            truth = replace(truth, air=values.astype(np.float32))
    return truth
