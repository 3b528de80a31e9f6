
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

struct @P@_service {
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

double @P@_service_decide(@P@_service *s, const @P@_sample *sample, double target)
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

int @P@_service_fault(const @P@_service *s)
{
    return s->heap.fault;
}

void @P@_service_free(@P@_service *s)
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

@P@_service *@P@_service_new(double node_cores, double slo_ms, int64_t n_services)
{
    @P@_service *s;
    if (!makes_sense(node_cores, slo_ms, n_services)) {
        return NULL;
    }
    s = (@P@_service *)calloc(1, sizeof(@P@_service));
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
        @P@_service_free(s);
        return NULL;
    }
#endif
    return s;
}

struct @P@_application {
    mm_heap heap;
#ifdef HAS_GLOBAL_
    mm_Policy policy;
#endif
    int64_t n, minute;
    int64_t *cluster;
    double *targets;
    double history[MINUTES * APP];
};

const double *@P@_application_decide(@P@_application *a, const double *app, const double *services)
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

int @P@_application_fault(const @P@_application *a)
{
    return a->heap.fault;
}

void @P@_application_free(@P@_application *a)
{
    if (a != NULL) {
        free_all(&a->heap);
        free(a);
    }
}

@P@_application *@P@_application_new(double node_cores, double slo_ms, int64_t n_services, const int64_t *cluster)
{
    @P@_application *a;
    int64_t s;
    if (!makes_sense(node_cores, slo_ms, n_services)) {
        return NULL;
    }
    a = (@P@_application *)calloc(1, sizeof(@P@_application));
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
        @P@_application_free(a);
        return NULL;
    }
    return a;
}
