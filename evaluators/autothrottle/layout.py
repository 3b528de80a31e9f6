"""Where what stands in the arrays of a running simulation (integers; times and CPU time in nanoseconds)."""

from __future__ import annotations

import numpy as np

#: Nanoseconds.
MS = 1_000_000
SECOND = 1_000 * MS
#: A CFS period, a controller's sampling interval, and when in it the authors' daemon reads its counters.
PERIOD = 100 * MS
SAMPLE_AT = 97 * MS
#: Bytes of a line of the cache.
LINE = 64
#: Later than anything.
NEVER = 1 << 62

#: Kinds of items: whatever waits for a time or in a queue.
REFILL, EXHAUST, NEXT_SECOND, USER, WORK, ARRIVAL = range(6)
#: Of an item, 64 bytes: a line of the cache. `time` is when it is due; `next` follows it in the calendar or a queue; `finish` what its service's clock shows when its work is done; `step` what a visit does now, a row of :data:`STEP`;
#: `pending` how many answers it waits for, or WORKED or OVER; `number` counts the requests of a user.
ITEM = np.dtype(
    [
        *((name, np.int64) for name in ("time", "finish", "key", "began")),
        *((name, np.int32) for name in ("next", "parent", "owner", "pending")),
        ("step", np.uint32),
        *((name, np.int32) for name in ("kind", "number", "unused")),
    ]
)
#: In `pending`: the work of the step is done, its calls are next; all steps are done.
WORKED, OVER = -1, -2
#: Visits that nobody waits for have this as `parent` and `owner`, roots of requests as `parent` alone.
NOBODY = -1

#: Of a service; the first two lines of the cache are what every event touches. Sums over its life: `used`, `throttled_ns` and
#: the numbers `n_…`; `seen_…` are their values at the last sample. `clock`, `rest`: :mod:`evaluators.autothrottle.quota`.
SERVICE = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("threads", "runtime", "at", "clock", "throttled", "cores", "used", "period_used"),
            *("rest", "boundary", "active", "busy", "workers", "present", "demand", "sweep_p"),
            *("sweep_step", "first_waiting", "last_waiting", "parked", "quota", "burst", "since", "offset"),
            *("n_throttled", "n_periods", "throttled_ns", "n_bursts", "granted", "written", "writes"),
            *("seen_throttled", "seen_periods", "seen_ns", "seen_used", "seen_bursts"),
            *("_1", "_2", "_3", "_4"),  # to whole lines
        )
    ]
)

# Columns of `nodes`: what a visit to a service is.
SERVICE_OF, FIRST_PHASE, N_PHASES = range(3)
# Columns of `phases`: work, then calls.
MEAN, N_THREADS, SHAPE, FIRST_CALL, N_SYNC, N_ASYNC = range(6)
#: A phase for the event loop: mean work of a thread (ns), where, on how many threads, from which place in `shapes` on it is drawn,
#: its number in the visit, its calls and how many of these it waits for, and whether another phase follows.
STEP = np.dtype(
    [
        ("mean", np.int64),
        *((name, np.uint32) for name in ("service", "shape", "first_call")),
        *((name, np.int32) for name in ("threads", "number", "n_sync", "n_calls", "more")),
    ]
)

# Places in `control`.
(
    NOW,
    FREE,
    N_FREE,
    SEED,
    USERS,
    N_SERVICES,
    MEASURE,
    CLOSED,
    ARRIVALS,
    IN_FLIGHT,
    SENT,
    DONE,
    REFUSED,
    TICK,
    POS,
    N_TYPES,
    RECENT,
    HEAD_ROOM,
) = range(18)
CONTROL = 18

#: Shape tables have 2**SHAPE_BITS equally likely multiples of the mean, as fractions of 2**16.
SHAPE_BITS = 10
#: Width of a slot of the calendar and number of slots, as powers of two: 33 µs, 2.1 s.
SLOT_BITS, SLOTS_BITS = 16, 15
#: Messages that may wait for a service whose callers do not wait; then its callers do.
BACKLOG = 200


def in_lines(n: int, kind: np.dtype[np.void]) -> np.ndarray:
    """Rows of zeros of whole cache lines each, from the beginning of a line on (a plain array begins anywhere)."""
    size = n * kind.itemsize
    room = np.zeros(size + LINE, dtype=np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(kind)
