
/* -- the books around the policy */

enum { UNUSED = 0, RESIDENT = 1, REMEMBERED = 2, INCOMING = 3 };

struct @P@ {
    mm_heap heap;
    mm_Policy policy;
    int64_t capacity, smallest, n_slots, allocated, remembered, used, now;
    int64_t mask;      /* of the table */
    int32_t *table;    /* slot of a key, -1 where empty */
    uint64_t *owner;   /* by slot */
    int64_t *size_of;
    unsigned char *state;
    int32_t *after;    /* two rings of slots: remembered ones (sentinel n_slots), cached ones (sentinel n_slots + 1) */
    int32_t *before;
    @P@_evicted evicted;
    void *context;
};

static int64_t home(const @P@ *c, uint64_t key)
{
    return hash64((int64_t)key, 0x7AB1E) & c->mask;
}

static int64_t find(const @P@ *c, uint64_t key)
{
    int64_t i = home(c, key);
    while (c->table[i] >= 0) {
        if (c->owner[c->table[i]] == key) {
            return c->table[i];
        }
        i = (i + 1) & c->mask;
    }
    return -1;
}

static void enter(@P@ *c, int64_t slot)
{
    int64_t i = home(c, c->owner[slot]);
    while (c->table[i] >= 0) {
        i = (i + 1) & c->mask;
    }
    c->table[i] = (int32_t)slot;
}

static void leave(@P@ *c, int64_t slot)
{
    int64_t i = home(c, c->owner[slot]), j;
    while (c->table[i] != slot) {
        i = (i + 1) & c->mask;
    }
    /* Move up what was pushed on by this one. */
    for (j = (i + 1) & c->mask; c->table[j] >= 0; j = (j + 1) & c->mask) {
        int64_t wanted = home(c, c->owner[c->table[j]]);
        if (((j - wanted) & c->mask) >= ((j - i) & c->mask)) {
            c->table[i] = c->table[j];
            i = j;
        }
    }
    c->table[i] = -1;
}

static void unlink_slot(@P@ *c, int64_t slot)
{
    c->after[c->before[slot]] = c->after[slot];
    c->before[c->after[slot]] = c->before[slot];
}

static void append_slot(@P@ *c, int64_t ring, int64_t slot)
{
    c->before[slot] = c->before[ring];
    c->after[slot] = (int32_t)ring;
    c->after[c->before[ring]] = (int32_t)slot;
    c->before[ring] = (int32_t)slot;
}

static int64_t policy_key(const @P@ *c, int64_t slot)
{
    return hash64((int64_t)c->owner[slot], 0x51ED);
}

static void remember(@P@ *c, int64_t slot)
{
    c->state[slot] = REMEMBERED;
    append_slot(c, c->n_slots, slot);
    c->remembered++;
}

static void evict(@P@ *c, int64_t slot)
{
    int64_t size = c->size_of[slot];
    unlink_slot(c, slot);
    c->used -= size;
    remember(c, slot);
    if (c->evicted != NULL) {
        c->evicted(c->context, c->owner[slot]);
    }
#ifdef HAS_ON_EVICT
    if (c->heap.fault == 0) {
        Policy_on_evict(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now);
    }
#else
    (void)size;
#endif
}

/* The slot that has to go for another one: the policy's choice, else the first in. */
static int64_t lost(@P@ *c, int64_t slot, int64_t size)
{
    int64_t loser = -1;
    if (c->heap.fault == 0) {
        loser = Policy_victim(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now);
        if (loser < 0 || loser >= c->n_slots || loser == slot || c->state[loser] != RESIDENT) {
            set_fault(&c->heap, 1);
        }
    }
    if (c->heap.fault != 0) {
        loser = c->after[c->n_slots + 1];
        if (loser == slot) {
            loser = c->after[loser];
        }
    }
    return loser;
}

static void make_room(@P@ *c, int64_t slot, int64_t size, int64_t more)
{
    while (c->used + more > c->capacity && c->after[c->n_slots + 1] != c->n_slots + 1) {
        int64_t loser = c->state[slot] == RESIDENT && size > c->capacity ? slot : lost(c, slot, size);
        if (loser > c->n_slots) {
            loser = slot; /* nothing else is cached */
        }
        evict(c, loser);
    }
}

static void early(@P@ *c, int64_t slot, int64_t size)
{
#ifdef HAS_SHED
    while (c->heap.fault == 0) {
        int64_t loser = Policy_shed(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now);
        if (c->heap.fault != 0 || loser == -1) {
            return;
        }
        if (loser < 0 || loser >= c->n_slots || c->state[loser] != RESIDENT) {
            set_fault(&c->heap, 1);
            return;
        }
        evict(c, loser);
    }
#else
    (void)c;
    (void)slot;
    (void)size;
#endif
}

