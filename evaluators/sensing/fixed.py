"""The best fixed schedule of a scenario, with hindsight: what every policy is measured by, at the same battery."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from evaluators.addresses import SIGNATURE, i1, i2
from evaluators.sensing import kernel
from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached
from evaluators.sensing.scoring import Outcome, Task, outcome
from evaluators.sensing.world import World

#: Ticks that the search tries between wake-ups, CO2 readings and radio sessions.
PROBE = (1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 72)
CO2 = (3, 6, 9, 12, 18, 24, 36, 48, 72, 144, 288)
RADIO = (6, 12, 24, 36, 72, 108, 144, 216, 288, 432, 1008)


@dataclass(frozen=True)
class Schedule:
    """Even spacing, an own rate for each purpose.

    Attributes:
        probe: Ticks between wake-ups, each with a reading of the cheap probes.
        co2: Ticks between CO2 readings, at wake-ups.
        radio: Ticks between sessions, at wake-ups; all that is unsent goes.
        alert: Whether to wake at rain alerts, too.
    """

    probe: int
    co2: int
    radio: int
    alert: bool = False


#: Where the search begins: rich, lean, and with CO2 the dearest by far.
STARTS = (Schedule(6, 18, 24), Schedule(9, 48, 24), Schedule(3, 144, 36))


def _at(schedule: Schedule, name: str, value: int) -> Schedule:
    """The schedule with another rate."""
    rates = {"probe": schedule.probe, "co2": schedule.co2, "radio": schedule.radio} | {name: value}
    return Schedule(rates["probe"], rates["co2"], rates["radio"], schedule.alert)


def _drive(advance, table, tried, probe, co2, radio, alert):  # type: ignore[no-untyped-def]
    """Run a season; ``tried`` (int64[N], zeros) keeps when each node last opened its radio."""
    ints, ni, act = i1(table[0]), i2(table[2]), i1(table[15])
    advance(table)
    while ints[k.WAITS] == k.AWAKE:
        n, t = ints[k.NODE], ints[k.TICK]
        act[k.SLEEP] = probe
        act[k.CO2] = ni[n, k.CO2S] == 0 or t - ni[n, k.CO2_AT] >= co2
        act[k.PACKETS] = 0
        # Tries are spaced, not successes: a bad link costs no more than a good one.
        if t - tried[n] >= radio:
            tried[n] = t
            act[k.PACKETS] = 4096
        act[k.LISTEN] = alert
        advance(table)


@functools.cache
def _driver() -> Any:
    number = types.int64
    driver = cached(_drive)
    driver.compile(
        (types.FunctionType(SIGNATURE), types.int64[:, ::1], types.int64[::1], number, number, number, number)
    )
    driver.disable_compile()
    return driver


def run(task: Task, schedule: Schedule) -> World:
    """A season under a fixed schedule."""
    world = task.world()
    tried = np.zeros(task.scenario.field.nodes, dtype=np.int64)
    _driver()(
        kernel.compiled(),
        world.table,
        tried,
        schedule.probe,
        schedule.co2,
        schedule.radio,
        int(schedule.alert),
    )
    return world


def best(task: Task) -> tuple[Schedule, Outcome]:
    """The fixed schedule with the least loss.

    A walk over :data:`PROBE`, :data:`CO2` and :data:`RADIO`, one or two places of one of them at a time, from each of
    :data:`STARTS` until no such step is better; at last all places of each rate, one after the other. It depends on the scenario
    alone, and comes within a few percent of trying everything (``tests/evaluators/sensing``).
    """
    tried: dict[Schedule, Outcome] = {}

    def loss(schedule: Schedule) -> float:
        if schedule not in tried:
            tried[schedule] = outcome(task, run(task, schedule))
        return tried[schedule].loss

    grids = {"probe": PROBE, "co2": CO2, "radio": RADIO}
    if not task.scenario.hardware.co2_sensor:
        del grids["co2"]
    for at in STARTS:
        better = True
        while better:
            better = False
            for name, grid in grids.items():
                place = grid.index(getattr(at, name))
                for step in (-1, 1, -2, 2):
                    if 0 <= place + step < len(grid):
                        found = _at(at, name, grid[place + step])
                        if loss(found) < loss(at) - 1e-12:
                            at, better = found, True
                            break
    at = min(tried, key=loss)
    for name, grid in grids.items():
        at = min((_at(at, name, value) for value in grid), key=loss)
    least = min(tried, key=loss)
    return least, tried[least]
