"""Soil sensor networks: golden decisions are what some nodes decide at each wake-up of whole seasons, and the gateway daily."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evaluators.addresses import compile_with_kernel
from evaluators.base import PolicyError
from evaluators.digest import fold
from evaluators.sensing import layout as k
from evaluators.sensing import simulator
from evaluators.sensing.simulator import CHOSEN, DECIDED, DIGEST, MOST_PACKETS, Measured
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from problems.base import Problem

#: Nodes of a season that are recorded, evenly spread, at least: so decisions come from several seasons, each seen to its end.
_SHOWN = 2
#: Decisions of a season that more nodes are recorded for, where a policy wakes seldom.
_WANTED = ENOUGH // 16
#: Columns of a wake-up's row, after which follow its observations; of the gateway's, after which follows what it was shown.
_NODE, _TICK, _SLEEP, _CO2, _PACKETS, _LISTEN, _WAKE = range(7)
_DAY, _ORDER, _FORWARDS, _DAWN = range(4)


def _recorder(
    wake: Callable[..., int],
    co2: Callable[..., bool],
    packets: Callable[..., int],
    listen: Callable[..., bool],
    gateway: Callable[..., float],
    forwards: Callable[..., bool],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
) -> Callable[..., int]:
    """The loop of :func:`evaluators.sensing.simulator.make_driver`, which also keeps what was shown and answered."""

    def drive(
        states: Any,
        base: Any,
        advance: Any,
        table: Any,
        counters: Any,
        ints: Any,
        node_ints: Any,
        node_floats: Any,
        act: Any,
        obs: Any,
        net: Any,
        shown: Any,
        wakes: Any,
        dawns: Any,
    ) -> int:
        """Run a season.

        Args:
            shown: int64[N], 1 for the nodes that are recorded.
            wakes, dawns: float64[..., columns], room for rows; CHOSEN and DECIDED of the counters say at the end how many there are.
        """
        states = view(states)
        base = view(base)
        seen = show(obs)
        known = show(net)
        digest = int(counters[DIGEST])
        w = 0
        d = 0
        advance(table)
        while ints[k.WAITS] != k.OVER:
            t = int(ints[k.TICK])
            if ints[k.WAITS] == k.AWAKE:
                node = int(ints[k.NODE])
                state = states[node]
                slept = int(wake(state, t, seen))
                if slept < 1 or slept > k.MOST_SLEEP:
                    return 1
                read = bool(co2(state))
                chosen = int(packets(state))
                if chosen < -MOST_PACKETS or chosen > MOST_PACKETS:
                    return 1
                alert = bool(listen(state))
                act[k.SLEEP] = slept
                act[k.CO2] = read
                act[k.PACKETS] = chosen
                act[k.LISTEN] = alert
                digest = fold(digest, node * 8388608 + t)
                digest = fold(digest, ((act[k.SLEEP] * 2 + read) * 2 + alert) * 16384 + chosen)
                if shown[node]:
                    wakes[w, _NODE] = node
                    wakes[w, _TICK] = t
                    wakes[w, _SLEEP] = slept
                    wakes[w, _CO2] = read
                    wakes[w, _PACKETS] = chosen
                    wakes[w, _LISTEN] = alert
                    for i in range(k.OBS):
                        wakes[w, _WAKE + i] = obs[i]
                    w += 1
            else:
                for node in range(len(node_ints)):
                    order = float(gateway(base, t // 144, node, known))
                    if not abs(order) < 1e9:
                        order = 0.0
                    node_floats[node, k.ORDER] = order
                    node_ints[node, k.FORWARDS] = bool(forwards(base, node))
                    digest = fold(digest, int(order * 1024.0) * 2 + node_ints[node, k.FORWARDS])
                    dawns[d, _DAY] = t // 144
                    dawns[d, _ORDER] = order
                    dawns[d, _FORWARDS] = node_ints[node, k.FORWARDS]
                    for i in range(k.NET):
                        dawns[d, _DAWN + i] = net[node * k.NET + i]
                    d += 1
            advance(table)
        counters[DIGEST] = digest
        counters[CHOSEN] = d
        counters[DECIDED] = w
        return 0

    return drive


class SensingSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("soil_node", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def facts(self, policy: Known) -> dict[str, Any]:
        """Nothing beyond the policy."""
        return {}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH answers of the policy, each with what it was shown."""
        recorder = policy.bind(_recorder, simulator.DEFAULTS)
        loop = simulator.bind(policy)
        cases: list[Case] = []
        for task in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, recorder, loop, task))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """There is no other mode."""
        return [], ""

    def _record(self, policy: CompiledPolicy, recorder: Any, loop: Any, task: Measured) -> Case:
        score = simulator.simulate(policy, loop, task)  # it raises what a failing policy raises
        scenario, world = task.scenario, task.world()
        n, ticks = len(scenario.nodes), scenario.field.ticks
        shown = np.zeros(n, dtype=np.int64)
        each = 3.0 * scenario.days * max(1.0, float(score.details["wakes_a_day"]))
        count = min(n, max(_SHOWN, math.ceil(_WANTED / each)))
        shown[np.unique(np.linspace(0, n - 1, count).round().astype(np.int64))] = 1
        wakes = np.zeros((int(shown.sum()) * ticks, _WAKE + k.OBS))
        asked = bool(policy.methods & {"gateway", "forwards"})
        dawns = np.zeros((n * (ticks // 144 + 1) if asked else 0, _DAWN + k.NET))
        counters = np.zeros(4, dtype=np.int64)
        kept, arguments = simulator.arguments_of(policy, task, world, counters)
        arguments = (*arguments, shown, wakes, dawns)
        compile_with_kernel(recorder, arguments, 2)
        recorder(*arguments)
        del kept
        if score.decisions is None or int(counters[DIGEST]) != score.decisions.digest:
            raise PolicyError("nondeterministic", "it decides otherwise when it is recorded")
        wakes, dawns = wakes[: counters[DECIDED]], dawns[: counters[CHOSEN]]
        stores = task.plan.capacity
        fields = {
            "name": scenario.name,
            "decisions": len(wakes) * (3 + ("listen" in policy.methods))
            + len(dawns) * len(policy.methods & {"gateway", "forwards"}),
            "nodes": n,
            "store_j": float(scenario.hardware.store_j),
            "rest": [float(x) for x in simulator.init_of(task, 0.0)],
            "alert_w": float(scenario.hardware.alert_w),
        }
        columns: dict[str, np.ndarray] = {
            "stores": stores.astype(np.float64),
            "node": wakes[:, _NODE].astype(np.int32),
            "tick": wakes[:, _TICK].astype(np.int32),
            "sleep": wakes[:, _SLEEP].astype(np.int32),
            "co2": wakes[:, _CO2].astype(np.uint8),
            "packets": wakes[:, _PACKETS].astype(np.int32),
            "listen": wakes[:, _LISTEN].astype(np.uint8),
            "obs": wakes[:, _WAKE:].reshape(-1),
            "day": dawns[:, _DAY].astype(np.int32),
            "order": dawns[:, _ORDER].copy(),
            "forwards": dawns[:, _FORWARDS].astype(np.uint8),
            "net": dawns[:, _DAWN:].reshape(-1),
        }
        return Case(fields, columns)


SYSTEM = SensingSystem
