/* sensing policy s0031, News Volatility Watchful. Written by MetaMuse; see sensing_s0031.h. */
#include "sensing_s0031.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define HAS_WAKE
#define HAS_CO2
#define HAS_PACKETS

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
static double (*const volatile libm_pow)(double, double) = pow;

static inline void set_fault(mm_heap *heap, int line)
{
    if (heap->fault == 0) {
        heap->fault = line > 0 ? line : 1;
    }
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
    double s_co2_j;
    double s_session_j;
    double s_idle_j;
    double s_record_j;
    double s_season;
    bool s_solar;
    double s_quiet;
    bool s_read;
    int64_t s_send;
    double s_told;
    double s_dry;
    double s_seen;
    double s_moved;
    bool s_fresh;
    double s_volatile;
    double s_usual;
} mm_Policy;


static void Policy_init(mm_heap *heap, mm_Policy *self, double season_days, double store_j, double sleep_w, double probe_j, double co2_j, double session_j, double packet_j, double panel_w)
{
    (void)season_days;
    (void)store_j;
    (void)sleep_w;
    (void)probe_j;
    (void)co2_j;
    (void)session_j;
    (void)packet_j;
    (void)panel_w;
    (void)heap;
    (void)self;
    self->s_co2_j = co2_j;
    self->s_session_j = session_j;
    self->s_idle_j = (86400.0 * sleep_w);
    self->s_record_j = (probe_j + (packet_j / 12.0));
    self->s_season = season_days;
    self->s_solar = (panel_w > 0.0);
    self->s_quiet = 0.0;
    self->s_read = false;
    self->s_send = INT64_C(0);
    self->s_told = 0.0;
    self->s_dry = 0.0;
    self->s_seen = (-1.0);
    self->s_moved = 0.0;
    self->s_fresh = false;
    self->s_volatile = 0.0;
    self->s_usual = 0.0;
}

static int64_t Policy_wake(mm_heap *heap, mm_Policy *self, int64_t tick, const double *obs, int64_t n0__obs)
{
    double step = 0.0;
    double daily = 0.0;
    double spare = 0.0;
    double probe = 0.0;
    double radio = 0.0;
    double apart = 0.0;
    int64_t most = 0;
    (void)step;
    (void)daily;
    (void)spare;
    (void)probe;
    (void)radio;
    (void)apart;
    (void)most;
    (void)tick;
    (void)obs;
    (void)n0__obs;
    (void)heap;
    (void)self;
    step = maxf(1.0, obs[at(heap, INT64_C(15), n0__obs, 38)]);
    self->s_dry = (((obs[at(heap, INT64_C(0), n0__obs, 39)] - obs[at(heap, INT64_C(17), n0__obs, 39)]) > 0.015) ? 0.0 : (self->s_dry + step));
    self->s_fresh = ((obs[at(heap, INT64_C(15), n0__obs, 40)] >= obs[at(heap, INT64_C(4), n0__obs, 40)]) && (obs[at(heap, INT64_C(4), n0__obs, 40)] < 100000.0));
    if (self->s_fresh) {
        self->s_moved = ((self->s_seen >= 0.0) ? divf(heap, fabs((obs[at(heap, INT64_C(3), n0__obs, 42)] - self->s_seen)), maxf(0.3, fabs(self->s_seen)), 42) : 0.0);
        self->s_seen = obs[at(heap, INT64_C(3), n0__obs, 43)];
    }
    if (self->s_fresh) {
        self->s_volatile = (self->s_volatile + (0.263 * (self->s_moved - self->s_volatile)));
        self->s_usual = (self->s_usual + ((0.2 * 0.263) * (self->s_moved - self->s_usual)));
    }
    daily = divf(heap, (0.948 * obs[at(heap, INT64_C(19), n0__obs, 47)]), maxf(1.0, obs[at(heap, INT64_C(18), n0__obs, 47)]), 47);
    if (self->s_solar) {
        daily = ((0.948 * obs[at(heap, INT64_C(9), n0__obs, 49)]) + ((0.234 * (obs[at(heap, INT64_C(8), n0__obs, 49)] - 0.5)) * obs[at(heap, INT64_C(19), n0__obs, 49)]));
    }
    daily = (daily * (1.0 - 0.0818));
    spare = maxf((0.02 * self->s_idle_j), (daily - self->s_idle_j));
    probe = maxf(3.67, divf(heap, (144.0 * self->s_record_j), (0.357 * spare), 52));
    radio = maxf(6.12, divf(heap, (144.0 * self->s_session_j), (0.15 * spare), 53));
    apart = (144.0 * self->s_co2_j);
    apart = divf(heap, apart, maxf((0.1 * spare), (spare - (144.0 * (divf(heap, self->s_record_j, probe, 55) + divf(heap, self->s_session_j, radio, 55))))), 55);
    if ((self->s_volatile > 1e-06) && (self->s_usual > 1e-06)) {
        apart = (apart * powf64(heap, minf(3.0, maxf(0.33, divf(heap, self->s_usual, self->s_volatile, 57))), 0.233, 57));
    }
    probe = maxf(3.99, probe);
    if (self->s_dry > 606.0) {
        probe = (probe * 2.94);
    }
    self->s_read = (obs[at(heap, INT64_C(4), n0__obs, 61)] >= (apart - 0.5));
    self->s_quiet = (self->s_quiet + step);
    most = INT64_C(4096);
    self->s_told = (self->s_told + (obs[at(heap, INT64_C(0), n0__obs, 64)] - obs[at(heap, INT64_C(17), n0__obs, 64)]));
    if (self->s_told > 0.03) {
        radio = minf(radio, 7.78);
    }
    if (self->s_quiet >= radio) {
        self->s_told = 0.0;
    }
    self->s_send = INT64_C(0);
    if (self->s_quiet >= minf(432.0, radio)) {
        self->s_quiet = 0.0;
        self->s_send = most;
    }
    return to_int64(heap, minf(144.0, maxf(1.0, probe)), 73);
    return 0;
}

