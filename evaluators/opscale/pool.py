"""Replicas: loading, draining, placement on GPUs, interference. Compiled once; knows no policy."""

from __future__ import annotations

import math

from numba import njit

from evaluators.digest import fold
from evaluators.opscale import layout as k
from evaluators.opscale.models import GROUPS, OPERATORS

_GROUPS = GROUPS
_FIRST, _LAST = OPERATORS[0], OPERATORS[-1]
_SLICES = 8  # options below are slices of one GPU
_BITS = 53
_NEVER = 1e18


@njit
def gpus_of(option):  # type: ignore[no-untyped-def]
    """GPUs that a replica of a size takes at least in part."""
    return 1 if option < _SLICES else 1 << (option - _SLICES + 1)


@njit
def size_of(option):  # type: ignore[no-untyped-def]
    """GPUs that a replica of a size is worth."""
    return (option + 1) / 8.0 if option < _SLICES else float(1 << (option - _SLICES + 1))


@njit
def draw(seed, number, stream):  # type: ignore[no-untyped-def]
    """A number in [0, 1) that looks random, the same for the same arguments."""
    mixed = fold(fold(fold(0, seed), number), stream)
    return ((mixed >> (64 - _BITS)) & ((1 << _BITS) - 1)) / float(1 << _BITS)


@njit
def fail(ints, servers, clocks, s):  # type: ignore[no-untyped-def]
    """A server's time has come: it serves no more, and is away from the end of the interval on."""
    servers[s, k.STATE] = k.DRAINING
    clocks[s, k.RELEASE] = clocks[s, k.DIES]
    ints[k.FAILED] += 1


@njit
def _choose_gpu(ints, floats, gpus, residents, act, affinity, group, option, held):  # type: ignore[no-untyped-def]
    """First GPU with the best score among those with room, a free one if none has; -1 if there is none."""
    best = -1
    best_score = 0
    empty = -1
    eighths = option + 1
    for g in range(ints[k.N_GPUS]):
        if gpus[g, k.COUNT] == 0:
            if empty < 0:
                empty = g
            continue
        if act[group, k.PACK] < 0 or gpus[g, k.KEY] < 0:
            continue
        if gpus[g, k.EIGHTHS] + eighths > 8 or gpus[g, k.MEMORY] + held > floats[k.ROOM]:
            continue
        score = 1 << 40 if gpus[g, k.KEY] == act[group, k.PACK] else 0
        for other in range(affinity.shape[1]):
            score += residents[g, other] * affinity[group, other]
        if best < 0 or score > best_score:
            best = g
            best_score = score
    if best >= 0 and (best_score >= 0 or empty < 0):
        return best
    return empty


@njit
def _add(  # type: ignore[no-untyped-def]
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
    act,
    affinity,
    owner,
    place,
    option,
    now,
):
    """Start a replica of group ``owner`` that serves station ``place``; False if there is no room."""
    if station[place, k.MEMBERS] == k.MAX_MEMBERS:
        return False
    s = 0
    while s < k.MAX_SERVERS and servers[s, k.STATE] != k.UNUSED:
        s += 1
    if s == k.MAX_SERVERS:
        return False
    ints[k.SLOTS] = max(ints[k.SLOTS], s + 1)
    n = gpus_of(option)
    if n == 1:
        g = _choose_gpu(ints, floats, gpus, residents, act, affinity, owner, option, held)
        if g < 0:
            return False
        servers[s, k.FIRST_GPU] = g
    else:
        found = 0
        for g in range(ints[k.N_GPUS]):
            if gpus[g, k.COUNT] == 0 and found < n:
                servers[s, k.FIRST_GPU + found] = g
                found += 1
        if found < n:
            return False
    for i in range(n):
        g = servers[s, k.FIRST_GPU + i]
        if gpus[g, k.COUNT] == 0:
            gpus[g, k.KEY] = act[owner, k.PACK]
            gpus[g, k.LAST] = now
        gpus[g, k.EIGHTHS] += option + 1 if n == 1 else 8
        gpus[g, k.MEMORY] += held
        gpus[g, k.COUNT] += 1
        residents[g, owner] += 1
    servers[s, k.OWNER] = owner
    servers[s, k.PLACE] = place
    servers[s, k.OPTION] = option
    servers[s, k.STATE] = k.ALIVE
    servers[s, k.GPUS] = n
    # What is asked for at the very start has been loaded before it.
    ready = now if ints[k.STEP] == 0 else now + fixed[owner, k.DELAY]
    clocks[s, k.READY] = ready
    clocks[s, k.FREE] = ready
    clocks[s, k.SLOW] = 1.0
    clocks[s, k.DIES] = _NEVER
    if floats[k.MTBF] > 0.0:
        # Each of its GPUs may fail, and it fails with the first of them.
        chance = draw(ints[k.FAILURE_SEED], ints[k.STARTED], 0)
        clocks[s, k.DIES] = now - math.log1p(-chance) * floats[k.MTBF] / n
    members[place, station[place, k.MEMBERS]] = s
    station[place, k.MEMBERS] += 1
    ints[k.STARTED] += 1
    return True


