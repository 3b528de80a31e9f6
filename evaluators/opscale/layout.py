"""Where what stands in the arrays of a running simulation. Times are seconds, memory is bytes."""

from __future__ import annotations

#: Kinds of phases, and operator groups of each (group 0 of a phase is the whole-model replica).
PREFILL, DECODE = 0, 1

# Integers of a run.
(
    N_REQUESTS,
    N_PHASES,
    DECODE_PHASE,  # its number, -1 if there is none
    TANDEM,  # whole replicas are uniform tandems
    N_GPUS,
    STEP,
    STEPS,
    NEXT,  # first request that has not arrived
    ACTIVE,  # sequences in decode
    DONE,
    GOOD,
    WHOLE_OPTION,
    LAYERS,
    LAST_ARRIVALS,
    DENIED,  # replicas for which no GPU was free
    STARTED,  # replicas loaded
    RING_AT,
    SLOTS,  # servers below this number may be in use, those from it on are not
    FAILED,  # replicas that died
    FAILURE_SEED,
) = range(20)
INTS = 20

# Floats of a run.
(
    NOW,
    INTERVAL,
    TTFT_SLO,
    TBT_SLO,
    LINK,
    HOP,
    KV_BYTES,
    ROOM,  # bytes that replicas may hold on a GPU
    VIRTUAL,  # tokens that every active sequence has got since the start
    CONTEXT,  # sum over active sequences of (prompt - VIRTUAL at its start)
    KV_USED,
    GPU_SECONDS,
    BUSY_PREFILL,  # GPU-seconds
    BUSY_DECODE,
    EWMA,
    PROMPT_MEAN,
    PROMPT_SQUARE,
    OUTPUT_MEAN,
    PAST_P95,
    PAST_PEAK,
    POWER,
    IDLE_W,
    PREFILL_W,
    DECODE_W,
    MAX_GPUS,
    MTBF,  # mean time between failures of a GPU of a replica, 0 for none
) = range(26)
FLOATS = 26

# Columns of `requests` (floats) and of `notes` (integers).
ARRIVAL, WHEN, TTFT, TBT, ENTERED = range(5)
REQUEST = 5
PROMPT, OUTPUT, MASK = range(3)
NOTE = 3

# Columns of `station` (integers) and of `flow` (floats), a row a group.
HEAD, TAIL, QUEUED_TOKENS, DUE, ARRIVED, BATCHES, SERVED, MEMBERS = range(8)
STATION = 8
BUSY, CARRY, WAITED, SERVICE, PHI, SPLIT, SERVED_TIME, WAITS = range(8)
FLOW = 8

# Columns of `servers` (integers) and of `clocks` (floats), a row a server: one replica, or one stage of a tandem.
OWNER, PLACE, OPTION, STATE, GPUS, FIRST_GPU = range(6)
SERVER = 6 + 8
FREE, READY, SLOW, RELEASE, DIES = range(5)
CLOCK = 5
UNUSED, ALIVE, DRAINING = range(3)
#: Servers at once, in all and at one station.
MAX_SERVERS, MAX_MEMBERS = 768, 256

# Columns of `gpus` (floats); `residents` counts servers by group.
EIGHTHS, MEMORY, BANDWIDTH, KEY, LAST, COUNT = range(6)
GPU = 6
MAX_LIMIT = 512

# Columns of `fixed` (floats), a row a group: what does not change in a run.
DELAY, BATCH, USED_BANDWIDTH, BOUND, OUT_BYTES = range(5)
FIXED = 5

# Columns of `act`, a row a group: what the policy asked for.
TARGET, CAP, SHARE, PACK = range(4)
ACT = 4

# Latencies of the last minute, in bins of 1/16 of the SLO: a row an interval, and below them their sum.
RING, BINS = 30, 65

#: Numbers a policy is shown: in all, and of each group (`docs/opscale.md`).
GLOB, OBS, PROF = 16, 12, 12
