"""The event loop: services under CFS bandwidth control, requests as trees of calls, users in a closed loop.

Compiled once and cached; it knows no policy. :func:`advance` runs to the next sample of the controllers. Everything is
in whole nanoseconds, so that results are exact and equal on every machine.

All threads of a service run at full speed, each on a core of its own as long as there are that many, until the quota of
the period is used up; then all stand still until the next refill. So a job that needs ``w`` ns of a thread ends when the
service's own clock, which stands while it is throttled and is slow while threads share cores, has gone on by ``w``. Its
end is put into the calendar as if nothing were to happen; if the clock has lagged meanwhile, it is put off when it fires.
Only the moment at which a quota runs out is kept up to date.

Randomness is a hash of user, number of the request and place in its tree: two policies meet the same requests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.calendar import schedule
from evaluators.autothrottle.compiling import STAMP, inlined, uncounted
from evaluators.autothrottle.histogram import bin_of
from evaluators.autothrottle.quota import bring_up, end_period, run_out, run_threads, start_timer, watch

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)
_LOW_63 = (1 << 63) - 1
_SLOTS_MASK = (1 << k.SLOTS_BITS) - 1
_SHAPE_MASK = (1 << k.SHAPE_BITS) - 1


@njit(cache=True)
def mix(x: int) -> int:
    """SplitMix64's finaliser, the low 63 bits."""
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX_1
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX_2
    return (x ^ ((x >> 31) & 0x1FFFFFFFF)) & _LOW_63


@njit(cache=True)
def child_key(key: int, place: int) -> int:
    """The key of a call, from its caller's key and its place among the calls of that."""
    drawn: int = mix(key + (place + 1) * _GOLDEN)
    return drawn


@inlined
def new_visit(control, items, services, steps, step, parent, owner, key):  # type: ignore[no-untyped-def]
    """An item for a visit; there always is one (:func:`evaluators.autothrottle.world.room_for` counts them)."""
    i = control[k.FREE]
    item = items[i]
    control[k.FREE] = item.next
    control[k.N_FREE] -= 1
    item.step = step
    item.parent = parent
    item.owner = owner
    item.pending = 0
    item.key = key
    services[steps[step].service].present += 1
    return i


@inlined
def arrive(items, services, steps, stack, top, i):  # type: ignore[no-untyped-def]
    """A visit gets a worker of its service, or waits for one; returns the new top of the stack."""
    item = items[i]
    service = services[steps[item.step].service]
    if service.busy < service.workers:
        service.busy += 1
        stack[top] = i
        return top + 1
    item.next = -1
    if service.last_waiting >= 0:
        items[service.last_waiting].next = i
    else:
        service.first_waiting = i
    service.last_waiting = i
    return top


@inlined
def leave(control, items, services, steps, stack, top, i):  # type: ignore[no-untyped-def]
    """A visit is over: its worker goes to the next one, its item is free; returns the new top of the stack."""
    item = items[i]
    service = services[steps[item.step].service]
    item.owner = k.NOBODY  # nobody waits for it any more
    service.present -= 1
    waiting = service.first_waiting
    if item.step == service.sweep_step:
        pass  # a thread of the runtime's, not a worker
    elif waiting >= 0:
        service.first_waiting = items[waiting].next
        if items[waiting].next < 0:
            service.last_waiting = -1
        stack[top] = waiting
        top += 1
    else:
        service.busy -= 1
    item.next = control[k.FREE]
    control[k.FREE] = i
    control[k.N_FREE] += 1
    return top


@inlined
def work_of(step, service, shapes, key):  # type: ignore[no-untyped-def]
    """CPU time of a visit's phase, for each of its threads; draws of the same phase are always the same."""
    number = step.number
    if number >= 4:
        key = mix(key + (number >> 2))
    draw = (key >> ((number & 3) * k.SHAPE_BITS)) & _SHAPE_MASK
    scaled = (step.mean * service.demand) >> 16
    return max(1, (scaled * shapes[step.shape + draw]) >> 16)