@njit
def _release(station, servers, members, gpus, residents, held, s, when):  # type: ignore[no-untyped-def]
    """Give back what a server holds."""
    place = servers[s, k.PLACE]
    owner = servers[s, k.OWNER]
    option = servers[s, k.OPTION]
    n = servers[s, k.GPUS]
    for i in range(n):
        g = servers[s, k.FIRST_GPU + i]
        gpus[g, k.EIGHTHS] -= option + 1 if n == 1 else 8
        gpus[g, k.COUNT] -= 1
        residents[g, owner] -= 1
        gpus[g, k.MEMORY] = max(0.0, gpus[g, k.MEMORY] - held) if gpus[g, k.COUNT] > 0 else 0.0
        gpus[g, k.LAST] = max(gpus[g, k.LAST], when)
    servers[s, k.STATE] = k.UNUSED
    count = station[place, k.MEMBERS]
    i = 0
    while members[place, i] != s:
        i += 1
    for j in range(i, count - 1):
        members[place, j] = members[place, j + 1]
    station[place, k.MEMBERS] = count - 1


@njit
def _count(station, servers, members, place, owner, state):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(station[place, k.MEMBERS]):
        s = members[place, i]
        if servers[s, k.STATE] == state and servers[s, k.OWNER] == owner:
            n += 1
    return n


@njit
def ready_servers(station, servers, clocks, members, place, now):  # type: ignore[no-untyped-def]
    """Servers of a station that are loaded and not draining."""
    n = 0
    for i in range(station[place, k.MEMBERS]):
        s = members[place, i]
        if servers[s, k.STATE] == k.ALIVE and clocks[s, k.READY] <= now:
            n += 1
    return n


@njit
def _option(ints, station, servers, members, least, act, place, owner):  # type: ignore[no-untyped-def]
    """Size of new replicas: what the group's others have, else what is asked for, at least what the memory needs."""
    if owner % _GROUPS == 0:
        return ints[k.WHOLE_OPTION]
    for i in range(station[place, k.MEMBERS]):
        s = members[place, i]
        if servers[s, k.OWNER] == owner:
            return servers[s, k.OPTION]
    share = act[owner, k.SHARE]
    option = share - 1 if share <= 8 else (8 if share == 16 else (9 if share == 32 else 10))
    return max(option, least[owner % _GROUPS])


