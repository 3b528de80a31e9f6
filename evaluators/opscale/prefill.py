"""Prefill: a network of batch stations through which requests go in one direction. Compiled once.

Station 0 are whole-model replicas, stations 1 to 4 the operator pools. A request visits station 0 if there are whole
replicas, for those operators that are not handed to a pool, and then the pools of the others, in order. As nothing goes
back, a station may be run to the end of the control interval before the next one: the result is exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from evaluators.opscale import layout as k
from evaluators.opscale.cost import LENGTH_BLOCK, LENGTH_BLOCKS, TOKEN_BLOCK, TOKEN_BLOCKS
from evaluators.opscale.models import ATTN, GROUPS, OPERATORS
from evaluators.opscale.pool import fail, ready_servers, size_of

_ALL = sum(1 << group for group in OPERATORS)
_FIRST, _LAST = OPERATORS[0], OPERATORS[-1]
_TOKEN_BLOCK, _TOKEN_BLOCKS = TOKEN_BLOCK, TOKEN_BLOCKS
_LENGTH_BLOCK, _LENGTH_BLOCKS = LENGTH_BLOCK, LENGTH_BLOCKS
_ATTN = ATTN
_NEVER = 1e18


@njit
def work_time(work, group, option, tokens):  # type: ignore[no-untyped-def]
    """Seconds of a linear operator; beyond the table in proportion."""
    block = (tokens + _TOKEN_BLOCK - 1) // _TOKEN_BLOCK
    if block <= _TOKEN_BLOCKS:
        return work[group, option, block]
    return work[group, option, _TOKEN_BLOCKS] * (tokens / (_TOKEN_BLOCK * _TOKEN_BLOCKS))


@njit
def attention_time(attention, option, tokens):  # type: ignore[no-untyped-def]
    """Seconds of causal attention of one request; beyond the table with the square of its length."""
    block = (tokens + _LENGTH_BLOCK - 1) // _LENGTH_BLOCK
    if block <= _LENGTH_BLOCKS:
        return attention[option, block]
    ratio = tokens / (_LENGTH_BLOCK * _LENGTH_BLOCKS)
    return attention[option, _LENGTH_BLOCKS] * ratio * ratio


@njit
def enter(queue, station, requests, notes, place, i, when):  # type: ignore[no-untyped-def]
    """Put a request into a station's queue, in order of time; equal times in order of coming."""
    requests[i, k.WHEN] = when
    j = station[place, k.TAIL]
    head = station[place, k.HEAD]
    while j > head and requests[queue[place, j - 1], k.WHEN] > when:
        queue[place, j] = queue[place, j - 1]
        j -= 1
    queue[place, j] = i
    station[place, k.TAIL] += 1
    station[place, k.QUEUED_TOKENS] += notes[i, k.PROMPT]


@njit
def again(queue, station, requests, notes, place, i, when):  # type: ignore[no-untyped-def]
    """Put a request back into the queue that it was taken from: what served it has failed."""
    requests[i, k.WHEN] = when
    station[place, k.HEAD] -= 1
    j = station[place, k.HEAD]
    while j + 1 < station[place, k.TAIL] and requests[queue[place, j + 1], k.WHEN] < when:
        queue[place, j] = queue[place, j + 1]
        j += 1
    queue[place, j] = i
    station[place, k.QUEUED_TOKENS] += notes[i, k.PROMPT]


