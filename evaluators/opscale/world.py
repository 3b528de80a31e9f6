"""The arrays of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluators.opscale import decode, kernel
from evaluators.opscale import layout as k
from evaluators.opscale.cost import FULL, LENGTH_BLOCK, OPTIONS, TOKEN_BLOCK, Tables, knee
from evaluators.opscale.models import ATTN, GROUPS, OPERATORS, WHOLE
from evaluators.opscale.scenario import Scenario

#: Batch caps where a policy sets none: tokens of a prefill batch, sequences of a decode replica.
PREFILL_BATCH, DECODE_BATCH = 4096, 256


@dataclass(frozen=True)
class World:
    """Everything one simulated run reads and writes.

    Attributes:
        arrays: The kernel's arrays in order, see :data:`evaluators.opscale.kernel.KINDS`.
        prof: float64[groups * PROF], what the policy is told of the groups.
        groups: Number of groups.
        ints: Integers of the run.
        floats: Floats of the run.
        requests: float64[n, REQUEST].
        act: int64[groups, ACT].
        affinity: int64[groups, groups].
        glob: float64[GLOB].
        obs: float64[groups * OBS].
    """

    arrays: tuple[np.ndarray, ...]
    prof: np.ndarray
    groups: int
    ints: np.ndarray
    floats: np.ndarray
    requests: np.ndarray
    act: np.ndarray
    affinity: np.ndarray
    glob: np.ndarray
    obs: np.ndarray

    @cached_property
    def table(self) -> np.ndarray:
        """Where the arrays are; what the kernel is called with."""
        return kernel.addresses(self.arrays)

    def advance(self) -> None:
        """One control interval."""
        kernel.compiled()(self.table)


def make_world(scenario: Scenario) -> World:
    """Fresh arrays for a run; nothing has happened, and the first observation is still to be made."""
    system = scenario.system
    table, cost = system.tables, system.costs
    n = len(scenario.arrivals)
    kinds = system.kinds
    groups = GROUPS * len(kinds)
    gpu = cost.gpu

    ints = np.zeros(k.INTS, dtype=np.int64)
    ints[k.N_REQUESTS] = n
    ints[k.N_PHASES] = len(kinds)
    ints[k.DECODE_PHASE] = kinds.index(k.DECODE) if k.DECODE in kinds else -1
    ints[k.TANDEM] = system.whole == "uniform_tandem"
    ints[k.N_GPUS] = system.gpus
    ints[k.STEP] = -1
    ints[k.STEPS] = int(np.ceil(scenario.span / system.interval))
    ints[k.WHOLE_OPTION] = system.option
    ints[k.LAYERS] = cost.model.layers
    ints[k.FAILURE_SEED] = system.failure_seed

    floats = np.zeros(k.FLOATS)
    floats[k.INTERVAL] = system.interval
    floats[k.MTBF] = system.mtbf
    floats[k.TTFT_SLO], floats[k.TBT_SLO] = system.ttft, system.tbt
    floats[k.LINK] = gpu.link if system.link is None else system.link
    floats[k.HOP] = gpu.hop if system.hop is None else system.hop
    floats[k.KV_BYTES] = cost.model.kv_bytes
    floats[k.ROOM] = cost.room(1) * (1 + 1e-9)
    past = scenario.past
    floats[k.PAST_P95], floats[k.PAST_PEAK], floats[k.EWMA] = past.p95, past.peak, past.rate
    floats[k.PROMPT_MEAN], floats[k.PROMPT_SQUARE], floats[k.OUTPUT_MEAN] = (
        past.prompt,
        past.square,
        past.output,
    )
    floats[k.IDLE_W], floats[k.PREFILL_W], floats[k.DECODE_W] = gpu.idle_w, gpu.prefill_w, gpu.decode_w

    requests = np.full((n, k.REQUEST), -1.0)
    requests[:, k.ARRIVAL] = scenario.arrivals
    notes = np.zeros((n, k.NOTE), dtype=np.int64)
    notes[:, k.PROMPT], notes[:, k.OUTPUT] = scenario.prompts, scenario.outputs

    fixed = np.zeros((groups, k.FIXED))
    for g in range(groups):
        phase, group = divmod(g, GROUPS)
        decoding = kinds[phase] == k.DECODE
        used, bound = cost.bandwidth(group, decoding) if group != WHOLE else (0.0, 0.0)
        delay = system.model_delay if group == WHOLE else system.operator_delay
        batch = DECODE_BATCH if decoding else PREFILL_BATCH
        fixed[g] = (delay, batch, used, bound, cost.model.output_bytes(group))
    act = np.zeros((groups, k.ACT), dtype=np.int64)
    act[:, k.SHARE] = 8
    affinity = np.zeros((groups, groups), dtype=np.int64)
    glob, obs = np.zeros(k.GLOB), np.zeros(groups * k.OBS)
    arrays = (
        ints,
        floats,
        requests,
        notes,
        np.zeros((groups, n + 1), dtype=np.int32),
        np.zeros((groups, k.STATION), dtype=np.int64),
        np.zeros((groups, k.FLOW)),
        np.zeros((k.MAX_SERVERS, k.SERVER), dtype=np.int64),
        np.zeros((k.MAX_SERVERS, k.CLOCK)),
        np.zeros((groups, k.MAX_MEMBERS), dtype=np.int32),
        np.zeros((system.gpus, k.GPU)),
        np.zeros((system.gpus, groups), dtype=np.int64),
        fixed,
        table.held,
        table.kv,
        table.least,
        act,
        affinity,
        table.work,
        table.attention,
        table.step,
        table.context,
        np.zeros(n + 1),
        np.zeros(n + 1, dtype=np.int32),
        np.zeros((2, k.RING + 1, k.BINS), dtype=np.int64),
        np.zeros((GROUPS, decode.INSTANCE)),
        glob,
        obs,
    )
    return World(arrays, profile(scenario), groups, ints, floats, requests, act, affinity, glob, obs)


def profile(scenario: Scenario) -> np.ndarray:
    """What a policy is told of each group, at the size a replica has by default (a GPU, or what memory needs)."""
    system = scenario.system
    table, cost = system.tables, system.costs
    tandem = system.whole == "uniform_tandem"
    prof = np.zeros((len(system.kinds), GROUPS, k.PROF))
    for p, kind in enumerate(system.kinds):
        decoding = kind == k.DECODE
        whole = [_line(table, g, system.option, decoding) for g in OPERATORS]
        for group in range(GROUPS):
            option = system.option if group == WHOLE else max(FULL, int(table.least[group]))
            share, tp = OPTIONS[option]
            slope, floor, square = _line(table, group, option, decoding)
            latency = slope
            if group == WHOLE:
                latency = sum(one[0] for one in whole)
                slope = max(one[0] for one in whole) if tandem else latency
                floor = max(one[1] for one in whole) if tandem else sum(one[1] for one in whole)
                square = whole[ATTN - 1][2]
            many = len(OPERATORS) if tandem and group == WHOLE else 1
            kv = table.kv[ATTN if tandem and group == WHOLE else group, option]
            prof[p, group] = (
                slope,
                floor,
                square,
                latency,
                cost.model.weights(group) / 1e9,
                cost.model.kv_bytes if group in (WHOLE, ATTN) else 0.0,
                system.model_delay if group == WHOLE else system.operator_delay,
                cost.model.output_bytes(group),
                share * tp * many,
                DECODE_BATCH if decoding else PREFILL_BATCH,
                kv if decoding else 0.0,
                knee(table, group, decoding),
            )
    return np.ascontiguousarray(prof.reshape(-1))


def _line(table: Tables, group: int, option: int, decoding: bool) -> tuple[float, float, float]:
    """(s a token or sequence, s at least, s for a square of the prompt or for a token of context) of an operator."""
    if group == WHOLE:
        return 0.0, 0.0, 0.0
    if decoding:
        column = table.step[group, option]
        few, many = 32, 256
        slope = float(column[many] - column[few]) / (many - few)
        floor = float(column[few]) - few * slope
        return slope, floor, float(table.context[option]) if group == ATTN else 0.0
    if group == ATTN:
        at = 8192 // LENGTH_BLOCK
        square = float(table.attention[option, at]) / 8192.0**2
        return 0.0, float(table.attention[option, 1]), square
    few, many = 512 // TOKEN_BLOCK, 4096 // TOKEN_BLOCK
    column = table.work[group, option]
    slope = float(column[many] - column[few]) / (4096 - 512)
    return slope, float(column[1]), 0.0
