"""The acceptance claims of the simulator (C1 to C12), with their bounds.

Where the records of real sites are configured (``problem.sites``), C1, C8, C9 and C12 are measured on them, too; their texts
say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from evaluators.sensing.sites import read_record, replays, site_files
from problems.base import Problem
from problems.claims import Bench, Claim, Demand, Measured, Run
from problems.sensing import measuring as m

_PAPER = "arXiv 2102.10260"
_REPLAY = "real records (COSORE: Kaye, Pennington, Savage)"


def claims(problem: Problem, quick: bool) -> Sequence[Claim]:
    """All claims; with ``quick`` fewer seasons and windows."""
    n = 2 if quick else 8
    files = site_files(problem.config.get("sites"))
    real = 6 if quick else 40
    also = (
        f"; {min(real, len(replays(files)))} windows of real sites" if files else "; no real sites configured"
    )
    sim = f" ({n} seasons"
    sites = tuple(files)
    return [
        Claim("C1", f"Wet-ups concentrate change: part of |d theta| in the most changing 5 % of hours{sim}{also})", 0.46, 0.70,
              f"{_REPLAY}: 0.46 to 0.70", "must", partial(_concentration, n=n, files=sites, real=real)),
        Claim("C2", "Nodes of 50 that live beyond a year, Gen-2 cells that end around day 480, part", 0.60, 0.90,
              f"{_PAPER}, section on lessons: 77 %, figures 7 and 8", "should", m.yields,
              "Cells and early losses are put in, the shape of the yield follows. Where it fails: leaves that live are cut off when "
              "all their relays (at most three, one hop nearer) have died, and relays die first."),
        Claim("C3", "Suppressing 99 % of the reports prolongs life by a factor", 2.0, 4.0,
              "Raza et al. (dual prediction): about 3", "should", m.suppression,
              "The floor is sleep and the MAC: listening a permille of the time, as Koala does (paper, networking), is added to sleep."),
        Claim("C4", "Radio energy of daily batches over that of sending each reading, part", None, 0.5,
              f"Dutta et al.; {_PAPER}", "must", m.batching),
        Claim("C5", f"Hours without a link when wet less those when dry, 2.4 GHz, part{sim})", 0.05, None,
              f"{_PAPER}: 2.4 GHz fell in rain, at 900 MHz the problem has gone away", "must", partial(m.wet_links, n=n)),
        Claim("C6", f"Samples in space for equal accuracy, moisture over temperature{sim})", 10.0, None,
              "Loescher et al. 2014, PLOS ONE", "should", partial(m.in_space, n=n),
              "Variance between places over that in time, of moisture over that of temperature."),
        Claim("C7", f"Moisture error with own rates over that with one common rate, equal energy{sim})", None, 0.99,
              "a prototype of this simulator and its replay of real records", "must", partial(m.own_rates, n=n),
              "CO2 at two thirds of the common rate, and of the probe rates that this pays for the best."),
        Claim("C8", f"Efflux error with two CO2 readings a day over that with three{sim}{also})", 1.1, 1.6,
              "a prototype of this simulator: 1.51, in its replay 1.20", "should", partial(_two_a_day, n=n, files=sites, real=real)),
        Claim("C9", f"Send-on-delta does not beat even spacing: efflux error over that of evenly spaced CO2 readings, equal energy{sim}{also})",
              1.0, None, "a prototype of this simulator: +4 to +14 %, in its replay +25 to +30 %", "must",
              partial(_on_delta, n=n, files=sites, real=real)),
        Claim("C10", f"Wet-ups caught with rain alerts less those with a burst of one's own, three-hour base, dear probes, equal energy{sim})",
              0.05, None, "a prototype of this simulator: +0.08 to +0.49 over no trigger", "should", partial(m.alerts, n=n),
              "Alerts have a price here that they had not in the prototype: listening at 10 microwatts takes as much as seven dear "
              "wake-ups a day. For nothing they would catch as many more as is demanded."),
        Claim("C11", f"Under sun the schedule that is best in June is down in December, part of the time{sim})", 0.10, None,
              "a prototype of this simulator", "should", partial(m.winter, n=n)),
        Claim("C12", f"What temperature and moisture explain of log efflux over whole records, R2, median ({n} years{'; whole real records' if files else ''})", 0.44, 0.88,
              f"{_REPLAY}: 0.44 to 0.88", "must", partial(_unexplained, n=n, files=sites)),
    ]  # fmt: skip


def _sites(files: tuple[str, ...], real: int) -> list[Any]:
    return replays(files)[:: max(1, len(replays(files)) // real)][:real] if files else []


def _concentration(bench: Bench, n: int, files: tuple[str, ...], real: int) -> Measured:
    wet, flux = m.concentration(m.seasons(n))
    demands = [Demand("the same of efflux, synthetic", flux, 0.20, 0.36)]
    figures = {"synthetic, moisture": wet, "synthetic, efflux": flux}
    if files:
        found = m.concentration(_sites(files, real))
        figures |= {"real, moisture": found[0], "real, efflux": found[1]}
        demands.append(Demand("of moisture at real sites", found[0], 0.46, 0.70))
    return Measured(wet, tuple(demands), figures)


def _two_a_day(bench: Bench, n: int, files: tuple[str, ...], real: int) -> Measured:
    value = m.two_a_day(m.seasons(n))
    if not files:
        return Measured(value)
    found = m.two_a_day(_sites(files, real))
    return Measured(value, (Demand("at real sites", found, 1.1, 1.6),), {"real": found})


def _on_delta(bench: Bench, n: int, files: tuple[str, ...], real: int) -> Measured:
    source = bench.problem.baselines["send_on_delta"]

    def ratio(scenarios: Sequence[Any]) -> tuple[float, float]:
        tasks = [m.unbounded(s) for s in scenarios]
        points: list[float] = []
        for degrees, step in m.DELTAS:
            values = {"PROBE": 6, "DEGREES": degrees, "MOISTURE": step, "LONGEST": 432, "RADIO": 144}
            scores = bench.scores([Run(source, task, values) for task in tasks])
            points += [
                s.details["flux_error"] / m.even(task, s.details["co2_a_day"])
                for task, s in zip(tasks, scores, strict=True)
                if m.in_range(s.details["co2_a_day"])
            ]
        return float(np.mean(points)), float(np.min(points))

    value, least = ratio(m.seasons(n))
    figures = {"synthetic, mean": value, "synthetic, least of a season and threshold": least}
    if not files:
        return Measured(value, (), figures)
    found, least = ratio(_sites(files, real))
    figures |= {"real, mean": found, "real, least": least}
    return Measured(value, (Demand("at real sites", found, 1.0),), figures)


def _unexplained(bench: Bench, n: int, files: tuple[str, ...]) -> Measured:
    found = m.unexplained(m.years(n))
    figures = {f"synthetic, {name}": value for name, value in found.items()}
    demands = [
        Demand("s.d. of the residual of log efflux, synthetic", found["residual s.d."], 0.28, 0.62),
        Demand("its autocorrelation at 1 h", found["1 h"], 0.70, 0.92),
        Demand("at 24 h", found["24 h"], 0.43, 0.69),
        Demand("at 72 h", found["72 h"], 0.24, 0.63),
        Demand("at 168 h", found["168 h"], 0.15, 0.52),
    ]
    if files:
        other = m.unexplained([read_record(path).hours for path in files])
        figures |= {f"real, {name}": value for name, value in other.items()}
    return Measured(found["R2"], tuple(demands), figures)
