/* binpacking policy s0296-tuned, Future Outlook Levels (tuned). Written by MetaMuse; see binpacking_s0296_tuned.h. */
#include "binpacking_s0296_tuned.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_CHOOSE
#define HAS_ON_PACKED

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

static inline int64_t mul64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
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

typedef struct mm_Buckets {
    int32_t *a_counts;
    int64_t n0_counts;
    int32_t *a_level_of;
    int64_t n0_level_of;
    int32_t *a_after;
    int64_t n0_after;
    int32_t *a_before;
    int64_t n0_before;
    int64_t *a_bits;
    int64_t n0_bits;
    int64_t *a_words;
    int64_t n0_words;
    int32_t *a_shifts;
    int64_t n0_shifts;
    int64_t s_levels;
    int64_t s_room;
    int64_t s_size;
} mm_Buckets;

typedef struct mm_Policy {
    int64_t *a_order;
    int64_t n0_order;
    double *a_missed;
    int64_t n0_missed;
    double *a_seen;
    int64_t n0_seen;
    double *a_waste;
    int64_t n0_waste;
    mm_Buckets p_bins;
    int64_t s_capacity;
    int64_t s_items;
    double s_total;
    int64_t s_due;
    int64_t s_waiting;
    int64_t s_best;
    double s_least;
} mm_Policy;


static void Buckets_init(mm_heap *heap, mm_Buckets *self, int64_t levels, int64_t room)
{
    int64_t n = 0;
    (void)n;
    (void)levels;
    (void)room;
    (void)heap;
    (void)self;
    if (room < heap->room) {
        room = heap->room;
    }
    if ((levels < INT64_C(0)) || (room < INT64_C(0))) {
        set_fault(heap, 1);
        return;
    }
    self->s_levels = levels;
    self->s_room = room;
    self->s_size = INT64_C(0);
    self->n0_counts = length(heap, add64(levels, INT64_C(1)));
    self->a_counts = (int32_t *)allot(heap, self->n0_counts, sizeof(int32_t));
    if (self->a_counts == NULL) {
        return;
    }
    {
        self->n0_level_of = length(heap, room);
        self->a_level_of = (int32_t *)allot(heap, self->n0_level_of, sizeof(int32_t));
        int64_t t1__ = (-INT64_C(1));
        if (self->a_level_of == NULL) {
            return;
        }
        {
            int64_t k__;
            for (k__ = 0; k__ < self->n0_level_of; k__++) {
                self->a_level_of[k__] = (int32_t)t1__;
            }
        }
    }
    self->n0_after = length(heap, add64(add64(levels, INT64_C(1)), room));
    self->a_after = (int32_t *)allot(heap, self->n0_after, sizeof(int32_t));
    if (self->a_after == NULL) {
        return;
    }
    {
        int64_t k__;
        for (k__ = 0; k__ < self->n0_after; k__++) {
            self->a_after[k__] = (int32_t)k__;
        }
    }
    self->n0_before = length(heap, add64(add64(levels, INT64_C(1)), room));
    self->a_before = (int32_t *)allot(heap, self->n0_before, sizeof(int32_t));
    if (self->a_before == NULL) {
        return;
    }
    {
        int64_t k__;
        for (k__ = 0; k__ < self->n0_before; k__++) {
            self->a_before[k__] = (int32_t)k__;
        }
    }
    self->n0_bits = length(heap, add64(floordiv64(heap, levels, INT64_C(32), 0), INT64_C(1)));
    self->a_bits = (int64_t *)allot(heap, self->n0_bits, sizeof(int64_t));
    if (self->a_bits == NULL) {
        return;
    }
    self->n0_words = length(heap, add64(floordiv64(heap, levels, INT64_C(1024), 0), INT64_C(1)));
    self->a_words = (int64_t *)allot(heap, self->n0_words, sizeof(int64_t));
    if (self->a_words == NULL) {
        return;
    }
    self->n0_shifts = length(heap, INT64_C(32));
    self->a_shifts = (int32_t *)allot(heap, self->n0_shifts, sizeof(int32_t));
    if (self->a_shifts == NULL) {
        return;
    }
    {
        int64_t t2__ = 0;
        int64_t t3__ = INT64_C(32);
        int64_t t4__ = (t2__ < t3__ ? (t3__ - t2__ - 1) / 1 + 1 : 0);
        int64_t k5__;
        for (k5__ = 0; k5__ < t4__ && heap->fault == 0; k5__++) {
            n = t2__ + k5__ * (1);
            self->a_shifts[at(heap, (shr64(heap, shl64(heap, INT64_C(125613361), n, 0), INT64_C(27), 0) & INT64_C(31)), self->n0_shifts, 0)] = (int32_t)n;
        }
    }
}

