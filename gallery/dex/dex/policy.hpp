/* dex policy s0006, Mix Few Misses.
 *
 * What a compute thread does at a node of a B+-tree in remote memory that is not in its server's cache. Written by MetaMuse;
 * decides as the policy did in the simulator. C++17, header only; no exceptions, and no memory but the states' own.
 */
#ifndef DEX_S0006_POLICY_HPP
#define DEX_S0006_POLICY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace dex_s0006_ns {

enum class Action : std::uint8_t { Bypass, Admit, Offload };
enum class Op : std::uint8_t { Lookup, Update, Insert, Scan };

/* A word belongs to a node, is 0 at first and is shared by a server's threads. */
using NodeWord = std::uint32_t;

/* A node is missing. level: 0 for a leaf. now: microseconds. full: all frames are in use. may_offload: the memory server may
 * finish the operation. seen: see the README. */
struct MissCtx {
    std::int64_t level;
    Op op;
    std::int64_t now;
    bool full;
    bool may_offload;
    double seen[16];
};

namespace detail {

#define HAS_ON_MISS
#define HAS_NOTE
#define HAS_SCORE
#define HAS_LOOKS

/* Memory: a part of the thread's state. */
typedef struct mm_heap {
    unsigned char *next, *end;
    int64_t room; /* indices that structures which grow elsewhere have room for here */
    int fault;    /* line of the policy that failed first, 0 if none did */
} mm_heap;

typedef double (*mm_function_1)(double);
typedef double (*mm_function_2)(double, double);

/* The C library's functions, by addresses that the compiler does not look through: it would replace some. */
inline double (*const volatile libm_pow)(double, double) = pow;

inline void set_fault(mm_heap *heap, int line)
{
    if (heap->fault == 0) {
        heap->fault = line > 0 ? line : 1;
    }
}

inline int64_t add64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

inline int64_t sub64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

inline int64_t neg64(int64_t a)
{
    return (int64_t)(0 - (uint64_t)a);
}

inline int64_t min64(int64_t a, int64_t b)
{
    return b < a ? b : a;
}

inline double maxf(double a, double b)
{
    return b > a ? b : a;
}

inline int64_t floordiv64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    int64_t q;
    if (b == 0) {
        set_fault(heap, line);
        return 0;
    }
    if (b == -1) {
        return neg64(a);
    }
    q = a / b;
    return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

inline int64_t mod64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    int64_t r;
    if (b == 0) {
        set_fault(heap, line);
        return 0;
    }
    if (b == -1) {
        return 0;
    }
    r = a % b;
    return (r != 0 && (r < 0) != (b < 0)) ? r + b : r;
}

inline double divf(mm_heap *heap, double a, double b, int line)
{
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return a / b;
}

inline int64_t shl64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)((uint64_t)a << b);
}

inline int64_t shr64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return a < 0 ? (int64_t)~(~(uint64_t)a >> b) : (int64_t)((uint64_t)a >> b);
}

inline int64_t to_int64(mm_heap *heap, double x, int line)
{
    if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)x;
}

inline int64_t at(mm_heap *heap, int64_t i, int64_t n, int line)
{
    if (i < 0) {
        i += n;
    }
    if (i < 0 || i >= n) {
        set_fault(heap, line);
        return 0;
    }
    return i;
}

