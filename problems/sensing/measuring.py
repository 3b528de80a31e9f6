"""What claims measure: seasons, schedules, and what comes of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluators.sensing import fixed, network
from evaluators.sensing import layout as k
from evaluators.sensing.fixed import Schedule
from evaluators.sensing.noise import normal
from evaluators.sensing.readings import NOISE
from evaluators.sensing.scenario import DAY, HOUR, Hardware, Radio, Scenario, Trouble
from evaluators.sensing.scoring import Outcome, Task, outcome
from evaluators.sensing.simulator import Measured as Workload
from evaluators.sensing.suites import KINDS, made
from problems.claims import Bench, Demand, Measured, Run

_STREAM = 77
#: Thresholds of send-on-delta that are tried: degrees, and m3 m-3.
DELTAS = ((0.7, 0.01), (1.2, 0.015), (2.0, 0.03), (3.5, 0.05))
#: CO2 readings a day between which schedules are compared.
_LEAST, _MOST = 1.5, 20.0
#: A store that no season empties.
_PLENTY = 1e6


@functools.lru_cache(maxsize=64)
def _season(kind: str, i: int, nodes: int, days: int, start: float | None, trouble: bool) -> Scenario:
    rng = np.random.default_rng(np.random.SeedSequence(20210210, spawn_key=(_STREAM, i)))
    return made(rng, f"claims/{kind}/{i}", KINDS[kind], nodes, days, start=start, trouble=trouble)


def seasons(n: int, kind: str = "text-wood", start: float | None = None) -> list[Scenario]:
    """Seasons of 60 days with eight nodes and nothing that goes wrong but links."""
    return [_season(kind, i, 8, 60, start, False) for i in range(n)]


def _with(scenario: Scenario, **hardware: Any) -> Scenario:
    return scenario.on(hardware=replace(scenario.hardware, **hardware))


def unbounded(scenario: Scenario) -> Workload:
    """The scenario with a store that no season empties."""
    return Workload(_with(scenario, store_j=_PLENTY, panel_w=0.0))


def _ran(scenario: Scenario, schedule: Schedule) -> Outcome:
    task = Task(scenario)
    return outcome(task, fixed.run(task, schedule))


def in_range(readings: float) -> bool:
    """Whether a number of CO2 readings a day can be compared."""
    return _LEAST <= readings <= _MOST


def even(task: Task, readings: float) -> float:
    """Efflux error of evenly spaced CO2 readings, so many a day, between the two schedules next to it (log-log)."""
    curve = []
    for every in (6, 9, 12, 18, 24, 36, 48, 72, 96, 144):
        # The probes are read as often as send-on-delta reads them, so that only CO2 differs.
        found = outcome(task, fixed.run(task, Schedule(6 if every % 6 == 0 else 3, every, 144)))
        curve.append((found.details["co2_a_day"], found.details["flux_error"]))
    curve.sort()
    x, y = np.log(np.array(curve).T)
    return float(np.exp(np.interp(np.log(readings), x, y)))


def concentration(scenarios: Sequence[Scenario]) -> tuple[float, float]:
    """Part of the hourly change of moisture and of efflux that the most changing 5 % of the hours hold; medians."""
    out = []
    for q in (0, 3):
        parts = []
        for scenario in scenarios:
            change = np.abs(np.diff(scenario.field.values[q, :, ::HOUR].astype(np.float64), axis=1))
            for row in np.sort(change, axis=1)[:, ::-1]:
                parts.append(float(row[: len(row) // 20].sum() / max(1e-12, row.sum())))
        out.append(float(np.median(parts)))
    return out[0], out[1]


def two_a_day(scenarios: Sequence[Scenario]) -> float:
    """Efflux error with a reading every twelve hours over that with one every eight, mean."""
    plenty = [_with(s, store_j=_PLENTY, panel_w=0.0) for s in scenarios]
    return float(
        np.mean(
            [
                _ran(s, Schedule(6, 72, 144)).parts["flux_error"]
                / _ran(s, Schedule(6, 48, 144)).parts["flux_error"]
                for s in plenty
            ]
        )
    )


def years(n: int) -> list[np.ndarray]:
    """float64[3, places, H] each: a year of hourly moisture, temperature and efflux as a chamber would record them."""
    out = []
    for i in range(n):
        rng = np.random.default_rng(np.random.SeedSequence(20210210, spawn_key=(_STREAM, 2000, i)))
        scenario = made(rng, f"claims/year/{i}", KINDS["text-wood"], 4, 365, start=0.0, trouble=False)
        values = scenario.field.values[[0, 2, 3], :, ::HOUR].astype(np.float64)
        z = np.array(
            [[normal(scenario.seed, 4 * p + 3, 6 * h) for h in range(values.shape[2])] for p in range(4)]
        )
        values[2] *= np.exp(NOISE[3] * z)
        out.append(values)
    return out


def unexplained(records: Sequence[np.ndarray]) -> dict[str, float]:
    """Medians over places of a regression of hourly log efflux on T, theta, theta2 and T theta, over whole records.

    Args:
        records: float64[3, places, H] each: moisture, temperature, efflux; hours with NaN are left out.
    """
    rows = []
    for record in records:
        for th, ts, f in zip(*record, strict=True):
            good = np.isfinite(th) & np.isfinite(ts) & np.isfinite(f) & (f > 0.05)
            y = np.log(np.where(good, f, 1.0))
            x = np.column_stack([np.ones_like(th), ts, th, th * th, ts * th])
            residual = np.full(len(y), np.nan)
            residual[good] = y[good] - x[good] @ np.linalg.lstsq(x[good], y[good], rcond=None)[0]
            var = float(np.nanvar(residual))
            row = [1.0 - var / float(y[good].var()), var**0.5]
            row += [float(np.nanmean(residual[lag:] * residual[:-lag])) / var for lag in (1, 6, 24, 72, 168)]
            rows.append(row)
    names = ("R2", "residual s.d.", "1 h", "6 h", "24 h", "72 h", "168 h")
    return dict(zip(names, np.median(rows, axis=0).tolist(), strict=True))


def yields(bench: Bench) -> Measured:
    """Fifty nodes for 560 days without service, an outage of two weeks, cells that end around day 480."""
    rng = np.random.default_rng(np.random.SeedSequence(20210210, spawn_key=(_STREAM, 1000)))
    kind = replace(KINDS["text-relays"], span=300.0, cover="forest")
    days = 560
    base = made(rng, "claims/yield", kind, 50, days, start=175.0, trouble=False)
    schedule = Schedule(2, days * DAY, 144)
    plenty = _ran(_with(base, store_j=_PLENTY, cold=0.0), schedule).details["joules_a_day"]
    # Most cells are alike; a quarter of the nodes are lost early to water and other causes (paper, causes of failure).
    cells = [plenty * (480.0 + 12.0 * (float(rng.random(12).sum()) - 6.0)) for _ in range(50)]
    early = np.argsort(rng.random(50), kind="stable")[:12]
    leaks = tuple((int(i), 60.0, 90.0 + 330.0 * float(rng.random())) for i in early)
    nodes = tuple(replace(node, store_j=cell) for node, cell in zip(base.nodes, cells, strict=True))
    scenario = _with(base, cold=0.0).on(nodes=nodes, trouble=Trouble(outages=((220.0, 234.0),), leaks=leaks))

    def run(tried: Scenario) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Days of death; by day the part of the readings that arrive, of all nodes and of those that live."""
        world = fixed.run(Task(tried), schedule)
        died = np.where(world.node_ints[:, k.DIED] < 0, tried.field.ticks, world.node_ints[:, k.DIED]) / DAY
        there = ((world.flags.reshape(50, days, DAY) & (k.ARRIVED | k.DROPPED)) == k.ARRIVED).sum(
            axis=2
        ) / 72.0
        alive = died[:, None] > np.arange(days)
        return died, there.mean(axis=0), there.sum(axis=0) / np.maximum(1, alive.sum(axis=0))

    died, everyone, working = run(scenario)
    straight, _, reached = run(scenario.on(radio=replace(scenario.radio, relays=False)))
    # Readings wait in flash through an outage: the dip shows in when they arrive, as age, not in what is lost.
    ends = np.sort(died)
    quartiles = float(ends[37] - ends[12])
    return Measured(
        float((died > 365).mean()),
        (
            Demand(
                "yield of the living less that of all, mean", float((working - everyone)[:540].mean()), 0.0
            ),
            Demand("yield of the living in the first year", float(working[:365].mean()), 0.85, 1.0),
            Demand(
                "days between the deaths of a quarter and of three quarters (the cliff)",
                quartiles,
                None,
                120.0,
            ),
            Demand("median death, day", float(np.median(died)), 430.0, 530.0),
        ),
        {
            "yield of all, first year": float(everyone[:365].mean()),
            "yield of all, last month": float(everyone[-30:].mean()),
            "yield of the living in the first year, without relays": float(reached[:365].mean()),
            "days of the cliff, without relays": float(np.sort(straight)[37] - np.sort(straight)[12]),
        },
    )


