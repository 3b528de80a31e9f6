"""What nodes said at each of their wake-ups, and what became of it on the way to the base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached
from evaluators.sensing.noise import salt
from evaluators.sensing.readings import HIGH, LOW, reading
from evaluators.sensing.recovery import recovered
from evaluators.sensing.scoring import Task
from evaluators.sensing.world import World

#: What became of a reading, by its number.
FATES = ("not_read", "arrived", "not_arrived", "arrived_but_impossible")
NOT_READ, ARRIVED, NOT_ARRIVED, IMPOSSIBLE = range(4)


@cached
def _said(seed, values, fixed, size, ends, flags, quantity, n, bit, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (float64[T], NaN) with the readings of a quantity at the ticks of ``flags`` that have the bit."""
    own = salt(seed, 4 * n + quantity)
    for t in range(out.shape[0]):
        if flags[n, t] & bit:
            out[t] = reading(seed, own, values, fixed, size, ends, quantity, n, t)


@dataclass(frozen=True)
class Taken:
    """One quantity over a season.

    Attributes:
        said: float64[N, T], what the sensors said, NaN where they were not read.
        fate: int8[N, T], of :data:`FATES`.
        made: float64[N, T], what the base makes of what arrived; NaN for nodes of which nothing arrived.
        truth: float64[N, T], NaN where it is not known.
    """

    said: np.ndarray
    fate: np.ndarray
    made: np.ndarray
    truth: np.ndarray


def taken(task: Task, world: World, quantity: int) -> Taken:
    """One of :data:`evaluators.sensing.scenario.QUANTITIES`, by its number, of a finished run."""
    scenario, plan = task.scenario, task.plan
    field = scenario.field
    shape = field.values.shape[1:]
    said = np.full(shape, np.nan)
    made = np.full(shape, np.nan)
    bit = k.READ_CO2 if quantity == 3 else k.READ
    for n in range(shape[0]):
        same = (
            scenario.seed,
            field.values,
            plan.fixed,
            float(plan.sizes[n]),
            int(world.node_ints[n, k.REPAIRED]),
            world.flags,
        )
        _said(*same, quantity, n, bit, said[n])
        if not recovered(*same, quantity, n, made[n]):
            made[n] = np.nan
    read = (world.flags & bit) > 0
    there = read & ((world.flags & (k.ARRIVED | k.DROPPED)) == k.ARRIVED)
    fate = np.where(read, np.where(there, ARRIVED, NOT_ARRIVED), NOT_READ)
    wrong = there & ((said < LOW[quantity]) | (said > HIGH[quantity]))
    fate = np.where(wrong, IMPOSSIBLE, fate).astype(np.int8)
    truth = field.values[quantity].astype(np.float64)
    if field.known is not None:
        truth = np.where(field.known[quantity], truth, np.nan)
    return Taken(said, fate, made, truth)