@inlined
def proceed(  # type: ignore[no-untyped-def]
    control, items, heads, services, steps, calls, shapes, thinks, histograms, stack, top, now
):
    """Take the visits on the stack as far as they get without time passing: to their next work, or to their end.

    A visit on the stack has a worker; PENDING says whether it has done the work of its step, or all its steps.
    """
    n_services = control[k.N_SERVICES]
    while top > 0:
        top -= 1
        i = stack[top]
        item = items[i]
        pending = item.pending
        waits = False
        while pending != k.OVER:
            step = steps[item.step]
            if pending >= 0:
                s = step.service
                service = services[s]
                if step.number == 0 and ((item.key >> 43) & 0xFFFFF) < service.sweep_p:
                    sweep = service.sweep_step
                    if sweep != item.step and service.threads < k.BACKLOG:
                        key = child_key(item.key, 1 << 20)
                        stack[top] = new_visit(
                            control, items, services, steps, sweep, k.NOBODY, k.NOBODY, key
                        )
                        top += 1
                if step.mean > 0:
                    # Threads join at once and leave together; the service's clock tells when.
                    work = work_of(step, service, shapes, item.key)
                    bring_up(services, s, now)
                    run_threads(services, s, step.threads)
                    item.finish = service.clock + work
                    if not service.active:
                        start_timer(services, items, heads, s, now)
                    if service.throttled:
                        item.next = service.parked
                        service.parked = i
                    else:
                        schedule(items, heads, i, now + work)
                        watch(services, items, heads, n_services, s, now)
                    waits = True
                    break
            n_sync = step.n_sync
            item.pending = n_sync
            for c in range(step.n_calls):
                place = step.first_call + c
                called = calls[place]
                key = child_key(item.key, place)
                parent = np.int64(i)
                if c >= n_sync:
                    if services[steps[called].service].present < k.BACKLOG:
                        parent = np.int64(k.NOBODY)
                    else:
                        item.pending += 1
                j = new_visit(control, items, services, steps, called, parent, k.NOBODY, key)
                top = arrive(items, services, steps, stack, top, j)
            if item.pending > 0:
                waits = True
                break
            pending = next_step(items, steps, i)
        if waits:
            continue
        parent = np.int64(item.parent)
        if parent >= 0:
            items[parent].pending -= 1
            if items[parent].pending == 0:
                next_step(items, steps, parent)
                stack[top] = parent
                top += 1
        elif item.owner != k.NOBODY:
            answer(control, items, heads, thinks, histograms, i, now)
        top = leave(control, items, services, steps, stack, top, i)


@inlined
def next_step(items, steps, i):  # type: ignore[no-untyped-def]
    """A visit has done its step and got all answers; returns what is pending then."""
    item = items[i]
    if steps[item.step].more:
        item.step += 1
        item.pending = 0
    else:
        item.pending = k.OVER
    return item.pending


@inlined
def answer(control, items, heads, thinks, histograms, i, now):  # type: ignore[no-untyped-def]
    """A request is answered; in a closed loop its user thinks."""
    item = items[i]
    place = bin_of(now - item.began)
    histograms[0, place] += 1
    if item.began >= control[k.MEASURE]:
        histograms[1, place] += 1
    control[k.DONE] += 1
    control[k.IN_FLIGHT] -= 1
    if control[k.CLOSED]:
        schedule(items, heads, item.owner, now + think(thinks, item.key))


@inlined
def think(thinks, key):  # type: ignore[no-untyped-def]
    """A time drawn from a table of quantiles."""
    draw = mix(key + 7)
    place = draw & (len(thinks) - 2)
    low = thinks[place]
    return low + (((thinks[place + 1] - low) * ((draw >> 40) & 0xFFFF)) >> 16)


@inlined
def send(control, items, services, steps, roots, stack, owner, number, now):  # type: ignore[no-untyped-def]
    """A user sends a request; returns the new top of the stack."""
    key = mix(control[k.SEED] + owner * _GOLDEN + mix(number))
    draw = mix(key + 3) & 0xFFFFFFFF
    kind = 0
    while draw >= roots[kind, 1]:
        kind += 1
    control[k.SENT] += 1
    control[k.IN_FLIGHT] += 1
    i = new_visit(control, items, services, steps, roots[kind, 0], k.NOBODY, owner, key)
    items[i].began = now
    return arrive(items, services, steps, stack, 0, i)