@njit
def _shrink(  # type: ignore[no-untyped-def]
    ints, floats, station, servers, clocks, members, gpus, residents, held, decode, place, owner, target, now
):
    """Drain replicas above the target: those still loading first, then those on the emptiest GPU."""
    while _count(station, servers, members, place, owner, k.ALIVE) > target:
        best = -1
        best_loading = False
        best_fill = 0.0
        for i in range(station[place, k.MEMBERS]):
            s = members[place, i]
            if servers[s, k.STATE] != k.ALIVE or servers[s, k.OWNER] != owner:
                continue
            loading = clocks[s, k.READY] > now
            fill = gpus[servers[s, k.FIRST_GPU], k.EIGHTHS]
            if best < 0 or (loading and not best_loading) or (loading == best_loading and fill <= best_fill):
                best = s
                best_loading = loading
                best_fill = fill
        servers[best, k.STATE] = k.DRAINING
        option = servers[best, k.OPTION]
        if best_loading:
            clocks[best, k.RELEASE] = now
        elif decode and place % _GROUPS in (0, 2):
            # Its sequences move to the others: the KV cache goes over the links of its GPUs.
            n = max(1, ready_servers(station, servers, clocks, members, place, now) + 1)
            moved = floats[k.KV_USED] * floats[k.KV_BYTES] / n
            clocks[best, k.RELEASE] = now + floats[k.HOP] + moved / (floats[k.LINK] * servers[best, k.GPUS])
        else:
            clocks[best, k.RELEASE] = max(now, clocks[best, k.FREE])
        if clocks[best, k.RELEASE] <= now:
            _release(station, servers, members, gpus, residents, held[option], best, now)


