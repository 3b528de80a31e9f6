"""CFS bandwidth control of one service: periods of 100 ms, a quota, all threads stopped when it is used up.

No more threads run at once than a node has cores; if more are runnable they share these evenly, so that the service's
clock (see :mod:`evaluators.autothrottle.kernel`) is slower then. What is left of a nanosecond is kept until their number
changes, for the clock must not depend on how often it is looked at.
"""

from __future__ import annotations

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.calendar import schedule, unschedule
from evaluators.autothrottle.compiling import inlined


@inlined
def bring_up(services, s, now):  # type: ignore[no-untyped-def]
    """Account for what a service used since it was last looked at."""
    passed = now - services[s, k.AT]
    services[s, k.AT] = now
    if not services[s, k.THROTTLED]:
        threads = services[s, k.THREADS]
        used = threads * passed
        cores = services[s, k.CORES]
        if threads > cores:
            used = cores * passed
            shared = used + services[s, k.REST]
            passed = shared // threads
            services[s, k.REST] = shared - passed * threads
        services[s, k.RUNTIME] -= used
        services[s, k.USED] += used
        services[s, k.PERIOD_USED] += used
        services[s, k.CLOCK] += passed


@inlined
def run_threads(services, s, more):  # type: ignore[no-untyped-def]
    """So many threads more (or fewer) of a (brought up) service are runnable."""
    services[s, k.THREADS] += more
    services[s, k.REST] = 0


@inlined
def watch(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """Have the calendar say in time when the quota of a (brought up) service runs out, if it does in this period."""
    running = min(services[s, k.THREADS], services[s, k.CORES])
    if running <= 0 or services[s, k.THROTTLED]:
        return
    left = max(0, services[s, k.RUNTIME])
    if left >= running * (services[s, k.BOUNDARY] - now):
        return
    i = n_services + s
    if items[i, k.TIME] != k.NEVER:
        if running * (items[i, k.TIME] - now) <= left:
            return  # it looks again then
        unschedule(items, heads, i)
    schedule(items, heads, i, now + left // running)


@inlined
def refill(services, items, heads, s, now):  # type: ignore[no-untyped-def]
    """Give a (brought up) service its quota and wake it; returns what was added to its runtime."""
    left = max(0, services[s, k.RUNTIME])
    quota = services[s, k.QUOTA]
    services[s, k.RUNTIME] = min(left + quota, quota + services[s, k.BURST])
    if services[s, k.THROTTLED]:
        services[s, k.THROTTLED] = 0
        services[s, k.THROTTLED_NS] += now - services[s, k.SINCE]
        i = services[s, k.PARKED]
        services[s, k.PARKED] = -1
        while i >= 0:
            after = items[i, k.NEXT]
            schedule(items, heads, i, now + items[i, k.FINISH] - services[s, k.CLOCK])
            i = after
    return max(0, services[s, k.RUNTIME] - left)


@inlined
def start_timer(services, items, heads, s, now):  # type: ignore[no-untyped-def]
    """Start a service's period timer again; its phase stays."""
    offset = services[s, k.OFFSET]
    boundary = offset + ((now - offset) // k.PERIOD + 1) * k.PERIOD
    services[s, k.BOUNDARY] = boundary
    services[s, k.ACTIVE] = 1
    schedule(items, heads, s, boundary)


@inlined
def end_period(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """The period timer of a service fires."""
    bring_up(services, s, now)
    services[s, k.N_PERIODS] += 1
    services[s, k.N_THROTTLED] += services[s, k.THROTTLED]
    if services[s, k.PERIOD_USED] > services[s, k.QUOTA]:
        services[s, k.N_BURSTS] += 1
    idle = services[s, k.PERIOD_USED] == 0 and services[s, k.THREADS] == 0
    services[s, k.PERIOD_USED] = 0
    services[s, k.BOUNDARY] = now + k.PERIOD
    refill(services, items, heads, s, now)
    if idle:
        services[s, k.ACTIVE] = 0
    else:
        schedule(items, heads, s, now + k.PERIOD)
    watch(services, items, heads, n_services, s, now)


@inlined
def run_out(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """The quota of a service may have run out."""
    items[n_services + s, k.TIME] = k.NEVER
    bring_up(services, s, now)
    running = min(services[s, k.THREADS], services[s, k.CORES])
    if running > 0 and not services[s, k.THROTTLED]:
        if services[s, k.RUNTIME] < running:
            services[s, k.THROTTLED] = 1
            services[s, k.SINCE] = now
        else:
            watch(services, items, heads, n_services, s, now)


@inlined
def write_limit(services, items, heads, n_services, s, quota, now):  # type: ignore[no-untyped-def]
    """A new quota: as in the kernel, it refills the runtime and wakes the service at once."""
    bring_up(services, s, now)
    services[s, k.QUOTA] = quota
    services[s, k.GRANTED] += refill(services, items, heads, s, now)
    services[s, k.WRITTEN] = now
    services[s, k.WRITES] += 1
    watch(services, items, heads, n_services, s, now)