static bool Policy_co2(mm_heap *heap, mm_Policy *self)
{
    (void)heap;
    (void)self;
    return self->s_read;
    return false;
}

static int64_t Policy_packets(mm_heap *heap, mm_Policy *self)
{
    (void)heap;
    (void)self;
    return self->s_send;
    return 0;
}


/* -- the node around the policy */

enum { OBS = 20, NET = 8, MOST_SLEEP = 1008, MOST_PACKETS = 4096 };

struct sensing_s0031 {
    mm_heap heap;
    mm_Policy policy;
    int64_t co2_at, radio_at;
    int16_t sleep, co2_apart, radio_apart; /* of the fallback */
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

/* Ticks between what costs so many joules, if so many a day are there for it. */
static int16_t apart(double joules, double spare, int16_t least)
{
    double ticks;
    if (!(144.0 * joules < MOST_SLEEP * spare)) {
        return MOST_SLEEP;
    }
    ticks = ceil(144.0 * joules / spare);
    return ticks > (double)least ? (int16_t)ticks : least;
}

static bool costs(double x)
{
    return x >= 0.0 && x < 1e12;
}

/* Whether the board makes sense and the policy could be made. */
static bool begin(sensing_s0031 *p, const sensing_s0031_board *b)
{
    double spare = b->store_j / b->season_days - 86400.0 * b->sleep_w;
    if (!(b->season_days > 0.0) || !(b->store_j > 0.0) || !costs(b->sleep_w) || !costs(b->probe_j) || !costs(b->co2_j) ||
        !costs(b->session_j) || !costs(b->packet_j) || !costs(b->panel_w)) {
        return false;
    }
    if (b->panel_w > 0.0) { /* a store that the sun fills is to last a week */
        spare = b->store_j / 7.0 - 86400.0 * b->sleep_w;
    }
    p->sleep = apart(b->probe_j + b->packet_j / 12.0, 0.4 * spare, 2);
    p->co2_apart = b->co2_j > 0.0 ? apart(b->co2_j, 0.4 * spare, 18) : 0;
    p->radio_apart = apart(b->session_j, 0.2 * spare, 144);
    p->co2_at = p->radio_at = -MOST_SLEEP;
    Policy_init(&p->heap, &p->policy, b->season_days, b->store_j, b->sleep_w, b->probe_j, b->co2_j, b->session_j, b->packet_j,
                b->panel_w);
    return p->heap.fault == 0;
}

/* Ask the policy; whether its answers can be. */
static bool ask(sensing_s0031 *p, int64_t tick, const double *obs, sensing_s0031_action *action)
{
    int64_t sleep = Policy_wake(&p->heap, &p->policy, tick, obs, OBS), packets = 0;
    if (p->heap.fault == 0 && (sleep < 1 || sleep > MOST_SLEEP)) {
        set_fault(&p->heap, 1);
    }
    if (p->heap.fault == 0) {
        action->co2 = Policy_co2(&p->heap, &p->policy);
    }
    if (p->heap.fault == 0) {
        packets = Policy_packets(&p->heap, &p->policy);
        if (packets < -MOST_PACKETS || packets > MOST_PACKETS) {
            set_fault(&p->heap, 1);
        }
    }
#ifdef HAS_LISTEN
    if (p->heap.fault == 0) {
        action->listen = Policy_listen(&p->heap, &p->policy);
    }
#endif
    action->sleep = (int16_t)sleep;
    action->packets = (int16_t)packets;
    return p->heap.fault == 0;
}

sensing_s0031_action sensing_s0031_decide(sensing_s0031 *p, int64_t tick, const double *obs)
{
    sensing_s0031_action action = {0, 0, false, false};
    if (p->heap.fault != 0 || !all_finite(obs, OBS) || !ask(p, tick, obs, &action)) {
        action.sleep = p->sleep;
        action.co2 = p->co2_apart > 0 && tick - p->co2_at >= p->co2_apart;
        action.packets = tick - p->radio_at >= p->radio_apart ? MOST_PACKETS : 0;
        action.listen = false;
    }
    if (action.co2) {
        p->co2_at = tick;
    }
    if (action.packets != 0) {
        p->radio_at = tick;
    }
    return action;
}

void sensing_s0031_gateway(sensing_s0031 *p, int64_t day, int64_t nodes, const double *net, double *orders, bool *forwards)
{
    int64_t n;
    bool good = p->heap.fault == 0 && all_finite(net, NET * nodes);
    for (n = 0; n < nodes; n++) {
        orders[n] = 0.0;
        forwards[n] = true;
#ifdef HAS_GATEWAY
        if (good && p->heap.fault == 0) {
            orders[n] = (double)Policy_gateway(&p->heap, &p->policy, day, n, net, NET * nodes);
            if (!(orders[n] > -1e9 && orders[n] < 1e9)) {
                orders[n] = 0.0;
            }
        }
#endif
#ifdef HAS_FORWARDS
        if (good && p->heap.fault == 0) {
            forwards[n] = Policy_forwards(&p->heap, &p->policy, n);
        }
#endif
    }
    for (n = 0; n < nodes && p->heap.fault != 0; n++) {
        orders[n] = 0.0;
        forwards[n] = true;
    }
    (void)good;
    (void)day;
}

int sensing_s0031_fault(const sensing_s0031 *p)
{
    return p->heap.fault;
}

void sensing_s0031_free(sensing_s0031 *p)
{
    if (p != NULL) {
        free_all(&p->heap);
        free(p);
    }
}

sensing_s0031 *sensing_s0031_new(const sensing_s0031_board *board)
{
    sensing_s0031 *p = (sensing_s0031 *)calloc(1, sizeof(sensing_s0031));
    if (p != NULL && !begin(p, board)) {
        sensing_s0031_free(p);
        return NULL;
    }
    return p;
}
