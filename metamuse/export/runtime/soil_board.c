/* A node's main loop: what stands between your drivers and the policy. The functions of the first part are yours. */
#include "@P@.h"

#include <stddef.h>

/* -- yours: probes, CO2 sensor, radio, a timer that wakes */

static volatile double an_input;
static volatile int32_t an_output;

/* Moisture at two depths (m3 m-3), temperature (degC); humidity in the box, 0..1. */
static void read_probes(double *obs)
{
    obs[0] = an_input;
    obs[1] = an_input;
    obs[2] = an_input;
    obs[13] = an_input;
}

static double read_co2(void)
{
    return an_input; /* umol m-2 s-1 */
}

static double joules_left(void)
{
    return an_input;
}

/* Send up to so many packets of 12 readings; how many readings are still unsent, -1 if nobody answered. */
static int32_t send(int16_t packets, double *told)
{
    *told = an_input;
    return packets > 0 ? an_output : -1;
}

/* Sleep so many ticks of ten minutes; how many it were: fewer if a rain alert woke the node. */
static int16_t sleep(int16_t ticks, bool listen)
{
    an_output = listen ? ticks : 0;
    return ticks;
}

/* -- the loop */

int main(void)
{
    /* Days until somebody comes; joules of the cell; what was measured on this board. */
    static const @P@_board board = {60.0, 240.0, 3e-5, 0.0009, 0.243, 0.06, 0.012, 0.0};
    @P@ *node = @P@_start(&board);
    double obs[20] = {0.0}, flux = 0.0, told = 0.0, before = 0.0;
    int32_t tick = 0, co2_at = -100000, heard_at = 0, woke_at = 0, unsent = 0, left;
    bool through = true, alerted = false;
    while (node != NULL) {
        @P@_action action;
        read_probes(obs);
        unsent++;
        obs[3] = flux;
        obs[4] = (double)(tick - co2_at);
        obs[5] = (double)(tick - heard_at);
        obs[6] = (double)unsent;
        obs[7] = (double)(tick % 144) / 144.0;
        obs[8] = joules_left() / board.store_j;
        obs[9] = 0.0; /* joules that the panel gives a day, averaged over three days */
        obs[10] = through;
        obs[11] = alerted;
        obs[12] = 0.0; /* time of year, 0..1 */
        obs[14] = tick > 0 && obs[0] == before;
        obs[15] = (double)(tick - woke_at);
        obs[16] = told;
        obs[17] = tick > 0 ? before : obs[0];
        obs[18] = board.season_days - (double)tick / 144.0;
        obs[19] = joules_left();
        before = obs[0];
        woke_at = tick;
        action = @P@_decide(node, tick, obs);
        if (action.co2 && joules_left() >= board.co2_j) {
            flux = read_co2();
            co2_at = tick;
        }
        if (action.packets != 0) {
            left = send(action.packets, &told);
            through = left >= 0;
            if (through) {
                heard_at = tick;
                unsent = left;
            }
        }
        left = sleep(action.sleep, action.listen);
        alerted = left < action.sleep;
        tick += left;
    }
    return 1; /* the board's numbers make no sense: see the README */
}
