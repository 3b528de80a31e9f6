"""A slow simulator in plain Python, written from the description of the model: one event after the other, no tricks.

It serves with whole replicas alone or with operator pools alone, whole GPUs, one phase.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from evaluators.opscale.cost import FULL, LENGTH_BLOCK, SEQUENCES, TOKEN_BLOCK, costs, tables
from evaluators.opscale.models import ATTN, FFN, OPERATORS, WHOLE
from evaluators.opscale.scenario import Scenario
from evaluators.opscale.world import DECODE_BATCH, PREFILL_BATCH


@dataclass
class Server:
    """One replica."""

    asked: float
    ready: float
    free: float
    draining: bool = False
    release: float = math.inf


@dataclass
class Pool:
    """Replicas of one group and what waits for them."""

    servers: list[Server] = field(default_factory=list)
    waiting: list[tuple[float, int]] = field(default_factory=list)
    coming: int = 0
    """Requests that will still have to be served here."""


class Naive:
    """Runs a scenario with targets by interval.

    Args:
        scenario: One phase, whole replicas time-shared.
        plan: For each interval the targets by group.
    """

    def __init__(self, scenario: Scenario, plan: list[dict[int, int]]) -> None:
        self.scenario, self.plan = scenario, plan
        self.system = scenario.system
        self.tables = tables(self.system.model, self.system.gpu)
        self.cost = costs(self.system.model, self.system.gpu)
        self.pools = {g: Pool() for g in range(5)}
        self.gpu_seconds = 0.0
        self.ttft: dict[int, float] = {}
        self.tbt: dict[int, float] = {}

    # -- replicas

    def scale(self, step: int, now: float) -> None:
        """Bring the groups to their targets."""
        for group in range(5):
            pool = self.pools[group]
            target = self.plan[step].get(group, 0)
            if self.system.phases == "prefill" and pool.coming > 0:
                target = max(target, 1)
            alive = [s for s in pool.servers if not s.draining]
            while len(alive) > target:
                loading = [s for s in alive if s.ready > now]
                gone = (loading or alive)[-1]
                gone.draining = True
                gone.release = now if gone in loading else max(now, gone.free)
                alive.remove(gone)
            pool.servers = [s for s in pool.servers if self._lives(s, now)]
        for group in range(5):
            pool = self.pools[group]
            target = self.plan[step].get(group, 0)
            if self.system.phases == "prefill" and pool.coming > 0:
                target = max(target, 1)
            for server in pool.servers:
                if server.draining and server.ready <= now and self._alive(pool) < target:
                    server.draining, server.release = False, math.inf
            while self._alive(pool) < target:
                delay = self.system.model_delay if group == WHOLE else self.system.operator_delay
                ready = now if step == 0 else now + delay
                pool.servers.append(Server(now, ready, ready))

    def _lives(self, server: Server, now: float) -> bool:
        if server.draining and server.release <= now:
            self.gpu_seconds += server.release - server.asked
            return False
        return True

    @staticmethod
    def _alive(pool: Pool) -> int:
        return sum(not s.draining for s in pool.servers)

    def run(self) -> Naive:
        """Simulate all intervals."""
        steps = math.ceil(self.scenario.span / self.system.interval)
        if self.system.phases == "prefill":
            self._prefill(steps)
        else:
            self._decode(steps)
        end = steps * self.system.interval
        for pool in self.pools.values():
            for server in pool.servers:
                self.gpu_seconds += min(end, server.release) - server.asked
        return self

    # -- prefill

    def _service(self, group: int, batch: list[int]) -> float:
        prompts = [int(self.scenario.prompts[i]) for i in batch]
        total = 0.0
        for operator in OPERATORS if group == WHOLE else (group,):
            if operator == ATTN:
                total += sum(self._block(self.tables.attention[FULL], p, LENGTH_BLOCK, 2) for p in prompts)
            else:
                total += self._block(self.tables.work[operator, FULL], sum(prompts), TOKEN_BLOCK, 1)
        return total

    @staticmethod
    def _block(column, tokens: int, block: int, power: int) -> float:
        place = math.ceil(tokens / block)
        last = len(column) - 1
        return float(column[place] if place <= last else column[last] * (tokens / (last * block)) ** power)

    def _prefill(self, steps: int) -> None:
        interval = self.system.interval
        arrivals = self.scenario.arrivals.tolist()
        events: list[tuple[float, int, int, list[int]]] = []  # time, order, group (-1: look), requests
        order = 0
        for step in range(steps):
            now, end = step * interval, (step + 1) * interval
            self.scale(step, now)
            way = [WHOLE] if any(not s.draining for s in self.pools[WHOLE].servers) else list(OPERATORS)
            for i, arrival in enumerate(arrivals):
                if now <= arrival < end:
                    for group in way:
                        self.pools[group].coming += 1
                    heapq.heappush(events, (arrival, order, way[0], [i]))
                    order += 1
            for pool in self.pools.values():
                for server in pool.servers:
                    heapq.heappush(events, (max(now, server.free), order, -1, []))
                    order += 1
            while events and events[0][0] < end:
                time = events[0][0]
                while events and events[0][0] == time:  # all that arrives at one time, then who begins
                    _, _, group, batch = heapq.heappop(events)
                    if group >= 0:
                        self.pools[group].waiting += [(time, i) for i in batch]
                for group, pool in self.pools.items():
                    while pool.waiting:
                        idle = [s for s in pool.servers if not s.draining and s.free <= time]
                        if not idle:
                            break
                        server = min(idle, key=lambda s: s.free)
                        batch, tokens = [], 0
                        while pool.waiting:
                            prompt = int(self.scenario.prompts[pool.waiting[0][1]])
                            if batch and tokens + prompt > PREFILL_BATCH:
                                break
                            tokens += prompt
                            batch.append(pool.waiting.pop(0)[1])
                        pool.coming -= len(batch)
                        server.free = time + self._service(group, batch)
                        order += 1
                        heapq.heappush(events, (server.free, order, -1, []))
                        if group in (WHOLE, FFN):
                            for i in batch:
                                self.ttft[i] = server.free - arrivals[i]
                        else:
                            moved = tokens * self.cost.model.output_bytes(group) / self.cost.gpu.link
                            hop = self.cost.model.layers * (self.cost.gpu.hop + moved)
                            order += 1
                            heapq.heappush(events, (server.free + hop, order, group + 1, batch))
            for pool in self.pools.values():
                pool.servers = [s for s in pool.servers if self._lives(s, end)]

    # -- decode, whole replicas

    def _decode(self, steps: int) -> None:
        interval = self.system.interval
        waiting: list[int] = []
        active: dict[int, float] = {}  # tokens that a sequence has got
        used = 0
        done = 0
        for step in range(steps):
            now, end = step * interval, (step + 1) * interval
            self.scale(step, now)
            servers = self.pools[WHOLE].servers
            while now < end:
                arrived = [i for i, t in enumerate(self.scenario.arrivals) if t <= now]
                waiting += arrived[done:]
                done = len(arrived)
                ready = sum(s.ready <= now and not s.draining for s in servers)
                room = ready * float(self.tables.kv[WHOLE, FULL])
                while waiting and len(active) < DECODE_BATCH * ready:
                    i = waiting[0]
                    need = int(self.scenario.prompts[i] + self.scenario.outputs[i])
                    if used + need > room:
                        break
                    used += need
                    active[waiting.pop(0)] = 0.0
                until = min(
                    [
                        end,
                        *(s.ready for s in servers if s.ready > now),
                        *self.scenario.arrivals[done : done + 1],
                    ]
                )
                if not active or not ready:
                    now = float(until)
                    continue
                each = min(SEQUENCES, math.ceil(len(active) / ready))
                context = sum(int(self.scenario.prompts[i]) + got for i, got in active.items())
                period = sum(float(self.tables.step[g, FULL, each]) for g in OPERATORS)
                period += float(self.tables.context[FULL]) * context / ready
                first = min(active, key=lambda i: int(self.scenario.outputs[i]) - active[i])
                finish = now + (int(self.scenario.outputs[first]) - active[first]) * period
                passed = min(finish, until) - now
                for i in active:
                    active[i] += passed / period
                now += passed
                if finish <= until:
                    now = finish
                    self.tbt[first] = (now - float(self.scenario.arrivals[first])) / int(
                        self.scenario.outputs[first]
                    )
                    used -= int(self.scenario.prompts[first] + self.scenario.outputs[first])
                    del active[first]
