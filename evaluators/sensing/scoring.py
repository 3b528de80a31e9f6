"""What a finished run scores: how far each goal is met, and one number beside the best fixed schedule's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing import recovery
from evaluators.sensing.scenario import DAY, Scenario
from evaluators.sensing.world import Plan, World, make_plan, make_world

#: The parts of the loss, in order, and the fields of :class:`evaluators.sensing.scenario.Goals` that they are divided by.
PARTS = {
    "flux_error": "flux",
    "moisture_error": "moisture",
    "temperature_error": "temperature",
    "sum_error": "seasonal_sum",
    "missed_wetups": "wetups_missed",
    "age_d": "age_d",
    "fault_d": "fault_d",
    "down": "down",
    "lost": "lost",
}


class Task:
    """A scenario with all that is worked out once, whoever decides.

    Attributes:
        scenario: The scenario.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    @property
    def name(self) -> str:
        """The scenario's."""
        return self.scenario.name

    @cached_property
    def plan(self) -> Plan:
        """What the kernel reads."""
        return make_plan(self.scenario)

    @cached_property
    def events(self) -> np.ndarray:
        """int64[events, 2], the wet-ups."""
        return recovery.wetups(self.scenario.field.values[0])

    @cached_property
    def spread(self) -> np.ndarray:
        """float64[4], what errors are divided by."""
        return recovery.spread(self.scenario)

    @cached_property
    def digest(self) -> str:
        """The scenario's."""
        return self.scenario.digest()

    @cached_property
    def faults(self) -> np.ndarray:
        """int64[...]: nodes with a faulty sensor, whatever a policy does."""
        fixed = self.plan.fixed
        return np.flatnonzero((fixed[:, k.FAULT] >= 0) & (fixed[:, k.ONSET] < self.scenario.field.ticks))

    def world(self) -> World:
        """Fresh arrays of a run."""
        return make_world(self.scenario, self.plan)


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        parts: Value of each of :data:`PARTS`.
        loss: Mean of the parts in units of their goals.
        places: float64[N, MEASURED], of the places (:mod:`evaluators.sensing.recovery`).
        details: The parts and further figures, by name.
    """

    parts: dict[str, float]
    loss: float
    places: np.ndarray
    details: dict[str, float]


def outcome(task: Task, world: World) -> Outcome:
    """Measure a finished run.

    Details: the :data:`PARTS` (errors in standard deviations; ``sum_error`` relative; ``missed_wetups``, ``down``, ``lost``
    parts of 1; days), ``loss``, ``worst`` (the largest part in units of its goal), ``joules_a_day`` of a node and of them
    ``sleep_j``, ``probe_j``, ``co2_j``, ``radio_j``, ``relay_j``, ``alert_j``, ``wakes_a_day``, ``co2_a_day``,
    ``sessions_a_day``, ``sessions_failed`` (part), ``deaths``, ``first_death_d`` and ``median_death_d`` (the season's length
    where there is none), ``yield`` (part of a reading every 20 minutes that is there), ``nodes``.
    """
    scenario, plan = task.scenario, task.plan
    ni, nf = world.node_ints, world.node_floats
    n, ticks = scenario.field.nodes, scenario.field.ticks
    places = recovery.measure(scenario, plan.fixed, plan.sizes, ni[:, k.REPAIRED], world.flags, task.events)
    errors = np.sqrt(places[:, recovery.ERRORS : recovery.ERRORS + 4].mean(axis=0)) / task.spread
    wakes = int(ni[:, k.WAKES].sum())
    parts = {
        "flux_error": float(errors[3]),
        "moisture_error": float((errors[0] + errors[1]) / 2),
        "temperature_error": float(errors[2]),
        "sum_error": float(places[:, recovery.SUM].mean()),
        "missed_wetups": 1.0 - float(places[:, recovery.CAUGHT].sum()) / max(1, len(task.events)),
        "age_d": float(nf[:, k.AGE].sum()) / (n * ticks * DAY),
        "fault_d": _unseen(task, world),
        "down": float(ni[:, k.DOWN_TICKS].sum()) / (n * ticks),
        "lost": 1.0 - float(ni[:, k.SENT].sum()) / max(1, wakes),
    }
    if not scenario.hardware.co2_sensor:
        del parts["flux_error"], parts["sum_error"]
    if not len(task.events):
        del parts["missed_wetups"]
    met = [parts[name] / getattr(scenario.goals, PARTS[name]) for name in parts]
    days = n * scenario.days
    spent = {
        f"{cause}_j": float(nf[:, column].sum()) / days
        for cause, column in (
            ("sleep", k.SPENT_SLEEP),
            ("probe", k.SPENT_PROBE),
            ("co2", k.SPENT_CO2),
            ("radio", k.SPENT_RADIO),
            ("relay", k.SPENT_RELAY),
            ("alert", k.SPENT_ALERT),
        )
    }
    died = ni[:, k.DIED]
    ends = np.sort(np.where(died >= 0, died, ticks)) / DAY
    loss = float(np.mean(met))
    sessions = int(ni[:, k.SESSIONS].sum())
    details = {
        **parts,
        "loss": loss,
        "worst": float(max(met)),
        "joules_a_day": sum(spent.values()),
        **spent,
        "wakes_a_day": wakes / days,
        "co2_a_day": float(ni[:, k.CO2S].sum()) / days,
        "sessions_a_day": sessions / days,
        "sessions_failed": float(ni[:, k.FAILED].sum()) / max(1, sessions),
        "deaths": float(np.count_nonzero(died >= 0)),
        "first_death_d": float(ends[0]),
        "median_death_d": float(ends[len(ends) // 2]),
        "yield": min(1.0, float(ni[:, k.SENT].sum()) / (days * 72)),
        "nodes": float(n),
    }
    return Outcome(parts, loss, places, details)


def _unseen(task: Task, world: World) -> float:
    """Days from onset to sight: of a fault on average, and of deaths in all over the number of nodes."""
    scenario, fixed, ni = task.scenario, task.plan.fixed, world.node_ints
    ticks = scenario.field.ticks
    seen = np.where(ni[:, k.SEEN_AT] >= 0, ni[:, k.SEEN_AT], ticks)
    faults = (seen - fixed[:, k.ONSET])[task.faults]
    # A dead node is missed once it has been silent for too long.
    missed = np.maximum(ni[:, k.DIED], ni[:, k.HEARD_AT] + int(scenario.goals.silent_d * DAY))
    deaths = np.where(ni[:, k.DIED] >= 0, np.minimum(ticks, missed) - ni[:, k.DIED], 0)
    return float(faults.sum()) / DAY / max(1, len(faults)) + float(deaths.sum()) / DAY / len(deaths)


def timing(seconds: float, cpu: float, task: Task, decided: int) -> dict[str, Any]:
    """Figures that depend on the machine."""
    steps = task.scenario.field.nodes * task.scenario.field.ticks
    return {
        "seconds": seconds,
        "node_steps_per_s": steps / seconds if seconds else 0.0,
        "node_steps_per_cpu_s": steps / cpu if cpu else 0.0,
        "ns_per_decision": 1e9 * seconds / max(1, decided),
    }