def suppression(bench: Bench) -> Measured:
    """Joules a day of a node that reports every ten minutes, over those of one that sends one in a hundred reports."""
    scenario = _season("text-wood", 0, 8, 60, None, False)
    listening = 0.001 * 0.016 * 3.0  # a permille of the time at the receiver's 16 mA
    board = replace(
        Hardware.preset("text"),
        store_j=_PLENTY,
        sleep_w=30e-6 + listening,
        co2_sensor=False,
        records_per_packet=1,
    )
    quiet = scenario.on(hardware=board, radio=Radio(good_h=1e9, bad_h=1e-3, relays=False))
    each = _ran(quiet, Schedule(1, 6, 1)).details["joules_a_day"]
    # What is suppressed is never sent: one reading in a hundred is taken to be reported, in a session of its own.
    seldom = each - 0.99 * 144.0 * (board.session_j + board.packet_j)
    bare = _ran(quiet.on(hardware=replace(board, sleep_w=30e-6)), Schedule(1, 6, 1)).details["joules_a_day"]
    return Measured(
        each / seldom,
        (),
        {
            "J/d, every reading sent": each,
            "J/d, one in a hundred": seldom,
            "factor without a MAC's listening": bare / (bare - (each - seldom)),
        },
    )


def batching(bench: Bench) -> Measured:
    """Radio energy of a session a day over a session a reading, with sessions as they are and four times as dear."""
    scenario = _with(_season("text-wood", 1, 8, 60, None, False), store_j=_PLENTY)

    def part(session_j: float) -> float:
        s = _with(scenario, session_j=session_j)
        batch, single = (_ran(s, Schedule(2, 36, r)).details for r in (144, 2))
        return float((batch["radio_j"] + batch["relay_j"]) / (single["radio_j"] + single["relay_j"]))

    usual, dear = part(0.06), part(0.24)
    return Measured(usual, (Demand("the same with dearer sessions, over it", dear / usual, None, 0.999),))