static void Policy_init(mm_heap *heap, mm_Policy *self, int64_t capacity)
{
    (void)capacity;
    (void)heap;
    (void)self;
    self->s_capacity = capacity;
    Buckets_init(heap, &self->p_bins, capacity, INT64_C(64));
    self->s_items = INT64_C(0);
    self->n0_order = length(heap, add64(capacity, INT64_C(1)));
    self->a_order = (int64_t *)allot(heap, self->n0_order, sizeof(int64_t));
    if (self->a_order == NULL) {
        return;
    }
    self->n0_missed = length(heap, add64(capacity, INT64_C(1)));
    self->a_missed = (double *)allot(heap, self->n0_missed, sizeof(double));
    if (self->a_missed == NULL) {
        return;
    }
    {
        int64_t k__;
        for (k__ = 0; k__ < self->n0_missed; k__++) {
            self->a_missed[k__] = (double)1;
        }
    }
    self->n0_seen = length(heap, add64(capacity, INT64_C(1)));
    self->a_seen = (double *)allot(heap, self->n0_seen, sizeof(double));
    if (self->a_seen == NULL) {
        return;
    }
    self->s_total = 0.0;
    self->s_due = INT64_C(16);
    self->n0_waste = length(heap, add64(capacity, INT64_C(1)));
    self->a_waste = (double *)allot(heap, self->n0_waste, sizeof(double));
    if (self->a_waste == NULL) {
        return;
    }
    self->s_waiting = INT64_C(0);
    self->s_best = (-INT64_C(1));
    self->s_least = 0.0;
}

static int64_t Buckets_place(mm_heap *heap, mm_Buckets *self, int64_t bit)
{
    (void)bit;
    (void)heap;
    (void)self;
    return self->a_shifts[at(heap, (shr64(heap, mul64(INT64_C(125613361), bit), INT64_C(27), 0) & INT64_C(31)), self->n0_shifts, 0)];
    return 0;
}

static int64_t Buckets_next_level(mm_heap *heap, mm_Buckets *self, int64_t level)
{
    int64_t word = 0;
    int64_t bits = 0;
    int64_t i = 0;
    (void)word;
    (void)bits;
    (void)i;
    (void)level;
    (void)heap;
    (void)self;
    if (level > self->s_levels) {
        return (-INT64_C(1));
    }
    if (level < INT64_C(0)) {
        level = INT64_C(0);
    }
    word = shr64(heap, level, INT64_C(5), 0);
    bits = (self->a_bits[at(heap, word, self->n0_bits, 0)] & neg64(shl64(heap, INT64_C(1), (level & INT64_C(31)), 0)));
    if (bits == INT64_C(0)) {
        i = shr64(heap, word, INT64_C(5), 0);
        bits = (self->a_words[at(heap, i, self->n0_words, 0)] & neg64(shl64(heap, INT64_C(2), (word & INT64_C(31)), 0)));
        while (heap->fault == 0) {
            if (!(bits == INT64_C(0))) {
                break;
            }
            i = add64(i, INT64_C(1));
            if (i >= self->n0_words) {
                return (-INT64_C(1));
            }
            bits = self->a_words[at(heap, i, self->n0_words, 0)];
        }
        word = add64(mul64(INT64_C(32), i), Buckets_place(heap, self, (bits & neg64(bits))));
        bits = self->a_bits[at(heap, word, self->n0_bits, 0)];
    }
    return add64(mul64(INT64_C(32), word), Buckets_place(heap, self, (bits & neg64(bits))));
    return 0;
}