static int64_t slot_for(@P@ *c, uint64_t key)
{
    int64_t slot;
    if (c->allocated < c->n_slots) {
        slot = c->allocated++;
    } else {
#ifdef HAS_KEEPS
        int64_t tries;
        for (tries = c->remembered; tries > 0 && c->heap.fault == 0; tries--) {
            slot = c->after[c->n_slots];
            if (!Policy_keeps(&c->heap, &c->policy, slot)) {
                break;
            }
            unlink_slot(c, slot);
            append_slot(c, c->n_slots, slot);
        }
#endif
        slot = c->after[c->n_slots];
        unlink_slot(c, slot);
        c->remembered--;
        leave(c, slot);
#ifdef HAS_ON_FORGET
        if (c->heap.fault == 0) {
            Policy_on_forget(&c->heap, &c->policy, slot);
        }
#endif
    }
    c->owner[slot] = key;
    enter(c, slot);
    return slot;
}

int @P@_request(@P@ *c, uint64_t key, int64_t size)
{
    int64_t slot = find(c, key);
    int outcome = @U@_HIT;
    if (size < c->smallest) {
        size = c->smallest;
    }
    if (slot >= 0 && c->state[slot] == RESIDENT) {
        c->used += size - c->size_of[slot];
        c->size_of[slot] = size;
#ifdef HAS_ON_HIT
        if (c->heap.fault == 0) {
            Policy_on_hit(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now);
        }
#endif
        make_room(c, slot, size, 0);
        early(c, slot, size);
    } else if (size > c->capacity) {
        outcome = @U@_TOO_LARGE;
    } else {
        bool known = slot >= 0, enters = true;
        if (known) {
            unlink_slot(c, slot);
            c->remembered--;
        } else {
            slot = slot_for(c, key);
        }
        c->state[slot] = INCOMING;
#ifdef HAS_ADMIT
        if (c->heap.fault == 0) {
            enters = Policy_admit(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now);
            enters = enters || c->heap.fault != 0;
        }
#endif
        if (enters) {
            make_room(c, slot, size, size);
            c->state[slot] = RESIDENT;
            c->size_of[slot] = size;
            append_slot(c, c->n_slots + 1, slot);
            c->used += size;
#ifdef HAS_ON_INSERT
            if (c->heap.fault == 0) {
                Policy_on_insert(&c->heap, &c->policy, slot, policy_key(c, slot), size, c->now, known);
            }
#endif
            outcome = @U@_STORED;
        } else {
            remember(c, slot);
            outcome = @U@_REFUSED;
        }
        early(c, slot, size);
    }
    c->now++;
    return outcome;
}

int @P@_remove(@P@ *c, uint64_t key)
{
    int64_t slot = find(c, key);
    if (slot < 0 || c->state[slot] != RESIDENT) {
        return 0;
    }
    evict(c, slot);
    return 1;
}

int @P@_holds(const @P@ *c, uint64_t key)
{
    int64_t slot = find(c, key);
    return slot >= 0 && c->state[slot] == RESIDENT;
}

int64_t @P@_used(const @P@ *c)
{
    return c->used;
}

int @P@_fault(const @P@ *c)
{
    return c->heap.fault;
}

void @P@_free(@P@ *c)
{
    if (c != NULL) {
        free_all(&c->heap);
        free(c);
    }
}

@P@ *@P@_new(int64_t capacity, int64_t max_objects, @P@_evicted evicted, void *context)
{
    if (max_objects < 1) {
        return NULL;
    }
    return @P@_new_of(capacity, max_objects, (capacity - 1) / max_objects + 1, evicted, context);
}

@P@ *@P@_new_of(int64_t capacity, int64_t max_objects, int64_t smallest, @P@_evicted evicted, void *context)
{
    @P@ *c;
    int64_t i, size = 1;
    if (capacity < 1 || capacity >= INT64_C(9007199254740992) || max_objects < 1 ||
        max_objects > 100000000 || smallest < 1) {
        return NULL;
    }
    c = (@P@ *)calloc(1, sizeof(@P@));
    if (c == NULL) {
        return NULL;
    }
    c->capacity = capacity;
    c->smallest = smallest;
    c->n_slots = max_objects + (int64_t)((double)max_objects * GHOSTS) + 1;
    c->evicted = evicted;
    c->context = context;
    while (size < 2 * c->n_slots) {
        size *= 2;
    }
    c->mask = size - 1;
    c->table = (int32_t *)allot(&c->heap, size, sizeof(int32_t));
    c->owner = (uint64_t *)allot(&c->heap, c->n_slots, sizeof(uint64_t));
    c->size_of = (int64_t *)allot(&c->heap, c->n_slots, sizeof(int64_t));
    c->state = (unsigned char *)allot(&c->heap, c->n_slots, 1);
    c->after = (int32_t *)allot(&c->heap, c->n_slots + 2, sizeof(int32_t));
    c->before = (int32_t *)allot(&c->heap, c->n_slots + 2, sizeof(int32_t));
    if (c->heap.fault == 0) {
        for (i = 0; i < size; i++) {
            c->table[i] = -1;
        }
        for (i = c->n_slots; i < c->n_slots + 2; i++) {
            c->after[i] = c->before[i] = (int32_t)i;
        }
        Policy_init(&c->heap, &c->policy, capacity, c->n_slots);
    }
    if (c->heap.fault != 0) {
        @P@_free(c);
        return NULL;
    }
    return c;
}