def wet_links(bench: Bench, n: int) -> Measured:
    """Part of the hours in which a link is down, in rain less in dry hours."""

    def difference(band: str) -> float:
        out = []
        for scenario in seasons(n):
            s = scenario.on(radio=Radio(band=band))
            up = network.links(s, network.routes(s))
            wet = s.field.rain.reshape(-1, HOUR).sum(axis=1) > 0.1
            out.append(float(up[:, ~wet].mean() - up[:, wet].mean()))
        return float(np.mean(out))

    return Measured(difference("2.4"), (Demand("at 900 MHz", abs(difference("900")), None, 0.03),))


def in_space(bench: Bench, n: int) -> Measured:
    """Variance between places over that in time, of moisture over that of temperature."""
    out, means = [], []
    for scenario in seasons(n):
        values = scenario.field.values.astype(np.float64)
        means.append(float(values[0].mean(axis=1).std()))
        ratio = [
            float((values[q] - values[q].mean(axis=0)).var(axis=0).mean() / values[q].mean(axis=0).var())
            for q in (0, 2)
        ]
        out.append(ratio[0] / ratio[1])
    return Measured(
        float(np.median(out)), (), {"s.d. of the places' mean moisture, m3 m-3": float(np.mean(means))}
    )


def own_rates(bench: Bench, n: int) -> Measured:
    """One rate for probes and CO2, against CO2 at two thirds of it and the best probe rate that the same joules allow.

    The best is not the quickest: the base does not smooth, so a reading at every tick is as wrong as its noise.
    """
    errors, caught, quickest = [], [], []
    for scenario in seasons(n):
        plenty = _with(scenario, store_j=_PLENTY)
        one = _ran(plenty, Schedule(12, 12, 144))
        tried = [_ran(plenty, Schedule(every, 18, 144)) for every in fixed.PROBE if every <= 18]
        able = [own for own in tried if own.details["joules_a_day"] <= one.details["joules_a_day"]]
        best = min(able, key=lambda own: own.parts["moisture_error"])
        errors.append(best.parts["moisture_error"] / one.parts["moisture_error"])
        quickest.append(able[0].parts["moisture_error"] / one.parts["moisture_error"])
        caught.append(one.parts.get("missed_wetups", 0.0) - best.parts.get("missed_wetups", 0.0))
    return Measured(
        float(np.mean(errors)),
        (Demand("more wet-ups caught, part", float(np.mean(caught)), 0.0),),
        {"with the quickest rate that the joules allow": float(np.mean(quickest))},
    )