@njit
def split(ints, station, flow, servers, clocks, members, work, now):  # type: ignore[no-untyped-def]
    """Parts of each operator's work that go to its pool: such that base and pools are equally busy.

    Returns whether everything goes to the pools, so that whole replicas have nothing to do.
    """
    base = 0.0
    base_option = ints[k.WHOLE_OPTION]
    if ints[k.TANDEM] == 0:
        # A whole replica is one server whatever its number of GPUs: its times are those of its TP degree.
        base = float(ready_servers(station, servers, clocks, members, 0, now))
    left = 0.0
    capacity = base
    complete = True
    for group in range(_FIRST, _LAST + 1):
        flow[group, k.PHI] = -1.0
        left += _reference(work, base_option, group)
        pool = _pool_capacity(station, servers, clocks, members, work, base_option, group, now)
        capacity += pool
        complete = complete and pool > 0
    if base == 0.0:
        # Complete pools serve alone; otherwise requests wait for whole replicas if there are to be any.
        everything = complete or ints[k.TANDEM] == 1 or station[0, k.MEMBERS] == 0
        for group in range(_FIRST, _LAST + 1):
            flow[group, k.PHI] = 1.0 if everything else 0.0
        return everything
    for _ in range(_LAST):
        level = left / capacity
        changed = False
        for group in range(_FIRST, _LAST + 1):
            if flow[group, k.PHI] >= 0:
                continue
            pool = _pool_capacity(station, servers, clocks, members, work, base_option, group, now)
            need = _reference(work, base_option, group)
            if level * pool >= need:
                flow[group, k.PHI] = 1.0
                left -= need
                capacity -= pool
                changed = True
        if not changed:
            break
    level = left / capacity if left > 1e-12 else 0.0
    everything = True
    for group in range(_FIRST, _LAST + 1):
        if flow[group, k.PHI] < 0:
            pool = _pool_capacity(station, servers, clocks, members, work, base_option, group, now)
            need = _reference(work, base_option, group)
            flow[group, k.PHI] = min(1.0, level * pool / need)
            everything = everything and flow[group, k.PHI] >= 1.0
    return everything


@njit
def _reference(work, option, group):  # type: ignore[no-untyped-def]
    """Seconds of an operator for 2048 tokens; attention by its usual part of the FFN's time."""
    block = 2048 // _TOKEN_BLOCK
    return work[group, option, block] if group != _ATTN else 0.07 * work[_LAST, option, block]


@njit
def _pool_capacity(station, servers, clocks, members, work, base_option, group, now):  # type: ignore[no-untyped-def]
    """Ready servers of a pool in units of one whole replica that does nothing but this operator."""
    block = 2048 // _TOKEN_BLOCK
    of = group if group != _ATTN else _LAST
    total = 0.0
    for i in range(station[group, k.MEMBERS]):
        s = members[group, i]
        if servers[s, k.STATE] == k.ALIVE and clocks[s, k.READY] <= now:
            total += work[of, base_option, block] / (
                work[of, servers[s, k.OPTION], block] * clocks[s, k.SLOW]
            )
    return total


@njit
def _onward(floats, ints, station, queue, requests, notes, recent, i, group, when):  # type: ignore[no-untyped-def]
    """A request leaves a station: to the next pool it needs, to decode, or it is done."""
    for after in range(group + 1, _LAST + 1):
        if notes[i, k.MASK] & (1 << after):
            enter(queue, station, requests, notes, after, i, when)
            station[after, k.ARRIVED] += 1
            return
    ttft = when - requests[i, k.ARRIVAL]
    requests[i, k.TTFT] = ttft
    note_latency(ints, recent, 0, ttft / floats[k.TTFT_SLO])
    if ints[k.DECODE_PHASE] == 1:
        when += floats[k.HOP] + notes[i, k.PROMPT] * floats[k.KV_BYTES] / floats[k.LINK]
        requests[i, k.ENTERED] = when
        enter(queue, station, requests, notes, GROUPS, i, when)
        station[GROUPS, k.ARRIVED] += 1
    else:
        ints[k.DONE] += 1
        ints[k.GOOD] += ttft <= floats[k.TTFT_SLO]


@njit
def note_latency(ints, recent, phase, ratio):  # type: ignore[no-untyped-def]
    """Count a latency, as a multiple of its SLO, among those of the last minute."""
    place = min(k.BINS - 1, int(ratio * 16.0))
    recent[phase, ints[k.RING_AT], place] += 1
    recent[phase, k.RING, place] += 1


