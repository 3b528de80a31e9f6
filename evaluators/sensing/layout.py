"""Where what stands in the arrays of a running network; times are ticks of ten minutes, energies joules."""

from __future__ import annotations

#: Integers of the run: the next tick to look at and the next node in it; what the run waits for and for which node; sizes;
#: whether the gateway is asked; the next visit; settings; the tick whose date and time are shown.
TICK, CURSOR, WAITS, NODE, NODES, TICKS, GATEWAY, VISIT, SEED, BATCH, FLASH, ASKED, DATED = range(13)
INTS = 13
#: Values of WAITS: the season is over; a node is awake and must decide; a day begins at the gateway.
OVER, AWAKE, DAWN = range(3)

#: Floats of the run, from the hardware.
(
    SLEEP_W,
    PROBE_J,
    CO2_J,
    SESSION_J,
    PACKET_J,
    RELAY_J,
    ALERT_W,
    PANEL_W,
    COLD,
    RESTART,
    WEAK,
    MISSED,
    DAY_OF_YEAR,
) = range(13)
FLOATS = 13

#: Integers of a node: when it wakes next; when it woke, read CO2, got through, last settled its store; the oldest reading that
#: may be unsent, how many are; newest reading at the base and since when; since when it is down (-1: it is up), when it
#: died (-1: it has not), ticks down; readings after the fault's onset that arrived, when it could be seen (-1: not yet);
#: counts; whether it listens for alerts, hears one now, got through last time; the longest
#: time between two sessions that got through.
(
    WAKE,
    WOKE,
    CO2_AT,
    HEARD_AT,
    SETTLED,
    OLDEST,
    UNSENT,
    NEWEST,
    NEWEST_SINCE,
    DOWN_SINCE,
    DIED,
    DOWN_TICKS,
    SEEN,
    SEEN_AT,
    WAKES,
    CO2S,
    SENT,
    LOST,
    SESSIONS,
    FAILED,
    LISTENS,
    ALERTED,
    GOT_THROUGH,
    FORWARDS,
    RELAYED,
    REPAIRED,
    REVIVED,
    SILENT,
) = range(28)
NODE_INTS = 28

#: Floats of a node: store and its capacity; sunlight it gets; moving average of the harvest (J a day); last readings; sum of
#: the ages of its newest reading at the base; what the gateway told it; energy spent by cause; harvested.
(
    STORE,
    CAPACITY,
    LIGHT,
    HARVEST,
    LAST_MOISTURE,
    LAST_FLUX,
    AGE,
    ORDER,
    SPENT_SLEEP,
    SPENT_PROBE,
    SPENT_CO2,
    SPENT_RADIO,
    SPENT_RELAY,
    SPENT_ALERT,
    HARVESTED,
    TOLD_STORE,
    TOLD_MOISTURE,
    TOLD_FLUX,
) = range(18)
NODE_FLOATS = 18

#: What is fixed of a node: its three parents (-1: the gateway, -2: none), the fault (-1: none), its quantity and onset, when
#: the seal fails and when the water has killed it.
PARENT, FAULT, QUANTITY, ONSET, LEAK, END = 0, 3, 4, 5, 6, 7
NODE_FIXED = 8

#: Bits of a node's tick: read the probes, read CO2, at the base, lost.
READ, READ_CO2, ARRIVED, DROPPED = 1, 2, 4, 8

#: What a policy decided: ticks to sleep, read CO2, packets (0: radio off; negative: newest first), listen for alerts.
SLEEP, CO2, PACKETS, LISTEN = range(4)
ACT = 4

#: Numbers that a policy is shown at a wake-up, and those of a node that the gateway is shown.
OBS, NET = 20, 8
#: Longest and shortest sleep.
MOST_SLEEP = 1008
#: Ticks between two looks of a node that is down at its store, and the grid on which stores are settled.
LOOK, GRID = 36, 36
#: Ticks for which the state of a link holds.
LINK = 6
#: Hops of the longest route.
HOPS = 8
#: Time constant of the moving average of the harvest, ticks.
HARVEST_TICKS = 432.0
