"""S10, S12 and the anti-claims: what parts of the design are good for, and signs of a broken simulator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.autothrottle.hindsight import TARGETS, UTILISATIONS, Choice, best
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import FAST, SLOW, scheduled, scored, targets, utilisation
from problems.autothrottle.acceptance.savings import BASELINES, STATIC, Cells
from problems.claims import Bench, Demand, Measured, Run

#: Most halvings of the same limit for all services.
_HALVINGS = 5
#: Target from which the best one for all services is looked for.
_TARGET = 0.1


def split(demand: np.ndarray, k: int) -> np.ndarray:
    """Clusters of services by mean usage: the split of the sorted demands with the least sum of squares (int64[S])."""
    order = np.argsort(demand)
    values = demand[order]
    n = len(values)
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values, values * values))

    def cost(a: int, b: int) -> float:
        return float(squares[b] - squares[a] - (sums[b] - sums[a]) ** 2 / (b - a))

    least = {(0, 0): (0.0, 0)}
    for clusters in range(1, k + 1):
        for end in range(clusters, n + 1):
            ways = [
                (least[clusters - 1, start][0] + cost(start, end), start)
                for start in range(clusters - 1, end)
                if (clusters - 1, start) in least
            ]
            if ways:
                least[clusters, end] = min(ways)
    out = np.zeros(n, dtype=np.int64)
    end = n
    for clusters in range(k, 0, -1):
        start = least[clusters, end][1]
        out[order[start:end]] = clusters - 1
        end = start
    return out


def static(load: Load, clusters: np.ndarray, start: tuple[float, ...]) -> Choice:
    """The best fixed targets of some clusters, looked for one at a time from a start until nothing gets better."""
    known: dict[tuple[float, ...], Choice] = {}

    def tried(setting: tuple[float, ...]) -> Choice:
        if setting not in known:
            known[setting] = Choice(setting, scored(targets(np.array(setting)[clusters]), load))
        return known[setting]

    found = tried(start)
    while True:
        before = found.setting
        for place in range(len(start)):
            settings = [(*found.setting[:place], x, *found.setting[place + 1 :]) for x in TARGETS]
            found = best([found, *map(tried, settings)])
        if found.setting == before or len(start) == 1:
            return found


def cluster_gains(load: Load) -> tuple[float, float]:
    """Percent of cores saved by the second and by the third cluster."""
    demand = load.application.demand
    one = static(load, split(demand, 1), (_TARGET,))
    two = static(load, split(demand, 2), one.setting * 2)
    lower, upper = two.setting
    three = best(
        static(load, split(demand, 3), start) for start in ((lower, lower, upper), (lower, upper, upper))
    )
    a, b, c = (choice.score.value for choice in (one, two, three))
    return 100.0 * (1 - b / a), 100.0 * (1 - c / b)


def clusters(bench: Bench, loads: Sequence[Load]) -> Measured:
    """S10: gain of the second cluster minus that of the third, mean over loads, percent of cores."""
    gains = bench.each(cluster_gains, [(load,) for load in loads])
    second, third = np.mean(gains, axis=0)
    figures = {"gain of the second cluster, %": float(second), "of the third": float(third)}
    demand = Demand("gain of the second cluster, %", float(second), low=0.0)
    return Measured(float(second - third), (demand,), figures)


def fixed(load: Load, share: float) -> Choice:
    """The same limit for all services, a share of a node's cores."""
    n = len(load.application.services)
    law = scheduled(np.full((n, 1), share * load.application.node_cores))
    return Choice((share,), scored(law, load))


def over_provisioned(cells: Cells, bench: Bench) -> Measured:
    """S12: cores of all services at a node's cores over those of tuned K8s-CPU on Social-Network, and P99s."""
    keys = list(cells.loads)
    everything = bench.each(fixed, [(cells.loads[key], 1.0) for key in keys])
    found = cells.of(bench)
    social, beaten = [], 0
    figures: dict[str, float] = {}
    for key, choice in zip(keys, everything, strict=True):
        cell = found[key]
        others = [cell.tower, *(c.score for c in cell.tuned.values())]
        cores = choice.score.details["limit_cores"]
        ratio = cores / cell.tuned[BASELINES[0]].score.details["limit_cores"]
        figures[f"{' '.join(key)}: times the cores"] = ratio
        if key[0] == "social":
            social.append(ratio)
        beaten += any(
            o.details["p99_ms"] < choice.score.details["p99_ms"] or o.details["limit_cores"] >= cores
            for o in others
        )
    demand = Demand("cells in which another one is faster or dearer", float(beaten), high=0.0)
    return Measured(float(np.mean(social)), (demand,), figures)


def _steepest(load: Load) -> Choice:
    """The cheapest of the highest utilisation target, slow and fast, and of fixed limits.

    Limits are halved from a node's cores on until the objective is missed: with still less it is missed by more.
    """
    tried = [
        Choice((sync,), scored(utilisation(load.application, UTILISATIONS[-1], sync), load))
        for sync in (SLOW, FAST)
    ]
    for halvings in range(_HALVINGS):
        tried.append(fixed(load, 0.5**halvings))
        if not tried[-1].met:
            break
    return best(tried)


def naive_rules(cells: Cells, bench: Bench) -> Measured:
    """A1: cells in which a fixed limit or a utilisation of 0.9 is cheaper than the best static pair."""
    rules = bench.each(_steepest, [(load,) for load in cells.loads.values()])
    found = cells.of(bench)
    wins: list[bool] = []
    figures: dict[str, float] = {}
    for key, rule in zip(cells.loads, rules, strict=True):
        pair = found[key].tuned[STATIC]
        wins.append(rule.met and rule.score.value < pair.score.value)
        figures[f"{' '.join(key)}: naive rule over static pair"] = rule.score.value / pair.score.value
    return Measured(float(sum(wins)), (), figures)


REWRITING = '''"""Writes the limit in every period, to be refilled."""

class Policy:
    """A little above and below {factor} of the recent usage, in turn: every change refills the quota."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.mean = 1.0

    def local(self, tick, obs, usage, throttled, pos, target):
        self.mean = 0.98 * self.mean + 0.02 * obs[4]
        return max(0.01, {factor} * self.mean) * (1.001 if tick % 2 == 0 else 0.999)
'''


def rewriting(cells: Cells, bench: Bench) -> Measured:
    """A2: cells in which a policy that changes the limit in every period costs less than the best static pair."""
    texts = [REWRITING.format(factor=factor) for factor in (0.6, 1.0, 1.5)]
    scores = bench.scores([Run(text, load) for load in cells.loads.values() for text in texts])
    found = cells.of(bench)
    wins = 0
    figures: dict[str, float] = {}
    for i, key in enumerate(cells.loads):
        least = min(s.value for s in scores[len(texts) * i : len(texts) * (i + 1)])
        figures[f"{' '.join(key)}: rewriting over static pair"] = least / found[key].tuned[STATIC].score.value
        wins += least < found[key].tuned[STATIC].score.value
    return Measured(float(wins), (), figures)


def always_most(cells: Cells, bench: Bench) -> Measured:
    """A3: cells in which the largest target for all services is the best static pair."""
    found = cells.of(bench)
    most = (TARGETS[-1], TARGETS[-1])
    figures = {}
    for key, cell in found.items():
        figures[f"{' '.join(key)}: high"], figures[f"{' '.join(key)}: rest"] = cell.tuned[STATIC].setting
    return Measured(float(sum(cell.tuned[STATIC].setting == most for cell in found.values())), (), figures)