def alerts(bench: Bench, n: int) -> Measured:
    """Rain alerts, a burst after a rise of one's own, and neither, from a base of three hours with dear probes."""
    source = bench.problem.baselines["rain_reactive"]
    own = source.replace("if obs[11] > 0.0 or obs[0]", "if obs[0]").replace(
        "def listen(self):\n        return True", "def listen(self):\n        return False"
    )
    caught: dict[str, list[float]] = {"alerts": [], "burst": [], "free alerts": []}
    for scenario in seasons(n):
        task = Workload(_with(scenario, store_j=_PLENTY, probe_j=3 * 38.6e-3))
        if not len(task.events):
            continue
        curve = []
        for every in (3, 4, 6, 9, 12, 18, 24):
            found = outcome(task, fixed.run(task, Schedule(every, 72, 144)))
            curve.append(
                (found.details["probe_j"] + found.details["alert_j"], 1.0 - found.parts["missed_wetups"])
            )
        curve.sort()
        x, y = np.array(curve).T
        for name, text in (("alerts", source), ("burst", own)):
            values = {"DRY": 18, "WET": 2, "STORM": 18, "CO2": 72, "CO2_WET": 72, "RADIO": 144}
            run = bench.scores([Run(text, task, values)])[0].details
            joules = run["probe_j"] + run["alert_j"]
            found_part = 1.0 - run["missed_wetups"]
            caught[name].append(found_part - float(np.interp(joules, x, y)))
            if name == "alerts":
                caught["free alerts"].append(found_part - float(np.interp(run["probe_j"], x, y)))
    value = float(np.mean(caught["alerts"]) - np.mean(caught["burst"]))
    return Measured(
        value,
        (Demand("with alerts over even spacing at equal energy", float(np.mean(caught["alerts"])), 0.05),),
        {
            "a burst of one's own over even spacing at equal energy": float(np.mean(caught["burst"])),
            "with alerts, if listening cost nothing": float(np.mean(caught["free alerts"])),
        },
    )


def winter(bench: Bench, n: int) -> Measured:
    """The best fixed schedule of June run in December, on the same panel."""
    down, summer = [], []
    for i in range(n):
        june, december = (
            _with(_season("text-solar", i, 8, 30, start, False), store_j=60.0, panel_w=6e-4)
            for start in (152.0, 335.0)
        )
        schedule, found = fixed.best(Task(june))
        summer.append(found.parts["down"])
        down.append(_ran(december, schedule).parts["down"])
    return Measured(float(np.mean(down)), (Demand("down in June", float(np.mean(summer)), None, 0.02),))