@njit
def _keep(ints, floats, station, servers, clocks, members, kv, place, owner, target, now):  # type: ignore[no-untyped-def]
    """The target, raised while it would strand requests or KV cache."""
    group = place % _GROUPS
    decode = owner // _GROUPS == ints[k.DECODE_PHASE]
    for i in range(station[place, k.MEMBERS]):
        s = members[place, i]
        if servers[s, k.STATE] == k.ALIVE and servers[s, k.OWNER] != owner:
            return target  # a tandem's stage and a pool stand in for each other
    if not decode:
        return max(target, 1) if station[place, k.DUE] > 0 else target
    if ints[k.ACTIVE] == 0:
        return target
    first = (owner // _GROUPS) * _GROUPS
    whole = ready_servers(station, servers, clocks, members, first, now)
    if group != 0 and group != 2:
        return max(target, 1) if whole == 0 else target
    other = 0.0
    for g in (0, 2):
        if g != group and not (ints[k.TANDEM] == 1 and g == 0):
            for i in range(station[first + g, k.MEMBERS]):
                s = members[first + g, i]
                if servers[s, k.STATE] == k.ALIVE and clocks[s, k.READY] <= now:
                    other += kv[g, servers[s, k.OPTION]]
    ready = 0
    each = 0.0
    for i in range(station[place, k.MEMBERS]):
        s = members[place, i]
        if servers[s, k.STATE] == k.ALIVE and clocks[s, k.READY] <= now and servers[s, k.OWNER] == owner:
            ready += 1
            each = kv[group, servers[s, k.OPTION]]
    while target < ready and other + target * each < floats[k.KV_USED]:
        target += 1
    return target


@njit
def apply(  # type: ignore[no-untyped-def]
    ints, floats, station, servers, clocks, members, gpus, residents, fixed, held, kv, least, act, affinity
):
    """Bring all groups towards their targets."""
    now = floats[k.NOW]
    for grow in range(2):
        for owner in range(ints[k.N_PHASES] * _GROUPS):
            first = (owner // _GROUPS) * _GROUPS
            decode = owner // _GROUPS == ints[k.DECODE_PHASE]
            tandem = ints[k.TANDEM] == 1 and owner == first
            low = first + _FIRST if tandem else owner
            high = first + _LAST if tandem else owner
            for place in range(low, high + 1):
                bytes_held = held[1 if decode else 0, place % _GROUPS]
                target = min(act[owner, k.TARGET], k.MAX_MEMBERS)
                target = _keep(ints, floats, station, servers, clocks, members, kv, place, owner, target, now)
                alive = _count(station, servers, members, place, owner, k.ALIVE)
                if grow == 0:
                    _shrink(
                        ints,
                        floats,
                        station,
                        servers,
                        clocks,
                        members,
                        gpus,
                        residents,
                        bytes_held,
                        decode,
                        place,
                        owner,
                        target,
                        now,
                    )
                    continue
                i = 0
                while alive < target and i < station[place, k.MEMBERS]:
                    s = members[place, i]
                    if (
                        servers[s, k.OWNER] == owner
                        and servers[s, k.STATE] == k.DRAINING
                        and clocks[s, k.READY] <= now
                    ):
                        servers[s, k.STATE] = k.ALIVE
                        alive += 1
                    i += 1
                while alive < target:
                    option = _option(ints, station, servers, members, least, act, place, owner)
                    if not _add(
                        ints,
                        floats,
                        station,
                        servers,
                        clocks,
                        members,
                        gpus,
                        residents,
                        fixed,
                        bytes_held[option],
                        act,
                        affinity,
                        owner,
                        place,
                        option,
                        now,
                    ):
                        ints[k.DENIED] += target - alive
                        break
                    alive += 1
    interfere(ints, servers, clocks, gpus, fixed)


@njit
def interfere(ints, servers, clocks, gpus, fixed):  # type: ignore[no-untyped-def]
    """Slices of one GPU share its bandwidth: what they want beyond it slows them as far as they depend on it."""
    for g in range(ints[k.N_GPUS]):
        gpus[g, k.BANDWIDTH] = 0.0
    for s in range(ints[k.SLOTS]):
        if servers[s, k.STATE] != k.UNUSED and servers[s, k.GPUS] == 1:
            group = servers[s, k.PLACE]
            share = (servers[s, k.OPTION] + 1) / 8.0
            # Whoever depends on the bandwidth throughout (decode) reaches all of it with half of the SMs.
            reach = min(1.0, 2.0 * share) if fixed[group, k.BOUND] >= 1.0 else share
            gpus[servers[s, k.FIRST_GPU], k.BANDWIDTH] += fixed[group, k.USED_BANDWIDTH] * reach
    for s in range(ints[k.SLOTS]):
        if servers[s, k.STATE] != k.UNUSED and servers[s, k.GPUS] == 1:
            over = gpus[servers[s, k.FIRST_GPU], k.BANDWIDTH] - 1.0
            clocks[s, k.SLOW] = 1.0 + fixed[servers[s, k.PLACE], k.BOUND] * max(0.0, over)


@njit
def account(ints, floats, station, servers, clocks, members, gpus, residents, held, end):  # type: ignore[no-untyped-def]
    """At the end of an interval: release what has drained or failed, count GPU-seconds since its start."""
    began = floats[k.NOW]
    in_use = 0.0
    for s in range(ints[k.SLOTS]):
        if servers[s, k.STATE] == k.ALIVE and clocks[s, k.DIES] <= end:
            fail(ints, servers, clocks, s)
        if servers[s, k.STATE] == k.DRAINING and clocks[s, k.RELEASE] <= end:
            place = servers[s, k.PLACE]
            kind = 1 if place // _GROUPS == ints[k.DECODE_PHASE] else 0
            bytes_held = held[kind, place % _GROUPS, servers[s, k.OPTION]]
            _release(station, servers, members, gpus, residents, bytes_held, s, clocks[s, k.RELEASE])
    while ints[k.SLOTS] > 0 and servers[ints[k.SLOTS] - 1, k.STATE] == k.UNUSED:
        ints[k.SLOTS] -= 1
    for g in range(ints[k.N_GPUS]):
        if gpus[g, k.COUNT] > 0:
            in_use += 1
            floats[k.GPU_SECONDS] += end - began
        elif gpus[g, k.LAST] > began:
            floats[k.GPU_SECONDS] += gpus[g, k.LAST] - began
    floats[k.MAX_GPUS] = max(floats[k.MAX_GPUS], in_use)
    return in_use
