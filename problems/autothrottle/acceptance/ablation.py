"""S11: what Captain loses without one of its parts, where it would be run: an hour that just meets its objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluators.autothrottle.load import Load
from problems.autothrottle.acceptance.savings import STATIC, Cells
from problems.autothrottle.acceptance.statistics import interval
from problems.claims import Bench, Demand, Measured, Run

#: Seeds of users and demands on which the parts are compared. None of them is the one for which the targets were chosen: on
#: that one the whole Captain meets the objective by choice, the ablated ones by luck.
SEEDS = 3
#: Steps at most in which equal cores are looked for, and the share of cores by which they may differ.
_STEPS, _EQUAL = 6, 0.002
#: Targets are kept below a third: from there on Captain never raises a limit.
_MOST = 0.33

Pair = tuple[float, float]


@dataclass(frozen=True)
class Ablation:
    """Captain without a part, and what is moved until it costs as much as the whole one.

    Attributes:
        changes: Pieces of Captain's text and what stands in their place.
        values: The marked constants for a pair of targets and a position of the lever.
        start: First position.
        low: Least position.
        slope: About how much the logarithm of the cores changes with the position; its sign is always right.
        most: Farthest that one step goes.
    """

    changes: tuple[tuple[str, str], ...]
    values: Callable[[Pair, float], Mapping[str, float]]
    start: float
    low: float
    slope: float
    most: float

    def text(self, source: str) -> str:
        """The text of Captain without the part.

        Raises:
            ValueError: A piece is not in it once.
        """
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"the text of captain has changed: {old!r} is not once in it")
            source = source.replace(old, new)
        return source

    def next(self, tried: Sequence[Pair]) -> float:
        """The position to try after some, each with the logarithm of its cores over those that are wanted."""
        if not tried:
            return self.start
        (x, y), *others = sorted(tried, key=lambda t: abs(t[1]))
        slope = self.slope
        if others and others[0][0] != x:
            secant = (others[0][1] - y) / (others[0][0] - x)
            slope = secant if secant * slope > 0 else slope
        return max(self.low, x - float(np.clip(y / slope, -self.most, self.most)))


def _scaled(pair: Pair, x: float) -> dict[str, float]:
    high, rest = (min(_MOST, target * math.exp(x)) for target in pair)
    return {"HIGH": high, "REST": rest}


def _with_margin(pair: Pair, x: float) -> dict[str, float]:
    return {"HIGH": pair[0], "REST": pair[1], "MARGIN": x}


#: Without taking back, both targets are moved by a factor (the position is its logarithm). With a fixed margin it is the
#: margin that is moved, in deviations: no target below a third makes up for a margin that is too wide.
ABLATIONS = {
    "without taking cuts back": Ablation(
        (("if self.cut and ", "if self.cut and tick < 0 and "),),
        _scaled,
        start=0.0,
        low=-5.0,
        slope=-0.15,
        most=1.0,
    ),
    "with a fixed margin": Ablation(
        (
            ("self.margin = max(0.0, self.margin + (ratio - target))", "self.margin = MARGIN"),
            ("self.margin += self.throttled / PERIODS - target", "self.margin = MARGIN"),
            ("MARGIN = 3.0", "MARGIN = 3.0  # tune: 0.0..30.0"),
        ),
        _with_margin,
        start=1.0,
        low=0.0,
        slope=0.03,
        most=5.0,
    ),
}


def others(load: Load) -> list[Load]:
    """The same load with other users and demands."""
    drawn = np.random.SeedSequence(load.seed, spawn_key=(11,)).generate_state(SEEDS) >> 1
    return [
        replace(load, name=f"{load.name}, seed {i}", seed=int(seed))
        for i, seed in enumerate(drawn.tolist(), 1)
    ]


def equal(
    bench: Bench,
    ablation: Ablation,
    text: str,
    loads: Sequence[Load],
    pairs: Sequence[Pair],
    cores: Sequence[float],
) -> list[float]:
    """For each load the position of the lever at which the ablated Captain allocates the nearest to some cores."""
    tried: list[list[Pair]] = [[] for _ in loads]
    for _ in range(_STEPS):
        asked = {}
        for i, before in enumerate(tried):
            x = ablation.next(before)
            if x not in [t[0] for t in before] and all(abs(y) > _EQUAL for _, y in before):
                asked[i] = x
        scores = bench.scores([Run(text, loads[i], ablation.values(pairs[i], x)) for i, x in asked.items()])
        for (i, x), score in zip(asked.items(), scores, strict=True):
            tried[i].append((x, math.log(score.details["limit_cores"] / cores[i])))
    # Cores are no smooth function of the position: the last one tried need not be the nearest.
    return [min(before, key=lambda t: abs(t[1]))[0] for before in tried]


def parts(cells: Cells, bench: Bench) -> Measured:
    """S11: the fewest minutes beyond the objective that an ablation adds at equal cores, over all loads and seeds.

    Each load is run at its best static pair in hindsight. Intervals are of means over loads, which are resampled.
    """
    source = bench.problem.baselines["captain"]
    keys = list(cells.loads)
    loads = list(cells.loads.values())
    chosen = [cells.chosen(bench, STATIC)[key] for key in keys]
    pairs: list[Pair] = [(c.setting[0], c.setting[1]) for c in chosen]

    def measured(text: str, values: Sequence[Mapping[str, float]]) -> np.ndarray:
        """float64[loads, SEEDS, 3]: cores, minutes beyond the objective, logarithm of the P99."""
        runs = [Run(text, other, v) for load, v in zip(loads, values, strict=True) for other in others(load)]
        details = [score.details for score in bench.scores(runs)]
        rows = [[d["limit_cores"], d["bad_minutes"], math.log(d["p99_ms"])] for d in details]
        return np.array(rows).reshape(len(loads), SEEDS, 3)

    whole = measured(source, [{"HIGH": high, "REST": rest} for high, rest in pairs])
    figures = {"Captain: minutes beyond the objective": float(whole[:, :, 1].sum())}
    totals = []
    demands = []
    for name, ablation in ABLATIONS.items():
        text = ablation.text(source)
        wanted = [c.score.details["limit_cores"] for c in chosen]
        places = equal(bench, ablation, text, loads, pairs, wanted)
        found = measured(text, [ablation.values(p, x) for p, x in zip(pairs, places, strict=True)])
        more, slower = (found[:, :, 1:] - whole[:, :, 1:]).mean(axis=1).T
        low, high = interval(more)
        totals.append(float((found - whole)[:, :, 1].sum()))
        figures[f"{name}: additional minutes"] = totals[-1]
        figures[f"{name}: additional minutes an hour"] = float(more.mean())
        figures |= {f"{name}: low end of that": low, f"{name}: high end": high}
        for app in dict.fromkeys(app for app, _ in keys):
            own = [app == key[0] for key in keys]
            figures[f"{name}: {app}, additional minutes"] = float((found - whole)[own, :, 1].sum())
        ends = zip(
            ("P99 higher by, %", "low end of it", "high end of it"),
            (slower.mean(), *interval(slower)),
            strict=True,
        )
        figures |= {f"{name}: {what}": 100.0 * math.expm1(x) for what, x in ends}
        for key, x in zip(keys, places, strict=True):
            figures[f"{name}: {' '.join(key)}, lever"] = x
        spent = float(found[:, :, 0].sum() / whole[:, :, 0].sum())
        demands.append(Demand(f"{name}: cores over those of Captain", spent, low=0.98, high=1.02))
        demands.append(Demand(f"{name}: low end of the additional minutes' 95 % interval", low, low=1e-9))
    return Measured(min(totals), tuple(demands), figures)
