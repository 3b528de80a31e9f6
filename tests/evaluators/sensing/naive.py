"""The network once more, in plain Python and from its description: every node is an object, every tick is looked at.

It shares with the kernel only the hash behind noise (tested on its own), the field, and the tables of links and alerts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluators.sensing import noise
from evaluators.sensing.scenario import FAULTS, QUANTITIES, Scenario
from evaluators.sensing.world import Plan, make_plan

Decision = tuple[int, bool, int, bool]
Decide = Callable[["Naive", int, int, list[float]], Decision]


@dataclass
class Record:
    tick: int
    co2: bool = False
    at_base: int = -1
    lost: bool = False


@dataclass
class NaiveNode:
    number: int
    store: float
    wake: int
    settled: int = 0
    woke: int = 0
    heard: int = 0
    co2_at: int = 0
    co2s: int = 0
    last_moisture: float = 0.0
    last_flux: float = 0.0
    harvest: float = 0.0
    records: list[Record] = field(default_factory=list)
    down: int = -1
    died: int = -1
    down_ticks: int = 0
    listens: bool = False
    alerted: bool = False
    through: bool = True
    seen: int = 0
    seen_at: int = -1
    repaired: int = 1 << 60
    spent: float = 0.0
    newest_by_tick: list[int] = field(default_factory=list)
    newest: int = 0
    sessions: int = 0
    failed: int = 0


class Naive:
    """A season of a scenario."""

    def __init__(self, scenario: Scenario, decide: Decide) -> None:
        self.scenario = scenario
        self.decide = decide
        self.plan: Plan = make_plan(scenario)
        self.h = scenario.hardware
        self.nodes = [NaiveNode(i, float(self.plan.capacity[i]), i % 6) for i in range(len(scenario.nodes))]
        self.fault: dict[int, Any] = {}
        for fault in scenario.trouble.faults:
            self.fault.setdefault(fault.node, fault)
        self.ends = {node: int(end * 144) for node, _, end in scenario.trouble.leaks}
        self.leaks = {node: int(leak * 144) for node, leak, _ in scenario.trouble.leaks}
        self.visits = {int(day * 144) for day in scenario.trouble.visits}
        self.ticks = scenario.field.ticks

    def run(self) -> Naive:
        for t in range(self.ticks):
            if t in self.visits:
                self.visit(t)
            for node in self.nodes:
                if node.wake == t:
                    self.awake(node, t)
            for node in self.nodes:
                node.newest_by_tick.append(node.newest)
        for node in self.nodes:
            self.settle(node, self.ticks)
            if node.died >= 0:
                node.down_ticks += self.ticks - node.died
            elif node.down >= 0:
                node.down_ticks += self.ticks - node.down
        return self

    def reading(self, n: int, q: int, t: int) -> float:
        scenario = self.scenario
        fault = self.fault.get(n)
        active = (
            fault is not None
            and QUANTITIES.index(fault.quantity) == q
            and int(fault.day * 144) <= t < self.nodes[n].repaired
        )
        at = int(fault.day * 144) if active and fault.kind == "stuck" else t
        z = noise.normal(scenario.seed, 4 * n + q, at)
        x = float(scenario.field.values[q, n, at])
        x = x * math.exp(0.14 * z) if q == 3 else x + (0.004, 0.004, 0.1)[q] * z
        if active:
            if fault.kind == "offset":
                x += fault.size
            elif fault.kind == "drift":
                x += fault.size * (t - int(fault.day * 144)) / 144.0
            elif fault.kind == "noise":
                x += fault.size * noise.normal(scenario.seed + 1, 4 * n + q, t)
            elif fault.kind == "spike":
                if noise.uniform(scenario.seed + 1, 4 * n + q, t) < 0.2:
                    x += fault.size
            elif fault.kind == "out_of_range":
                x = -7999.0
        return x

    def settle(self, node: NaiveNode, t: int) -> None:
        start, node.settled = node.settled, t
        if node.died >= 0 or t <= start:
            return
        power = self.h.sleep_w + (self.h.alert_w if node.listens else 0.0)
        panel = self.h.panel_w * self.plan.sunlit[node.number] * 600.0
        if panel <= 0:
            node.store = max(0.0, node.store - power * 600.0 * (t - start))
            return
        got = 0.0
        a = start
        while a < t:
            b = min(t, (a // 36 + 1) * 36)
            gain = panel * (self.plan.light[b] - self.plan.light[a])
            node.store = min(
                self.plan.capacity[node.number], max(0.0, node.store + gain - power * 600.0 * (b - a))
            )
            got += gain
            a = b
        weight = min(1.0, (t - start) / 432.0)
        node.harvest += weight * (got * 144.0 / (t - start) - node.harvest)

    def usable(self, node: NaiveNode, t: int) -> float:
        if self.h.panel_w > 0:
            return node.store
        cold = max(0.0, 5.0 - float(self.scenario.field.air[t])) / 25.0
        return float(node.store - self.h.cold * cold * self.plan.capacity[node.number])

    def die(self, node: NaiveNode, t: int) -> None:
        if node.down >= 0:
            node.down_ticks += t - node.down
            node.down = -1
        node.died, node.wake, node.store = t, -1, 0.0

    def visit(self, t: int) -> None:
        for node in self.nodes:
            if node.died >= 0 and self.ends.get(node.number, 1 << 60) > t:
                node.down_ticks += t - node.died
                node.died, node.settled, node.wake = -1, t, t
                node.store = float(self.plan.capacity[node.number])
            if node.number in self.fault and node.seen_at >= 0:
                node.repaired = min(node.repaired, t)

    def awake(self, node: NaiveNode, t: int) -> None:
        self.settle(node, t)
        if t >= self.ends.get(node.number, 1 << 60) or (self.h.panel_w <= 0 and node.store < self.h.probe_j):
            self.die(node, t)
            return
        usable = self.usable(node, t)
        if node.down >= 0:
            least = self.h.restart * self.plan.capacity[node.number] if self.h.panel_w > 0 else self.h.probe_j
            if usable < least:
                node.wake = t + 36
                return
            node.down_ticks += t - node.down
            node.down = -1
        elif usable < self.h.probe_j:
            node.down, node.listens, node.wake = t, False, t + 36
            return
        node.store -= self.h.probe_j
        node.records.append(Record(t))
        waiting = [r for r in node.records if r.at_base < 0 and not r.lost]
        if len(waiting) > self.h.flash_records:
            waiting[0].lost = True
            waiting.pop(0)
        first = len(node.records) == 1
        n = node.number
        moisture, second, temperature = (self.reading(n, q, t) for q in range(3))
        possible = 0 <= moisture <= 0.7 and 0 <= second <= 0.7 and -30 <= temperature <= 60
        day = self.scenario.field.day_of_year + t / 144.0
        leak, end = self.leaks.get(n, 1 << 60), self.ends.get(n, 1 << 60)
        wet = (t - leak) / max(1, end - leak) if t > leak else 0.0
        obs = [
            moisture,
            second,
            temperature,
            node.last_flux,
            float(t - node.co2_at) if node.co2s else 100000.0,
            float(t - node.heard),
            float(len(waiting)),
            (t % 144) / 144.0,
            node.store / self.plan.capacity[n],
            node.harvest,
            float(node.through),
            float(node.alerted),
            (day % 365.25) / 365.25,
            min(1.0, 0.4 + 0.6 * wet + 0.02 * (noise.uniform(self.scenario.seed + 2, n, t) - 0.5)),
            float((not first and moisture == node.last_moisture) or not possible),
            float(t - node.woke),
            0.0,
            moisture if first else node.last_moisture,
            (self.ticks - t) / 144.0,
            node.store,
        ]
        node.last_moisture, node.woke, node.alerted = moisture, t, False
        sleep, co2, packets, listen = self.decide(self, n, t, obs)
        if co2 and self.h.co2_sensor and node.store >= self.h.co2_j:
            node.store -= self.h.co2_j
            node.records[-1].co2 = True
            node.co2s += 1
            node.co2_at = t
            node.last_flux = self.reading(n, 3, t)
        if packets:
            self.session(node, t, packets)
        node.wake = t + sleep
        node.listens = listen
        if listen:
            for called in range(t + 1, min(t + sleep, self.ticks)):
                if (
                    self.plan.alert[called] == called
                    and noise.uniform(self.scenario.seed + 3, n, called) >= self.scenario.trouble.alert_missed
                ):
                    node.wake, node.alerted = called, True
                    break

    def route(self, node: NaiveNode, t: int) -> list[NaiveNode] | None:
        path: list[NaiveNode] = []
        at = node
        while True:
            if not self.plan.links[at.number, t // 6]:
                return None
            found: NaiveNode | None = None
            for parent in self.plan.fixed[at.number, :3].tolist():
                if parent == -1:
                    return path if self.plan.gateway[0, t // 6] else None
                if parent == -2:
                    break
                other = self.nodes[parent]
                if other.died >= 0 or other.down >= 0:
                    at.store -= min(at.store, self.h.session_j / 2)
                    continue
                self.settle(other, t)
                if other.store < self.h.weak * self.plan.capacity[parent]:
                    other.store -= min(other.store, self.h.session_j)
                    return None
                found = other
                break
            if found is None:
                return None
            path.append(found)
            at = found

    def session(self, node: NaiveNode, t: int, packets: int) -> None:
        node.sessions += 1
        node.through = False
        cost = min(node.store, self.h.session_j)
        node.store -= cost
        path = self.route(node, t) if cost >= self.h.session_j else None
        if path is None:
            node.failed += 1
            return
        node.through, node.heard = True, t
        for _ in range(abs(packets)):
            waiting = [r for r in node.records if r.at_base < 0 and not r.lost]
            able = node.store >= self.h.packet_j and all(p.store >= self.h.relay_j for p in path)
            if not waiting or not able:
                break
            node.store -= self.h.packet_j
            for relay in path:
                relay.store -= self.h.relay_j
            if packets < 0:
                waiting.reverse()
            for record in waiting[: self.h.records_per_packet]:
                record.at_base = t
                node.newest = max(node.newest, record.tick)
                fault = self.fault.get(node.number)
                if fault is None or record.tick < int(fault.day * 144) or node.seen_at >= 0:
                    continue
                if fault.quantity != "flux" or record.co2:
                    node.seen += 1
                    if node.seen >= FAULTS[fault.kind]:
                        node.seen_at = t

    # -- what comes of it

    def recovered(self, n: int, q: int) -> np.ndarray:
        taken = []
        low, high = ((0.0, 0.7), (0.0, 0.7), (-30.0, 60.0), (-5.0, 40.0))[q]
        for record in self.nodes[n].records:
            if record.at_base >= 0 and (q != 3 or record.co2):
                x = self.reading(n, q, record.tick)
                if low <= x <= high:
                    taken.append((record.tick, x))
        if not taken:
            return np.zeros(self.ticks)
        return np.interp(np.arange(self.ticks), [t for t, _ in taken], [x for _, x in taken])

    def age_days(self, n: int) -> float:
        """Mean age of the newest reading at the base, after what arrives at each tick."""
        return float(np.mean([t - newest for t, newest in enumerate(self.nodes[n].newest_by_tick)])) / 144.0
