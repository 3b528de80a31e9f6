/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "sensing_s0031.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t next(void)
{
    int64_t x = 0;
    if (fread(&x, sizeof x, 1, stdin) != 1) {
        exit(3);
    }
    return x;
}

/* A number that a place in memory is made of: it comes from a file, so it may be any. */
static int64_t next_of(int64_t least, int64_t most)
{
    int64_t x = next();
    if (x < least || x > most) {
        exit(5);
    }
    return x;
}

static void say(int64_t x)
{
    fwrite(&x, sizeof x, 1, stdout);
}

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

static sensing_s0031 *started(void)
{
    sensing_s0031_board board;
    sensing_s0031 *node;
    board.season_days = next_float();
    board.store_j = next_float();
    board.sleep_w = next_float();
    board.probe_j = next_float();
    board.co2_j = next_float();
    board.session_j = next_float();
    board.packet_j = next_float();
    board.panel_w = next_float();
    node = sensing_s0031_new(&board);
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
            sensing_s0031 *node = started();
            for (i = 0; i < rows; i++) {
                REAL obs[20];
                int64_t tick = next();
                int at;
                sensing_s0031_action action;
                for (at = 0; at < 20; at++) {
                    obs[at] = next_float();
                }
                action = sensing_s0031_decide(node, tick, obs);
                say(action.sleep);
                say(action.co2);
                say(action.packets);
                say(action.listen);
            }
            fault = fault ? fault : sensing_s0031_fault(node);
            sensing_s0031_free(node);
        }
        n = next_of(0, 100000);
        dawns = next();
        if (dawns > 0) {
            sensing_s0031 *gateway = started();
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
                sensing_s0031_gateway(gateway, day, n, net, net + 8 * n, forwards);
                for (i = 0; i < n; i++) {
                    say_float(net[8 * n + i]);
                    say(forwards[i]);
                }
            }
            fault = fault ? fault : sensing_s0031_fault(gateway);
            sensing_s0031_free(gateway);
            free(net);
            free(forwards);
        }
        say(fault);
    }
    return 0;
}
