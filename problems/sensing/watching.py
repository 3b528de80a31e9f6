"""What a policy does over a season: series for the report."""

from __future__ import annotations

import numpy as np

from evaluators.base import Policy
from evaluators.sensing import layout as k
from evaluators.sensing import simulator
from evaluators.sensing.recovery import recovered
from evaluators.sensing.scenario import DAY, HOUR
from evaluators.sensing.simulator import Measured
from evaluators.sensing.suites import KINDS, made
from evaluators.sensing.world import World
from problems.figures import Chart, Figure, Line, Shares

#: No set of workloads draws from this stream.
_STREAM = 99
_NODES, _DAYS = 24, 60
#: Days of the closer look, around the wettest day.
_LOOK = 7


def season(seed: int) -> Measured:
    """Two months of a network with relays, drawn for this alone.

    Args:
        seed: Of the workloads.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    return Measured(made(rng, "season", KINDS["text-relays"], _NODES, _DAYS, start=100.0))


def watched(policy: Policy, loop: object, task: Measured) -> list[Figure]:
    """Let a policy run a network, and show what arrives, what a node sees, and where its energy goes."""
    _, _, world = simulator.run(policy, loop, task)
    return [_yield(world), *_close(task, world), _energy(world)]


def _yield(world: World) -> Chart:
    """Part of the nodes of which a reading of the day is at the base, of all and of those that live."""
    days = world.flags.shape[1] // DAY
    there = (world.flags.reshape(len(world.flags), days, DAY) & (k.ARRIVED | k.DROPPED)) == k.ARRIVED
    share = there.any(axis=2)
    died = world.node_ints[:, k.DIED]
    alive = (died[:, None] < 0) | (died[:, None] > np.arange(days) * DAY)
    return Chart(
        "Yield over time",
        "Nodes of which at least one reading of the day reached the base, of all; the other line has those that were alive.",
        "nodes, %",
        "day",
        0.5,
        days - 0.5,
        [
            Line("", [float(v) for v in 100.0 * share.mean(axis=0)]),
            Line(
                "of those alive",
                [float(v) for v in 100.0 * share.sum(axis=0) / np.maximum(1, alive.sum(axis=0))],
            ),
        ],
    )


def _close(task: Measured, world: World) -> list[Figure]:
    """A week of the node with the most typical efflux, around its wettest day: truth, and what the base makes of it."""
    scenario, plan = task.scenario, task.plan
    field = scenario.field
    fine = np.flatnonzero(plan.fixed[:, k.FAULT] < 0)
    means = field.values[3].mean(axis=1)
    node = int(fine[np.argsort(means[fine], kind="stable")[len(fine) // 2]])
    wettest = int(np.argmax(field.rain.reshape(-1, DAY).sum(axis=1)))
    first = max(0, min(field.ticks // DAY - _LOOK, wettest - 2)) * DAY
    last = first + _LOOK * DAY
    out: list[Figure] = []
    line = np.zeros(field.ticks)
    for quantity, title, unit in ((0, "Moisture", "m³ m⁻³"), (3, "CO₂ efflux", "µmol m⁻² s⁻¹")):
        recovered(
            scenario.seed,
            field.values,
            plan.fixed,
            float(plan.sizes[node]),
            int(world.node_ints[node, k.REPAIRED]),
            world.flags,
            quantity,
            node,
            line,
        )
        bit = k.READ_CO2 if quantity == 3 else k.READ
        taken = int(np.count_nonzero(world.flags[node, first:last] & bit))
        out.append(
            Chart(
                f"{title} at one node in its wettest week",
                f"What the base makes of the {taken} readings of that week that this policy took, and the truth.",
                unit,
                "day",
                first / DAY,
                (last - HOUR) / DAY,
                [
                    Line("", [float(v) for v in line[first:last:HOUR]]),
                    Line("truth", [float(v) for v in field.values[quantity, node, first:last:HOUR]]),
                ],
            )
        )
    return out


def _energy(world: World) -> Shares:
    causes = {
        "sleep": k.SPENT_SLEEP,
        "probes": k.SPENT_PROBE,
        "CO2": k.SPENT_CO2,
        "radio": k.SPENT_RADIO,
        "relaying": k.SPENT_RELAY,
        "rain alerts": k.SPENT_ALERT,
    }
    days = world.flags.size / DAY
    spent = [float(world.node_floats[:, column].sum()) / days for column in causes.values()]
    return Shares(
        "Energy by cause", "Joules a node and day, of the same season.", "J/d", list(causes), {"": spent}
    )
