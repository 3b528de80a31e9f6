/* autothrottle policy s0452, Sure Time Trend. Written by MetaMuse; see autothrottle_s0452.h. */
#include "autothrottle_s0452.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_LOCAL
#define HAS_GLOBAL_

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

static inline int64_t sub64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline double minf(double a, double b)
{
    return b < a ? b : a;
}

static inline double maxf(double a, double b)
{
    return b > a ? b : a;
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

static inline double sum_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    double result = 0.0;
    int64_t i;
    (void)heap;
    (void)line;
    for (i = 0; i < n; i++) {
        result = result + values[i];
    }
    return result;
}

static inline double mean_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    return divf(heap, sum_off(heap, values, n, line), (double)n, line);
}

static inline double var_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    double mean = mean_off(heap, values, n, line), result = 0.0;
    int64_t i;
    for (i = 0; i < n; i++) {
        result += (values[i] - mean) * (values[i] - mean);
    }
    return divf(heap, result, (double)n, line);
}

static inline double std_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    return sqrt(var_off(heap, values, n, line));
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
    int64_t s_low;
    int64_t s_calm;
    int64_t s_raised;
    double s_held;
    double s_margin;
    double s_goal;
    double s_slo_ms;
} mm_Policy;


static void Policy_init(mm_heap *heap, mm_Policy *self, double node_cores, double slo_ms, int64_t n_services)
{
    (void)node_cores;
    (void)slo_ms;
    (void)n_services;
    (void)heap;
    (void)self;
    self->s_low = INT64_C(0);
    self->s_calm = INT64_C(0);
    self->s_raised = INT64_C(0);
    self->s_held = 0.0;
    self->s_margin = 2.5;
    self->s_goal = 0.113;
    self->s_slo_ms = slo_ms;
}

static double Policy_decide(mm_heap *heap, mm_Policy *self, double limit, int64_t tick, const double *obs, int64_t n0__obs, const double *usage, int64_t n0__usage, const double *throttled, int64_t n0__throttled, int64_t pos, double target)
{
    double held = 0.0;
    double slope = 0.0;
    int64_t i = 0;
    double level = 0.0;
    double spread = 0.0;
    double wanted = 0.0;
    (void)held;
    (void)slope;
    (void)i;
    (void)level;
    (void)spread;
    (void)wanted;
    (void)limit;
    (void)tick;
    (void)obs;
    (void)usage;
    (void)throttled;
    (void)pos;
    (void)target;
    (void)n0__obs;
    (void)n0__usage;
    (void)n0__throttled;
    (void)heap;
    (void)self;
    held = self->s_held;
    slope = 0.0;
    {
        int64_t t1__ = 0;
        int64_t t2__ = INT64_C(50);
        int64_t t3__ = (t1__ < t2__ ? (t2__ - t1__ - 1) / 1 + 1 : 0);
        int64_t k4__;
        for (k4__ = 0; k4__ < t3__ && heap->fault == 0; k4__++) {
            i = t1__ + k4__ * (1);
            slope = (slope + (((double)i - 24.5) * usage[at(heap, mod64(heap, add64(add64(pos, INT64_C(1)), i), INT64_C(50), 46), n0__usage, 46)]));
        }
    }
    slope = (slope / 10412.5);
    level = (mean_off(heap, usage, n0__usage, 48) + (maxf(0.0, slope) * (24.5 + 3.81)));
    spread = std_off(heap, usage, n0__usage, 49);
    self->s_margin = minf(50.0, maxf(0.01, (self->s_margin * libm_1(heap, libm_exp, (((0.0811 * 0.1) * (double)(INT64_C(1))) * (held - target)), 50))));
    wanted = (level + (self->s_margin * spread));
    self->s_low = ((wanted < limit) ? add64(self->s_low, INT64_C(1)) : INT64_C(0));
    if ((0.908 * wanted) > limit) {
        return wanted;
    }
    if ((wanted < (0.908 * limit)) && (held <= (1.2 * target)) && (self->s_low >= INT64_C(5))) {
        return maxf((0.5 * limit), wanted);
    }
    return limit;
    return 0.0;
}

