"""The arrays of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluators.addresses import addresses_of
from evaluators.sensing import kernel
from evaluators.sensing import layout as k
from evaluators.sensing.network import alerts, gateway, links, routes
from evaluators.sensing.readings import salts
from evaluators.sensing.scenario import DAY, FAULTS, QUANTITIES, Scenario

_NEVER = 1 << 60


@dataclass(frozen=True)
class Plan:
    """What a scenario is to the kernel, whoever decides: made once, read by all its runs.

    Attributes:
        floats: float64[FLOATS].
        fixed: int64[N, NODE_FIXED].
        sizes: float64[N], of the faults.
        links: uint8[N, hours].
        gateway: uint8[1, hours].
        light: float64[T + 1], cumulated sun.
        alert: int64[T + 2].
        visits: int64[visits], ticks.
        needed: int64[faults].
        salts: int64[N, 5], of the noise of a node's four quantities and of its box's humidity.
        capacity: float64[N], of the stores.
        sunlit: float64[N].
    """

    floats: np.ndarray
    fixed: np.ndarray
    sizes: np.ndarray
    links: np.ndarray
    gateway: np.ndarray
    light: np.ndarray
    alert: np.ndarray
    visits: np.ndarray
    needed: np.ndarray
    salts: np.ndarray
    capacity: np.ndarray
    sunlit: np.ndarray


def make_plan(scenario: Scenario) -> Plan:
    """Lay a scenario out."""
    hardware = scenario.hardware
    floats = np.zeros(k.FLOATS)
    for place, value in (
        (k.SLEEP_W, hardware.sleep_w),
        (k.PROBE_J, hardware.probe_j),
        (k.CO2_J, hardware.co2_j if hardware.co2_sensor else 0.0),
        (k.SESSION_J, hardware.session_j),
        (k.PACKET_J, hardware.packet_j),
        (k.RELAY_J, hardware.relay_j),
        (k.ALERT_W, hardware.alert_w),
        (k.PANEL_W, hardware.panel_w),
        (k.COLD, hardware.cold),
        (k.RESTART, hardware.restart),
        (k.WEAK, hardware.weak),
        (k.MISSED, scenario.trouble.alert_missed),
        (k.DAY_OF_YEAR, scenario.field.day_of_year),
    ):
        floats[place] = value
    n = len(scenario.nodes)
    fixed = np.full((n, k.NODE_FIXED), -1, dtype=np.int64)
    parents = routes(scenario)
    fixed[:, k.PARENT : k.PARENT + 3] = parents
    fixed[:, k.LEAK] = fixed[:, k.END] = _NEVER
    sizes = np.zeros(n)
    kinds = list(FAULTS)
    for fault in scenario.trouble.faults:
        if fixed[fault.node, k.FAULT] < 0:
            fixed[fault.node, k.FAULT] = kinds.index(fault.kind)
            fixed[fault.node, k.QUANTITY] = QUANTITIES.index(fault.quantity)
            fixed[fault.node, k.ONSET] = int(fault.day * DAY)
            sizes[fault.node] = fault.size
    for node, leak, end in scenario.trouble.leaks:
        fixed[node, k.LEAK], fixed[node, k.END] = int(leak * DAY), int(end * DAY)
    return Plan(
        floats,
        fixed,
        sizes,
        links(scenario, parents),
        gateway(scenario),
        np.concatenate([[0.0], np.cumsum(scenario.field.sun, dtype=np.float64)]),
        alerts(scenario),
        np.array(sorted(int(day * DAY) for day in scenario.trouble.visits), dtype=np.int64),
        np.array(list(FAULTS.values()), dtype=np.int64),
        salts(scenario.seed, n),
        np.array([hardware.store_j if node.store_j is None else node.store_j for node in scenario.nodes]),
        np.array([node.sun for node in scenario.nodes]),
    )


@dataclass(frozen=True)
class World:
    """Everything one simulated run reads and writes.

    Attributes:
        scenario: What is simulated.
        arrays: The kernel's arrays in order, see :data:`evaluators.sensing.kernel.KINDS`.
        ints: int64[INTS].
        node_ints: int64[N, NODE_INTS].
        node_floats: float64[N, NODE_FLOATS].
        flags: uint8[N, T], bits of every node's ticks.
        act: int64[ACT].
        obs: float64[OBS].
        net: float64[N * NET].
    """

    scenario: Scenario
    arrays: tuple[np.ndarray, ...]
    ints: np.ndarray
    node_ints: np.ndarray
    node_floats: np.ndarray
    flags: np.ndarray
    act: np.ndarray
    obs: np.ndarray
    net: np.ndarray

    @cached_property
    def table(self) -> np.ndarray:
        """Where the arrays are; what the kernel is called with."""
        return addresses_of(self.arrays, kernel.KINDS)


def make_world(scenario: Scenario, plan: Plan) -> World:
    """Fresh arrays for a run; all nodes wake within the first hour, spread by their numbers."""
    n, ticks = scenario.field.nodes, scenario.field.ticks
    ints = np.zeros(k.INTS, dtype=np.int64)
    ints[k.NODES], ints[k.TICKS], ints[k.SEED] = n, ticks, scenario.seed
    ints[k.BATCH], ints[k.FLASH] = scenario.hardware.records_per_packet, scenario.hardware.flash_records
    ints[k.WAITS] = k.OVER
    ints[k.ASKED] = ints[k.DATED] = -1
    node_ints = np.zeros((n, k.NODE_INTS), dtype=np.int64)
    node_ints[:, k.WAKE] = np.arange(n) % 6
    node_ints[:, (k.DOWN_SINCE, k.DIED, k.SEEN_AT)] = -1
    node_ints[:, (k.FORWARDS, k.GOT_THROUGH)] = 1
    node_ints[:, k.REPAIRED] = _NEVER
    node_floats = np.zeros((n, k.NODE_FLOATS))
    node_floats[:, k.STORE] = node_floats[:, k.CAPACITY] = plan.capacity
    node_floats[:, k.LIGHT] = plan.sunlit
    node_floats[:, k.TOLD_STORE] = 1.0
    flags = np.zeros((n, ticks), dtype=np.uint8)
    act = np.zeros(k.ACT, dtype=np.int64)
    obs, net = np.zeros(k.OBS), np.zeros(n * k.NET)
    arrays = (
        ints,
        plan.floats,
        node_ints,
        node_floats,
        plan.fixed,
        plan.sizes,
        flags,
        scenario.field.values,
        plan.links,
        plan.gateway,
        scenario.field.air,
        plan.light,
        plan.alert,
        plan.visits,
        plan.needed,
        act,
        obs,
        net,
        np.zeros(k.HOPS + 2, dtype=np.int64),
        plan.salts,
    )
    return World(scenario, arrays, ints, node_ints, node_floats, flags, act, obs, net)
