"""S2, S3, S4: what throttling does under Captain, what it says about latency, and which way things go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from evaluators.autothrottle.hindsight import TARGETS, UTILISATIONS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import FAST, SLOW, Native, pair, run, scheduled, scored, utilisation
from problems.autothrottle.acceptance.statistics import pearson, spearman
from problems.claims import Bench, Demand, Measured

#: Services that use less are not looked at: cores.
_USED = 0.1
_HOUR = 3600
#: Targets above 0 whose tracking is measured, and the ratios to the target that count as tracking.
_TRACKED = (0.04, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3)
_BAND = (0.3, 1.5)
#: Seconds of a batch, six time constants of the drift of demands (evaluators.autothrottle.load), so that batches are as
#: good as independent; and standard errors by which a ratio is off the band's bounds when a window is long enough.
_BATCH_S = 180
_SURE = 3.0
#: A service can move the P99 if the worst of its minutes is so many times the best.
_MOVES = 1.2


@dataclass(frozen=True)
class Tracked:
    """What each service did under Captain at one target.

    Attributes:
        ratio: float64[S], throttled share of wall-clock periods over the time in which allocation is measured.
        error: float64[S], standard error of that.
        used: float64[S], cores over the same time.
        first: float64[S], throttled share in the first hour after the ramp.
    """

    ratio: np.ndarray
    error: np.ndarray
    used: np.ndarray
    first: np.ndarray


def tracked(load: Load, target: float) -> Tracked:
    """What each service does under Captain at one target."""
    series: dict[str, list[np.ndarray]] = {}
    run(pair(load.application, target, target), load, series)
    throttled, used = np.array(series["throttled"]), np.array(series["usage"])
    after = load.ramp_s + load.settle_s
    ratio, error = batched(throttled[after:])
    first = throttled[load.ramp_s : load.ramp_s + _HOUR]
    return Tracked(ratio, error, used[after:].mean(axis=0), first.mean(axis=0))


def batched(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the columns of a series (one row a second), and their standard errors from the means of batches.

    Neighbouring seconds are alike, so a deviation of seconds would make the error too small.
    """
    n = len(rows) // _BATCH_S
    means = rows[: n * _BATCH_S].reshape(n, _BATCH_S, -1).mean(axis=1)
    return rows.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(n)


def _open(seen: Tracked, target: float) -> np.ndarray:
    """bool[S]: ratios so near a bound of the band that the other side of it is within their error."""
    bounds = target * np.array(_BAND)
    near = np.abs(seen.ratio[:, None] - bounds) < _SURE * seen.error[:, None]
    return near.any(axis=1) & (seen.used > _USED)


def tracking(
    bench: Bench, loads: Sequence[Load], longer: Sequence[Load], longest: Sequence[Load]
) -> Measured:
    """Share of services and targets for which the throttle ratio is in the band, in percent.

    Args:
        bench: Where it is measured.
        loads: For the targets above 0.
        longer: The same for a longer time, each in the place of its load; for targets at which that was too short to tell
            on which side of a bound the ratio of some service is. All services are measured again then.
        longest: For target 0: there each throttled period adds a tenth to the margin of Captain and nothing ever takes
            from it, so that the ratio falls with the inverse of time and has a long run only after hours.
    """
    cases = [*product(range(len(loads)), _TRACKED), *((i, 0.0) for i in range(len(longest)))]
    seen = bench.each(tracked, [((loads if target else longest)[i], target) for i, target in cases])
    again = [n for n, (_, target) in enumerate(cases) if target and _open(seen[n], target).any()]
    for n, more in zip(
        again, bench.each(tracked, [(longer[i], x) for i, x in map(cases.__getitem__, again)]), strict=True
    ):
        seen[n] = more
    inside = total = undecided = 0
    figures: dict[str, float] = {}
    at_zero = 0.0
    for n, (i, target) in enumerate(cases):
        busy = seen[n].used > _USED
        ratio = seen[n].ratio[busy]
        name = f"{loads[i].application.name} at {target:g}"
        if target == 0.0:
            at_zero = max(at_zero, float(ratio.max()))
            hours = (longest[i].ramp_s + longest[i].settle_s) // _HOUR
            figures[f"{name}: most in the first hour"] = float(seen[n].first[busy].max())
            figures[f"{name}: most after {hours} hours"] = float(ratio.max())
            continue
        ratio = ratio / target
        error = seen[n].error[busy] / target
        inside += int(((ratio >= _BAND[0]) & (ratio <= _BAND[1])).sum())
        total += len(ratio)
        undecided += int(_open(seen[n], target).sum())
        least = int(ratio.argmin())
        figures[f"{name}: least of the target"] = float(ratio[least])
        figures[f"{name}: standard error of that"] = float(error[least])
        figures[f"{name}: most"] = float(ratio.max())
    figures["targets measured again for longer"] = float(len(again))
    figures[f"ratios within {_SURE:g} standard errors of a bound even so"] = float(undecided)
    zero = Demand("largest throttle ratio of a service at target 0, 0 in three digits", at_zero, high=0.0005)
    return Measured(100.0 * inside / total, (zero,), figures)


