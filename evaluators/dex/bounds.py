"""What no policy can pass, and what a cache that knows the popularity would reach."""

from __future__ import annotations

import numpy as np

from evaluators.base import Score
from evaluators.dex import kernel, simulator
from evaluators.dex import layout as k
from evaluators.dex.cell import MIXES, Cell
from evaluators.dex.popularity import leaf_masses, server_masses
from evaluators.dex.world import World, make_world


def ceiling(cell: Cell) -> Score:
    """Million operations a second if the cache held nothing but the most popular leaves, and nothing were waited for.

    Every operation takes its local part; one whose leaf is not cached takes at least one unloaded access from the same
    machine. Where the hot set moves, the cache moves with it at no cost; scans cost their local part alone.
    """
    costs = cell.costs
    one = costs.software + costs.loopback * costs.verb
    if cell.cpus:
        one = min(one, costs.loopback * costs.wire + costs.service)
    scans = MIXES[cell.mix][k.SCAN]
    points = (1.0 - scans) * (1.0 - cell.flood)
    took = []
    phases = [leaf_masses(cell, phase) for phase in range(cell.shifts + 1)]
    for server in range(cell.servers):
        missed = 0.0
        for masses in phases:
            own = np.sort(server_masses(cell, server, masses))
            missed += own[: max(0, len(own) - cell.frames)].sum() / len(phases)
        # Which operations are counted is a draw of its own: leave room for luck.
        luck = 5.0 * float(np.sqrt(missed / (cell.ops - cell.warm)))
        took.append(costs.local + points * max(0.0, missed - luck) * one)
    value = cell.servers * cell.threads / max(took)
    return Score(cell.name, float(value), {"mops": float(value)})


def oracle(cell: Cell) -> Score:
    """The simulated cluster with the most popular nodes in its caches, for good: nothing is admitted, nothing offloaded.

    The static optimum of hits. Where the hot set moves, popularity is that of all phases together.
    """
    world = make_world(cell, filled=False)
    phases = [leaf_masses(cell, phase) for phase in range(cell.shifts + 1)]
    masses = sum(phases[1:], start=phases[0]) / len(phases)
    for server in range(cell.servers):
        _hold_popular(cell, world, server, server_masses(cell, server, masses))
    world.ints[k.FROZEN] = 1
    world.ints[k.STOP] = cell.servers * cell.ops
    advance = kernel.advance()
    while advance(world.table) != k.FINISHED_ALL:
        world.ints[k.ANSWER] = k.ADMIT
    return simulator.score(cell, world, {}, None)


def _hold_popular(cell: Cell, world: World, server: int, masses: np.ndarray) -> None:
    """Put a server's most popular nodes below the root into its frames; among equal ones the higher level is first."""
    levels = world.arrays[k.LEVELS][server]
    weights, nodes, heights = [], [], []
    index = np.arange(cell.range_of(server, 0)[0], cell.range_of(server, 0)[1] + 1)
    for level in range(cell.height - 1):
        first, last = cell.range_of(server, level)
        weights.append(np.bincount(index - first, masses, minlength=last - first + 1))
        nodes.append(levels[level, k.BASE] + np.arange(last - first + 1))
        heights.append(np.full(last - first + 1, level))
        index = index // cell.fanout
    weight, node, height = (np.concatenate(parts) for parts in (weights, nodes, heights))
    room = int(world.servers[server, k.UNTOUCHED])
    best = np.lexsort((-height, -weight))[:room]
    best = best[np.argsort(-height[best], kind="stable")]
    frames, frame_of = world.arrays[k.FRAMES], world.arrays[k.FRAME_OF]
    places = server * cell.frames + np.arange(room - len(best), room)
    frames[places, k.HOLDS], frames[places, k.STATE] = node[best], k.HOT
    frames[places, k.AT] = height[best]
    frame_of[node[best]] = places
    world.servers[server, k.UNTOUCHED] = 0