static double Policy_local(mm_heap *heap, mm_Policy *self, int64_t tick, const double *obs, int64_t n0__obs, const double *usage, int64_t n0__usage, const double *throttled, int64_t n0__throttled, int64_t pos, double target)
{
    double limit = 0.0;
    double held = 0.0;
    (void)limit;
    (void)held;
    (void)tick;
    (void)obs;
    (void)usage;
    (void)throttled;
    (void)pos;
    (void)target;
    (void)n0__obs;
    (void)n0__usage;
    (void)n0__throttled;
    (void)heap;
    (void)self;
    limit = obs[at(heap, INT64_C(0), n0__obs, 31)];
    self->s_held = (self->s_held + divf(heap, (obs[at(heap, INT64_C(1), n0__obs, 32)] - self->s_held), 7.23, 32));
    held = self->s_held;
    if ((tick >= self->s_calm) && (held > target) && (obs[at(heap, INT64_C(3), n0__obs, 34)] > 10.0)) {
        limit = (limit * (1.0 + (0.641 * minf(1.0, (obs[at(heap, INT64_C(3), n0__obs, 35)] / 100.0)))));
        self->s_calm = add64(tick, INT64_C(5));
        self->s_raised = tick;
    }
    if (mod64(heap, tick, INT64_C(1), 38) == sub64(INT64_C(1), INT64_C(1))) {
        limit = Policy_decide(heap, self, limit, tick, obs, n0__obs, usage, n0__usage, throttled, n0__throttled, pos, target);
    }
    return limit;
    return 0.0;
}

static double Policy_global(mm_heap *heap, mm_Policy *self, int64_t minute, int64_t service, const double *app, int64_t n0__app, const double *services, int64_t n0__services, const double *history, int64_t n0__history, int64_t pos, const int64_t *cluster, int64_t n0__cluster)
{
    (void)minute;
    (void)service;
    (void)app;
    (void)services;
    (void)history;
    (void)pos;
    (void)cluster;
    (void)n0__app;
    (void)n0__services;
    (void)n0__history;
    (void)n0__cluster;
    (void)heap;
    (void)self;
    if ((service == INT64_C(0)) && (minute > INT64_C(0))) {
        self->s_goal = minf(0.6, maxf(0.002, (self->s_goal * libm_1(heap, libm_exp, (3.34 * maxf((-2.0), (0.781 - divf(heap, app[at(heap, INT64_C(4), n0__app, 61)], self->s_slo_ms, 61)))), 61))));
    }
    return self->s_goal;
    return 0.0;
}


/* -- the laws around the policy */

enum { RING = 50, MINUTES = 60, OBS = 8, SERVICE = 7, APP = 8, EVERY = 10 };

#define LEAST_CORES 0.01
#define LEAST_CHANGE 1e-5
#define DEFAULT_TARGET 0.1
#define ALPHA 3.0
#define GATE 0.9
#define FLOOR 0.5
#define FIRST_MARGIN 3.0

/* Captain, the local law of Autothrottle: for policies that have none, and where one has failed. */
typedef struct captain_law {
    double limit, before, margin, held;
    bool cut;
} captain_law;

struct autothrottle_s0452_service {
    mm_heap heap;
#ifdef HAS_LOCAL
    mm_Policy policy;
#endif
    captain_law captain;
    bool fallen; /* whether Captain has taken over */
    int64_t tick, pos;
    double limit;
    double obs[OBS], usage[RING], throttled[RING];
};

static captain_law captain_at(double limit)
{
    captain_law c;
    c.limit = c.before = limit;
    c.margin = FIRST_MARGIN;
    c.held = 0.0;
    c.cut = false;
    return c;
}

