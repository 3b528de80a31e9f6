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
from problems.figures import Chart, Figure, Grid, Line, Shares

#: No set of workloads draws from this stream.
_STREAM = 99
_NODES, _DAYS = 24, 60
#: Days of the closer look, around the wettest day.
_LOOK = 7
#: Cells of the storm map in each direction.
_MAP = 8


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
    return [
        _nodes(task, world),
        _yield(world),
        _moisture(task, world),
        _storm(task, world),
        *_close(task, world),
        _energy(world),
    ]


def _arrived(world: World) -> np.ndarray:
    """bool[N, days, DAY], whether a reading of the tick is at the base."""
    flags = world.flags.reshape(len(world.flags), -1, DAY)
    return np.asarray((flags & (k.ARRIVED | k.DROPPED)) == k.ARRIVED)


def _nodes(task: Measured, world: World) -> Grid:
    """The state of every node, as a field crew wants it: what arrived, its battery, its radio."""
    ni, nf = world.node_ints, world.node_floats
    there = _arrived(world)
    rows = {
        "days with data": there.any(axis=2).mean(axis=1),
        "readings arrived": ni[:, k.SENT] / np.maximum(1, ni[:, k.WAKES]),
        "store at the end": nf[:, k.STORE] / nf[:, k.CAPACITY],
        "time up": 1.0 - ni[:, k.DOWN_TICKS] / world.flags.shape[1],
        "sessions through": 1.0 - ni[:, k.FAILED] / np.maximum(1, ni[:, k.SESSIONS]),
    }
    return Grid(
        "Nodes at the end of the season",
        "A column a node. Dark is good; a light column is a node that somebody should look at.",
        "parts of 1",
        "node",
        0.0,
        float(len(ni)),
        list(rows),
        [[float(v) for v in row] for row in rows.values()],
    )


def _lines(task: Measured, world: World, quantity: int) -> np.ndarray:
    """float64[N, T], what the base makes of a quantity of every node."""
    scenario, plan = task.scenario, task.plan
    out = np.zeros(world.flags.shape)
    for n, line in enumerate(out):
        recovered(
            scenario.seed,
            scenario.field.values,
            plan.fixed,
            float(plan.sizes[n]),
            int(world.node_ints[n, k.REPAIRED]),
            world.flags,
            quantity,
            n,
            line,
        )
    return out


def _moisture(task: Measured, world: World) -> Grid:
    """Rain above, moisture at the base below, node by day; empty where a node sent nothing of the day."""
    days = world.flags.shape[1] // DAY
    shape = (len(world.flags), days, DAY)
    there = np.asarray(_arrived(world).any(axis=2))
    means = _lines(task, world, 0).reshape(shape).mean(axis=2)
    cells = [
        [float(v) if seen else None for v, seen in zip(row, known, strict=True)]
        for row, known in zip(means, there, strict=True)
    ]
    rain = task.scenario.field.rain.reshape(days, DAY).sum(axis=1)
    return Grid(
        "Rain and moisture, node by day",
        "Rows are nodes. What the base knows of soil moisture at 10 cm; an empty cell is a day of which nothing arrived.",
        "moisture, m³ m⁻³",
        "day",
        0.0,
        float(days),
        [node.name if i % 3 == 0 else "" for i, node in enumerate(task.scenario.nodes)],
        cells,
        [float(v) for v in rain],
        "rain, mm a day",
    )


def _storm(task: Measured, world: World) -> Grid:
    """Where the heaviest storm wetted the soil, by what the base knows: change of moisture over a map of the nodes."""
    field = task.scenario.field
    day = int(np.argmax(field.rain.reshape(-1, DAY).sum(axis=1)))
    lines = _lines(task, world, 0)
    before, after = max(0, day * DAY - 1), min(field.ticks - 1, (day + 1) * DAY)
    change = lines[:, after] - lines[:, before]
    places = np.array([(node.x, node.y) for node in task.scenario.nodes])
    low, high = places.min(axis=0), places.max(axis=0)
    at = np.minimum(_MAP - 1, ((places - low) / np.maximum(1e-9, high - low) * _MAP).astype(np.int64))
    sums, counts = np.zeros((_MAP, _MAP)), np.zeros((_MAP, _MAP))
    for (i, j), d in zip(at, change, strict=True):
        sums[_MAP - 1 - j, i] += d
        counts[_MAP - 1 - j, i] += 1
    cells = [
        [float(s / c) if c else None for s, c in zip(row, count, strict=True)]
        for row, count in zip(sums, counts, strict=True)
    ]
    return Grid(
        "Map of the heaviest storm",
        f"Change of moisture on day {day} where there are nodes (north is up); the gateway stands in the middle of the lower side.",
        "change of moisture, m³ m⁻³",
        "metres east",
        float(low[0]),
        float(high[0]),
        [],
        cells,
    )


def _yield(world: World) -> Chart:
    """Part of the nodes of which a reading of the day is at the base, of all and of those that live."""
    days = world.flags.shape[1] // DAY
    there = _arrived(world)
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
    """The week around the wettest day at the node of which most readings of it arrived: truth, and what the base makes of it."""
    scenario, plan = task.scenario, task.plan
    field = scenario.field
    wettest = int(np.argmax(field.rain.reshape(-1, DAY).sum(axis=1)))
    first = max(0, min(field.ticks // DAY - _LOOK, wettest - 2)) * DAY
    last = first + _LOOK * DAY
    there = (world.flags[:, first:last] & (k.ARRIVED | k.DROPPED | k.READ_CO2)) == (k.ARRIVED | k.READ_CO2)
    node = int(np.argmax(np.where(plan.fixed[:, k.FAULT] < 0, there.sum(axis=1), -1)))
    out: list[Figure] = []
    for quantity, title, unit in ((0, "Moisture", "m³ m⁻³"), (3, "CO₂ efflux", "µmol m⁻² s⁻¹")):
        line = _lines(task, world, quantity)[node]
        bit = k.READ_CO2 if quantity == 3 else k.READ
        taken = int(np.count_nonzero(world.flags[node, first:last] & bit))
        out.append(
            Chart(
                f"{title} at one node in the wettest week",
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
