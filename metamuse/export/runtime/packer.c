
/* -- the bins around the policy */

struct @P@ {
    mm_heap heap;
    mm_Policy policy;
    int64_t capacity, max_bins, n_open;
    int64_t seen; /* how many free spaces the policy is shown: as in the simulator, at least one more than are open */
    int64_t *remaining;
};

static int64_t first_fit(const @P@ *p, int64_t size)
{
    int64_t i;
    for (i = 0; i < p->n_open; i++) {
        if (p->remaining[i] >= size) {
            return i;
        }
    }
    return -1;
}

int64_t @P@_pack(@P@ *p, int64_t size)
{
    int64_t chosen = -1;
    bool opened;
    if (size < 1 || size > p->capacity) {
        return -1;
    }
    if (p->n_open == p->seen) {
        p->seen *= 2;
    }
    if (p->heap.fault == 0) {
        chosen = Policy_choose(&p->heap, &p->policy, size, p->remaining, p->seen, p->n_open);
        if (chosen < -1 || chosen >= p->n_open || (chosen >= 0 && p->remaining[chosen] < size)) {
            set_fault(&p->heap, 1);
        }
    }
    if (p->heap.fault != 0 || (chosen == -1 && p->n_open == p->max_bins)) {
        chosen = first_fit(p, size);
        if (chosen == -1 && p->n_open == p->max_bins) {
            return -1;
        }
    }
    opened = chosen == -1;
    if (opened) {
        chosen = p->n_open++;
        p->remaining[chosen] = p->capacity;
    }
    p->remaining[chosen] -= size;
#ifdef HAS_ON_PACKED
    if (p->heap.fault == 0) {
        Policy_on_packed(&p->heap, &p->policy, size, chosen, opened);
    }
#endif
    return chosen;
}

int64_t @P@_open(const @P@ *p)
{
    return p->n_open;
}

int64_t @P@_remaining(const @P@ *p, int64_t bin)
{
    return bin >= 0 && bin < p->n_open ? p->remaining[bin] : -1;
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

@P@ *@P@_new(int64_t capacity, int64_t max_bins)
{
    @P@ *p;
    int64_t room = 64;
    if (capacity < 1 || capacity >= INT64_C(9007199254740992) || max_bins < 1 || max_bins > 100000000) {
        return NULL;
    }
    p = (@P@ *)calloc(1, sizeof(@P@));
    if (p == NULL) {
        return NULL;
    }
    while (room <= max_bins) {
        room *= 2;
    }
    p->capacity = capacity;
    p->max_bins = max_bins;
    p->seen = 64;
    p->heap.room = room;
    p->remaining = (int64_t *)allot(&p->heap, room, sizeof(int64_t));
    if (p->heap.fault == 0) {
        Policy_init(&p->heap, &p->policy, capacity);
    }
    if (p->heap.fault != 0) {
        @P@_free(p);
        return NULL;
    }
    return p;
}
