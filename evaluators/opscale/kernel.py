"""One control interval of a run: act, advance, observe. Compiled once, called by a candidate's driver by pointer."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numba import njit

from evaluators.addresses import SIGNATURE, addresses_of, f1, f2, f3, i1, i2, i3, s1, s2
from evaluators.opscale import decode
from evaluators.opscale import layout as k
from evaluators.opscale.cost import SEQUENCES
from evaluators.opscale.models import ATTN, GROUPS, OPERATORS
from evaluators.opscale.pool import account, apply
from evaluators.opscale.prefill import admit, run_station, split

_GROUPS, _ATTN, _SEQUENCES = GROUPS, ATTN, SEQUENCES
_FIRST, _LAST = OPERATORS[0], OPERATORS[-1]
_decode_admit = decode.admit
_decode_run = decode.run
#: Modules whose text or constants are compiled into the kernel.
_SOURCES = (
    "../digest.py",
    "../addresses.py",
    "kernel.py",
    "pool.py",
    "prefill.py",
    "decode.py",
    "layout.py",
    "cost.py",
    "models.py",
)
#: Weight of the newest interval in the moving averages.
_NEW = 0.1

#: Kind of number (f: float64, i: int64, s: int32) and dimensions of the arrays of a run, in order: ints, floats,
#: requests, notes, queue, station, flow, servers, clocks, members, gpus, residents, fixed, held, kv, least, act,
#: affinity, work, attention, step, context, keys, ids, recent, instance, glob, obs.
KINDS = "i1 f1 f2 i2 s2 i2 f2 i2 f2 s2 f2 i2 f2 f3 f2 i1 i2 i2 f3 f2 f3 f1 f1 s1 i3 f2 f1 f1".split()


def addresses(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """What the kernel is called with, see :func:`evaluators.addresses.addresses_of`; arrays in the order of :data:`KINDS`."""
    return addresses_of(arrays, KINDS)


@njit
def _clear(ints, station, flow, recent):  # type: ignore[no-untyped-def]
    for g in range(ints[k.N_PHASES] * _GROUPS):
        for column in (k.ARRIVED, k.BATCHES, k.SERVED):
            station[g, column] = 0
        for column in (k.BUSY, k.WAITED, k.SERVICE, k.SERVED_TIME):
            flow[g, column] = 0.0
    ints[k.RING_AT] = (ints[k.RING_AT] + 1) % k.RING
    for phase in range(recent.shape[0]):
        for b in range(k.BINS):
            recent[phase, k.RING, b] -= recent[phase, ints[k.RING_AT], b]
            recent[phase, ints[k.RING_AT], b] = 0


@njit
def _carry(ints, station, flow, servers, clocks, end):  # type: ignore[no-untyped-def]
    """Prefill batches that go on beyond the interval are busy time of the next one."""
    for g in range(ints[k.N_PHASES] * _GROUPS):
        if g // _GROUPS == ints[k.DECODE_PHASE]:
            continue
        flow[g, k.BUSY] += flow[g, k.CARRY]
        flow[g, k.CARRY] = 0.0
    for s in range(ints[k.SLOTS]):
        if servers[s, k.STATE] != k.UNUSED:
            g = servers[s, k.PLACE]
            if g // _GROUPS != ints[k.DECODE_PHASE] and clocks[s, k.READY] < end:
                over = max(0.0, clocks[s, k.FREE] - end)
                flow[g, k.CARRY] += over
                flow[g, k.BUSY] -= over


@njit
def _averages(ints, floats, notes):  # type: ignore[no-untyped-def]
    n = ints[k.LAST_ARRIVALS]
    floats[k.EWMA] += _NEW * (n / floats[k.INTERVAL] - floats[k.EWMA])
    for i in range(ints[k.NEXT] - n, ints[k.NEXT]):
        # One request weighs as if there were about a hundred in the average.
        prompt = float(notes[i, k.PROMPT])
        floats[k.PROMPT_MEAN] += 0.01 * (prompt - floats[k.PROMPT_MEAN])
        floats[k.PROMPT_SQUARE] += 0.01 * (prompt * prompt - floats[k.PROMPT_SQUARE])
        floats[k.OUTPUT_MEAN] += 0.01 * (notes[i, k.OUTPUT] - floats[k.OUTPUT_MEAN])


@njit
def _tail(recent, phase):  # type: ignore[no-untyped-def]
    """(95th percentile, part within the SLO) of the latencies of the last minute, as multiples of the SLO."""
    total = 0
    good = 0
    for b in range(k.BINS):
        total += recent[phase, k.RING, b]
        if b < 16:
            good += recent[phase, k.RING, b]
    if total == 0:
        return 0.0, 1.0
    seen = 0
    for b in range(k.BINS):
        seen += recent[phase, k.RING, b]
        if seen >= 0.95 * total:
            return (b + 1) / 16.0, good / total
    return k.BINS / 16.0, good / total


@njit
def _observe(  # type: ignore[no-untyped-def]
    ints,
    floats,
    requests,
    notes,
    queue,
    station,
    flow,
    servers,
    clocks,
    members,
    fixed,
    held,
    kv,
    recent,
    glob,
    obs,
):
    interval = floats[k.INTERVAL]
    now = floats[k.NOW]
    active = ints[k.ACTIVE]
    glob[0] = interval
    glob[1] = ints[k.LAST_ARRIVALS] / interval
    glob[2] = floats[k.EWMA]
    mean = floats[k.PROMPT_MEAN]
    glob[3] = mean
    glob[4] = max(0.0, floats[k.PROMPT_SQUARE] / (mean * mean) - 1.0) if mean > 0 else 0.0
    glob[5] = floats[k.OUTPUT_MEAN]
    glob[6] = active
    glob[7] = (floats[k.CONTEXT] + active * floats[k.VIRTUAL]) / active if active > 0 else 0.0
    attained = 1.0
    glob[8] = 0.0
    glob[9] = 0.0
    if ints[k.DECODE_PHASE] != 0:
        glob[8], part = _tail(recent, 0)
        attained = min(attained, part)
    if ints[k.DECODE_PHASE] >= 0:
        glob[9], part = _tail(recent, 1)
        attained = min(attained, part)
    glob[10] = attained
    glob[12] = ints[k.N_GPUS]
    glob[13] = fixed[0, k.DELAY]
    glob[14] = floats[k.PAST_PEAK]
    glob[15] = floats[k.PAST_P95]
    slowest = 0.0
    for g in range(ints[k.N_PHASES] * _GROUPS):
        row = g * k.OBS
        for column in range(k.OBS):
            obs[row + column] = 0.0
        decoding = g // _GROUPS == ints[k.DECODE_PHASE]
        obs[row] = station[g, k.ARRIVED] / interval
        head = station[g, k.HEAD]
        # What has been sent on but not reached the station yet does not wait there.
        tail = station[g, k.TAIL]
        while tail > head and requests[queue[g, tail - 1], k.WHEN] > now:
            tail -= 1
        obs[row + 1] = tail - head
        obs[row + 2] = station[g, k.QUEUED_TOKENS]
        if tail > head:
            obs[row + 3] = max(0.0, now - requests[queue[g, head], k.WHEN])
        ready = 0
        loading = 0
        room = 0.0
        for m in range(station[g, k.MEMBERS]):
            s = members[g, m]
            if servers[s, k.STATE] == k.ALIVE:
                if clocks[s, k.READY] <= now:
                    ready += 1
                    room += kv[g % _GROUPS, servers[s, k.OPTION]]
                else:
                    loading += 1
        obs[row + 5] = flow[g, k.BUSY] / (interval * ready) if ready > 0 else 0.0
        obs[row + 6] = ready
        obs[row + 7] = loading
        served = station[g, k.SERVED]
        obs[row + 9] = flow[g, k.WAITED] / served if served > 0 else 0.0
        if decoding:
            time = flow[g, k.SERVED_TIME]
            obs[row + 4] = flow[g, k.SERVICE] / (time * ready) if time > 0 and ready > 0 else 0.0
            obs[row + 8] = flow[g, k.BUSY] / ready if ready > 0 else 0.0
            obs[row + 11] = min(1.0, floats[k.KV_USED] / room) if room > 0 else 0.0
        elif station[g, k.BATCHES] > 0:
            obs[row + 4] = served / station[g, k.BATCHES]
            obs[row + 8] = flow[g, k.SERVICE] / station[g, k.BATCHES]
        if g % _GROUPS != 0:
            slowest += obs[row + 8] + obs[row + 9]
    if slowest > 0:
        for g in range(ints[k.N_PHASES] * _GROUPS):
            if g % _GROUPS != 0:
                row = g * k.OBS
                obs[row + 10] = (obs[row + 8] + obs[row + 9]) / slowest
    if ints[k.TANDEM] == 1:
        # A whole replica is one server at each of its stations: shown as the busiest of them.
        for phase in range(ints[k.N_PHASES]):
            first = phase * _GROUPS
            busiest = first + _FIRST
            for g in range(first + _FIRST, first + _LAST + 1):
                if obs[g * k.OBS + 5] > obs[busiest * k.OBS + 5]:
                    busiest = g
            for column in range(k.OBS):
                obs[first * k.OBS + column] = obs[busiest * k.OBS + column]
            entry = first + (_FIRST if phase != ints[k.DECODE_PHASE] else 0)
            obs[first * k.OBS] = obs[entry * k.OBS]


@njit
def _interval(  # type: ignore[no-untyped-def]
    ints,
    floats,
    requests,
    notes,
    queue,
    station,
    flow,
    servers,
    clocks,
    members,
    gpus,
    residents,
    fixed,
    held,
    kv,
    least,
    act,
    affinity,
    work,
    attention,
    step,
    context,
    keys,
    ids,
    recent,
    instance,
    glob,
    obs,
):
    """Carry out ``act``, run one control interval, and observe it (in a run's first call: observe only)."""
    if ints[k.STEP] >= 0:
        end = floats[k.NOW] + floats[k.INTERVAL]
        _clear(ints, station, flow, recent)
        apply(
            ints,
            floats,
            station,
            servers,
            clocks,
            members,
            gpus,
            residents,
            fixed,
            held,
            kv,
            least,
            act,
            affinity,
        )
        if ints[k.DECODE_PHASE] != 0:
            everything = split(ints, station, flow, servers, clocks, members, work, floats[k.NOW])
            admit(ints, floats, station, flow, queue, requests, notes, end, everything)
            for group in range(_GROUPS):
                run_station(
                    ints,
                    floats,
                    station,
                    flow,
                    queue,
                    requests,
                    notes,
                    servers,
                    clocks,
                    members,
                    fixed,
                    act,
                    work,
                    attention,
                    recent,
                    group,
                    end,
                )
        else:
            _decode_admit(ints, floats, station, queue, requests, notes, 0, end)
        if ints[k.DECODE_PHASE] >= 0:
            _decode_run(
                ints,
                floats,
                station,
                flow,
                queue,
                requests,
                notes,
                servers,
                clocks,
                members,
                fixed,
                act,
                kv,
                step,
                context,
                keys,
                ids,
                recent,
                instance,
                end,
            )
        _carry(ints, station, flow, servers, clocks, end)
        in_use = account(ints, floats, station, servers, clocks, members, gpus, residents, held, end)
        floats[k.NOW] = end
        _averages(ints, floats, notes)
        glob[11] = in_use
    ints[k.STEP] += 1
    _observe(
        ints,
        floats,
        requests,
        notes,
        queue,
        station,
        flow,
        servers,
        clocks,
        members,
        fixed,
        held,
        kv,
        recent,
        glob,
        obs,
    )


def _advance(table):  # type: ignore[no-untyped-def]
    """:func:`_interval` with the arrays that stand at the addresses."""
    _interval(
        i1(table[0]),
        f1(table[1]),
        f2(table[2]),
        i2(table[3]),
        s2(table[4]),
        i2(table[5]),
        f2(table[6]),
        i2(table[7]),
        f2(table[8]),
        s2(table[9]),
        f2(table[10]),
        i2(table[11]),
        f2(table[12]),
        f3(table[13]),
        f2(table[14]),
        i1(table[15]),
        i2(table[16]),
        i2(table[17]),
        f3(table[18]),
        f2(table[19]),
        f3(table[20]),
        f1(table[21]),
        f1(table[22]),
        s1(table[23]),
        i3(table[24]),
        f2(table[25]),
        f1(table[26]),
        f1(table[27]),
    )


@functools.cache
def compiled():  # type: ignore[no-untyped-def]
    """One control interval, compiled for :data:`SIGNATURE` once a machine, then from Numba's cache.

    Numba looks at this file alone to see whether what it cached is outdated; so the name that it is cached under
    depends on the text of every module that is compiled into it.
    """
    folder = Path(__file__).parent
    texts = [(folder / name).read_bytes() for name in _SOURCES]
    _advance.__qualname__ = f"advance_{hashlib.sha256(b'|'.join(texts)).hexdigest()[:16]}"
    advance = njit(cache=True)(_advance)
    advance.compile(SIGNATURE)
    advance.disable_compile()
    return advance
