"""What several threads want at once: NICs, the CPUs of memory servers, locks.

Operations are worked off whole, in the order in which they begin, so that what they want of a resource does not come in
the order of time. A first-come-first-served clock would make false queues; a *calendar* has capacity in bins of time, and
a claim takes what is left from its own time on.
"""

from __future__ import annotations

from evaluators.dex import layout as k
from evaluators.dex.memory import compiled, f1, f2, f3, i1, i2


@compiled
def claim(table, resource, t, work, share):  # type: ignore[no-untyped-def]
    """Take ``work`` microseconds of a resource with ``share`` servers from time t on; the delay by what others took."""
    used = f2(table, k.USED)
    bins = i2(table, k.BIN)
    room = k.BIN_US * share
    first = int(t / k.BIN_US)
    b = first
    while True:
        place = b & (k.BINS - 1)
        if bins[resource, place] != b:
            bins[resource, place] = b
            used[resource, place] = 0.0
        left = room - used[resource, place]
        if left >= work:
            used[resource, place] += work
            break
        if left > 0.0:
            work -= left
            used[resource, place] = room
        b += 1
    if b == first:
        return 0.0
    end = (b + used[resource, b & (k.BINS - 1)] / room) * k.BIN_US
    return max(0.0, end - t)


@compiled
def verb(table, server, memory, t, out, back, base):  # type: ignore[no-untyped-def]
    """End of a one-sided verb that carries ``out`` bytes to a memory server and ``back`` bytes from it.

    A server's NIC has two directions; compute and memory server of the same number share it (resources 2s: sent, 2s + 1:
    received).
    """
    floats = f1(table, k.FLOATS)
    each = floats[k.VERB]
    rate = floats[k.BANDWIDTH]
    if server == memory:
        base *= floats[k.LOOPBACK]
    there = max(each, out / rate)
    here = max(each, back / rate)
    heavy = there if out > back else here
    # The direction that carries the payload decides; the other one carries a header.
    sender = server if out > back else memory
    receiver = memory if out > back else server
    wait = claim(table, 2 * sender, t, heavy, 1.0)
    wait = max(wait, claim(table, 2 * receiver + 1, t, heavy, 1.0))
    return t + base + wait


@compiled
def call(table, server, memory, t):  # type: ignore[no-untyped-def]
    """End of an RPC: the wire, and the queue for the memory server's threads."""
    floats = f1(table, k.FLOATS)
    ints = i1(table, k.INTS)
    wire = floats[k.WIRE] * (floats[k.LOOPBACK] if server == memory else 1.0)
    each = floats[k.VERB]
    for end in (2 * server, 2 * memory):
        claim(table, end, t, each, 1.0)
    there = t + 0.5 * wire
    servers = 2 * max(ints[k.N_SERVERS], ints[k.N_MEMORY])
    wait = claim(table, servers + memory, there, floats[k.SERVICE], float(ints[k.CPUS]))
    return there + wait + floats[k.SERVICE] + 0.5 * wire


@compiled
def lock(table, server, node, t):  # type: ignore[no-untyped-def]
    """When a node's lock is free for somebody who comes at time t; :func:`hold` takes it.

    Whoever comes before the lock's busy period began is not held up: he is worked off later, but came earlier.
    """
    locks = f3(table, k.LOCKS)
    place = node & (k.LOCK_PLACES - 1)
    until = locks[server, place, k.LOCK_UNTIL]
    if locks[server, place, k.LOCK_NODE] == node and locks[server, place, k.LOCK_SINCE] <= t < until:
        return until
    return t


@compiled
def hold(table, server, node, t, end):  # type: ignore[no-untyped-def]
    """Hold a node's lock from t to end. Locks of different nodes may share a place; then the later one counts."""
    locks = f3(table, k.LOCKS)
    place = node & (k.LOCK_PLACES - 1)
    until = locks[server, place, k.LOCK_UNTIL]
    same = locks[server, place, k.LOCK_NODE] == node
    if not same or until < t:
        if not same and until > t:
            return
        locks[server, place, k.LOCK_NODE] = node
        locks[server, place, k.LOCK_SINCE] = t
        locks[server, place, k.LOCK_UNTIL] = end
    elif end > until:
        locks[server, place, k.LOCK_UNTIL] = end