def minutes(load: Load, service: int, limits: np.ndarray) -> np.ndarray:
    """Minutes in which one service is limited and the others are not: float64[M, 4].

    Columns: throttled share of its periods, usage over limit, usage in cores, P99 of the application in ms.

    Args:
        load: Its first minute is left out.
        service: Which service is limited.
        limits: float64[M], cores, for each minute.
    """
    rows = np.full((len(load.application.services), len(limits)), load.application.node_cores)
    rows[service] = limits
    series: dict[str, list[np.ndarray]] = {}
    run(scheduled(rows), load, series)
    p99 = np.array(series["p99"])
    n = len(p99)
    throttled, used, limit = (
        np.array(series[name])[: 60 * n, service].reshape(n, 60).mean(axis=1)
        for name in ("throttled", "usage", "limits")
    )
    return np.column_stack([throttled, used / limit, used, p99])[1:]


def _drawn(load: Load, service: int, n: int, seed: int) -> tuple[Load, int, np.ndarray]:
    """Loads and limits of ``n`` minutes: half to once and a half the mean load, limits up to thrice the usage then."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(service,)))
    mean = float(load.rps[load.ramp_s :].mean())
    rps = np.round(mean * rng.uniform(0.5, 1.5, n)).astype(np.int64).repeat(60)
    limits = load.application.demand[service] * mean * rng.uniform(0.8, 3.0, n)
    drawn = Load(f"{load.name}: service {service}", load.application, rps, 60, 0, seed + service)
    return drawn, service, np.maximum(limits, 0.01)


def proxy(bench: Bench, load: Load, n: int) -> Measured:
    """How much better throttles go with the P99 than utilisation does."""
    services = np.flatnonzero(load.application.demand * load.rps.mean() > _USED)
    seen = bench.each(minutes, [_drawn(load, int(s), n, 7) for s in services])
    gaps = []
    by = {"throttles": [], "utilisation": [], "usage": [], "rank: throttles": [], "rank: utilisation": []}  # type: dict[str, list[float]]
    for rows in seen:
        throttled, utilised, used, p99 = rows.T
        if p99.max() < _MOVES * p99.min():
            continue
        by["throttles"].append(pearson(throttled, p99))
        by["utilisation"].append(pearson(utilised, p99))
        by["usage"].append(pearson(used, p99))
        by["rank: throttles"].append(spearman(throttled, p99))
        by["rank: utilisation"].append(spearman(utilised, p99))
        gaps.append(by["throttles"][-1] - by["utilisation"][-1])
    figures = {f"mean correlation of {name}": float(np.mean(values)) for name, values in by.items() if values}
    figures |= {"services that move the P99": float(len(gaps)), "services limited": float(len(services))}
    better = 100.0 * float(np.mean(np.array(gaps) > 0)) if gaps else float("nan")
    gap = Demand(
        "mean difference of the correlations", float(np.mean(gaps)) if gaps else float("nan"), low=0.1
    )
    return Measured(better, (gap,), figures)


def monotone(bench: Bench, loads: Sequence[Load]) -> Measured:
    """The least of the rank correlations of cores and P99 with targets, means over loads of one application."""
    app = loads[0].application
    laws: dict[str, tuple[Callable[[float], Native], Sequence[float]]] = {
        "throttle target": (lambda x: pair(app, x, x), TARGETS),
        "K8s-CPU": (lambda x: utilisation(app, x, SLOW), UTILISATIONS),
        "K8s-CPU-Fast": (lambda x: utilisation(app, x, FAST), UTILISATIONS),
    }
    calls = [(law(x), load) for law, grid in laws.values() for x in grid for load in loads]
    scores = iter(bench.each(scored, calls))
    figures = {}
    for name, (_, grid) in laws.items():
        rows = [[next(scores).details for _ in loads] for _ in grid]
        for what, sign in (("cores", -1.0), ("p99_ms", 1.0)):
            means = np.array([np.mean([d[what] for d in row]) for row in rows])
            figures[f"{what} by {name}"] = sign * spearman(np.array(grid), means)
    return Measured(min(figures.values()), (), figures)
