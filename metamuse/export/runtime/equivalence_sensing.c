
#ifndef REAL
#define REAL double /* what the policy computes with; float where double has 32 bits */
#endif

static double next_float(void)
{
    int64_t bits = next();
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void say_float(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    say(bits);
}

static @P@ *started(void)
{
    @P@_board board;
    @P@ *node;
    board.season_days = next_float();
    board.store_j = next_float();
    board.sleep_w = next_float();
    board.probe_j = next_float();
    board.co2_j = next_float();
    board.session_j = next_float();
    board.packet_j = next_float();
    board.panel_w = next_float();
    node = @P@_new(&board);
    if (node == NULL) {
        exit(4);
    }
    return node;
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t nodes = next(), n, i, dawns, fault = 0;
        for (; nodes > 0; nodes--) {
            int64_t rows = next();
            @P@ *node = started();
            for (i = 0; i < rows; i++) {
                REAL obs[20];
                int64_t tick = next();
                int at;
                @P@_action action;
                for (at = 0; at < 20; at++) {
                    obs[at] = next_float();
                }
                action = @P@_decide(node, tick, obs);
                say(action.sleep);
                say(action.co2);
                say(action.packets);
                say(action.listen);
            }
            fault = fault ? fault : @P@_fault(node);
            @P@_free(node);
        }
        n = next_of(0, 100000);
        dawns = next();
        if (dawns > 0) {
            @P@ *gateway = started();
            REAL *net = (REAL *)malloc((size_t)(9 * n) * sizeof *net);
            bool *forwards = (bool *)malloc((size_t)n * sizeof *forwards);
            if (net == NULL || forwards == NULL) {
                return 4;
            }
            for (; dawns > 0; dawns--) {
                int64_t day = next();
                for (i = 0; i < 8 * n; i++) {
                    net[i] = next_float();
                }
                @P@_gateway(gateway, day, n, net, net + 8 * n, forwards);
                for (i = 0; i < n; i++) {
                    say_float(net[8 * n + i]);
                    say(forwards[i]);
                }
            }
            fault = fault ? fault : @P@_fault(gateway);
            @P@_free(gateway);
            free(net);
            free(forwards);
        }
        say(fault);
    }
    return 0;
}