@inlined
def next_second(control, items, heads, services, load, drift, first_user, now):  # type: ignore[no-untyped-def]
    """Another second: as many users as it has requests a second in the trace, and the services' demands in it."""
    second = now // k.SECOND
    if second >= len(load):
        return
    for s in range(control[k.N_SERVICES]):
        services[s].demand = drift[second, s]
    wanted = load[second]
    if control[k.CLOSED]:
        for u in range(control[k.USERS], wanted):
            i = first_user + u
            if items[i].time == k.NEVER:  # not there, and not waiting for an answer
                # New users come spread over the second.
                start = mix(control[k.SEED] + i * _GOLDEN + second) % k.SECOND
                schedule(items, heads, i, now + start)
    elif control[k.USERS] == 0 and wanted > 0:
        schedule(items, heads, first_user, now)
    control[k.USERS] = wanted
    schedule(items, heads, 2 * control[k.N_SERVICES], now + k.SECOND)


@uncounted
def _advance(  # type: ignore[no-untyped-def]
    control,
    items,
    heads,
    services,
    steps,
    calls,
    shapes,
    thinks,
    roots,
    load,
    drift,
    histograms,
    stack,
    until,
):
    """Run all events up to and including the time ``until``."""
    n_services = control[k.N_SERVICES]
    first_user = 2 * n_services + 1
    slot_time = control[k.NOW] >> k.SLOT_BITS
    last = until >> k.SLOT_BITS
    while slot_time <= last:
        i = np.int64(heads[slot_time & _SLOTS_MASK])
        if i < 0 or items[i].time >> k.SLOT_BITS > slot_time:
            slot_time += 1
            continue
        item = items[i]
        now = item.time
        if now > until:
            break
        heads[slot_time & _SLOTS_MASK] = item.next
        kind = item.kind
        top = 0
        number = np.int64(0)
        if kind == k.WORK:
            step = steps[item.step]
            s = step.service
            service = services[s]
            bring_up(services, s, now)
            left = item.finish - service.clock
            if left <= 0:
                run_threads(services, s, -step.threads)
                item.pending = k.WORKED
                stack[0] = i
                top = 1
            elif service.throttled:
                item.next = service.parked
                service.parked = i
            else:
                schedule(items, heads, i, now + left)
        elif kind == k.USER:
            if i - first_user < control[k.USERS]:
                item.number += 1
                number = np.int64(item.number)
            else:
                item.time = k.NEVER
        elif kind == k.ARRIVAL:
            control[k.ARRIVALS] += 1
            if control[k.USERS] > 0:
                gap = think(thinks, mix(control[k.SEED] + control[k.ARRIVALS])) // control[k.USERS]
                schedule(items, heads, i, now + max(1, gap))
            if control[k.N_FREE] > control[k.HEAD_ROOM]:
                number = control[k.ARRIVALS]
            else:
                control[k.REFUSED] += 1
                histograms[0, -1] += 1
                histograms[1, -1] += 1
        elif kind == k.REFILL:
            end_period(services, items, heads, n_services, i, now)
        elif kind == k.EXHAUST:
            run_out(services, items, heads, n_services, i - n_services, now)
        else:
            next_second(control, items, heads, services, load, drift, first_user, now)
        if number > 0:
            top = send(control, items, services, steps, roots, stack, i, number, now)
        if top > 0:
            proceed(
                control,
                items,
                heads,
                services,
                steps,
                calls,
                shapes,
                thinks,
                histograms,
                stack,
                top,
                now,
            )
    control[k.NOW] = until


def _entry(stamp: int) -> Any:
    """:func:`_advance`, cached (see :mod:`evaluators.autothrottle.compiling`)."""

    @njit(cache=True)
    def advance(  # type: ignore[no-untyped-def]
        control,
        items,
        heads,
        services,
        steps,
        calls,
        shapes,
        thinks,
        roots,
        load,
        drift,
        histograms,
        stack,
        until,
    ):
        if stamp:
            _advance(
                control,
                items,
                heads,
                services,
                steps,
                calls,
                shapes,
                thinks,
                roots,
                load,
                drift,
                histograms,
                stack,
                until,
            )

    return advance


advance = _entry(STAMP)