static int64_t Buckets_first(mm_heap *heap, mm_Buckets *self, int64_t level)
{
    (void)level;
    (void)heap;
    (void)self;
    if ((level < INT64_C(0)) || (level > self->s_levels)) {
        set_fault(heap, 1);
        return 0;
    }
    if (self->a_counts[at(heap, level, self->n0_counts, 0)] == INT64_C(0)) {
        return (-INT64_C(1));
    }
    return sub64(sub64(self->a_after[at(heap, level, self->n0_after, 0)], self->s_levels), INT64_C(1));
    return 0;
}

static double Policy_future(mm_heap *heap, mm_Policy *self, int64_t free_)
{
    (void)free_;
    (void)heap;
    (void)self;
    return (1.0 - divf(heap, (self->a_waste[at(heap, free_, self->n0_waste, 100)] * (double)(self->s_capacity)), (double)free_, 100));
    return 0.0;
}

static int64_t Buckets_count(mm_heap *heap, mm_Buckets *self, int64_t level)
{
    (void)level;
    (void)heap;
    (void)self;
    if ((level < INT64_C(0)) || (level > self->s_levels)) {
        set_fault(heap, 1);
        return 0;
    }
    return self->a_counts[at(heap, level, self->n0_counts, 0)];
    return 0;
}

static double Policy_cost(mm_heap *heap, mm_Policy *self, int64_t item, int64_t free_, int64_t bin)
{
    int64_t left = 0;
    double value = 0.0;
    double crowd = 0.0;
    (void)left;
    (void)value;
    (void)crowd;
    (void)item;
    (void)free_;
    (void)bin;
    (void)heap;
    (void)self;
    left = sub64(free_, item);
    value = 0.0;
    value = (value + self->a_waste[at(heap, left, self->n0_waste, 53)]);
    if (free_ < self->s_capacity) {
        value = (value - self->a_waste[at(heap, free_, self->n0_waste, 55)]);
    }
    crowd = 0.0;
    if (left > INT64_C(0)) {
        crowd = (crowd + ((0.01832 * Policy_future(heap, self, left)) * (double)(add64(mul64(INT64_C(2), Buckets_count(heap, (&self->p_bins), left)), INT64_C(1)))));
    }
    if (free_ < self->s_capacity) {
        crowd = (crowd - ((0.01832 * Policy_future(heap, self, free_)) * (double)(sub64(mul64(INT64_C(2), Buckets_count(heap, (&self->p_bins), free_)), INT64_C(1)))));
    }
    return (value + (divf(heap, (double)(self->s_items), (double)(add64(self->s_items, INT64_C(331))), 61) * crowd));
    return 0.0;
}

static void Policy_offer(mm_heap *heap, mm_Policy *self, int64_t item, int64_t free_, int64_t bin)
{
    double value = 0.0;
    (void)value;
    (void)item;
    (void)free_;
    (void)bin;
    (void)heap;
    (void)self;
    value = Policy_cost(heap, self, item, free_, bin);
    if (value < self->s_least) {
        self->s_least = value;
        self->s_best = bin;
    }
}