static void captain_lowers(captain_law *c, const double *usage)
{
    double most = usage[0], total = 0.0, squares = 0.0, mean, wanted;
    int i;
    for (i = 0; i < RING; i++) {
        most = usage[i] > most ? usage[i] : most;
        total += usage[i];
    }
    mean = total / RING;
    for (i = 0; i < RING; i++) {
        squares += (usage[i] - mean) * (usage[i] - mean);
    }
    wanted = most + c->margin * sqrt(squares / (RING - 1));
    if (wanted <= GATE * c->limit) {
        c->limit = wanted > FLOOR * c->limit ? wanted : FLOOR * c->limit;
        c->cut = true;
    }
}

static double captain_decides(captain_law *c, int64_t tick, double throttled, const double *usage, double target)
{
    double ratio;
    c->held += throttled;
    ratio = c->held / EVERY;
    if (c->cut && ratio > ALPHA * target) {
        c->limit = c->before + (c->before - c->limit); /* more than it was */
        c->margin += ratio - target;
        c->held = 0.0;
        c->cut = false;
    }
    if (tick % EVERY == EVERY - 1) {
        double margin;
        c->before = c->limit;
        ratio = c->held / EVERY;
        margin = c->margin + (ratio - target);
        c->margin = margin > 0.0 ? margin : 0.0;
        c->cut = false;
        if (ratio > ALPHA * target) {
            c->limit = c->limit * (1.0 + ratio - ALPHA * target);
        } else {
            captain_lowers(c, usage);
        }
        c->held = 0.0;
        c->limit = c->limit > LEAST_CORES ? c->limit : LEAST_CORES;
    }
    return c->limit;
}

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

double autothrottle_s0452_service_decide(autothrottle_s0452_service *s, const autothrottle_s0452_sample *sample, double target)
{
    double wanted = s->limit, change, seen[7];
    bool by_captain = true;
    seen[0] = sample->cores;
    seen[1] = sample->throttled;
    seen[2] = sample->periods;
    seen[3] = sample->throttled_ms;
    seen[4] = sample->unchanged_ms;
    seen[5] = sample->bursts;
    seen[6] = target;
    if (!all_finite(seen, 7)) {
        return s->limit;
    }
    s->pos = (s->pos + 1) % RING;
    s->obs[0] = s->limit;
    s->obs[1] = s->throttled[s->pos] = sample->throttled;
    s->obs[2] = sample->periods;
    s->obs[3] = sample->throttled_ms;
    s->obs[4] = s->usage[s->pos] = sample->cores;
    s->obs[5] = sample->unchanged_ms;
    s->obs[7] = sample->bursts;
#ifdef HAS_LOCAL
    if (s->heap.fault == 0) {
        wanted = (double)Policy_local(&s->heap, &s->policy, s->tick, s->obs, OBS, s->usage, RING, s->throttled, RING,
                                      s->pos, target);
        if (wanted - wanted != 0.0) {
            s->heap.fault = s->heap.fault == 0 ? 1 : s->heap.fault; /* no finite number */
        }
        by_captain = s->heap.fault != 0;
    }
    if (by_captain && !s->fallen) {
        s->fallen = true;
        s->captain = captain_at(s->obs[6]);
    }
#endif
    if (by_captain) {
        wanted = captain_decides(&s->captain, s->tick, sample->throttled, s->usage, target);
    }
    s->tick++;
    wanted = wanted > LEAST_CORES ? wanted : LEAST_CORES;
    wanted = wanted < s->obs[6] ? wanted : s->obs[6];
    change = wanted - s->limit;
    if (change >= LEAST_CHANGE || change <= -LEAST_CHANGE) {
        s->limit = wanted;
    }
    return s->limit;
}

int autothrottle_s0452_service_fault(const autothrottle_s0452_service *s)
{
    return s->heap.fault;
}

void autothrottle_s0452_service_free(autothrottle_s0452_service *s)
{
    if (s != NULL) {
        free_all(&s->heap);
        free(s);
    }
}

