/* dex policy s0006, Mix Few Misses. Written by MetaMuse; see dex_s0006.h. */
#include "dex_s0006.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_ON_MISS
#define HAS_NOTE
#define HAS_SCORE
#define HAS_LOOKS

/* Memory: allotted when a state is made, and freed with it; nothing is allotted in between. */

typedef struct mm_block {
    struct mm_block *next;
    double aligned; /* what follows is aligned for every number */
} mm_block;

typedef struct mm_heap {
    mm_block *blocks;
    int64_t room; /* indices that structures which grow elsewhere have room for here */
    int fault;    /* line of the policy that failed first, 0 if none did */
} mm_heap;

typedef double (*mm_function_1)(double);
typedef double (*mm_function_2)(double, double);

/* The C library's functions, by addresses that the compiler does not look through: it would replace some. */
static double (*const volatile libm_pow)(double, double) = pow;

static inline void set_fault(mm_heap *heap, int line)
{
    if (heap->fault == 0) {
        heap->fault = line > 0 ? line : 1;
    }
}

static inline int64_t add64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t sub64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t neg64(int64_t a)
{
    return (int64_t)(0 - (uint64_t)a);
}

static inline int64_t min64(int64_t a, int64_t b)
{
    return b < a ? b : a;
}

static inline double maxf(double a, double b)
{
    return b > a ? b : a;
}

static inline int64_t floordiv64(mm_heap *heap, int64_t a, int64_t b, int line)
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

static inline int64_t mod64(mm_heap *heap, int64_t a, int64_t b, int line)
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

static inline double divf(mm_heap *heap, double a, double b, int line)
{
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return a / b;
}

static inline int64_t shl64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)((uint64_t)a << b);
}

static inline int64_t shr64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return a < 0 ? (int64_t)~(~(uint64_t)a >> b) : (int64_t)((uint64_t)a >> b);
}

static inline int64_t to_int64(mm_heap *heap, double x, int line)
{
    if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)x;
}

static inline int64_t at(mm_heap *heap, int64_t i, int64_t n, int line)
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

static inline int64_t hash64(int64_t x, int64_t seed)
{
    uint64_t z = (uint64_t)x + ((uint64_t)seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (int64_t)((z ^ (z >> 31)) >> 1);
}

static inline int is_inside(double result, double x)
{
    if (result != result) {
        return x != x;
    }
    return result - result == 0.0 || x - x != 0.0;
}

static inline double libm_2(mm_heap *heap, mm_function_2 function, double x, double y, int line)
{
    double result = function(x, y);
    if (!is_inside(result, x + y)) {
        set_fault(heap, line);
        return 0.0;
    }
    return result;
}

static inline double powf64(mm_heap *heap, double x, double y, int line)
{
    if (x == 0.0 && y < 0.0 && y - y == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return libm_2(heap, libm_pow, x, y, line);
}

static void free_all(mm_heap *heap)
{
    while (heap->blocks != NULL) {
        mm_block *next = heap->blocks->next;
        free(heap->blocks);
        heap->blocks = next;
    }
}


/* -- the policy */

typedef struct mm_Rng {
    int64_t s_seed;
    int64_t s_count;
} mm_Rng;

typedef struct mm_Policy {
    mm_Rng p_rng;
} mm_Policy;


static void Rng_init(mm_heap *heap, mm_Rng *self, int64_t seed)
{
    (void)seed;
    (void)heap;
    (void)self;
    self->s_seed = seed;
    self->s_count = INT64_C(0);
}

static void Policy_init(mm_heap *heap, mm_Policy *self, int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    (void)thread;
    (void)threads;
    (void)cpus;
    (void)height;
    (void)heap;
    (void)self;
    Rng_init(heap, &self->p_rng, thread);
}

static double Policy_heat(mm_heap *heap, mm_Policy *self, int64_t word, int64_t now)
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

static double Rng_uniform(mm_heap *heap, mm_Rng *self)
{
    (void)heap;
    (void)self;
    self->s_count = add64(self->s_count, INT64_C(1));
    return ((double)(shr64(heap, hash64(self->s_count, self->s_seed), INT64_C(10), 0)) / 9007199254740992.0);
    return 0.0;
}

static int64_t Policy_on_miss(mm_heap *heap, mm_Policy *self, int64_t level, int64_t op, int64_t word, bool full, bool may_offload, const double *seen, int64_t n0__seen)
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

static int64_t Policy_note(mm_heap *heap, mm_Policy *self, int64_t level, int64_t op, int64_t word, int64_t now)
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

static double Policy_score(mm_heap *heap, mm_Policy *self, int64_t level, bool dirty, int64_t word, int64_t now)
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

static int64_t Policy_looks(mm_heap *heap, mm_Policy *self)
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
static int rule_on_miss(mm_thread *p, int64_t level, int64_t op, bool full, bool may_offload, const double *seen)
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

static bool is_number(double x)
{
    return x - x == 0.0;
}

static int core_on_miss(mm_thread *p, int64_t level, int64_t op, int64_t now, bool full, bool may_offload,
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

static void core_on_hit(mm_thread *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
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

static double core_score(mm_thread *p, int64_t level, bool dirty, uint32_t word, int64_t now)
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

static void core_on_done(mm_thread *p, int64_t level, int64_t action, double us)
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

static void core_publish(mm_thread *p, double *central, int64_t now)
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

static void core_init(mm_thread *p, int64_t thread, int64_t threads, int64_t cpus, int64_t height)
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

/* -- the functions of the header */

struct dex_s0006 {
    mm_thread core;
};

int dex_s0006_on_miss(dex_s0006 *p, const dex_s0006_miss *miss, uint32_t *word)
{
    return core_on_miss(&p->core, miss->level, miss->op, miss->now, miss->full != 0, miss->may_offload != 0, miss->seen, word);
}

void dex_s0006_on_hit(dex_s0006 *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
{
    core_on_hit(&p->core, level, op, now, word);
}

int64_t dex_s0006_looks(const dex_s0006 *p)
{
    return p->core.looks;
}

double dex_s0006_score(dex_s0006 *p, int64_t level, int dirty, uint32_t word, int64_t now)
{
    return core_score(&p->core, level, dirty != 0, word, now);
}

void dex_s0006_on_done(dex_s0006 *p, int64_t level, int64_t action, double us)
{
    core_on_done(&p->core, level, action, us);
}

void dex_s0006_publish(dex_s0006 *p, double central[4], int64_t now)
{
    core_publish(&p->core, central, now);
}

int dex_s0006_fault(const dex_s0006 *p)
{
    return p->core.heap.fault;
}

void dex_s0006_free(dex_s0006 *p)
{
    if (p != NULL) {
        free_all(&p->core.heap);
        free(p);
    }
}

dex_s0006 *dex_s0006_new(int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    dex_s0006 *p;
    if (thread < 0 || threads <= thread || cpus < 0 || height < 2) {
        return NULL;
    }
    p = (dex_s0006 *)calloc(1, sizeof(dex_s0006));
    if (p == NULL) {
        return NULL;
    }
    core_init(&p->core, thread, threads, cpus, height);
    if (p->core.heap.fault != 0) {
        dex_s0006_free(p);
        return NULL;
    }
    return p;
}
