"""Decode: continuous batching as processor sharing. Compiled once.

All active sequences get a token an iteration. Replicas of a group share the sequences evenly (new ones take over
sequences, draining ones hand theirs over), so that time is counted in tokens that every sequence has got, and a heap of
ends in that time is exact.
"""

from __future__ import annotations

from numba import njit

from evaluators.opscale import layout as k
from evaluators.opscale.cost import SEQUENCES
from evaluators.opscale.models import ATTN, GROUPS, OPERATORS
from evaluators.opscale.pool import draw, fail, size_of
from evaluators.opscale.prefill import again, enter, note_latency

_GROUPS, _ATTN = GROUPS, ATTN
_FIRST, _LAST = OPERATORS[0], OPERATORS[-1]
_SEQUENCES = SEQUENCES
_NEVER = 1e18

# Columns of `instance`: what decode runs on at the moment, a row a group.
_READY, _OPTION_OF, _SLOWEST, _PART, _DUTY = range(5)
INSTANCE = 5


@njit
def _push(keys, ids, n, key, i):  # type: ignore[no-untyped-def]
    at = n
    while at > 0:
        up = (at - 1) >> 1
        if keys[up] < key or (keys[up] == key and ids[up] < i):
            break
        keys[at] = keys[up]
        ids[at] = ids[up]
        at = up
    keys[at] = key
    ids[at] = i


@njit
def _pop(keys, ids, n):  # type: ignore[no-untyped-def]
    """Remove the top of a heap of n."""
    key = keys[n - 1]
    i = ids[n - 1]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= n - 1:
            break
        other = down + 1
        if other < n - 1 and (
            keys[other] < keys[down] or (keys[other] == keys[down] and ids[other] < ids[down])
        ):
            down = other
        if key < keys[down] or (key == keys[down] and i < ids[down]):
            break
        keys[at] = keys[down]
        ids[at] = ids[down]
        at = down
    keys[at] = key
    ids[at] = i


@njit
def _lose(  # type: ignore[no-untyped-def]
    ints, floats, station, queue, requests, notes, servers, clocks, members, kv, keys, ids, first, now
):
    """Replicas whose time has come fail; sequences whose KV cache they held begin again."""
    room = 0.0
    for g in (0, _ATTN):
        for m in range(station[first + g, k.MEMBERS]):
            s = members[first + g, m]
            if servers[s, k.STATE] == k.ALIVE and clocks[s, k.READY] <= min(now, clocks[s, k.DIES]):
                room += kv[g, servers[s, k.OPTION]]
    for g in range(_GROUPS):
        for m in range(station[first + g, k.MEMBERS]):
            s = members[first + g, m]
            if servers[s, k.STATE] != k.ALIVE or clocks[s, k.DIES] > now:
                continue
            fail(ints, servers, clocks, s)
            held = kv[g, servers[s, k.OPTION]] if g == 0 or g == _ATTN else 0.0
            if held == 0.0 or clocks[s, k.READY] > clocks[s, k.DIES]:
                continue
            active = ints[k.ACTIVE]
            left = 0
            for at in range(active):
                i = ids[at]
                key = keys[at]
                if draw(ints[k.FAILURE_SEED], i, ints[k.FAILED]) * room < held:
                    floats[k.KV_USED] -= notes[i, k.PROMPT] + notes[i, k.OUTPUT]
                    floats[k.CONTEXT] -= notes[i, k.PROMPT] - (key - notes[i, k.OUTPUT])
                    again(queue, station, requests, notes, first, i, now)
                else:
                    _push(keys, ids, left, key, i)
                    left += 1
            ints[k.ACTIVE] = left
            room -= held


