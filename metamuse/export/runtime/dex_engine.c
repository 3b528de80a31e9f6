
/* -- the functions of the header */

struct @P@ {
    mm_thread core;
};

int @P@_on_miss(@P@ *p, const @P@_miss *miss, uint32_t *word)
{
    return core_on_miss(&p->core, miss->level, miss->op, miss->now, miss->full != 0, miss->may_offload != 0, miss->seen, word);
}

void @P@_on_hit(@P@ *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
{
    core_on_hit(&p->core, level, op, now, word);
}

int64_t @P@_looks(const @P@ *p)
{
    return p->core.looks;
}

double @P@_score(@P@ *p, int64_t level, int dirty, uint32_t word, int64_t now)
{
    return core_score(&p->core, level, dirty != 0, word, now);
}

void @P@_on_done(@P@ *p, int64_t level, int64_t action, double us)
{
    core_on_done(&p->core, level, action, us);
}

void @P@_publish(@P@ *p, double central[4], int64_t now)
{
    core_publish(&p->core, central, now);
}

int @P@_fault(const @P@ *p)
{
    return p->core.heap.fault;
}

void @P@_free(@P@ *p)
{
    if (p != NULL) {
        free_all(&p->core.heap);
        free(p);
    }
}

@P@ *@P@_new(int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    @P@ *p;
    if (thread < 0 || threads <= thread || cpus < 0 || height < 2) {
        return NULL;
    }
    p = (@P@ *)calloc(1, sizeof(@P@));
    if (p == NULL) {
        return NULL;
    }
    core_init(&p->core, thread, threads, cpus, height);
    if (p->core.heap.fault != 0) {
        @P@_free(p);
        return NULL;
    }
    return p;
}