inline int64_t hash64(int64_t x, int64_t seed)
{
    uint64_t z = (uint64_t)x + ((uint64_t)seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (int64_t)((z ^ (z >> 31)) >> 1);
}

inline int is_inside(double result, double x)
{
    if (result != result) {
        return x != x;
    }
    return result - result == 0.0 || x - x != 0.0;
}

inline double libm_2(mm_heap *heap, mm_function_2 function, double x, double y, int line)
{
    double result = function(x, y);
    if (!is_inside(result, x + y)) {
        set_fault(heap, line);
        return 0.0;
    }
    return result;
}

inline double powf64(mm_heap *heap, double x, double y, int line)
{
    if (x == 0.0 && y < 0.0 && y - y == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return libm_2(heap, libm_pow, x, y, line);
}


/* -- the policy */

typedef struct mm_Rng {
    int64_t s_seed;
    int64_t s_count;
} mm_Rng;

typedef struct mm_Policy {
    mm_Rng p_rng;
} mm_Policy;


inline void Rng_init(mm_heap *heap, mm_Rng *self, int64_t seed)
{
    (void)seed;
    (void)heap;
    (void)self;
    self->s_seed = seed;
    self->s_count = INT64_C(0);
}

inline void Policy_init(mm_heap *heap, mm_Policy *self, int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    (void)thread;
    (void)threads;
    (void)cpus;
    (void)height;
    (void)heap;
    (void)self;
    Rng_init(heap, &self->p_rng, thread);
}

inline double Policy_heat(mm_heap *heap, mm_Policy *self, int64_t word, int64_t now)
{
    int64_t gone = 0;
    (void)gone;
    (void)word;
    (void)now;
    (void)heap;
    (void)self;
    gone = mod64(heap, sub64(mod64(heap, floordiv64(heap, now, INT64_C(113370), 18), INT64_C(65536), 18), shr64(heap, word, INT64_C(8), 18)), INT64_C(65536), 18);
    return (double)(shr64(heap, (word & INT64_C(255)), min64(gone, INT64_C(8)), 19));
    return 0.0;
}

inline double Rng_uniform(mm_heap *heap, mm_Rng *self)
{
    (void)heap;
    (void)self;
    self->s_count = add64(self->s_count, INT64_C(1));
    return ((double)(shr64(heap, hash64(self->s_count, self->s_seed), INT64_C(10), 0)) / 9007199254740992.0);
    return 0.0;
}

inline int64_t Policy_on_miss(mm_heap *heap, mm_Policy *self, int64_t level, int64_t op, int64_t word, bool full, bool may_offload, const double *seen, int64_t n0__seen)
{
    int64_t now = 0;
    double heat = 0.0;
    bool call = false;
    double edge = 0.0;
    double chance = 0.0;
    (void)now;
    (void)heat;
    (void)call;
    (void)edge;
    (void)chance;
    (void)level;
    (void)op;
    (void)word;
    (void)full;
    (void)may_offload;
    (void)seen;
    (void)n0__seen;
    (void)heap;
    (void)self;
    now = to_int64(heap, seen[at(heap, INT64_C(0), n0__seen, 27)], 27);
    heat = Policy_heat(heap, self, word, now);
    {
        if (level > INT64_C(0)) {
            call = false;
            {
                if (may_offload && full) {
                    edge = divf(heap, ((double)(add64(level, INT64_C(1))) * seen[at(heap, INT64_C(1), n0__seen, 32)]), maxf(0.1, seen[at(heap, INT64_C(2), n0__seen, 32)]), 32);
                    {
                        double t1__ = Rng_uniform(heap, (&self->p_rng));
                        double t2__ = powf64(heap, edge, 3.92, 33);
                        double t3__ = powf64(heap, edge, 3.92, 33);
                        double t4__ = (1.0 + t3__);
                        double t5__ = divf(heap, t2__, t4__, 33);
                        bool t6__ = (t1__ < t5__);
                        call = t6__;
                    }
                }
            }
            return (call ? INT64_C(2) : INT64_C(1));
        }
    }
    if ((op < INT64_C(3)) && (!(full))) {
        return INT64_C(1);
    }
    chance = 0.0161;
    chance = 0.124;
    {
        double t8__ = Rng_uniform(heap, (&self->p_rng));
        bool t9__ = (t8__ < chance);
        int64_t t7__;
        if (t9__) {
            t7__ = INT64_C(1);
        } else {
            t7__ = INT64_C(0);
        }
        int64_t t10__ = t7__;
        return t10__;
    }
    return 0;
}

inline int64_t Policy_note(mm_heap *heap, mm_Policy *self, int64_t level, int64_t op, int64_t word, int64_t now)
{
    int64_t epoch = 0;
    int64_t gone = 0;
    (void)epoch;
    (void)gone;
    (void)level;
    (void)op;
    (void)word;
    (void)now;
    (void)heap;
    (void)self;
    epoch = mod64(heap, floordiv64(heap, now, INT64_C(113370), 22), INT64_C(65536), 22);
    gone = mod64(heap, sub64(epoch, shr64(heap, word, INT64_C(8), 23)), INT64_C(65536), 23);
    return (shl64(heap, epoch, INT64_C(8), 24) | min64(INT64_C(255), add64(shr64(heap, (word & INT64_C(255)), min64(gone, INT64_C(8)), 24), INT64_C(1))));
    return 0;
}

inline double Policy_score(mm_heap *heap, mm_Policy *self, int64_t level, bool dirty, int64_t word, int64_t now)
{
    double heat = 0.0;
    double worth = 0.0;
    (void)heat;
    (void)worth;
    (void)level;
    (void)dirty;
    (void)word;
    (void)now;
    (void)heap;
    (void)self;
    heat = Policy_heat(heap, self, word, now);
    worth = 0.0;
    worth = (worth + (2.59 * (double)level));
    return worth;
    return 0.0;
}

inline int64_t Policy_looks(mm_heap *heap, mm_Policy *self)
{
    (void)heap;
    (void)self;
    return INT64_C(3);
    return 0;
}


/* -- a compute thread around the policy */

enum { BYPASS, ADMIT, OFFLOAD };
enum { SEEN = 16, CENTRAL = 4, MOST_LOOKS = 8, SCAN = 3 };

#define LARGEST_WORD INT64_C(4294967295)

typedef struct mm_thread {
    mm_heap heap;
    mm_Policy policy;
    int64_t thread, drawn, looks;
} mm_thread;

/* DEX's own rule, which takes over: one missing leaf in ten is cached, inner nodes are offloaded by cost. */
inline int rule_on_miss(mm_thread *p, int64_t level, int64_t op, bool full, bool may_offload, const double *seen)
{
    if (level == 0) {
        if (op != SCAN && !full) {
            return ADMIT;
        }
        p->drawn++;
        return (hash64(p->drawn, p->thread) >> 10) < INT64_C(900719925474099) ? ADMIT : BYPASS;
    }
    if (may_offload && full && seen[2] < (double)(level + 1) * (seen[1] + 0.04) * 1.2) {
        return OFFLOAD;
    }
    return ADMIT;
}

inline bool is_number(double x)
{
    return x - x == 0.0;
}

inline int core_on_miss(mm_thread *p, int64_t level, int64_t op, int64_t now, bool full, bool may_offload,
                        const double *seen, uint32_t *word)
{
    int64_t next_word = *word, action = ADMIT;
    int i;
    (void)now;
    for (i = 0; i < SEEN && p->heap.fault == 0; i++) {
        if (!is_number(seen[i])) {
            set_fault(&p->heap, 1);
        }
    }
    if (p->heap.fault == 0) {
#ifdef HAS_NOTE
        next_word = Policy_note(&p->heap, &p->policy, level, op, next_word, now);
        if (next_word < 0 || next_word > LARGEST_WORD) {
            set_fault(&p->heap, 1);
        }
#endif
        if (p->heap.fault == 0) {
            action = Policy_on_miss(&p->heap, &p->policy, level, op, next_word, full, may_offload, seen, SEEN);
        }
        if (action < (level > 0 ? ADMIT : BYPASS) || action > OFFLOAD) {
            set_fault(&p->heap, 1);
        }
    }
    if (p->heap.fault != 0) {
        return rule_on_miss(p, level, op, full, may_offload, seen);
    }
    *word = (uint32_t)next_word;
    if (action == OFFLOAD && !may_offload) {
        return level > 0 ? ADMIT : BYPASS;
    }
    return (int)action;
}

inline void core_on_hit(mm_thread *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
{
#ifdef HAS_ON_HIT
    if (p->heap.fault == 0) {
        int64_t next_word = Policy_on_hit(&p->heap, &p->policy, level, op, (int64_t)*word, now);
        if (next_word < 0 || next_word > LARGEST_WORD) {
            set_fault(&p->heap, 1);
        }
        if (p->heap.fault == 0) {
            *word = (uint32_t)next_word;
        }
    }
#else
    (void)p;
    (void)level;
    (void)op;
    (void)now;
    (void)word;
#endif
}

inline double core_score(mm_thread *p, int64_t level, bool dirty, uint32_t word, int64_t now)
{
#ifdef HAS_SCORE
    if (p->heap.fault == 0) {
        double value = Policy_score(&p->heap, &p->policy, level, dirty, (int64_t)word, now);
        if (!is_number(value)) {
            set_fault(&p->heap, 1);
        }
        if (p->heap.fault == 0) {
            return value;
        }
    }
#else
    (void)p;
    (void)level;
    (void)dirty;
    (void)word;
    (void)now;
#endif
    return 0.0;
}

inline void core_on_done(mm_thread *p, int64_t level, int64_t action, double us)
{
#ifdef HAS_ON_DONE
    if (p->heap.fault == 0) {
        if (!is_number(us)) {
            set_fault(&p->heap, 1);
            return;
        }
        Policy_on_done(&p->heap, &p->policy, level, action, us);
    }
#else
    (void)p;
    (void)level;
    (void)action;
    (void)us;
#endif
}

inline void core_publish(mm_thread *p, double *central, int64_t now)
{
#ifdef HAS_PUBLISH
    int64_t slot;
    for (slot = 0; slot < CENTRAL && p->heap.fault == 0; slot++) {
        double value = Policy_publish(&p->heap, &p->policy, slot, central, CENTRAL, now);
        if (!is_number(value)) {
            set_fault(&p->heap, 1);
        }
        if (p->heap.fault == 0) {
            central[slot] = value;
        }
    }
#else
    (void)p;
    (void)central;
    (void)now;
#endif
}

inline void core_init(mm_thread *p, int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    p->thread = thread;
    p->drawn = 0;
    p->looks = 2;
    Policy_init(&p->heap, &p->policy, thread, threads, cpus, height);
#ifdef HAS_LOOKS
    if (p->heap.fault == 0) {
        int64_t looks = Policy_looks(&p->heap, &p->policy);
        if (looks < 2 || looks > MOST_LOOKS) {
            set_fault(&p->heap, 1);
        }
        p->looks = p->heap.fault == 0 ? looks : 2;
    }
#endif
}

#undef HAS_ON_MISS
#undef HAS_NOTE
#undef HAS_SCORE
#undef HAS_LOOKS
#undef LARGEST_WORD
} // namespace detail

/* Bytes that the policy's arrays take in a thread's state: enough for 1024 threads, 64 cores and 16 levels. */
inline constexpr std::size_t arena_bytes = 80;

/* The least and the largest of each number in `seen` for which the policy was tried, and half of their distance on either side.
 * Numbers that it does not look at, and the clock, have no bounds. */
inline constexpr double least[16] = {-INFINITY, 3.0984962479686153, -0.910751247006, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
inline constexpr double largest[16] = {INFINITY, 7.357180967147983, 15.777851181465557, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};

/* A thread's state: plain data, for one thread at a time. It points into itself, so it stays where it was initialised. */
struct ThreadState {
    detail::mm_thread core;
    std::uint64_t out_of_range; /* misses that DEX's rule decided, since a number was none for which the policy was tried */
    bool check_range;           /* whether it does; true after init */
    alignas(16) unsigned char arena[arena_bytes];
};

/* Make a state that of a thread: its number over all servers, how many there are, cores of a memory server that take calls,
 * levels of the tree. False if the numbers make no sense, or the policy failed: then DEX's rule decides from the start. */
inline bool init(ThreadState &state, std::int64_t thread, std::int64_t threads, std::int64_t cpus,
                 std::int64_t height) noexcept
{
    memset(&state, 0, sizeof state);
    state.check_range = true;
    state.core.heap.next = state.arena;
    state.core.heap.end = state.arena + arena_bytes;
    if (thread < 0 || threads <= thread || cpus < 0 || height < 2) {
        state.core.looks = 2;
        state.core.heap.fault = 1;
        return false;
    }
    detail::core_init(&state.core, thread, threads, cpus, height);
    return state.core.heap.fault == 0;
}

/* 0, or the line of the policy that failed (1: an answer that none can be): since then DEX's own rule decides. Watch it. */
inline int fault(const ThreadState &state) noexcept
{
    return state.core.heap.fault;
}

/* Whether the policy was tried with such numbers. */
inline bool tried(const MissCtx &miss) noexcept
{
    for (int i = 0; i < 16; i++) {
        if (miss.seen[i] < least[i] || miss.seen[i] > largest[i]) {
            return false;
        }
    }
    return true;
}

/* What is done; the node's word becomes a new one. An inner node is never bypassed. */
inline Action on_miss(const MissCtx &miss, ThreadState &state, NodeWord &word) noexcept
{
    const std::int64_t op = static_cast<std::int64_t>(miss.op);
    if (state.check_range && !tried(miss)) {
        state.out_of_range++;
        return static_cast<Action>(
            detail::rule_on_miss(&state.core, miss.level, op, miss.full, miss.may_offload, miss.seen));
    }
    return static_cast<Action>(detail::core_on_miss(&state.core, miss.level, op, miss.now, miss.full, miss.may_offload,
                                                    miss.seen, &word));
}

/* A walk used a cached node, the deepest on its way: its word becomes a new one. */
inline void on_hit(std::int64_t level, Op op, std::int64_t now, ThreadState &state, NodeWord &word) noexcept
{
    detail::core_on_hit(&state.core, level, static_cast<std::int64_t>(op), now, &word);
}

/* Frames to look at when one is needed, 2 to 8. */
inline std::int64_t looks(const ThreadState &state) noexcept
{
    return state.core.looks;
}

/* What such a frame is worth; the two lowest are cooled, the first of equal ones. */
inline double score(std::int64_t level, bool dirty, NodeWord word, std::int64_t now, ThreadState &state) noexcept
{
    return detail::core_score(&state.core, level, dirty, word, now);
}

/* A miss was served: what was done, and the microseconds that it took. */
inline void on_done(std::int64_t level, Action action, double us, ThreadState &state) noexcept
{
    detail::core_on_done(&state.core, level, static_cast<std::int64_t>(action), us);
}

/* A server's four central numbers, on a cache line of their own. */
struct alignas(64) Central {
    std::atomic<double> numbers[4] = {};
};

/* After each miss: the central numbers are brought up to date. Only those that change are written. */
inline void publish(Central &central, std::int64_t now, ThreadState &state) noexcept
{
    double before[4], after[4];
    for (int i = 0; i < 4; i++) {
        before[i] = after[i] = central.numbers[i].load(std::memory_order_relaxed);
    }
    detail::core_publish(&state.core, after, now);
    for (int i = 0; i < 4; i++) {
        if (after[i] != before[i]) {
            central.numbers[i].store(after[i], std::memory_order_relaxed);
        }
    }
}

/* Places for the words of a server with so many frames: a power of two, as in the simulator. */
constexpr std::size_t words_for(std::size_t frames) noexcept
{
    std::size_t size = 64;
    while (size < 2 * frames) {
        size *= 2;
    }
    return size;
}

/* The words of a server's nodes, by hash: nodes of the same place share one. Large; not for a stack. */
template <std::size_t Frames, std::size_t Size = words_for(Frames)> class NodeWords {
    static_assert(Size > 0 && (Size & (Size - 1)) == 0, "the size is a power of two");

  public:
    static std::size_t place(std::uint64_t node) noexcept
    {
        return static_cast<std::size_t>(detail::hash64(static_cast<std::int64_t>(node), 0)) & (Size - 1);
    }

    NodeWord load(std::uint64_t node) const noexcept
    {
        return words_[place(node)].load(std::memory_order_relaxed);
    }

    /* Writes only what has changed: a line that is written is taken from the other threads. */
    void store(std::uint64_t node, NodeWord before, NodeWord after) noexcept
    {
        if (after != before) {
            words_[place(node)].store(after, std::memory_order_relaxed);
        }
    }

  private:
    std::atomic<NodeWord> words_[Size] = {};
};

/* The policy language's random numbers: the n-th is a hash of n and the seed. */
struct CounterRng {
    std::int64_t seed;
    std::int64_t count;

    /* In [0, 2^63). */
    std::int64_t next() noexcept
    {
        return detail::hash64(++count, seed);
    }

    /* In [0, n); n is at least 1. */
    std::int64_t below(std::int64_t n) noexcept
    {
        return next() % n;
    }

    /* In [0, 1). */
    double uniform() noexcept
    {
        return static_cast<double>(next() >> 10) / 9007199254740992.0;
    }
};

/* Shadow mode: the policy is asked at misses that another one decides, and what they would have done is counted. */
struct Shadow {
    ThreadState state;
    std::uint64_t counts[2][3][3]; /* by whether an inner node was missing, what was done, what this policy would have done */

    Action watch(const MissCtx &miss, NodeWord &word, Action theirs) noexcept
    {
        const Action ours = on_miss(miss, state, word);
        counts[miss.level > 0][static_cast<int>(theirs)][static_cast<int>(ours)]++;
        return ours;
    }
};

} // namespace dex_s0006_ns

#endif
