/* cache policy s0053-tuned, Wave Boost Hand (tuned). Written by MetaMuse; see cache_s0053_tuned.h. */
#include "cache_s0053_tuned.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_ON_HIT
#define HAS_VICTIM
#define HAS_ON_EVICT
#define HAS_ON_INSERT
#define GHOSTS 2.0

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

static inline int64_t max64(int64_t a, int64_t b)
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

typedef struct mm_List {
    int32_t *a_after;
    int64_t n0_after;
    int32_t *a_before;
    int64_t n0_before;
    int64_t s_n;
    int64_t s_size;
} mm_List;

typedef struct mm_Policy {
    int64_t *a_left;
    int64_t n0_left;
    int64_t *a_credit;
    int64_t n0_credit;
    mm_List p_order;
    int64_t s_room;
    double s_water;
    int64_t s_run;
    int64_t s_gone;
    int64_t s_hand;
} mm_Policy;


static void List_init(mm_heap *heap, mm_List *self, int64_t n)
{
    (void)n;
    (void)heap;
    (void)self;
    if (n < INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    self->s_n = n;
    self->s_size = INT64_C(0);
    {
        self->n0_after = length(heap, add64(n, INT64_C(1)));
        self->a_after = (int32_t *)allot(heap, self->n0_after, sizeof(int32_t));
        int64_t t1__ = (-INT64_C(1));
        if (self->a_after == NULL) {
            return;
        }
        {
            int64_t k__;
            for (k__ = 0; k__ < self->n0_after; k__++) {
                self->a_after[k__] = (int32_t)t1__;
            }
        }
    }
    {
        self->n0_before = length(heap, add64(n, INT64_C(1)));
        self->a_before = (int32_t *)allot(heap, self->n0_before, sizeof(int32_t));
        int64_t t2__ = (-INT64_C(1));
        if (self->a_before == NULL) {
            return;
        }
        {
            int64_t k__;
            for (k__ = 0; k__ < self->n0_before; k__++) {
                self->a_before[k__] = (int32_t)t2__;
            }
        }
    }
    self->a_after[at(heap, n, self->n0_after, 0)] = (int32_t)n;
    self->a_before[at(heap, n, self->n0_before, 0)] = (int32_t)n;
}

static void Policy_init(mm_heap *heap, mm_Policy *self, int64_t capacity, int64_t n_slots)
{
    (void)capacity;
    (void)n_slots;
    (void)heap;
    (void)self;
    self->s_room = max64(INT64_C(1), min64(capacity, floordiv64(heap, n_slots, INT64_C(2), 19)));
    self->s_water = 0.5;
    self->s_run = INT64_C(0);
    self->s_gone = INT64_C(0);
    List_init(heap, &self->p_order, n_slots);
    self->s_hand = (-INT64_C(1));
    self->n0_left = length(heap, n_slots);
    self->a_left = (int64_t *)allot(heap, self->n0_left, sizeof(int64_t));
    if (self->a_left == NULL) {
        return;
    }
    self->n0_credit = length(heap, n_slots);
    self->a_credit = (int64_t *)allot(heap, self->n0_credit, sizeof(int64_t));
    if (self->a_credit == NULL) {
        return;
    }
}

static void Policy_on_hit(mm_heap *heap, mm_Policy *self, int64_t slot, int64_t key, int64_t size, int64_t now)
{
    (void)slot;
    (void)key;
    (void)size;
    (void)now;
    (void)heap;
    (void)self;
    self->s_water = (self->s_water + (0.01657 * (1.0 - self->s_water)));
    self->s_run = INT64_C(0);
    {
        if (self->a_credit[at(heap, slot, self->n0_credit, 31)] < INT64_C(1)) {
            {
                int64_t t1__ = at(heap, slot, self->n0_credit, 32);
                self->a_credit[t1__] = add64(self->a_credit[t1__], INT64_C(1));
            }
        }
    }
}

static int64_t List_back(mm_heap *heap, mm_List *self)
{
    int64_t x = 0;
    (void)x;
    (void)heap;
    (void)self;
    x = self->a_before[at(heap, self->s_n, self->n0_before, 0)];
    if (x == self->s_n) {
        return (-INT64_C(1));
    }
    return x;
    return 0;
}

static void List_check(mm_heap *heap, mm_List *self, int64_t x)
{
    (void)x;
    (void)heap;
    (void)self;
    if ((x < INT64_C(0)) || (x >= self->s_n)) {
        set_fault(heap, 1);
        return;
    }
}

static int64_t List_prev(mm_heap *heap, mm_List *self, int64_t x)
{
    int64_t y = 0;
    (void)y;
    (void)x;
    (void)heap;
    (void)self;
    (void)List_check(heap, self, x);
    y = self->a_before[at(heap, x, self->n0_before, 0)];
    if (y < INT64_C(0)) {
        set_fault(heap, 1);
        return 0;
    }
    if (y == self->s_n) {
        return (-INT64_C(1));
    }
    return y;
    return 0;
}

static int64_t Policy_candidate(mm_heap *heap, mm_Policy *self, int64_t now)
{
    (void)now;
    (void)heap;
    (void)self;
    if (self->s_hand < INT64_C(0)) {
        self->s_hand = List_back(heap, (&self->p_order));
    }
    while (heap->fault == 0) {
        if (!(self->a_credit[at(heap, self->s_hand, self->n0_credit, 37)] > INT64_C(0))) {
            break;
        }
        {
            int64_t t1__ = at(heap, self->s_hand, self->n0_credit, 38);
            self->a_credit[t1__] = sub64(self->a_credit[t1__], INT64_C(1));
        }
        self->s_hand = List_prev(heap, (&self->p_order), self->s_hand);
        if (self->s_hand < INT64_C(0)) {
            self->s_hand = List_back(heap, (&self->p_order));
        }
    }
    return self->s_hand;
    return 0;
}

static int64_t Policy_victim(mm_heap *heap, mm_Policy *self, int64_t slot, int64_t key, int64_t size, int64_t now)
{
    (void)slot;
    (void)key;
    (void)size;
    (void)now;
    (void)heap;
    (void)self;
    return Policy_candidate(heap, self, now);
    return 0;
}

static void List_remove(mm_heap *heap, mm_List *self, int64_t x)
{
    int64_t q = 0;
    int64_t p = 0;
    (void)q;
    (void)p;
    (void)x;
    (void)heap;
    (void)self;
    (void)List_check(heap, self, x);
    q = self->a_after[at(heap, x, self->n0_after, 0)];
    if (q < INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    p = self->a_before[at(heap, x, self->n0_before, 0)];
    self->a_after[at(heap, p, self->n0_after, 0)] = (int32_t)q;
    self->a_before[at(heap, q, self->n0_before, 0)] = (int32_t)p;
    {
        int64_t t1__ = (-INT64_C(1));
        self->a_after[at(heap, x, self->n0_after, 0)] = (int32_t)t1__;
    }
    {
        int64_t t2__ = (-INT64_C(1));
        self->a_before[at(heap, x, self->n0_before, 0)] = (int32_t)t2__;
    }
    self->s_size = sub64(self->s_size, INT64_C(1));
}

static void Policy_on_evict(mm_heap *heap, mm_Policy *self, int64_t slot, int64_t key, int64_t size, int64_t now)
{
    (void)slot;
    (void)key;
    (void)size;
    (void)now;
    (void)heap;
    (void)self;
    if (slot == self->s_hand) {
        self->s_hand = List_prev(heap, (&self->p_order), slot);
    }
    (void)List_remove(heap, (&self->p_order), slot);
    self->s_gone = add64(self->s_gone, INT64_C(1));
    self->a_left[at(heap, slot, self->n0_left, 52)] = self->s_gone;
}

static void List_insert_before(mm_heap *heap, mm_List *self, int64_t x, int64_t y)
{
    int64_t p = 0;
    (void)p;
    (void)x;
    (void)y;
    (void)heap;
    (void)self;
    (void)List_check(heap, self, x);
    (void)List_check(heap, self, y);
    if (self->a_after[at(heap, x, self->n0_after, 0)] >= INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    if (self->a_after[at(heap, y, self->n0_after, 0)] < INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    p = self->a_before[at(heap, y, self->n0_before, 0)];
    self->a_before[at(heap, x, self->n0_before, 0)] = (int32_t)p;
    self->a_after[at(heap, x, self->n0_after, 0)] = (int32_t)y;
    self->a_after[at(heap, p, self->n0_after, 0)] = (int32_t)x;
    self->a_before[at(heap, y, self->n0_before, 0)] = (int32_t)x;
    self->s_size = add64(self->s_size, INT64_C(1));
}

static void List_push_back(mm_heap *heap, mm_List *self, int64_t x)
{
    int64_t n = 0;
    int64_t last = 0;
    (void)n;
    (void)last;
    (void)x;
    (void)heap;
    (void)self;
    (void)List_check(heap, self, x);
    if (self->a_after[at(heap, x, self->n0_after, 0)] >= INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    n = self->s_n;
    last = self->a_before[at(heap, n, self->n0_before, 0)];
    self->a_before[at(heap, x, self->n0_before, 0)] = (int32_t)last;
    self->a_after[at(heap, x, self->n0_after, 0)] = (int32_t)n;
    self->a_after[at(heap, last, self->n0_after, 0)] = (int32_t)x;
    self->a_before[at(heap, n, self->n0_before, 0)] = (int32_t)x;
    self->s_size = add64(self->s_size, INT64_C(1));
}

static void List_push_front(mm_heap *heap, mm_List *self, int64_t x)
{
    int64_t n = 0;
    int64_t first = 0;
    (void)n;
    (void)first;
    (void)x;
    (void)heap;
    (void)self;
    (void)List_check(heap, self, x);
    if (self->a_after[at(heap, x, self->n0_after, 0)] >= INT64_C(0)) {
        set_fault(heap, 1);
        return;
    }
    n = self->s_n;
    first = self->a_after[at(heap, n, self->n0_after, 0)];
    self->a_after[at(heap, x, self->n0_after, 0)] = (int32_t)first;
    self->a_before[at(heap, x, self->n0_before, 0)] = (int32_t)n;
    self->a_before[at(heap, first, self->n0_before, 0)] = (int32_t)x;
    self->a_after[at(heap, n, self->n0_after, 0)] = (int32_t)x;
    self->s_size = add64(self->s_size, INT64_C(1));
}

static void Policy_on_insert(mm_heap *heap, mm_Policy *self, int64_t slot, int64_t key, int64_t size, int64_t now, bool remembered)
{
    int64_t rank = 0;
    (void)rank;
    (void)slot;
    (void)key;
    (void)size;
    (void)now;
    (void)remembered;
    (void)heap;
    (void)self;
    self->s_water = (self->s_water - (0.01657 * self->s_water));
    rank = INT64_C(1);
    if (self->s_water < 0.1236) {
        rank = INT64_C(0);
    }
    self->s_run = add64(self->s_run, INT64_C(1));
    if (self->s_run > INT64_C(12)) {
        rank = INT64_C(0);
    }
    if (remembered && ((double)(sub64(self->s_gone, self->a_left[at(heap, slot, self->n0_left, 62)])) <= (0.7647 * (double)(self->s_room)))) {
        rank = INT64_C(2);
    }
    {
        int64_t t1__ = INT64_C(0);
        self->a_credit[at(heap, slot, self->n0_credit, 64)] = t1__;
    }
    {
        if (rank == INT64_C(0)) {
            if (self->s_hand >= INT64_C(0)) {
                (void)List_insert_before(heap, (&self->p_order), slot, self->s_hand);
            } else {
                (void)List_push_back(heap, (&self->p_order), slot);
            }
        } else {
            {
                if (rank == INT64_C(2)) {
                    (void)List_push_front(heap, (&self->p_order), slot);
                    {
                        int64_t t2__ = at(heap, slot, self->n0_credit, 72);
                        self->a_credit[t2__] = add64(self->a_credit[t2__], INT64_C(1));
                    }
                } else {
                    (void)List_push_front(heap, (&self->p_order), slot);
                }
            }
        }
    }
}


/* -- the books around the policy */

enum { UNUSED = 0, RESIDENT = 1, REMEMBERED = 2, INCOMING = 3 };

struct cache_s0053_tuned {
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
    cache_s0053_tuned_evicted evicted;
    void *context;
};

static int64_t home(const cache_s0053_tuned *c, uint64_t key)
{
    return hash64((int64_t)key, 0x7AB1E) & c->mask;
}

static int64_t find(const cache_s0053_tuned *c, uint64_t key)
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

static void enter(cache_s0053_tuned *c, int64_t slot)
{
    int64_t i = home(c, c->owner[slot]);
    while (c->table[i] >= 0) {
        i = (i + 1) & c->mask;
    }
    c->table[i] = (int32_t)slot;
}

static void leave(cache_s0053_tuned *c, int64_t slot)
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

static void unlink_slot(cache_s0053_tuned *c, int64_t slot)
{
    c->after[c->before[slot]] = c->after[slot];
    c->before[c->after[slot]] = c->before[slot];
}

static void append_slot(cache_s0053_tuned *c, int64_t ring, int64_t slot)
{
    c->before[slot] = c->before[ring];
    c->after[slot] = (int32_t)ring;
    c->after[c->before[ring]] = (int32_t)slot;
    c->before[ring] = (int32_t)slot;
}

static int64_t policy_key(const cache_s0053_tuned *c, int64_t slot)
{
    return hash64((int64_t)c->owner[slot], 0x51ED);
}

static void remember(cache_s0053_tuned *c, int64_t slot)
{
    c->state[slot] = REMEMBERED;
    append_slot(c, c->n_slots, slot);
    c->remembered++;
}

static void evict(cache_s0053_tuned *c, int64_t slot)
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
static int64_t lost(cache_s0053_tuned *c, int64_t slot, int64_t size)
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

static void make_room(cache_s0053_tuned *c, int64_t slot, int64_t size, int64_t more)
{
    while (c->used + more > c->capacity && c->after[c->n_slots + 1] != c->n_slots + 1) {
        int64_t loser = c->state[slot] == RESIDENT && size > c->capacity ? slot : lost(c, slot, size);
        if (loser > c->n_slots) {
            loser = slot; /* nothing else is cached */
        }
        evict(c, loser);
    }
}

static void early(cache_s0053_tuned *c, int64_t slot, int64_t size)
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

static int64_t slot_for(cache_s0053_tuned *c, uint64_t key)
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

int cache_s0053_tuned_request(cache_s0053_tuned *c, uint64_t key, int64_t size)
{
    int64_t slot = find(c, key);
    int outcome = CACHE_S0053_TUNED_HIT;
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
        outcome = CACHE_S0053_TUNED_TOO_LARGE;
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
            outcome = CACHE_S0053_TUNED_STORED;
        } else {
            remember(c, slot);
            outcome = CACHE_S0053_TUNED_REFUSED;
        }
        early(c, slot, size);
    }
    c->now++;
    return outcome;
}

int cache_s0053_tuned_remove(cache_s0053_tuned *c, uint64_t key)
{
    int64_t slot = find(c, key);
    if (slot < 0 || c->state[slot] != RESIDENT) {
        return 0;
    }
    evict(c, slot);
    return 1;
}

int cache_s0053_tuned_holds(const cache_s0053_tuned *c, uint64_t key)
{
    int64_t slot = find(c, key);
    return slot >= 0 && c->state[slot] == RESIDENT;
}

int64_t cache_s0053_tuned_used(const cache_s0053_tuned *c)
{
    return c->used;
}

int cache_s0053_tuned_fault(const cache_s0053_tuned *c)
{
    return c->heap.fault;
}

void cache_s0053_tuned_free(cache_s0053_tuned *c)
{
    if (c != NULL) {
        free_all(&c->heap);
        free(c);
    }
}

cache_s0053_tuned *cache_s0053_tuned_new(int64_t capacity, int64_t max_objects, cache_s0053_tuned_evicted evicted, void *context)
{
    if (max_objects < 1) {
        return NULL;
    }
    return cache_s0053_tuned_new_of(capacity, max_objects, (capacity - 1) / max_objects + 1, evicted, context);
}

cache_s0053_tuned *cache_s0053_tuned_new_of(int64_t capacity, int64_t max_objects, int64_t smallest, cache_s0053_tuned_evicted evicted, void *context)
{
    cache_s0053_tuned *c;
    int64_t i, size = 1;
    if (capacity < 1 || capacity >= INT64_C(9007199254740992) || max_objects < 1 ||
        max_objects > 100000000 || smallest < 1) {
        return NULL;
    }
    c = (cache_s0053_tuned *)calloc(1, sizeof(cache_s0053_tuned));
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
        cache_s0053_tuned_free(c);
        return NULL;
    }
    return c;
}