@njit
def admit(ints, floats, station, flow, queue, requests, notes, until, everything):  # type: ignore[no-untyped-def]
    """Requests that arrive before ``until`` join the first station of their way."""
    n = ints[k.NEXT]
    before = n
    while n < ints[k.N_REQUESTS] and requests[n, k.ARRIVAL] < until:
        when = requests[n, k.ARRIVAL]
        if everything:
            notes[n, k.MASK] = _ALL
            place = _FIRST
            for group in range(_FIRST, _LAST + 1):
                station[group, k.DUE] += 1
        else:
            notes[n, k.MASK] = 0
            place = 0
            station[0, k.DUE] += 1
        enter(queue, station, requests, notes, place, n, when)
        station[place, k.ARRIVED] += 1
        n += 1
    ints[k.NEXT] = n
    ints[k.LAST_ARRIVALS] = n - before


@njit
def run_station(  # type: ignore[no-untyped-def]
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
):
    """Serve a station's batches that start before ``end``."""
    cap = act[group, k.CAP] if act[group, k.CAP] > 0 else int(fixed[group, k.BATCH])
    if station[group, k.HEAD] == station[group, k.TAIL]:
        return
    # When each server is free, side by side: what is looked through for every batch.
    count = station[group, k.MEMBERS]
    frees = np.empty(count)
    for m in range(count):
        s = members[group, m]
        frees[m] = clocks[s, k.FREE] if servers[s, k.STATE] == k.ALIVE else _NEVER
    while station[group, k.HEAD] < station[group, k.TAIL]:
        first = -1
        free = _NEVER
        for m in range(count):
            if frees[m] < free:
                first = m
                free = frees[m]
        if first < 0:
            return
        best = members[group, first]
        head = station[group, k.HEAD]
        start = max(free, requests[queue[group, head], k.WHEN])
        if start >= end:
            return
        if clocks[best, k.DIES] <= start:
            fail(ints, servers, clocks, best)
            frees[first] = _NEVER
            continue
        option = servers[best, k.OPTION]
        needs_attention = group == _ATTN
        mask = 0
        if group == 0:
            for g in range(_FIRST, _LAST + 1):
                flow[g, k.SPLIT] += flow[g, k.PHI]
                if flow[g, k.SPLIT] >= 1.0 - 1e-9:
                    flow[g, k.SPLIT] -= 1.0
                    mask |= 1 << g
            needs_attention = mask & (1 << _ATTN) == 0
        tokens = 0
        service = 0.0
        waited = 0.0
        j = head
        while j < station[group, k.TAIL]:
            i = queue[group, j]
            if requests[i, k.WHEN] > start or (j > head and tokens + notes[i, k.PROMPT] > cap):
                break
            tokens += notes[i, k.PROMPT]
            if needs_attention:
                service += attention_time(attention, option, notes[i, k.PROMPT])
            waited += start - requests[i, k.WHEN]
            j += 1
        if group == 0:
            for g in range(_FIRST, _LAST + 1):
                if g != _ATTN and mask & (1 << g) == 0:
                    service += work_time(work, g, option, tokens)
        elif group != _ATTN:
            service += work_time(work, group, option, tokens)
        service *= clocks[best, k.SLOW]
        finish = start + service
        lost = clocks[best, k.DIES] < finish
        if lost:
            finish = clocks[best, k.DIES]
            service = finish - start
        clocks[best, k.FREE] = finish
        frees[first] = finish
        flow[group, k.BUSY] += service
        floats[k.BUSY_PREFILL] += service * size_of(option)
        station[group, k.QUEUED_TOKENS] -= tokens
        station[group, k.HEAD] = j
        if lost:
            for place in range(j - 1, head - 1, -1):
                again(queue, station, requests, notes, group, queue[group, place], finish)
            continue
        flow[group, k.SERVICE] += service
        flow[group, k.WAITED] += waited
        station[group, k.BATCHES] += 1
        station[group, k.SERVED] += j - head
        station[group, k.DUE] -= j - head
        moves = mask != 0 or (group != 0 and group != _LAST)
        if moves:
            finish += ints[k.LAYERS] * (floats[k.HOP] + tokens * fixed[group, k.OUT_BYTES] / floats[k.LINK])
        for place in range(head, j):
            i = queue[group, place]
            if group == 0:
                notes[i, k.MASK] = mask
                for g in range(_FIRST, _LAST + 1):
                    if mask & (1 << g):
                        station[g, k.DUE] += 1
            _onward(floats, ints, station, queue, requests, notes, recent, i, group, finish)
