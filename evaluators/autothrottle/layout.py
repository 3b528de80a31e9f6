"""Where what stands in the arrays of a running simulation (integers; times and CPU time in nanoseconds)."""

from __future__ import annotations

#: Nanoseconds.
MS = 1_000_000
SECOND = 1_000 * MS
#: A CFS period, a controller's sampling interval, and when in it the authors' daemon reads its counters.
PERIOD = 100 * MS
SAMPLE_AT = 97 * MS
#: Later than anything.
NEVER = 1 << 62

# Rows of `items` are whatever waits for a time or in a queue. Kinds:
REFILL, EXHAUST, NEXT_SECOND, USER, WORK, ARRIVAL = range(6)
# Columns of `items`.
TIME, NEXT, BEFORE, KIND, NODE, PARENT, PENDING, PHASE, FINISH, KEY, BEGAN, OWNER = range(12)
ITEM = 12
#: Visits that nobody waits for have this as PARENT and OWNER, roots of requests as PARENT alone.
NOBODY = -1

# Columns of `services`.
(
    THREADS,
    RUNTIME,
    AT,
    CLOCK,
    THROTTLED,
    QUOTA,
    BOUNDARY,
    ACTIVE,
    PARKED,
    FIRST_WAITING,
    LAST_WAITING,
    BUSY,
    WORKERS,
    SINCE,
    N_THROTTLED,
    N_PERIODS,
    THROTTLED_NS,
    USED,
    N_BURSTS,
    BURST,
    PERIOD_USED,
    PRESENT,
    DEMAND,
    GRANTED,
    OFFSET,
    SWEEP_P,
    SWEEP_NODE,
    WRITTEN,
    WRITES,
    SEEN_THROTTLED,
    SEEN_PERIODS,
    SEEN_NS,
    SEEN_USED,
    SEEN_BURSTS,
    CORES,
    REST,
) = range(36)
SERVICE_COLUMNS = 36

# Columns of `nodes`: what a visit to a service is.
SERVICE_OF, FIRST_PHASE, N_PHASES = range(3)
# Columns of `phases`: work, then calls.
MEAN, N_THREADS, SHAPE, FIRST_CALL, N_SYNC, N_ASYNC = range(6)

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
