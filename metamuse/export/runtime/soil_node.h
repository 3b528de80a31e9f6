/* @TITLE@.
 *
 * A soil sensor node: when it wakes, reads CO2, opens its radio. Written by MetaMuse; decides as the policy did in the
 * simulator where double has 64 bits. C99 and C++17.
 */
#ifndef @GUARD@_H
#define @GUARD@_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct @P@ @P@;

/* Joules and watts of the board, as measured on it. */
typedef struct @P@_board {
    double season_days; /* until somebody comes */
    double store_j;     /* in the full store */
    double sleep_w;     /* asleep */
    double probe_j;     /* a wake-up with its probe readings */
    double co2_j;       /* a CO2 reading; 0: no sensor */
    double session_j;   /* opening the radio */
    double packet_j;    /* a packet of 12 readings */
    double panel_w;     /* the panel at noon in midsummer; 0: none */
} @P@_board;

typedef struct @P@_action {
    int16_t sleep;   /* ticks of ten minutes, 1 to 1008 */
    int16_t packets; /* to send now, oldest first; 0: radio off; negative: newest first */
    bool co2;        /* read CO2 now */
    bool listen;     /* be woken by a rain alert */
} @P@_action;

@MAKE@
/* What the node does at this wake-up. tick: tens of minutes since the start of the season. obs: 20 numbers, see the README; if
 * one is not finite, the fallback decides. */
@P@_action @P@_decide(@P@ *node, int64_t tick, const double *obs);

/* At the gateway, once a day: orders[i] is what node i is told (its obs[16] from the next session on), forwards[i] whether it
 * may relay. day: since the start of the season. net: 8 numbers a node, see the README. */
void @P@_gateway(@P@ *gateway, int64_t day, int64_t nodes, const double *net, double *orders, bool *forwards);

/* 0, or the line of the policy that failed (1: a number that no decision can be): since then the node wakes every 20 minutes,
 * reads CO2 every three hours and sends once a day, or each as much less often as its store for the season asks for. */
int @P@_fault(const @P@ *node);

#ifdef __cplusplus
}
#endif

#endif