static int64_t Policy_choose(mm_heap *heap, mm_Policy *self, int64_t item, const int64_t *remaining, int64_t n0__remaining, int64_t n_open)
{
    int64_t free_ = 0;
    (void)free_;
    (void)item;
    (void)remaining;
    (void)n_open;
    (void)n0__remaining;
    (void)heap;
    (void)self;
    self->s_best = (-INT64_C(1));
    self->s_least = 1e+18;
    free_ = Buckets_next_level(heap, (&self->p_bins), item);
    while (heap->fault == 0) {
        if (!(free_ >= INT64_C(0))) {
            break;
        }
        (void)Policy_offer(heap, self, item, free_, Buckets_first(heap, (&self->p_bins), free_));
        free_ = Buckets_next_level(heap, (&self->p_bins), add64(free_, INT64_C(1)));
    }
    if (self->s_best >= INT64_C(0)) {
        if ((Policy_cost(heap, self, item, self->s_capacity, n_open) + (0.002068 * (divf(heap, (double)(self->s_waiting), (1.0 + (0.6829 * powf64(heap, (double)(self->s_items), 0.5, 40))), 40) - 1.0))) < self->s_least) {
            return (-INT64_C(1));
        }
    }
    return self->s_best;
    return 0;
}

static int64_t Buckets_level(mm_heap *heap, mm_Buckets *self, int64_t x)
{
    (void)x;
    (void)heap;
    (void)self;
    if ((x < INT64_C(0)) || (x >= self->s_room)) {
        return (-INT64_C(1));
    }
    return self->a_level_of[at(heap, x, self->n0_level_of, 0)];
    return 0;
}

static bool Buckets_discard(mm_heap *heap, mm_Buckets *self, int64_t x)
{
    int64_t level = 0;
    int64_t place = 0;
    int64_t p = 0;
    int64_t q = 0;
    (void)level;
    (void)place;
    (void)p;
    (void)q;
    (void)x;
    (void)heap;
    (void)self;
    level = Buckets_level(heap, self, x);
    if (level < INT64_C(0)) {
        return false;
    }
    place = add64(add64(self->s_levels, INT64_C(1)), x);
    p = self->a_before[at(heap, place, self->n0_before, 0)];
    q = self->a_after[at(heap, place, self->n0_after, 0)];
    self->a_after[at(heap, p, self->n0_after, 0)] = (int32_t)q;
    self->a_before[at(heap, q, self->n0_before, 0)] = (int32_t)p;
    {
        int64_t t1__ = (-INT64_C(1));
        self->a_level_of[at(heap, x, self->n0_level_of, 0)] = (int32_t)t1__;
    }
    self->s_size = sub64(self->s_size, INT64_C(1));
    {
        int64_t t2__ = at(heap, level, self->n0_counts, 0);
        self->a_counts[t2__] = (int32_t)sub64(self->a_counts[t2__], INT64_C(1));
    }
    {
        if (p == q) {
            {
                int64_t t3__ = at(heap, shr64(heap, level, INT64_C(5), 0), self->n0_bits, 0);
                self->a_bits[t3__] = (self->a_bits[t3__] ^ shl64(heap, INT64_C(1), (level & INT64_C(31)), 0));
            }
            {
                if (self->a_bits[at(heap, shr64(heap, level, INT64_C(5), 0), self->n0_bits, 0)] == INT64_C(0)) {
                    {
                        int64_t t4__ = at(heap, shr64(heap, level, INT64_C(10), 0), self->n0_words, 0);
                        self->a_words[t4__] = (self->a_words[t4__] ^ shl64(heap, INT64_C(1), (shr64(heap, level, INT64_C(5), 0) & INT64_C(31)), 0));
                    }
                }
            }
        }
    }
    return true;
    return false;
}

