"""The network, from one decision to the next. Compiled once, cached, and called by a candidate's driver by pointer.

:func:`_advance` carries out what the last decision was, and runs on until a node is awake (or the gateway's day begins).
Within a tick nodes act in the order of their numbers.
"""

from __future__ import annotations

import functools

from evaluators.addresses import SIGNATURE, addresses_of, b2, f1, f2, h1, h3, i1, i2
from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached, inlined
from evaluators.sensing.noise import salted, uniform, uniform_of
from evaluators.sensing.readings import possible, reading

__all__ = ["KINDS", "SIGNATURE", "addresses_of", "compiled"]

#: Kinds of the arrays of a run, in order: ints, floats, node ints, node floats, what is fixed of a node, fault sizes, flags,
#: values, links, gateway, air, light (cumulated sun), next alert, visits, readings needed by fault, act, obs, net, path, salts.
KINDS = "i1 f1 i2 f2 i2 f1 b2 h3 b2 b2 h1 f1 i1 i1 i1 i1 f1 f1 i1 i2".split()
_NEVER = 1 << 60


@inlined
def _settle(ints, floats, ni, nf, light, n, t):  # type: ignore[no-untyped-def]
    """Let a store pass the time up to tick ``t``, in pieces of six hours on a grid: it can be full or empty in each."""
    start = ni[n, k.SETTLED]
    ni[n, k.SETTLED] = t
    if ni[n, k.DIED] >= 0 or t <= start:
        return
    power = floats[k.SLEEP_W]
    if ni[n, k.LISTENS]:
        power += floats[k.ALERT_W]
    panel = floats[k.PANEL_W] * nf[n, k.LIGHT] * 600.0
    if panel <= 0.0:
        used = power * 600.0 * (t - start)
        asleep = floats[k.SLEEP_W] * 600.0 * (t - start)
        nf[n, k.STORE] = max(0.0, nf[n, k.STORE] - used)
        nf[n, k.SPENT_SLEEP] += asleep
        if used > asleep:
            nf[n, k.SPENT_ALERT] += used - asleep
        return
    a = start
    harvested = 0.0
    while a < t:
        b = min(t, (a // k.GRID + 1) * k.GRID)
        gain = panel * (light[b] - light[a])
        used = power * 600.0 * (b - a)
        nf[n, k.SPENT_SLEEP] += floats[k.SLEEP_W] * 600.0 * (b - a)
        nf[n, k.SPENT_ALERT] += used - floats[k.SLEEP_W] * 600.0 * (b - a)
        nf[n, k.STORE] = min(nf[n, k.CAPACITY], max(0.0, nf[n, k.STORE] + gain - used))
        harvested += gain
        a = b
    nf[n, k.HARVESTED] += harvested
    weight = min(1.0, (t - start) / k.HARVEST_TICKS)
    nf[n, k.HARVEST] += weight * (harvested * 144.0 / (t - start) - nf[n, k.HARVEST])


@inlined
def _usable(floats, nf, air, n, t):  # type: ignore[no-untyped-def]
    """What the store can give now: the cold keeps part of a primary cell."""
    if floats[k.PANEL_W] > 0.0:
        return nf[n, k.STORE]
    if air[t] >= 5.0:
        return nf[n, k.STORE]
    return nf[n, k.STORE] - floats[k.COLD] * ((5.0 - float(air[t])) / 25.0) * nf[n, k.CAPACITY]


@inlined
def _die(ni, nf, n, t):  # type: ignore[no-untyped-def]
    if ni[n, k.DOWN_SINCE] >= 0:
        ni[n, k.DOWN_TICKS] += t - ni[n, k.DOWN_SINCE]
        ni[n, k.DOWN_SINCE] = -1
    ni[n, k.DIED] = t
    ni[n, k.WAKE] = _NEVER
    nf[n, k.STORE] = 0.0


@inlined
def _visit(ints, floats, ni, nf, fixed, light, t):  # type: ignore[no-untyped-def]
    """Somebody comes: fresh cells for the dead, repairs of what could be seen."""
    for n in range(ints[k.NODES]):
        if ni[n, k.DIED] >= 0 and fixed[n, k.END] > t:
            ni[n, k.DOWN_TICKS] += t - ni[n, k.DIED]
            ni[n, k.DIED] = -1
            ni[n, k.REVIVED] += 1
            ni[n, k.SETTLED] = t
            nf[n, k.STORE] = nf[n, k.CAPACITY]
            ni[n, k.WAKE] = t
        if fixed[n, k.FAULT] >= 0 and ni[n, k.SEEN_AT] >= 0 and ni[n, k.REPAIRED] > t:
            ni[n, k.REPAIRED] = t


@inlined
def _wake(ints, floats, ni, nf, fixed, sizes, flags, values, air, light, salts, n, t, obs):  # type: ignore[no-untyped-def]
    """A node's timer fires: does it come up, what does it read? Returns whether its policy is to be asked."""
    if n < 0 or t < 0:  # never: it spares all below the wrap-around of negative indices
        return False
    _settle(ints, floats, ni, nf, light, n, t)
    if t >= fixed[n, k.END]:
        _die(ni, nf, n, t)
        return False
    usable = _usable(floats, nf, air, n, t)
    if floats[k.PANEL_W] <= 0.0 and nf[n, k.STORE] < floats[k.PROBE_J]:
        _die(ni, nf, n, t)
        return False
    if ni[n, k.DOWN_SINCE] >= 0:
        enough = usable >= floats[k.PROBE_J]
        if floats[k.PANEL_W] > 0.0:
            enough = usable >= floats[k.RESTART] * nf[n, k.CAPACITY]
        if not enough:
            ni[n, k.WAKE] = t + k.LOOK
            return False
        ni[n, k.DOWN_TICKS] += t - ni[n, k.DOWN_SINCE]
        ni[n, k.DOWN_SINCE] = -1
    elif usable < floats[k.PROBE_J]:
        ni[n, k.DOWN_SINCE] = t
        ni[n, k.LISTENS] = 0
        ni[n, k.WAKE] = t + k.LOOK
        return False
    store = nf[n, k.STORE] - floats[k.PROBE_J]
    nf[n, k.STORE] = store
    nf[n, k.SPENT_PROBE] += floats[k.PROBE_J]
    flags[n, t] |= k.READ
    first = ni[n, k.WAKES] == 0
    ni[n, k.WAKES] += 1
    ni[n, k.UNSENT] += 1
    if ni[n, k.UNSENT] > ints[k.FLASH]:
        r = ni[n, k.OLDEST]
        while flags[n, r] & (k.READ | k.ARRIVED) != k.READ:
            r += 1
        flags[n, r] |= k.DROPPED | k.ARRIVED
        ni[n, k.OLDEST] = r + 1
        ni[n, k.UNSENT] -= 1
        ni[n, k.LOST] += 1
    seed = ints[k.SEED]
    size, ends = sizes[n], ni[n, k.REPAIRED]
    moisture = reading(seed, salts[n, 0], values, fixed, size, ends, 0, n, t)
    second = reading(seed, salts[n, 1], values, fixed, size, ends, 1, n, t)
    temperature = reading(seed, salts[n, 2], values, fixed, size, ends, 2, n, t)
    before = moisture if first else nf[n, k.LAST_MOISTURE]
    stuck = not first and moisture == before
    suspect = int(stuck or not (possible(0, moisture) and possible(1, second) and possible(2, temperature)))
    if ints[k.DATED] != t:
        # The same for all nodes, and a remainder is dear.
        ints[k.DATED] = t
        day = floats[k.DAY_OF_YEAR] + t / 144.0
        obs[7] = (t % 144) / 144.0
        obs[12] = (day % 365.25) / 365.25
        obs[18] = (ints[k.TICKS] - t) / 144.0
    leak = 0.0
    if t > fixed[n, k.LEAK]:
        leak = (t - fixed[n, k.LEAK]) / max(1, fixed[n, k.END] - fixed[n, k.LEAK])
    obs[0] = moisture
    obs[1] = second
    obs[2] = temperature
    obs[3] = nf[n, k.LAST_FLUX]
    obs[4] = t - ni[n, k.CO2_AT] if ni[n, k.CO2S] > 0 else 100000.0
    obs[5] = t - ni[n, k.HEARD_AT]
    obs[6] = ni[n, k.UNSENT]
    obs[8] = store / nf[n, k.CAPACITY]
    obs[9] = nf[n, k.HARVEST]
    obs[10] = ni[n, k.GOT_THROUGH]
    obs[11] = ni[n, k.ALERTED]
    obs[13] = min(1.0, 0.4 + 0.6 * leak + 0.02 * (uniform_of(salted(salts[n, 4], t)) - 0.5))
    obs[14] = suspect
    obs[15] = t - ni[n, k.WOKE]
    obs[16] = nf[n, k.ORDER]
    obs[17] = before
    obs[19] = store
    nf[n, k.LAST_MOISTURE] = moisture
    ni[n, k.WOKE] = t
    ni[n, k.ALERTED] = 0
    return True


@inlined
def _route(ints, floats, ni, nf, fixed, links, gateway, light, path, n, t):  # type: ignore[no-untyped-def]
    """Find the way of node ``n`` to the gateway now; returns the number of relays in ``path``, -1 if there is no way."""
    hops = 0
    at = n
    while hops <= k.HOPS:
        if links[at, t // k.LINK] == 0:
            return -1
        found = -2
        for choice in range(3):
            parent = fixed[at, k.PARENT + choice]
            if parent == -2:
                break
            if parent == -1:
                found = -1
                break
            if ni[parent, k.FORWARDS] == 0:
                continue
            if ni[parent, k.DIED] >= 0 or ni[parent, k.DOWN_SINCE] >= 0:
                # Half a session until the silence is understood.
                cost = min(nf[at, k.STORE], 0.5 * floats[k.SESSION_J])
                nf[at, k.STORE] -= cost
                nf[at, k.SPENT_RADIO if at == n else k.SPENT_RELAY] += cost
                continue
            _settle(ints, floats, ni, nf, light, parent, t)
            if nf[parent, k.STORE] < floats[k.WEAK] * nf[parent, k.CAPACITY]:
                # A weak relay still answers, is put on the route and cannot forward: the session fails.
                cost = min(nf[parent, k.STORE], floats[k.SESSION_J])
                nf[parent, k.STORE] -= cost
                nf[parent, k.SPENT_RELAY] += cost
                return -1
            found = parent
            break
        if found == -2:
            return -1
        if found == -1:
            return hops if gateway[0, t // k.LINK] else -1
        path[hops] = found
        hops += 1
        at = found
    return -1


@inlined
def _arrive(ints, ni, nf, fixed, sizes, flags, values, needed, n, r, t):  # type: ignore[no-untyped-def]
    """Reading ``r`` of a node is at the base at tick ``t``."""
    flags[n, r] |= k.ARRIVED
    ni[n, k.UNSENT] -= 1
    ni[n, k.SENT] += 1
    if r > ni[n, k.NEWEST]:
        # Its newest reading was of NEWEST from NEWEST_SINCE up to now.
        a, b = ni[n, k.NEWEST_SINCE], t
        nf[n, k.AGE] += (b - a) * ((a + b - 1) / 2.0 - ni[n, k.NEWEST])
        ni[n, k.NEWEST] = r
        ni[n, k.NEWEST_SINCE] = t
    kind = fixed[n, k.FAULT]
    shows = kind >= 0 and r >= fixed[n, k.ONSET] and ni[n, k.SEEN_AT] < 0
    if shows and (fixed[n, k.QUANTITY] != 3 or flags[n, r] & k.READ_CO2):
        ni[n, k.SEEN] += 1
        if ni[n, k.SEEN] >= needed[kind]:
            ni[n, k.SEEN_AT] = t


@inlined
def _session(  # type: ignore[no-untyped-def]
    ints, floats, ni, nf, fixed, sizes, flags, values, links, gateway, light, needed, path, n, t, packets
):
    """Open the radio; send readings if there is a way, the oldest first, or the newest if ``packets`` is negative."""
    ni[n, k.SESSIONS] += 1
    ni[n, k.GOT_THROUGH] = 0
    cost = min(nf[n, k.STORE], floats[k.SESSION_J])
    nf[n, k.STORE] -= cost
    nf[n, k.SPENT_RADIO] += cost
    if cost < floats[k.SESSION_J]:
        ni[n, k.FAILED] += 1
        return
    hops = _route(ints, floats, ni, nf, fixed, links, gateway, light, path, n, t)
    if hops < 0:
        ni[n, k.FAILED] += 1
        return
    ni[n, k.GOT_THROUGH] = 1
    ni[n, k.SILENT] = max(ni[n, k.SILENT], t - ni[n, k.HEARD_AT])
    ni[n, k.HEARD_AT] = t
    newest = packets < 0
    r = t if newest else ni[n, k.OLDEST]
    for _ in range(abs(packets)):
        if ni[n, k.UNSENT] == 0 or nf[n, k.STORE] < floats[k.PACKET_J]:
            break
        able = True
        for h in range(hops):
            able = able and nf[path[h], k.STORE] >= floats[k.RELAY_J]
        if not able:
            break
        nf[n, k.STORE] -= floats[k.PACKET_J]
        nf[n, k.SPENT_RADIO] += floats[k.PACKET_J]
        for h in range(hops):
            nf[path[h], k.STORE] -= floats[k.RELAY_J]
            nf[path[h], k.SPENT_RELAY] += floats[k.RELAY_J]
            ni[path[h], k.RELAYED] += 1
        for _ in range(min(ints[k.BATCH], ni[n, k.UNSENT])):
            while flags[n, r] & (k.READ | k.ARRIVED) != k.READ:
                r += -1 if newest else 1
            _arrive(ints, ni, nf, fixed, sizes, flags, values, needed, n, r, t)
            r += -1 if newest else 1
    if not newest:
        ni[n, k.OLDEST] = r
    if ni[n, k.UNSENT] == 0:
        ni[n, k.OLDEST] = t + 1
    nf[n, k.TOLD_STORE] = nf[n, k.STORE] / nf[n, k.CAPACITY]
    nf[n, k.TOLD_MOISTURE] = nf[n, k.LAST_MOISTURE]
    nf[n, k.TOLD_FLUX] = nf[n, k.LAST_FLUX]


@inlined
def _act(  # type: ignore[no-untyped-def]
    ints, floats, ni, nf, fixed, sizes, flags, values, links, gateway, light, alert, needed, act, path, salts
):
    """Carry out what the node that is awake decided."""
    n, t = ints[k.NODE], ints[k.TICK]
    if n < 0 or t < 0:  # never, as in _wake
        return
    if act[k.CO2] and floats[k.CO2_J] > 0.0 and nf[n, k.STORE] >= floats[k.CO2_J]:
        nf[n, k.STORE] -= floats[k.CO2_J]
        nf[n, k.SPENT_CO2] += floats[k.CO2_J]
        flags[n, t] |= k.READ_CO2
        ni[n, k.CO2S] += 1
        ni[n, k.CO2_AT] = t
        flux = reading(ints[k.SEED], salts[n, 3], values, fixed, sizes[n], ni[n, k.REPAIRED], 3, n, t)
        nf[n, k.LAST_FLUX] = flux
    if act[k.PACKETS] != 0:
        _session(
            ints,
            floats,
            ni,
            nf,
            fixed,
            sizes,
            flags,
            values,
            links,
            gateway,
            light,
            needed,
            path,
            n,
            t,
            act[k.PACKETS],
        )
    wake = t + act[k.SLEEP]
    ni[n, k.LISTENS] = act[k.LISTEN]
    if act[k.LISTEN]:
        called = alert[min(t + 1, ints[k.TICKS])]
        while called < wake:
            if uniform(ints[k.SEED] + 3, n, called) >= floats[k.MISSED]:
                wake = called
                ni[n, k.ALERTED] = 1
                break
            called = alert[called + 1]
    ni[n, k.WAKE] = wake


@inlined
def _report(ints, ni, nf, net, t):  # type: ignore[no-untyped-def]
    """What the gateway knows of every node."""
    for n in range(ints[k.NODES]):
        row = n * k.NET
        net[row] = (t - ni[n, k.HEARD_AT]) / 144.0
        net[row + 1] = nf[n, k.TOLD_STORE]
        net[row + 2] = nf[n, k.TOLD_MOISTURE]
        net[row + 3] = nf[n, k.TOLD_FLUX]
        net[row + 4] = (t - ni[n, k.NEWEST]) / 144.0
        net[row + 5] = ni[n, k.SENT]
        net[row + 6] = ni[n, k.SEEN_AT] >= 0
        net[row + 7] = ni[n, k.RELAYED]


@inlined
def _run(  # type: ignore[no-untyped-def]
    ints,
    floats,
    ni,
    nf,
    fixed,
    sizes,
    flags,
    values,
    links,
    gateway,
    air,
    light,
    alert,
    visits,
    needed,
    act,
    obs,
    net,
    path,
    salts,
):
    if ints[k.WAITS] == k.AWAKE:
        _act(
            ints,
            floats,
            ni,
            nf,
            fixed,
            sizes,
            flags,
            values,
            links,
            gateway,
            light,
            alert,
            needed,
            act,
            path,
            salts,
        )
    t = ints[k.TICK]
    nodes, ticks = ints[k.NODES], ints[k.TICKS]
    first = ints[k.CURSOR]
    while t < ticks:
        if first == 0:
            if ints[k.VISIT] < len(visits) and visits[ints[k.VISIT]] <= t:
                ints[k.VISIT] += 1
                _visit(ints, floats, ni, nf, fixed, light, t)
            if ints[k.GATEWAY] and t % 144 == 0 and ints[k.ASKED] < t:
                ints[k.ASKED] = t
                _report(ints, ni, nf, net, t)
                ints[k.TICK] = t
                ints[k.CURSOR] = 0
                ints[k.WAITS] = k.DAWN
                return
        for n in range(first, nodes):
            if ni[n, k.WAKE] == t and _wake(
                ints, floats, ni, nf, fixed, sizes, flags, values, air, light, salts, n, t, obs
            ):
                ints[k.TICK] = t
                ints[k.NODE] = n
                ints[k.CURSOR] = n + 1
                ints[k.WAITS] = k.AWAKE
                return
        first = 0
        t += 1
    for n in range(nodes):
        _settle(ints, floats, ni, nf, light, n, ticks)
        a, b = ni[n, k.NEWEST_SINCE], ticks
        nf[n, k.AGE] += (b - a) * ((a + b - 1) / 2.0 - ni[n, k.NEWEST])
        ni[n, k.NEWEST_SINCE] = ticks
        if ni[n, k.DIED] >= 0:
            ni[n, k.DOWN_TICKS] += ticks - ni[n, k.DIED]
        elif ni[n, k.DOWN_SINCE] >= 0:
            ni[n, k.DOWN_TICKS] += ticks - ni[n, k.DOWN_SINCE]
    ints[k.TICK] = ticks
    ints[k.WAITS] = k.OVER


def _advance(table):  # type: ignore[no-untyped-def]
    """:func:`_run` with the arrays that stand at the addresses."""
    ints = i1(table[0])
    _run(
        ints,
        f1(table[1]),
        i2(table[2]),
        f2(table[3]),
        i2(table[4]),
        f1(table[5]),
        b2(table[6]),
        h3(table[7]),
        b2(table[8]),
        b2(table[9]),
        h1(table[10]),
        f1(table[11]),
        i1(table[12]),
        i1(table[13]),
        i1(table[14]),
        i1(table[15]),
        f1(table[16]),
        f1(table[17]),
        i1(table[18]),
        i2(table[19]),
    )


@functools.cache
def compiled():  # type: ignore[no-untyped-def]
    """:func:`_advance`, compiled for :data:`SIGNATURE` once a machine, then from Numba's cache."""
    advance = cached(_advance)
    advance.compile(SIGNATURE)
    advance.disable_compile()
    return advance
