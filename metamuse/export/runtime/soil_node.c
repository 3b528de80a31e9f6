
/* -- the node around the policy */

enum { OBS = 20, NET = 8, MOST_SLEEP = 1008, MOST_PACKETS = 4096 };

struct @P@ {
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
static bool begin(@P@ *p, const @P@_board *b)
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
static bool ask(@P@ *p, int64_t tick, const double *obs, @P@_action *action)
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

@P@_action @P@_decide(@P@ *p, int64_t tick, const double *obs)
{
    @P@_action action = {0, 0, false, false};
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

void @P@_gateway(@P@ *p, int64_t day, int64_t nodes, const double *net, double *orders, bool *forwards)
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

int @P@_fault(const @P@ *p)
{
    return p->heap.fault;
}
