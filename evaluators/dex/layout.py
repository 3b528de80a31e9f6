"""Where numbers stand in the arrays of a run, and the codes that kernel and driver exchange."""

from __future__ import annotations

# Rows of the table of arrays, in the order of ``KINDS``.
(
    INTS,
    FLOATS,
    HEAP,
    CLOCKS,
    THREADS,
    FREE,
    SERVERS,
    TIMES,
    LEVELS,
    FRAME_OF,
    SWIZZLED,
    FRAMES,
    COOLING,
    WORDS,
    STREAM,
    OPERATIONS,
    USED,
    BIN,
    LOCKS,
    LATENCIES,
    FEATURES,
    SAMPLED,
    SCORES,
    CENTRAL,
    NEWS,
    TWIN,
    TWINS,
    MISSES,
    LOOKED,
    PLACES,
) = range(30)
#: Kind of number (i: int64, s: int32, b: int8, u: uint32, f: float64) and dimensions of each array.
KINDS = "i1 f1 s1 f1 f2 s2 i2 f2 i3 s1 i1 s2 s2 u1 s1 b1 f2 i2 f3 i1 f1 s1 f1 f2 s1 s1 s2 i2 i2 s1".split()

# -- ints: the system, then where the running operation stands

(
    N_SERVERS,  # compute servers
    N_MEMORY,  # memory servers
    PER_SERVER,  # compute threads a server
    CPUS,  # threads a memory server has for RPCs
    HEIGHT,  # levels
    FANOUT,
    LIMIT,  # highest level that may be offloaded (M)
    N_FRAMES,  # a server
    BUCKETS,  # of the cooling map, a server
    WORD_MASK,
    OPS,  # of each server's stream
    WARM,  # of them not counted
    FILLING,  # of the stream, used to fill the cache
    SCAN_LEAVES,
    LEAF_ROOM,
    FILL,
    FROZEN,  # 1: what is cached stays (oracle)
    PARENT_LOCK,  # 1: one I/O a parent at a time
    CENTRAL_FIFO,  # 1: one queue and lock for all frames of a server instead of the cooling map
    USES_HIT,
    USES_NOTE,
    USES_SCORE,
    USES_DONE,
    USES_PUBLISH,
    LOOKS,  # frames sampled a round
    STOP,  # finished operations at which to return
    FINISHED,
    SEATED,  # threads in the heap
    PHASE,
    THREAD,
    SERVER,
    OP,
    KIND,
    LEAF,
    NODE,  # that the request is about
    LEVEL,  # of it
    PARENT,
    LEFT,  # leaves a scan still reads
    WORD,
    ANSWER,
    FULL,
    MAY,
    DIRTY,
    FOUND,  # frames in SAMPLED
    FRAME,
    ROUNDS,
    COUNTING,
    ACTION,
    NOW,
    DIGEST,
    DECISIONS,
    RANDOM,
    FAULT,
    INTS_SIZE,
) = range(54)

# -- floats: costs in microseconds, then the running operation's clock

(
    LOCAL,
    SOFTWARE,
    READ_US,
    ATOMIC_US,
    WIRE,
    SERVICE,
    SAMPLE_US,
    LEAF_WRITE,
    WARMING,
    LOOPBACK,
    BANDWIDTH,  # bytes a microsecond and direction
    VERB,  # microseconds of the NIC a verb
    FIFO_US,
    T,
    BEGAN,
    LATENCY,
    FLOATS_SIZE,
) = range(17)

# -- a thread's floats (THREADS), and its integers in FREE[:, 0]

(READ_MEAN, RPC_MEAN, HIT_MEAN, MISS_MEAN, OFFLOAD_MEAN, REJECT_MEAN, THREAD_SIZE) = range(7)
FREE_ROOM = 15  # frames that a thread keeps for itself

# -- a server's integers (SERVERS): state, then counters of the measured operations

(
    NEXT,  # operation
    DONE_OPS,
    UNTOUCHED,  # frames never used
    READS,
    WRITES,
    ATOMICS,
    RPCS,
    BYTES,
    WRITE_BACKS,
    SPLITS,
    NEW_KEYS,
    LEAF_HITS,
    REJECTED,
    ADMITTED,
    SAMPLES,
    ROUND_TRIPS,
    SPARE,  # next free spare leaf
    SERVER_SIZE,
) = range(18)
# A server's times (TIMES): when measuring began and ended, until when its central words and its queue are locked.
(STARTED, ENDED, CENTRAL_UNTIL, FIFO_UNTIL, RPC_US, TIMES_SIZE) = range(6)

# A level of a server (LEVELS): first and last index in the whole tree, node id of the first, whether the ends are shared.
# ``ROW`` (level 1 only): its first node's row of TWINS.
(FIRST, LAST, BASE, SHARED_LEFT, SHARED_RIGHT, WIDTH, ROW, LEVEL_SIZE) = range(8)

# A frame (FRAMES): its node (-1: none), its state, whether it is dirty, its node's level.
(HOLDS, STATE, WRITTEN, AT, FRAME_SIZE) = range(5)
EMPTY, COOL, HOT = range(3)

#: Frames a bucket of the cooling map holds; COOLING[:, 0] is how many it has, then they follow, the newest first, from
#: ``COOL_NODE`` on the nodes in them. A row is a line of the processor's cache.
SLOTS, COOL_NODE, COOLING_SIZE = 6, 8, 16
PROBES = 8
#: Bins of a calendar (a power of two), their width in microseconds.
BINS, BIN_US = 2048, 2.0
#: Locks remembered a server (a power of two), and what of each: the node, since when it is busy, until when.
LOCK_PLACES = 1 << 14
(LOCK_NODE, LOCK_SINCE, LOCK_UNTIL, LOCK_SIZE) = (0, 1, 2, 4)
#: Operations by which the filling of the caches looks ahead, to have loaded what it comes to.
AHEAD = 8
LATENCY_BINS, LATENCY_STEP = 4096, 0.25
CENTRAL_WORDS = 4
# What a policy is told of a sampled frame (LOOKED).
LOOKED_LEVEL, LOOKED_DIRTY, LOOKED_WORD, LOOKED_SIZE = range(4)
MOST_LOOKS = 8
FEATURE_SIZE = 16

# Operations.
LOOKUP, UPDATE, INSERT, SCAN = range(4)
# What a policy answers.
BYPASS, ADMIT, OFFLOAD = range(3)
# What the kernel asks for.
FINISHED_ALL, ASK_MISS, ASK_HIT, ASK_SCORE, ASK_DONE, ASK_PUBLISH = range(6)
# Where it goes on.
(
    START,
    DESCEND,
    MISS,
    DECIDED,
    PROVIDE,
    CHOOSE,
    FETCH,
    AT_LEAF,
    AFTER,
    TOLD,
    FINISH,
    CENTRALLY,
) = range(12)

#: Keys a leaf holds, and pointers an inner node; bits of new keys a leaf; columns of TWINS (how many, then their ids).
LEAF_KEYS, POINTERS, NEW_BITS, TWIN_COLUMNS = 58, 59, 15, 36

#: Charges for what a policy does, microseconds: a call, a changed word of a node, a changed word of the server (serial).
CALL_US, WORD_US, CENTRAL_US = 0.025, 0.02, 0.06