static void Buckets_put(mm_heap *heap, mm_Buckets *self, int64_t x, int64_t level)
{
    int64_t place = 0;
    int64_t first = 0;
    (void)place;
    (void)first;
    (void)x;
    (void)level;
    (void)heap;
    (void)self;
    if ((x < INT64_C(0)) || (x >= self->s_room)) {
        set_fault(heap, 1);
        return;
    }
    if ((level < INT64_C(0)) || (level > self->s_levels)) {
        set_fault(heap, 1);
        return;
    }
    (void)Buckets_discard(heap, self, x);
    place = add64(add64(self->s_levels, INT64_C(1)), x);
    first = self->a_after[at(heap, level, self->n0_after, 0)];
    self->a_after[at(heap, place, self->n0_after, 0)] = (int32_t)first;
    self->a_before[at(heap, place, self->n0_before, 0)] = (int32_t)level;
    self->a_before[at(heap, first, self->n0_before, 0)] = (int32_t)place;
    self->a_after[at(heap, level, self->n0_after, 0)] = (int32_t)place;
    self->a_level_of[at(heap, x, self->n0_level_of, 0)] = (int32_t)level;
    self->s_size = add64(self->s_size, INT64_C(1));
    {
        int64_t t1__ = at(heap, level, self->n0_counts, 0);
        self->a_counts[t1__] = (int32_t)add64(self->a_counts[t1__], INT64_C(1));
    }
    {
        int64_t t2__ = at(heap, shr64(heap, level, INT64_C(5), 0), self->n0_bits, 0);
        self->a_bits[t2__] = (self->a_bits[t2__] | shl64(heap, INT64_C(1), (level & INT64_C(31)), 0));
    }
    {
        int64_t t3__ = at(heap, shr64(heap, level, INT64_C(10), 0), self->n0_words, 0);
        self->a_words[t3__] = (self->a_words[t3__] | shl64(heap, INT64_C(1), (shr64(heap, level, INT64_C(5), 0) & INT64_C(31)), 0));
    }
}

static void Policy_study(mm_heap *heap, mm_Policy *self)
{
    int64_t size = 0;
    int64_t gap = 0;
    double chance = 0.0;
    double expected = 0.0;
    int64_t i = 0;
    int64_t level = 0;
    double rest = 0.0;
    (void)size;
    (void)gap;
    (void)chance;
    (void)expected;
    (void)i;
    (void)level;
    (void)rest;
    (void)heap;
    (void)self;
    {
        int64_t t1__ = INT64_C(1);
        int64_t t2__ = add64(self->s_capacity, INT64_C(1));
        int64_t t3__ = (t1__ < t2__ ? (t2__ - t1__ - 1) / 1 + 1 : 0);
        int64_t k4__;
        for (k4__ = 0; k4__ < t3__ && heap->fault == 0; k4__++) {
            size = t1__ + k4__ * (1);
            {
                double t5__ = libm_1(heap, libm_exp, divf(heap, ((-(77.66)) * self->a_seen[at(heap, size, self->n0_seen, 80)]), self->s_total, 80), 80);
                self->a_missed[at(heap, size, self->n0_missed, 80)] = t5__;
            }
        }
    }
    {
        int64_t t6__ = INT64_C(1);
        int64_t t7__ = add64(self->s_capacity, INT64_C(1));
        int64_t t8__ = (t6__ < t7__ ? (t7__ - t6__ - 1) / 1 + 1 : 0);
        int64_t k9__;
        for (k9__ = 0; k9__ < t8__ && heap->fault == 0; k9__++) {
            gap = t6__ + k9__ * (1);
            chance = 1.0;
            expected = 0.0;
            {
                int64_t t10__ = 0;
                int64_t t11__ = gap;
                int64_t t12__ = (t10__ < t11__ ? (t11__ - t10__ - 1) / 1 + 1 : 0);
                int64_t k13__;
                for (k13__ = 0; k13__ < t12__ && heap->fault == 0; k13__++) {
                    i = t10__ + k13__ * (1);
                    level = self->a_order[at(heap, i, self->n0_order, 85)];
                    rest = (chance * self->a_missed[at(heap, sub64(gap, level), self->n0_missed, 86)]);
                    expected = (expected + ((chance - rest) * self->a_waste[at(heap, level, self->n0_waste, 87)]));
                    chance = rest;
                    if (chance < 0.001) {
                        break;
                    }
                }
            }
            expected = (expected + divf(heap, (chance * (double)gap), (double)(self->s_capacity), 91));
            self->a_waste[at(heap, gap, self->n0_waste, 92)] = expected;
            i = gap;
            while (heap->fault == 0) {
                if (!((i > INT64_C(1)) && (self->a_waste[at(heap, self->a_order[at(heap, sub64(i, INT64_C(1)), self->n0_order, 94)], self->n0_waste, 94)] > expected))) {
                    break;
                }
                {
                    int64_t t14__ = self->a_order[at(heap, sub64(i, INT64_C(1)), self->n0_order, 95)];
                    self->a_order[at(heap, i, self->n0_order, 95)] = t14__;
                }
                i = sub64(i, INT64_C(1));
            }
            self->a_order[at(heap, i, self->n0_order, 97)] = gap;
        }
    }
}

