"""S5 to S9: Captain and Tower against the baselines, each baseline tuned for every trace as in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluators.autothrottle.hindsight import HINDSIGHT, Choice
from evaluators.autothrottle.load import Load
from evaluators.base import Score
from problems.claims import Bench, Demand, Measured, Run

#: The authors' tuned utilisation targets (released configuration), K8s-CPU and K8s-CPU-Fast by application and trace.
TUNED = {
    ("social", "diurnal"): (0.5, 0.5),
    ("social", "constant"): (0.5, 0.6),
    ("social", "noisy"): (0.5, 0.4),
    ("social", "bursty"): (0.5, 0.4),
    ("hotel", "diurnal"): (0.7, 0.7),
    ("hotel", "constant"): (0.7, 0.8),
    ("hotel", "noisy"): (0.6, 0.7),
    ("hotel", "bursty"): (0.5, 0.7),
    ("train", "diurnal"): (0.4, 0.6),
    ("train", "constant"): (0.6, 0.6),
    ("train", "noisy"): (0.5, 0.7),
    ("train", "bursty"): (0.5, 0.6),
}
BASELINES = ("k8s_cpu_per_trace", "k8s_cpu_fast_per_trace")
STATIC = "static_targets"


@dataclass(frozen=True)
class Cell:
    """What came of one application and trace.

    Attributes:
        tower: Captain and Tower.
        tuned: By id of :data:`evaluators.autothrottle.hindsight.HINDSIGHT`.
    """

    tower: Score
    tuned: Mapping[str, Choice]

    def saving(self, *baselines: str) -> float:
        """Percent of the cores of the cheapest of some baselines that Tower saves; NaN unless both met the objective.

        Cores are the mean sum of limits, as the authors count them.
        """
        others = [self.tuned[b].score.details["limit_cores"] for b in baselines if self.tuned[b].met]
        if self.tower.details["violated"] or not others:
            return float("nan")
        return 100.0 * (1.0 - self.tower.details["limit_cores"] / min(others))


def choose(id: str, load: Load) -> Choice:
    """What is best in hindsight on one load."""
    return HINDSIGHT[id](load)


class Cells:
    """All applications and traces, run once a command.

    Args:
        loads: By application and trace.
        tower: The text of the policy.
    """

    def __init__(self, loads: Mapping[tuple[str, str], Load], tower: str) -> None:
        self.loads = loads
        self.tower = tower
        self._cells: dict[tuple[str, str], Cell] = {}
        self._chosen: dict[str, Mapping[tuple[str, str], Choice]] = {}

    def chosen(self, bench: Bench, id: str) -> Mapping[tuple[str, str], Choice]:
        """What is best in hindsight, by cell."""
        if id not in self._chosen:
            found = bench.each(choose, [(id, load) for load in self.loads.values()])
            self._chosen[id] = dict(zip(self.loads, found, strict=True))
        return self._chosen[id]

    def of(self, bench: Bench) -> Mapping[tuple[str, str], Cell]:
        """The cells."""
        if not self._cells:
            tuned = {id: self.chosen(bench, id) for id in HINDSIGHT}
            towers = bench.scores([Run(self.tower, load) for load in self.loads.values()])
            for key, tower in zip(self.loads, towers, strict=True):
                self._cells[key] = Cell(tower, {id: choices[key] for id, choices in tuned.items()})
        return self._cells

    def savings(self, bench: Bench, *baselines: str) -> dict[tuple[str, str], float]:
        """Percent saved, by cell."""
        return {key: cell.saving(*baselines) for key, cell in self.of(bench).items()}


def _named(values: Mapping[tuple[str, str], float], what: str) -> dict[str, float]:
    return {f"{' '.join(key)}: {what}": value for key, value in values.items()}


def against_slow(cells: Cells, bench: Bench) -> Measured:
    """S5: mean saving against K8s-CPU, and in how many cells there is one."""
    savings = cells.savings(bench, BASELINES[0])
    values = np.array(list(savings.values()))
    positive = Demand("cells with a saving", float((values > 0).sum()), low=float(len(values)))
    return Measured(float(np.mean(values)), (positive,), _named(savings, "saving, %"))


def against_best(cells: Cells, bench: Bench) -> Measured:
    """S6: largest saving against the better of both baselines, and the least; the same for the best static pair."""
    savings = cells.savings(bench, *BASELINES)
    values = np.array(list(savings.values()))
    least = Demand("least saving of a cell, %", float(values.min()), low=0.0)  # NaN if a cell has none
    static = {
        key: 100.0 * (1 - cell.tuned[STATIC].score.value / min(cell.tuned[b].score.value for b in BASELINES))
        for key, cell in cells.of(bench).items()
    }
    figures = _named(savings, "saving, %") | _named(static, "best static pair, %")
    largest = float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")
    return Measured(largest, (least,), figures)


def tuned_targets(cells: Cells, bench: Bench) -> Measured:
    """S7: cells whose tuned utilisation target is the authors' within 0.1, the fewer of the two baselines."""
    figures: dict[str, float] = {}
    close = []
    social: list[float] = []
    others: list[float] = []
    for place, id in enumerate(BASELINES):
        count = 0
        for key, cell in cells.of(bench).items():
            found = cell.tuned[id].setting[0] if cell.tuned[id].met else float("nan")
            figures[f"{' '.join(key)}: {id.removesuffix('_per_trace')} ({TUNED[key][place]:g})"] = found
            count += abs(found - TUNED[key][place]) < 0.1 + 1e-9
            if key[0] == "social":
                social.append(found)
            if key[0] != "hotel" or place == 0:
                others.append(found)
        close.append(count)
    demands = (
        Demand("least target of Social-Network", float(np.min(social)), low=0.4 - 1e-9),
        Demand("largest target of Social-Network", float(np.max(social)), high=0.6 + 1e-9),
        Demand("largest target but Hotel-Reservation's fast one", float(np.max(others)), high=0.7 + 1e-9),
    )
    return Measured(float(min(close)), demands, figures)


def by_trace(cells: Cells, bench: Bench) -> Measured:
    """S8: applications in which more is saved on the bursty trace than on the constant one."""
    savings = cells.savings(bench, BASELINES[0])
    apps = dict.fromkeys(app for app, _ in savings)
    more = sum(savings[app, "bursty"] > savings[app, "constant"] for app in apps)
    return Measured(float(more), (), _named(savings, "saving, %"))


def closeness(cells: Cells, bench: Bench) -> Measured:
    """S9: the fewest traces, over applications and baselines, on which Tower's P99 is the closer to the objective."""
    counts: dict[tuple[str, str], float] = {}
    figures: dict[tuple[str, str], float] = {}
    for (app, trace), cell in cells.of(bench).items():
        slo_ms = cells.loads[app, trace].application.slo_ms
        figures[app, trace] = cell.tower.details["p99_ms"] / slo_ms
        for id in BASELINES:
            closer = cell.tower.details["p99_ms"] >= cell.tuned[id].score.details["p99_ms"]
            counts[app, id] = counts.get((app, id), 0.0) + closer
    within = Demand("largest P99 over objective", max(figures.values()), high=1.0)
    shown = _named(figures, "P99/SLO") | _named(counts, "traces")
    return Measured(min(counts.values()), (within,), shown)
