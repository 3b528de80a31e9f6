/* opscale policy s0039-tuned, Drain Burst Hot (tuned). Written by MetaMuse; see opscale_s0039_tuned.h. */
#include "opscale_s0039_tuned.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_CONTROL
#define HAS_REPLICAS

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
static double (*const volatile libm_exp)(double) = exp;

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

static inline int64_t mul64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static inline double minf(double a, double b)
{
    return b < a ? b : a;
}

static inline double maxf(double a, double b)
{
    return b > a ? b : a;
}

static inline double divf(mm_heap *heap, double a, double b, int line)
{
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return a / b;
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

static inline int is_inside(double result, double x)
{
    if (result != result) {
        return x != x;
    }
    return result - result == 0.0 || x - x != 0.0;
}

static inline double libm_1(mm_heap *heap, mm_function_1 function, double x, int line)
{
    double result = function(x);
    if (!is_inside(result, x)) {
        set_fault(heap, line);
        return 0.0;
    }
    return result;
}

static inline int64_t length(mm_heap *heap, int64_t n)
{
    if (n < 0) {
        set_fault(heap, 1);
        return 0;
    }
    return n;
}

static void *allot(mm_heap *heap, int64_t n, size_t size)
{
    mm_block *block;
    if (n < 1) {
        n = 1;
    }
    if ((uint64_t)n > (SIZE_MAX - sizeof(mm_block)) / size) {
        set_fault(heap, 1);
        return NULL;
    }
    block = (mm_block *)calloc(1, sizeof(mm_block) + (size_t)n * size);
    if (block == NULL) {
        set_fault(heap, 1);
        return NULL;
    }
    block->next = heap->blocks;
    heap->blocks = block;
    return block + 1;
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

typedef struct mm_Policy {
    double *a_target;
    int64_t n0_target;
    double *a_average;
    int64_t n0_average;
    double *a_factor;
    int64_t n0_factor;
    int64_t s_n_groups;
    double s_interval;
    double s_ttft_slo;
    double s_tbt_slo;
} mm_Policy;


static void Policy_init(mm_heap *heap, mm_Policy *self, int64_t n_groups, double interval, double ttft_slo, double tbt_slo)
{
    (void)n_groups;
    (void)interval;
    (void)ttft_slo;
    (void)tbt_slo;
    (void)heap;
    (void)self;
    self->s_n_groups = n_groups;
    self->s_interval = interval;
    self->s_ttft_slo = ttft_slo;
    self->s_tbt_slo = tbt_slo;
    self->n0_target = length(heap, n_groups);
    self->a_target = (double *)allot(heap, self->n0_target, sizeof(double));
    if (self->a_target == NULL) {
        return;
    }
    self->n0_average = length(heap, n_groups);
    self->a_average = (double *)allot(heap, self->n0_average, sizeof(double));
    if (self->a_average == NULL) {
        return;
    }
    self->n0_factor = length(heap, n_groups);
    self->a_factor = (double *)allot(heap, self->n0_factor, sizeof(double));
    if (self->a_factor == NULL) {
        return;
    }
}

static double Policy_load(mm_heap *heap, mm_Policy *self, int64_t g, double rate, double active, const double *glob, int64_t n0__glob, const double *prof, int64_t n0__prof)
{
    int64_t row = 0;
    double mean = 0.0;
    double share = 0.0;
    double room = 0.0;
    double memory = 0.0;
    (void)row;
    (void)mean;
    (void)share;
    (void)room;
    (void)memory;
    (void)g;
    (void)rate;
    (void)active;
    (void)glob;
    (void)prof;
    (void)n0__glob;
    (void)n0__prof;
    (void)heap;
    (void)self;
    row = mul64(INT64_C(12), g);
    mean = glob[at(heap, INT64_C(3), n0__glob, 73)];
    if (prof[at(heap, add64(row, INT64_C(10)), n0__prof, 74)] > (double)(INT64_C(0))) {
        share = (0.8475 * self->s_tbt_slo);
        active = maxf(active, ((rate * glob[at(heap, INT64_C(5), n0__glob, 76)]) * share));
        room = maxf((0.1 * share), (share - prof[at(heap, add64(row, INT64_C(1)), n0__prof, 77)]));
        memory = divf(heap, (active * (mean + glob[at(heap, INT64_C(5), n0__glob, 78)])), prof[at(heap, add64(row, INT64_C(10)), n0__prof, 78)], 78);
        return maxf(divf(heap, (active * (prof[at(heap, add64(row, INT64_C(3)), n0__prof, 79)] + (prof[at(heap, add64(row, INT64_C(2)), n0__prof, 79)] * maxf(mean, glob[at(heap, INT64_C(7), n0__glob, 79)])))), room, 79), memory);
    }
    return (rate * ((prof[at(heap, row, n0__prof, 80)] * mean) + (((prof[at(heap, add64(row, INT64_C(2)), n0__prof, 80)] * mean) * mean) * (1.0 + glob[at(heap, INT64_C(4), n0__glob, 80)]))));
    return 0.0;
}

static double Policy_erlang(mm_heap *heap, mm_Policy *self, double load, double service, double budget)
{
    int64_t servers = 0;
    double blocked = 0.0;
    int64_t i = 0;
    int64_t __ = 0;
    double waits = 0.0;
    (void)servers;
    (void)blocked;
    (void)i;
    (void)__;
    (void)waits;
    (void)load;
    (void)service;
    (void)budget;
    (void)heap;
    (void)self;
    servers = add64(to_int64(heap, load, 91), INT64_C(1));
    blocked = 1.0;
    {
        int64_t t1__ = INT64_C(1);
        int64_t t2__ = servers;
        int64_t t3__ = (t1__ < t2__ ? (t2__ - t1__ - 1) / 1 + 1 : 0);
        int64_t k4__;
        for (k4__ = 0; k4__ < t3__ && heap->fault == 0; k4__++) {
            i = t1__ + k4__ * (1);
            blocked = divf(heap, (load * blocked), ((double)i + (load * blocked)), 94);
        }
    }
    {
        int64_t t5__ = 0;
        int64_t t6__ = INT64_C(64);
        int64_t t7__ = (t5__ < t6__ ? (t6__ - t5__ - 1) / 1 + 1 : 0);
        int64_t k8__;
        for (k8__ = 0; k8__ < t7__ && heap->fault == 0; k8__++) {
            __ = t5__ + k8__ * (1);
            blocked = divf(heap, (load * blocked), ((double)servers + (load * blocked)), 96);
            waits = divf(heap, blocked, (1.0 - (divf(heap, load, (double)servers, 97) * (1.0 - blocked))), 97);
            if (((double)servers > load) && ((waits * service) <= (budget * ((double)servers - load)))) {
                break;
            }
            servers = add64(servers, INT64_C(1));
        }
    }
    return (double)servers;
    return 0.0;
}

static void Policy_plan(mm_heap *heap, mm_Policy *self, int64_t g, double rate, double part, const double *glob, int64_t n0__glob, const double *obs, int64_t n0__obs, const double *prof, int64_t n0__prof)
{
    int64_t row = 0;
    double load = 0.0;
    double want = 0.0;
    double service = 0.0;
    double peak = 0.0;
    double tail = 0.0;
    double last = 0.0;
    (void)row;
    (void)load;
    (void)want;
    (void)service;
    (void)peak;
    (void)tail;
    (void)last;
    (void)g;
    (void)rate;
    (void)part;
    (void)glob;
    (void)obs;
    (void)prof;
    (void)n0__glob;
    (void)n0__obs;
    (void)n0__prof;
    (void)heap;
    (void)self;
    row = mul64(INT64_C(12), g);
    load = (part * Policy_load(heap, self, g, rate, (glob[at(heap, INT64_C(6), n0__glob, 50)] + obs[at(heap, add64(row, INT64_C(1)), n0__obs, 50)]), glob, n0__glob, prof, n0__prof));
    want = load;
    if ((prof[at(heap, add64(row, INT64_C(10)), n0__prof, 52)] == (double)(INT64_C(0))) && (load > 0.0)) {
        service = ((prof[at(heap, add64(row, INT64_C(3)), n0__prof, 53)] * glob[at(heap, INT64_C(3), n0__glob, 53)]) + ((prof[at(heap, add64(row, INT64_C(2)), n0__prof, 53)] * glob[at(heap, INT64_C(3), n0__glob, 53)]) * glob[at(heap, INT64_C(3), n0__glob, 53)]));
        want = maxf(want, Policy_erlang(heap, self, minf(load, 1000.0), service, (0.04977 * self->s_ttft_slo)));
    }
    peak = (part * Policy_load(heap, self, g, glob[at(heap, INT64_C(14), n0__glob, 55)], 0.0, glob, n0__glob, prof, n0__prof));
    if (peak > want) {
        want = (want + (divf(heap, (0.2693 * prof[at(heap, add64(row, INT64_C(6)), n0__prof, 57)]), (prof[at(heap, add64(row, INT64_C(6)), n0__prof, 57)] + 5.0), 57) * (peak - want)));
    }
    if (prof[at(heap, add64(row, INT64_C(10)), n0__prof, 58)] == (double)(INT64_C(0))) {
        want = (want + divf(heap, (obs[at(heap, add64(row, INT64_C(2)), n0__obs, 59)] * (prof[at(heap, row, n0__prof, 59)] + ((prof[at(heap, add64(row, INT64_C(2)), n0__prof, 59)] * glob[at(heap, INT64_C(3), n0__glob, 59)]) * (1.0 + glob[at(heap, INT64_C(4), n0__glob, 59)])))), 1.314, 59));
    }
    tail = ((prof[at(heap, add64(row, INT64_C(10)), n0__prof, 60)] > (double)(INT64_C(0))) ? glob[at(heap, INT64_C(9), n0__glob, 60)] : glob[at(heap, INT64_C(8), n0__glob, 60)]);
    {
        if (tail > 0.0) {
            {
                int64_t t1__ = at(heap, g, self->n0_factor, 62);
                self->a_factor[t1__] = (self->a_factor[t1__] + (0.005487 * (minf(tail, 2.0) - 0.746)));
            }
            {
                double t2__ = minf(1.0, maxf((-0.3), self->a_factor[at(heap, g, self->n0_factor, 63)]));
                self->a_factor[at(heap, g, self->n0_factor, 63)] = t2__;
            }
        }
    }
    want = (want * (1.0 + self->a_factor[at(heap, g, self->n0_factor, 64)]));
    if (prof[at(heap, add64(row, INT64_C(6)), n0__prof, 65)] > 5.0) {
        want = maxf(want, ((part * 0.7386) * Policy_load(heap, self, g, glob[at(heap, INT64_C(14), n0__glob, 66)], 0.0, glob, n0__glob, prof, n0__prof)));
    }
    last = self->a_target[at(heap, g, self->n0_target, 67)];
    want = maxf(want, (last * libm_1(heap, libm_exp, divf(heap, (-(self->s_interval)), (2.0 + (1.802 * prof[at(heap, add64(row, INT64_C(6)), n0__prof, 68)])), 68), 68)));
    {
        double t3__ = minf(want, 4000.0);
        self->a_target[at(heap, g, self->n0_target, 69)] = t3__;
    }
}

static void Policy_ease(mm_heap *heap, mm_Policy *self, int64_t g, double want)
{
    (void)g;
    (void)want;
    (void)heap;
    (void)self;
    {
        double t1__ = maxf(want, (self->a_target[at(heap, g, self->n0_target, 86)] * libm_1(heap, libm_exp, divf(heap, (-(self->s_interval)), 6.32, 86), 86)));
        self->a_target[at(heap, g, self->n0_target, 86)] = t1__;
    }
    if ((self->a_target[at(heap, g, self->n0_target, 87)] < 0.5) && (want <= 0.0)) {
        self->a_target[at(heap, g, self->n0_target, 88)] = 0.0;
    }
}

static void Policy_control(mm_heap *heap, mm_Policy *self, double t, const double *glob, int64_t n0__glob, const double *obs, int64_t n0__obs, const double *prof, int64_t n0__prof)
{
    double rate = 0.0;
    int64_t first = 0;
    bool decode = false;
    double part = 0.0;
    double load = 0.0;
    double lack = 0.0;
    double queued = 0.0;
    double extra = 0.0;
    (void)rate;
    (void)first;
    (void)decode;
    (void)part;
    (void)load;
    (void)lack;
    (void)queued;
    (void)extra;
    (void)t;
    (void)glob;
    (void)obs;
    (void)prof;
    (void)n0__glob;
    (void)n0__obs;
    (void)n0__prof;
    (void)heap;
    (void)self;
    rate = maxf(glob[at(heap, INT64_C(1), n0__glob, 31)], glob[at(heap, INT64_C(2), n0__glob, 31)]);
    {
        int64_t t1__ = INT64_C(0);
        int64_t t2__ = self->s_n_groups;
        int64_t t3__ = (t1__ < t2__ ? (t2__ - t1__ - 1) / 5 + 1 : 0);
        int64_t k4__;
        for (k4__ = 0; k4__ < t3__ && heap->fault == 0; k4__++) {
            first = t1__ + k4__ * (5);
            decode = (prof[at(heap, add64(mul64(INT64_C(12), first), INT64_C(10)), n0__prof, 33)] > (double)(INT64_C(0)));
            {
                if (self->a_average[at(heap, first, self->n0_average, 34)] == 0.0) {
                    {
                        double t5__ = glob[at(heap, INT64_C(2), n0__glob, 35)];
                        self->a_average[at(heap, first, self->n0_average, 35)] = t5__;
                    }
                }
            }
            {
                int64_t t6__ = at(heap, first, self->n0_average, 36);
                self->a_average[t6__] = (self->a_average[t6__] + (divf(heap, self->s_interval, 227.3, 36) * (rate - self->a_average[at(heap, first, self->n0_average, 36)])));
            }
            part = ((rate > self->a_average[at(heap, first, self->n0_average, 37)]) ? divf(heap, (0.766 * self->a_average[at(heap, first, self->n0_average, 37)]), rate, 37) : 0.766);
            (void)Policy_plan(heap, self, first, rate, (!(decode) ? part : 1.0), glob, n0__glob, obs, n0__obs, prof, n0__prof);
            load = Policy_load(heap, self, first, rate, 0.0, glob, n0__glob, prof, n0__prof);
            lack = (load - obs[at(heap, add64(mul64(INT64_C(12), first), INT64_C(6)), n0__obs, 40)]);
            queued = maxf(obs[at(heap, add64(mul64(INT64_C(12), first), INT64_C(2)), n0__obs, 41)], obs[at(heap, add64(mul64(INT64_C(12), first), INT64_C(14)), n0__obs, 41)]);
            lack = (lack + divf(heap, (queued * prof[at(heap, mul64(INT64_C(12), first), n0__prof, 42)]), self->s_ttft_slo, 42));
            extra = 0.0;
            if ((!(decode)) && (lack > (double)(INT64_C(0)))) {
                extra = divf(heap, (lack * prof[at(heap, add64(mul64(INT64_C(12), first), INT64_C(8)), n0__prof, 45)]), prof[at(heap, add64(mul64(INT64_C(12), first), INT64_C(56)), n0__prof, 45)], 45);
            }
            (void)Policy_ease(heap, self, add64(first, INT64_C(4)), extra);
        }
    }
}

static int64_t Policy_replicas(mm_heap *heap, mm_Policy *self, int64_t group)
{
    (void)group;
    (void)heap;
    (void)self;
    return to_int64(heap, ceil((self->a_target[at(heap, group, self->n0_target, 83)] - 1e-09)), 83);
    return 0;
}


/* -- the groups around the policy */

enum { GROUPS = 5, GLOB = 16, OBS = 12, PROF = 12 };

#define MOST_REPLICAS 4096
#define MOST_BATCH (INT64_C(1) << 20)
#define MOST_KEY (INT64_C(1) << 20)
#define MOST_AFFINITY (INT64_C(1) << 20)

struct opscale_s0039_tuned {
    mm_heap heap;
    mm_Policy policy;
    int64_t n;
    double prof[2 * GROUPS * PROF];
    opscale_s0039_tuned_wanted wanted[2 * GROUPS];
    int64_t most[2 * GROUPS];
    int64_t near_to[2 * GROUPS][2 * GROUPS];
};

static bool all_finite(const double *values, int64_t n)
{
    int64_t i;
    for (i = 0; i < n; i++) {
        if (values[i] - values[i] != 0.0) {
            return false;
        }
    }
    return true;
}

static int64_t within(mm_heap *heap, int64_t value, int64_t low, int64_t high)
{
    if (value < low || value > high) {
        set_fault(heap, 1);
    }
    return value;
}

static opscale_s0039_tuned_wanted asked_of(opscale_s0039_tuned *p, int64_t g)
{
    opscale_s0039_tuned_wanted w;
    w.batch = 0;
    w.share = 8;
    w.pack = 0;
    w.replicas = within(&p->heap, Policy_replicas(&p->heap, &p->policy, g), 0, MOST_REPLICAS);
#ifdef HAS_BATCH
    if (p->heap.fault == 0) {
        w.batch = within(&p->heap, Policy_batch(&p->heap, &p->policy, g), 0, MOST_BATCH);
    }
#endif
#ifdef HAS_SHARE
    if (p->heap.fault == 0) {
        w.share = within(&p->heap, Policy_share(&p->heap, &p->policy, g), 1, 64);
        if (w.share > 8 && w.share != 16 && w.share != 32 && w.share != 64) {
            set_fault(&p->heap, 1);
        }
    }
#endif
#ifdef HAS_PACK
    if (p->heap.fault == 0) {
        w.pack = within(&p->heap, Policy_pack(&p->heap, &p->policy, g), -1, MOST_KEY);
    }
#endif
#ifdef HAS_AFFINITY
    {
        int64_t other;
        for (other = 0; other < p->n && p->heap.fault == 0; other++) {
            int64_t near_to = Policy_affinity(&p->heap, &p->policy, g, other);
            p->near_to[g][other] = within(&p->heap, near_to, -MOST_AFFINITY, MOST_AFFINITY);
        }
    }
#endif
    return w;
}

const opscale_s0039_tuned_wanted *opscale_s0039_tuned_decide(opscale_s0039_tuned *p, double t, const double *glob, const double *obs)
{
    opscale_s0039_tuned_wanted wanted[2 * GROUPS];
    int64_t g;
    if (!all_finite(&t, 1) || !all_finite(glob, GLOB) || !all_finite(obs, OBS * p->n)) {
        return p->wanted;
    }
    if (p->heap.fault == 0) {
        Policy_control(&p->heap, &p->policy, t, glob, GLOB, obs, OBS * p->n, p->prof, PROF * p->n);
        for (g = 0; g < p->n && p->heap.fault == 0; g++) {
            wanted[g] = asked_of(p, g);
        }
        for (g = 0; g < p->n && p->heap.fault == 0; g++) {
            p->wanted[g] = wanted[g];
            p->most[g] = wanted[g].replicas > p->most[g] ? wanted[g].replicas : p->most[g];
        }
    }
    for (g = 0; g < p->n && p->heap.fault != 0; g++) {
        p->wanted[g].replicas = p->most[g];
    }
    return p->wanted;
}

int64_t opscale_s0039_tuned_affinity(const opscale_s0039_tuned *p, int64_t group, int64_t other)
{
    return group >= 0 && group < p->n && other >= 0 && other < p->n ? p->near_to[group][other] : 0;
}

int opscale_s0039_tuned_fault(const opscale_s0039_tuned *p)
{
    return p->heap.fault;
}

void opscale_s0039_tuned_free(opscale_s0039_tuned *p)
{
    if (p != NULL) {
        free_all(&p->heap);
        free(p);
    }
}

opscale_s0039_tuned *opscale_s0039_tuned_new(int64_t n_groups, double interval, double ttft_slo, double tbt_slo, const double *prof)
{
    opscale_s0039_tuned *p;
    int64_t g;
    if ((n_groups != GROUPS && n_groups != 2 * GROUPS) || !(interval > 0.0) || !(ttft_slo > 0.0) || !(tbt_slo > 0.0) ||
        !all_finite(prof, PROF * n_groups)) {
        return NULL;
    }
    p = (opscale_s0039_tuned *)calloc(1, sizeof(opscale_s0039_tuned));
    if (p == NULL) {
        return NULL;
    }
    p->n = n_groups;
    for (g = 0; g < PROF * n_groups; g++) {
        p->prof[g] = prof[g];
    }
    for (g = 0; g < n_groups; g++) {
        p->wanted[g].replicas = p->most[g] = g % GROUPS == 0;
        p->wanted[g].share = 8;
    }
    Policy_init(&p->heap, &p->policy, n_groups, interval, ttft_slo, tbt_slo);
    if (p->heap.fault != 0) {
        opscale_s0039_tuned_free(p);
        return NULL;
    }
    return p;
}