static bool makes_sense(double node_cores, double slo_ms, int64_t n_services)
{
    return node_cores >= LEAST_CORES && node_cores < 1e6 && slo_ms > 0.0 && slo_ms < 1e12 && n_services >= 1 &&
           n_services <= 1000000;
}

autothrottle_s0452_service *autothrottle_s0452_service_new(double node_cores, double slo_ms, int64_t n_services)
{
    autothrottle_s0452_service *s;
    if (!makes_sense(node_cores, slo_ms, n_services)) {
        return NULL;
    }
    s = (autothrottle_s0452_service *)calloc(1, sizeof(autothrottle_s0452_service));
    if (s == NULL) {
        return NULL;
    }
    s->pos = RING - 1;
    s->limit = s->obs[6] = node_cores;
    s->captain = captain_at(node_cores);
    s->heap.room = n_services;
#ifdef HAS_LOCAL
    Policy_init(&s->heap, &s->policy, node_cores, slo_ms, n_services);
    if (s->heap.fault != 0) {
        autothrottle_s0452_service_free(s);
        return NULL;
    }
#endif
    return s;
}

struct autothrottle_s0452_application {
    mm_heap heap;
#ifdef HAS_GLOBAL_
    mm_Policy policy;
#endif
    int64_t n, minute;
    int64_t *cluster;
    double *targets;
    double history[MINUTES * APP];
};

const double *autothrottle_s0452_application_decide(autothrottle_s0452_application *a, const double *app, const double *services)
{
    int64_t s, pos = (a->minute + MINUTES - 1) % MINUTES;
    if (!all_finite(app, APP) || !all_finite(services, SERVICE * a->n)) {
        return a->targets;
    }
    if (a->minute > 0) {
        for (s = 0; s < APP; s++) {
            a->history[APP * pos + s] = app[s];
        }
    }
#ifdef HAS_GLOBAL_
    for (s = 0; s < a->n && a->heap.fault == 0; s++) {
        double target = (double)Policy_global(&a->heap, &a->policy, a->minute, s, app, APP, services, SERVICE * a->n,
                                              a->history, MINUTES * APP, pos, a->cluster, a->n);
        if (target - target != 0.0) {
            a->heap.fault = a->heap.fault == 0 ? 1 : a->heap.fault; /* no finite number */
        }
        a->targets[s] = target > 0.0 ? (target < 1.0 ? target : 1.0) : 0.0;
    }
    for (s = 0; s < a->n && a->heap.fault != 0; s++) {
        a->targets[s] = DEFAULT_TARGET;
    }
#else
    (void)services;
#endif
    a->minute++;
    return a->targets;
}

int autothrottle_s0452_application_fault(const autothrottle_s0452_application *a)
{
    return a->heap.fault;
}

void autothrottle_s0452_application_free(autothrottle_s0452_application *a)
{
    if (a != NULL) {
        free_all(&a->heap);
        free(a);
    }
}

autothrottle_s0452_application *autothrottle_s0452_application_new(double node_cores, double slo_ms, int64_t n_services, const int64_t *cluster)
{
    autothrottle_s0452_application *a;
    int64_t s;
    if (!makes_sense(node_cores, slo_ms, n_services)) {
        return NULL;
    }
    a = (autothrottle_s0452_application *)calloc(1, sizeof(autothrottle_s0452_application));
    if (a == NULL) {
        return NULL;
    }
    a->n = n_services;
    a->heap.room = n_services;
    a->cluster = (int64_t *)allot(&a->heap, n_services, sizeof(int64_t));
    a->targets = (double *)allot(&a->heap, n_services, sizeof(double));
    if (a->heap.fault == 0) {
        for (s = 0; s < n_services; s++) {
            a->cluster[s] = cluster[s];
            a->targets[s] = DEFAULT_TARGET;
        }
#ifdef HAS_GLOBAL_
        Policy_init(&a->heap, &a->policy, node_cores, slo_ms, n_services);
#endif
    }
    if (a->heap.fault != 0) {
        autothrottle_s0452_application_free(a);
        return NULL;
    }
    return a;
}
