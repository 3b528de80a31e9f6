"""What no policy can pass, and what a fixed plan with hindsight would take."""

from __future__ import annotations

import numpy as np

from evaluators.base import Score
from evaluators.opscale import layout as k
from evaluators.opscale.cost import (
    LENGTH_BLOCK,
    LENGTH_BLOCKS,
    OPTIONS,
    SEQUENCES,
    TOKEN_BLOCK,
    Tables,
)
from evaluators.opscale.models import FFN, GROUPS, OPERATORS, OPROJ, QKV, WHOLE
from evaluators.opscale.scenario import Scenario
from evaluators.opscale.simulator import ATTAINMENT, score
from evaluators.opscale.world import World, make_world

_SIZES = np.array([share * tp for share, tp in OPTIONS])


def work(scenario: Scenario) -> Score:
    """GPU-hours of the requests' work alone: best batches, best sizes, no waiting, no idling, no loading.

    The dearest requests that the attainment leaves out are left out. The penalty makes it worthless to leave out more.
    """
    seconds = work_seconds(scenario)
    left_out = int((1 - ATTAINMENT) * len(seconds) + 1)
    hours = float(np.sort(seconds)[: max(0, len(seconds) - left_out)].sum()) / 3600
    return Score(scenario.name, hours, {"gpu_hours": hours})


def work_seconds(scenario: Scenario) -> np.ndarray:
    """GPU-seconds that each request takes at least, float64[n]."""
    system = scenario.system
    table = system.tables
    seconds = np.zeros(len(scenario.arrivals))
    if k.PREFILL in system.kinds:
        seconds += _prefill(table, scenario.prompts)
    if k.DECODE in system.kinds:
        seconds += _decode(table, scenario.prompts.astype(np.float64), scenario.outputs.astype(np.float64))
    return seconds


def _prefill(table: Tables, prompts: np.ndarray) -> np.ndarray:
    tokens = np.maximum(1, TOKEN_BLOCK * np.arange(table.work.shape[2]))
    each = sum(float(np.min(table.work[g] * _SIZES[:, None] / tokens)) for g in (QKV, OPROJ, FFN))
    shortest = np.min(table.attention * _SIZES[:, None], axis=0)
    last = LENGTH_BLOCK * LENGTH_BLOCKS
    blocks = np.minimum(prompts // LENGTH_BLOCK, LENGTH_BLOCKS)  # rounded down: never more than is charged
    longer = np.maximum(1.0, prompts / last) ** 2
    return np.asarray(prompts * each + shortest[blocks] * longer)


def _decode(table: Tables, prompts: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    sequences = np.maximum(1, np.arange(SEQUENCES + 1))
    each = sum(float(np.min(table.step[g] * _SIZES[:, None] / sequences)) for g in OPERATORS)
    context = float(np.min(table.context * _SIZES))
    return np.asarray(outputs * (each + context * prompts))


def run_fixed(scenario: Scenario, targets: np.ndarray, shares: np.ndarray | None = None) -> World:
    """Run with the same targets throughout, loaded before the start.

    Args:
        scenario: The scenario.
        targets: int64[groups], replicas.
        shares: int64[groups], as a policy's ``share``; default whole GPUs.
    """
    world = make_world(scenario)
    world.act[:, k.TARGET] = targets
    if shares is not None:
        world.act[:, k.SHARE] = shares
    world.advance()
    while world.ints[k.STEP] < world.ints[k.STEPS]:
        world.advance()
    return world


def fixed(scenario: Scenario) -> Score:
    """The smallest number of whole replicas, the same throughout (and in each phase), with which the attainment holds.

    With hindsight; what the cluster can hold at most, if nothing holds it.
    """
    system = scenario.system
    phases = len(system.kinds)
    each = system.tp * (len(OPERATORS) if system.whole == "uniform_tandem" else 1)
    low, high = 0, max(1, system.gpus // (each * phases))
    best = _with(scenario, high)
    while high - low > 1:
        middle = (low + high) // 2
        tried = _with(scenario, middle)
        if tried.details["attainment"] >= ATTAINMENT:
            high, best = middle, tried
        else:
            low = middle
    return best


def _with(scenario: Scenario, replicas: int) -> Score:
    targets = np.zeros(GROUPS * len(scenario.system.kinds), dtype=np.int64)
    targets[WHOLE::GROUPS] = replicas
    return score(scenario, run_fixed(scenario, targets), {}, None)