static void Policy_on_packed(mm_heap *heap, mm_Policy *self, int64_t item, int64_t bin, bool opened)
{
    int64_t free_ = 0;
    bool roomy = false;
    (void)free_;
    (void)roomy;
    (void)item;
    (void)bin;
    (void)opened;
    (void)heap;
    (void)self;
    free_ = (opened ? self->s_capacity : Buckets_level(heap, (&self->p_bins), bin));
    (void)Buckets_put(heap, (&self->p_bins), bin, sub64(free_, item));
    self->s_items = add64(self->s_items, INT64_C(1));
    roomy = (sub64(free_, item) > floordiv64(heap, self->s_capacity, INT64_C(8), 67));
    if (roomy && opened) {
        self->s_waiting = add64(self->s_waiting, INT64_C(1));
    } else {
        if ((!(roomy)) && (!(opened)) && (free_ > floordiv64(heap, self->s_capacity, INT64_C(8), 70))) {
            self->s_waiting = sub64(self->s_waiting, INT64_C(1));
        }
    }
    {
        int64_t t1__ = at(heap, item, self->n0_seen, 72);
        self->a_seen[t1__] = (self->a_seen[t1__] + 1.0);
    }
    self->s_total = (self->s_total + 1.0);
    if (self->s_items >= self->s_due) {
        self->s_due = add64(self->s_items, max64(INT64_C(8), min64(INT64_C(1000), floordiv64(heap, self->s_items, INT64_C(4), 75))));
        (void)Policy_study(heap, self);
    }
}


/* -- the bins around the policy */

struct binpacking_s0296_tuned {
    mm_heap heap;
    mm_Policy policy;
    int64_t capacity, max_bins, n_open;
    int64_t seen; /* how many free spaces the policy is shown: as in the simulator, at least one more than are open */
    int64_t *remaining;
};

static int64_t first_fit(const binpacking_s0296_tuned *p, int64_t size)
{
    int64_t i;
    for (i = 0; i < p->n_open; i++) {
        if (p->remaining[i] >= size) {
            return i;
        }
    }
    return -1;
}

int64_t binpacking_s0296_tuned_pack(binpacking_s0296_tuned *p, int64_t size)
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

int64_t binpacking_s0296_tuned_open(const binpacking_s0296_tuned *p)
{
    return p->n_open;
}

int64_t binpacking_s0296_tuned_remaining(const binpacking_s0296_tuned *p, int64_t bin)
{
    return bin >= 0 && bin < p->n_open ? p->remaining[bin] : -1;
}

int binpacking_s0296_tuned_fault(const binpacking_s0296_tuned *p)
{
    return p->heap.fault;
}

void binpacking_s0296_tuned_free(binpacking_s0296_tuned *p)
{
    if (p != NULL) {
        free_all(&p->heap);
        free(p);
    }
}

binpacking_s0296_tuned *binpacking_s0296_tuned_new(int64_t capacity, int64_t max_bins)
{
    binpacking_s0296_tuned *p;
    int64_t room = 64;
    if (capacity < 1 || capacity >= INT64_C(9007199254740992) || max_bins < 1 || max_bins > 100000000) {
        return NULL;
    }
    p = (binpacking_s0296_tuned *)calloc(1, sizeof(binpacking_s0296_tuned));
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
        binpacking_s0296_tuned_free(p);
        return NULL;
    }
    return p;
}
