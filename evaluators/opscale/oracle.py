"""An offline oracle of prefill: operator pools by exhaustive search, window by window, from the requests that will come."""

from __future__ import annotations

import itertools
import math

import numpy as np

from evaluators.base import Score
from evaluators.opscale import layout as k
from evaluators.opscale.bounds import fixed
from evaluators.opscale.cost import FULL, OPTIONS
from evaluators.opscale.erlang import Station, mean_wait, seconds
from evaluators.opscale.models import ATTN, GROUPS, OPERATORS
from evaluators.opscale.scenario import Scenario
from evaluators.opscale.simulator import ATTAINMENT, score
from evaluators.opscale.world import make_world

#: Parts of the SLO that a plan may use up on the average, and seconds of a window: the best pair counts.
SHARES, WINDOWS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95), (4.0, 10.0, 30.0)
#: Replicas of each operator beyond the least that are tried.
_SPARE = 6


def oracle(scenario: Scenario) -> Score:
    """The fewest GPU-hours with which plans that know all requests hold the attainment; none holds it: the best one's.

    Every window gets the plan with the fewest GPUs whose mean latency (Erlang C at each operator) is within a part of the
    SLO, of all with up to six replicas more than the least of each of the four operators; replicas are loaded before they
    are needed. Other phases than prefill have no such plan and get :func:`evaluators.opscale.bounds.fixed`.
    """
    if scenario.system.phases != "prefill":
        return fixed(scenario)
    found = [_run(scenario, _targets(scenario, share, window)) for share in SHARES for window in WINDOWS]
    good = [one for one in found if one.details["attainment"] >= ATTAINMENT]
    return min(good or found, key=lambda one: one.value)


def _net(scenario: Scenario) -> list[Station]:
    """The operators in sizes that fit, for a request like the mean one."""
    prompts = scenario.prompts.astype(np.float64)
    length, least = float(prompts.mean()), scenario.system.tables.least
    # Attention goes with the square.
    lengths = dict.fromkeys(OPERATORS, length) | {ATTN: math.sqrt(float(np.square(prompts).mean()))}
    options = {group: max(FULL, int(least[group])) for group in OPERATORS}
    return [
        Station(((float(OPTIONS[o][1]), seconds(scenario.system.costs, g, lengths[g], o)),))
        for g, o in options.items()
    ]


def cheapest(net: list[Station], rate: float, slo: float) -> tuple[int, ...]:
    """Replicas of the plan with the fewest GPUs, of those the quickest, within an SLO; the quickest of all if none is."""
    sizes = [station.sizes[0] for station in net]
    least = [int(rate * service) + 1 for _, service in sizes]
    counts = [range(first, first + _SPARE + 1) for first in least]
    latency, gpus = np.zeros(1), np.zeros(1)
    for (share, service), tried in zip(sizes, counts, strict=True):
        waits = np.array([service + mean_wait(c, rate, service) for c in tried])
        latency = (latency[:, None] + waits).ravel()
        gpus = (gpus[:, None] + share * np.array(tried)).ravel()
    within = latency <= slo
    if not within.any():
        return tuple(tried[-1] for tried in counts)
    best = np.lexsort((latency, np.where(within, gpus, math.inf)))[0]
    return next(itertools.islice(itertools.product(*counts), int(best), None))


def _targets(scenario: Scenario, share: float, window: float) -> np.ndarray:
    """int64[steps, groups]."""
    system = scenario.system
    each = max(1, round(window / system.interval))
    length = each * system.interval
    steps = math.ceil(scenario.span / system.interval)
    windows = math.ceil(steps / each)
    came = np.bincount((scenario.arrivals / length).astype(np.int64), minlength=windows)[:windows]
    net = _net(scenario)
    plans = {int(n): cheapest(net, n / length, share * system.ttft) for n in np.unique(came) if n}
    need = np.zeros((steps, GROUPS), dtype=np.int64)
    for w, n in enumerate(came.tolist()):
        need[w * each : (w + 1) * each, OPERATORS[0] :] = plans.get(n, (1,) * len(OPERATORS))
    ahead = math.ceil(system.operator_delay / system.interval)
    out = need.copy()
    for later in range(1, ahead + 1):
        out[:-later] = np.maximum(out[:-later], need[later:])
    return out


def _run(scenario: Scenario, targets: np.ndarray) -> Score:
    world = make_world(scenario)
    world.advance()
    for row in targets:
        world.act[:, k.TARGET] = row
        world.advance()
    return score(scenario, world, {}, None)
