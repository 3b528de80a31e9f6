"""S2, S3, S4: what throttling does under Captain, what it says about latency, and which way things go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
#: A service can move the P99 if the worst of its minutes is so many times the best.
_MOVES = 1.2


def ratios(load: Load, target: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each service does under Captain at one target: float64[S] each.

    Returns:
        Throttled share of wall-clock periods and usage in cores over the time in which allocation is measured, and the
        throttled share in the first hour after the ramp.
    """
    series: dict[str, list[np.ndarray]] = {}
    run(pair(load.application, target, target), load, series)
    throttled, used = np.array(series["throttled"]), np.array(series["usage"])
    after = load.ramp_s + load.settle_s
    first = throttled[load.ramp_s : load.ramp_s + _HOUR]
    return throttled[after:].mean(axis=0), used[after:].mean(axis=0), first.mean(axis=0)


def tracking(bench: Bench, loads: Sequence[Load], longer: Sequence[Load]) -> Measured:
    """Share of services and targets for which the throttle ratio is in the band, in percent.

    Args:
        bench: Where it is measured.
        loads: For the targets above 0.
        longer: For target 0: there each throttled period adds a tenth to the margin of Captain and nothing ever takes
            from it, so that the ratio falls with the inverse of time and has a long run only after hours.
    """
    cases = [*product(loads, _TRACKED), *((load, 0.0) for load in longer)]
    seen = bench.each(ratios, cases)
    inside = total = 0
    figures: dict[str, float] = {}
    at_zero = 0.0
    for (load, target), (throttled, used, first) in zip(cases, seen, strict=True):
        ratio = throttled[used > _USED]
        name = f"{load.application.name} at {target:g}"
        if target == 0.0:
            at_zero = max(at_zero, float(ratio.max()))
            figures[f"{name}: most in the first hour"] = float(first[used > _USED].max())
            figures[f"{name}: most after {(load.ramp_s + load.settle_s) // _HOUR} hours"] = float(ratio.max())
            continue
        ratio = ratio / target
        inside += int(((ratio >= _BAND[0]) & (ratio <= _BAND[1])).sum())
        total += len(ratio)
        figures[f"{name}: least of the target"] = float(ratio.min())
        figures[f"{name}: most"] = float(ratio.max())
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
