
/* -- the groups around the policy */

enum { GROUPS = 5, GLOB = 16, OBS = 12, PROF = 12 };

#define MOST_REPLICAS 4096
#define MOST_BATCH (INT64_C(1) << 20)
#define MOST_KEY (INT64_C(1) << 20)
#define MOST_AFFINITY (INT64_C(1) << 20)

struct @P@ {
    mm_heap heap;
    mm_Policy policy;
    int64_t n;
    double prof[2 * GROUPS * PROF];
    @P@_wanted wanted[2 * GROUPS];
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

static @P@_wanted asked_of(@P@ *p, int64_t g)
{
    @P@_wanted w;
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

const @P@_wanted *@P@_decide(@P@ *p, double t, const double *glob, const double *obs)
{
    @P@_wanted wanted[2 * GROUPS];
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

int64_t @P@_affinity(const @P@ *p, int64_t group, int64_t other)
{
    return group >= 0 && group < p->n && other >= 0 && other < p->n ? p->near_to[group][other] : 0;
}

int @P@_fault(const @P@ *p)
{
    return p->heap.fault;
}

void @P@_free(@P@ *p)
{
    if (p != NULL) {
        free_all(&p->heap);
        free(p);
    }
}

@P@ *@P@_new(int64_t n_groups, double interval, double ttft_slo, double tbt_slo, const double *prof)
{
    @P@ *p;
    int64_t g;
    if ((n_groups != GROUPS && n_groups != 2 * GROUPS) || !(interval > 0.0) || !(ttft_slo > 0.0) || !(tbt_slo > 0.0) ||
        !all_finite(prof, PROF * n_groups)) {
        return NULL;
    }
    p = (@P@ *)calloc(1, sizeof(@P@));
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
        @P@_free(p);
        return NULL;
    }
    return p;
}