@njit
def gather(ints, station, servers, clocks, members, context, instance, first, now):  # type: ignore[no-untyped-def]
    """What is ready at a time; returns when that changes next."""
    change = _NEVER
    for g in range(_GROUPS):
        instance[g, _READY] = 0.0
        instance[g, _OPTION_OF] = 0.0
        instance[g, _SLOWEST] = 1.0
        instance[g, _PART] = 0.0
        for m in range(station[first + g, k.MEMBERS]):
            s = members[first + g, m]
            if servers[s, k.STATE] != k.ALIVE:
                continue
            if clocks[s, k.READY] > now:
                change = min(change, clocks[s, k.READY])
                continue
            change = min(change, clocks[s, k.DIES])
            instance[g, _READY] += 1.0
            instance[g, _OPTION_OF] = servers[s, k.OPTION]
            instance[g, _SLOWEST] = max(instance[g, _SLOWEST], clocks[s, k.SLOW])
    if instance[0, _READY] == 0.0:
        for g in range(_FIRST, _LAST + 1):
            instance[g, _PART] = 1.0
    else:
        # Weights are read whatever the batch: an operator with a pool is served there alone. KV cache is split.
        for g in range(_FIRST, _LAST + 1):
            if instance[g, _READY] > 0 and g != _ATTN:
                instance[g, _PART] = 1.0
        if instance[_ATTN, _READY] > 0:
            pool = instance[_ATTN, _READY] / context[int(instance[_ATTN, _OPTION_OF])]
            base = instance[0, _READY] / context[ints[k.WHOLE_OPTION]]
            instance[_ATTN, _PART] = pool / (pool + base)
    return change


@njit
def _lookup(step, group, option, sequences):  # type: ignore[no-untyped-def]
    n = int(sequences)
    if n < sequences:
        n += 1
    if n <= _SEQUENCES:
        return step[group, option, n]
    return step[group, option, _SEQUENCES] * (sequences / _SEQUENCES)


@njit
def iteration(ints, floats, instance, fixed, step, context, first, active, total):  # type: ignore[no-untyped-def]
    """Seconds of one iteration, and with it each pool's busy part in ``instance``.

    Args:
        ints, floats: The run.
        instance: What is ready, see :func:`gather`.
        fixed, step, context: Costs.
        first: First group of the phase.
        active: Sequences.
        total: Sum of their contexts, tokens.
    """
    whole = instance[0, _READY]
    pooled = False
    for g in range(_FIRST, _LAST + 1):
        if whole == 0 and instance[g, _READY] == 0:
            return _NEVER
        pooled = pooled or instance[g, _PART] > 0
    # Two micro-batches take turns, so that base and pools, or one pool and another, work at the same time.
    parts = 2.0 if pooled else 1.0
    batch = active / parts
    tokens = total / parts
    option = ints[k.WHOLE_OPTION]
    base = 0.0
    way = 0.0
    longest = 0.0
    for g in range(_FIRST, _LAST + 1):
        part = instance[g, _PART]
        if part < 1.0:
            each = (1.0 - part) * batch / whole
            base += _lookup(step, g, option, each)
            if g == _ATTN:
                base += context[option] * (1.0 - part) * tokens / whole
        instance[g, _DUTY] = 0.0
        if part > 0.0:
            replicas = instance[g, _READY]
            size = int(instance[g, _OPTION_OF])
            each = part * batch / replicas
            time = _lookup(step, g, size, each)
            if g == _ATTN:
                time += context[size] * part * tokens / replicas
            time *= instance[g, _SLOWEST]
            instance[g, _DUTY] = time
            longest = max(longest, time)
            moved = ints[k.LAYERS] * (floats[k.HOP] + each * fixed[first + g, k.OUT_BYTES] / floats[k.LINK])
            way += time + (moved if whole == 0 else 2.0 * moved)
    base *= instance[0, _SLOWEST]
    period = max(parts * max(base, longest), base + way)
    for g in range(_FIRST, _LAST + 1):
        instance[g, _DUTY] *= parts / period
    instance[0, _DUTY] = parts * base / period
    return period


@njit
def _room(instance, kv):  # type: ignore[no-untyped-def]
    room = 0.0
    for g in (0, _ATTN):
        room += instance[g, _READY] * kv[g, int(instance[g, _OPTION_OF])]
    return room


@njit
def admit(ints, floats, station, queue, requests, notes, first, until):  # type: ignore[no-untyped-def]
    """Requests of a decode-only run that arrive before ``until``."""
    n = ints[k.NEXT]
    before = n
    while n < ints[k.N_REQUESTS] and requests[n, k.ARRIVAL] < until:
        requests[n, k.ENTERED] = requests[n, k.ARRIVAL]
        enter(queue, station, requests, notes, first, n, requests[n, k.ARRIVAL])
        station[first, k.ARRIVED] += 1
        n += 1
    ints[k.NEXT] = n
    ints[k.LAST_ARRIVALS] = n - before


