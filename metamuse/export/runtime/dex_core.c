
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
