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
    service = services[s]
    passed = now - service.at
    service.at = now
    if not service.throttled:
        threads = service.threads
        used = threads * passed
        cores = service.cores
        if threads > cores:
            used = cores * passed
            shared = used + service.rest
            passed = shared // threads
            service.rest = shared - passed * threads
        service.runtime -= used
        service.used += used
        service.period_used += used
        service.clock += passed


@inlined
def run_threads(services, s, more):  # type: ignore[no-untyped-def]
    """So many threads more (or fewer) of a (brought up) service are runnable."""
    service = services[s]
    service.threads += more
    service.rest = 0


@inlined
def watch(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """Have the calendar say in time when the quota of a (brought up) service runs out, if it does in this period."""
    service = services[s]
    running = min(service.threads, service.cores)
    if running <= 0 or service.throttled:
        return
    left = max(0, service.runtime)
    if left >= running * (service.boundary - now):
        return
    i = n_services + s
    if items[i].time != k.NEVER:
        if running * (items[i].time - now) <= left:
            return  # it looks again then
        unschedule(items, heads, i)
    schedule(items, heads, i, now + left // running)


@inlined
def refill(services, items, heads, s, now):  # type: ignore[no-untyped-def]
    """Give a (brought up) service its quota and wake it; returns what was added to its runtime."""
    service = services[s]
    left = max(0, service.runtime)
    quota = service.quota
    service.runtime = min(left + quota, quota + service.burst)
    if service.throttled:
        service.throttled = 0
        service.throttled_ns += now - service.since
        i = service.parked
        service.parked = -1
        while i >= 0:
            after = items[i].next
            schedule(items, heads, i, now + items[i].finish - service.clock)
            i = after
    return max(0, service.runtime - left)


@inlined
def start_timer(services, items, heads, s, now):  # type: ignore[no-untyped-def]
    """Start a service's period timer again; its phase stays."""
    service = services[s]
    offset = service.offset
    boundary = offset + ((now - offset) // k.PERIOD + 1) * k.PERIOD
    service.boundary = boundary
    service.active = 1
    schedule(items, heads, s, boundary)


@inlined
def end_period(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """The period timer of a service fires."""
    service = services[s]
    bring_up(services, s, now)
    service.n_periods += 1
    service.n_throttled += service.throttled
    if service.period_used > service.quota:
        service.n_bursts += 1
    idle = service.period_used == 0 and service.threads == 0
    service.period_used = 0
    service.boundary = now + k.PERIOD
    refill(services, items, heads, s, now)
    if idle:
        service.active = 0
    else:
        schedule(items, heads, s, now + k.PERIOD)
    watch(services, items, heads, n_services, s, now)


@inlined
def run_out(services, items, heads, n_services, s, now):  # type: ignore[no-untyped-def]
    """The quota of a service may have run out."""
    service = services[s]
    items[n_services + s].time = k.NEVER
    bring_up(services, s, now)
    running = min(service.threads, service.cores)
    if running > 0 and not service.throttled:
        if service.runtime < running:
            service.throttled = 1
            service.since = now
        else:
            watch(services, items, heads, n_services, s, now)


@inlined
def write_limit(services, items, heads, n_services, s, quota, now):  # type: ignore[no-untyped-def]
    """A new quota: as in the kernel, it refills the runtime and wakes the service at once."""
    service = services[s]
    bring_up(services, s, now)
    service.quota = quota
    service.granted += refill(services, items, heads, s, now)
    service.written = now
    service.writes += 1
    watch(services, items, heads, n_services, s, now)