@njit
def run(  # type: ignore[no-untyped-def]
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
):
    """Decode up to ``end``."""
    first = ints[k.DECODE_PHASE] * _GROUPS
    now = floats[k.NOW]
    change = gather(ints, station, servers, clocks, members, context, instance, first, now)
    holder = first if instance[0, _READY] > 0 else first + _ATTN
    while now < end:
        if change <= now:
            _lose(
                ints,
                floats,
                station,
                queue,
                requests,
                notes,
                servers,
                clocks,
                members,
                kv,
                keys,
                ids,
                first,
                now,
            )
            change = gather(ints, station, servers, clocks, members, context, instance, first, now)
            holder = first if instance[0, _READY] > 0 else first + _ATTN
        room = _room(instance, kv)
        replicas = instance[0, _READY] + instance[_ATTN, _READY]
        cap = act[holder, k.CAP] if act[holder, k.CAP] > 0 else int(fixed[holder, k.BATCH])
        most = cap * replicas
        active = ints[k.ACTIVE]
        blocked = False
        while station[first, k.HEAD] < station[first, k.TAIL]:
            i = queue[first, station[first, k.HEAD]]
            if requests[i, k.WHEN] > now:
                break
            need = notes[i, k.PROMPT] + notes[i, k.OUTPUT]
            if active >= most or floats[k.KV_USED] + need > room:
                blocked = True
                break
            station[first, k.HEAD] += 1
            station[first, k.SERVED] += 1
            station[first, k.QUEUED_TOKENS] -= notes[i, k.PROMPT]
            flow[first, k.WAITED] += now - requests[i, k.WHEN]
            _push(keys, ids, active, floats[k.VIRTUAL] + notes[i, k.OUTPUT], i)
            active += 1
            floats[k.KV_USED] += need
            floats[k.CONTEXT] += notes[i, k.PROMPT] - floats[k.VIRTUAL]
        ints[k.ACTIVE] = active
        until = min(end, change)
        if not blocked and station[first, k.HEAD] < station[first, k.TAIL]:
            until = min(until, requests[queue[first, station[first, k.HEAD]], k.WHEN])
        if active == 0:
            now = until
            floats[k.VIRTUAL] = 0.0
            floats[k.CONTEXT] = 0.0
            floats[k.KV_USED] = 0.0
            continue
        total = floats[k.CONTEXT] + active * floats[k.VIRTUAL]
        period = iteration(ints, floats, instance, fixed, step, context, first, active, total)
        if period >= _NEVER:
            now = until
            continue
        finish = now + max(0.0, keys[0] - floats[k.VIRTUAL]) * period
        over = finish <= until
        if over:
            until = finish
        passed = until - now
        for g in range(_GROUPS):
            if instance[g, _READY] > 0:
                busy = passed * instance[g, _DUTY] * instance[g, _READY]
                flow[first + g, k.BUSY] += busy
                floats[k.BUSY_DECODE] += busy * size_of(int(instance[g, _OPTION_OF]))
                flow[first + g, k.SERVICE] += passed * active
                flow[first + g, k.SERVED_TIME] += passed
        now = until
        if not over:
            floats[k.VIRTUAL] += passed / period
            continue
        floats[k.VIRTUAL] = keys[0]
        i = ids[0]
        _pop(keys, ids, active)
        ints[k.ACTIVE] = active - 1
        floats[k.KV_USED] -= notes[i, k.PROMPT] + notes[i, k.OUTPUT]
        floats[k.CONTEXT] -= notes[i, k.PROMPT] - (keys_start(floats, notes, i))
        tbt = (now - requests[i, k.ENTERED]) / notes[i, k.OUTPUT]
        requests[i, k.TBT] = tbt
        note_latency(ints, recent, 1, tbt / floats[k.TBT_SLO])
        ints[k.DONE] += 1
        good = tbt <= floats[k.TBT_SLO]
        if ints[k.DECODE_PHASE] == 1:
            good = good and requests[i, k.TTFT] <= floats[k.TTFT_SLO]
        ints[k.GOOD] += good
    return


@njit
def keys_start(floats, notes, i):  # type: ignore[no-untyped-def]
    """Virtual time at which the sequence that ends now began."""
    return floats[k.VIRTUAL] - notes[i, k.OUTPUT]
