/* sensing policy s0031, News Volatility Watchful.
 *
 * A soil sensor node: when it wakes, reads CO2, opens its radio. Written by MetaMuse; decides as the policy did in the
 * simulator where double has 64 bits. C99 and C++17.
 */
#ifndef SENSING_S0031_H
#define SENSING_S0031_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sensing_s0031 sensing_s0031;

/* Joules and watts of the board, as measured on it. */
typedef struct sensing_s0031_board {
    double season_days; /* until somebody comes */
    double store_j;     /* in the full store */
    double sleep_w;     /* asleep */
    double probe_j;     /* a wake-up with its probe readings */
    double co2_j;       /* a CO2 reading; 0: no sensor */
    double session_j;   /* opening the radio */
    double packet_j;    /* a packet of 12 readings */
    double panel_w;     /* the panel at noon in midsummer; 0: none */
} sensing_s0031_board;

typedef struct sensing_s0031_action {
    int16_t sleep;   /* ticks of ten minutes, 1 to 1008 */
    int16_t packets; /* to send now, oldest first; 0: radio off; negative: newest first */
    bool co2;        /* read CO2 now */
    bool listen;     /* be woken by a rain alert */
} sensing_s0031_action;

/* A node (or the gateway's instance of the policy); NULL if the numbers make no sense or there is no memory. This is the only
 * call that allots any. */
sensing_s0031 *sensing_s0031_new(const sensing_s0031_board *board);

void sensing_s0031_free(sensing_s0031 *node);

/* What the node does at this wake-up. tick: tens of minutes since the start of the season. obs: 20 numbers, see the README; if
 * one is not finite, the fallback decides. */
sensing_s0031_action sensing_s0031_decide(sensing_s0031 *node, int64_t tick, const double *obs);

/* At the gateway, once a day: orders[i] is what node i is told (its obs[16] from the next session on), forwards[i] whether it
 * may relay. day: since the start of the season. net: 8 numbers a node, see the README. */
void sensing_s0031_gateway(sensing_s0031 *gateway, int64_t day, int64_t nodes, const double *net, double *orders, bool *forwards);

/* 0, or the line of the policy that failed (1: a number that no decision can be): since then the node wakes every 20 minutes,
 * reads CO2 every three hours and sends once a day, or each as much less often as its store for the season asks for. */
int sensing_s0031_fault(const sensing_s0031 *node);

#ifdef __cplusplus
}
#endif

#endif
