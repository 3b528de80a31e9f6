"""The same system written down plainly: one list of events, one object a thing, nothing shared with the fast kernel.

It follows the description in ``docs``: exact CFS bandwidth control, visits with phases, pools of workers, a closed loop.
Only what is random is taken from the simulator's own functions (keys and tables), so that both meet the same requests.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.application import VARIATIONS, Visit, lognormal
from evaluators.autothrottle.kernel import child_key, mix
from evaluators.autothrottle.load import Load, think_table

_SHAPES = {v: lognormal(v).tolist() for v in VARIATIONS}
_THINKS = think_table().tolist()
_MASK = (1 << 64) - 1


def signed(x: int) -> int:
    """The low 64 bits as a signed number."""
    x &= _MASK
    return x - (1 << 64) if x >> 63 else x


@dataclass
class Group:
    """A control group: a service."""

    quota: int
    offset: int
    workers: int
    runtime: int = 0
    boundary: int | None = None
    running: dict[Job, int] = field(default_factory=dict)  # remaining ns of a thread
    busy: int = 0
    waiting: deque[Job] = field(default_factory=deque)
    at: int = 0
    throttled: bool = False
    used: int = 0
    period_used: int = 0
    throttles: int = 0
    periods: int = 0
    version: int = 0
    cores: int = 32
    rest: int = 0  # progress of a thread that is less than a nanosecond, times the number of threads

    @property
    def threads(self) -> int:
        return sum(job.threads for job in self.running)

    @property
    def speed(self) -> int:
        """Cores in use."""
        return min(self.threads, self.cores)


@dataclass(eq=False)
class Job:
    """A visit."""

    node: Visit
    place: int
    parent: Job | None
    key: int
    began: int = 0
    user: int | None = None
    phase: int = 0
    pending: int = 0
    threads: int = 0


class Naive:
    """Runs a load whose services keep their limits, and notes latencies.

    Args:
        load: A closed loop with neither sweeps nor messages.
        cores: Limits.
    """

    def __init__(self, load: Load, cores: list[float]) -> None:
        self.load = load
        app = load.application
        self.names = [s.name for s in app.services]
        self.plan = app.plan
        self.groups = []
        for s, service in enumerate(app.services):
            offset = mix(load.seed + 1000 + s) % k.PERIOD - k.PERIOD
            quota = int(cores[s] * k.PERIOD)
            node = int(app.node_cores)
            self.groups.append(Group(quota, offset, service.workers, runtime=quota, cores=node))
        self.events: list[tuple[int, int, str, Any]] = []
        self.order = 0
        self.users = 0
        self.first = 2 * len(self.groups) + 1
        self.numbers: dict[int, int] = {}
        self.present: set[int] = set()
        self.latencies: list[int] = []
        self.push(0, "second", None)

    def push(self, time: int, kind: str, what: Any) -> None:
        self.order += 1
        heapq.heappush(self.events, (time, self.order, kind, what))

    def run(self, until: int) -> None:
        while self.events and self.events[0][0] <= until:
            now, _, kind, what = heapq.heappop(self.events)
            getattr(self, "on_" + kind)(now, what)
        for group in self.groups:
            self.bring_up(group, until)

    # -- control groups

    def bring_up(self, group: Group, now: int) -> None:
        passed = now - group.at
        group.at = now
        if group.throttled:
            return
        used = passed * group.speed
        if group.threads:
            progress, group.rest = divmod(used + group.rest, group.threads)
            for job in group.running:
                group.running[job] -= progress
        group.used += used
        group.period_used += used
        group.runtime -= used

    def plan_next(self, group: Group, now: int) -> None:
        """What happens next in a group if nothing else does: a job ends, or the quota runs out."""
        group.version += 1
        if group.throttled or not group.running:
            return
        left = max(0, min(group.running.values()))
        end = now + max(0, -((group.rest - left * group.threads) // group.speed))
        out = now + max(0, group.runtime) // group.speed
        self.push(min(end, out), "group", (group, group.version))

    def on_group(self, now: int, what: tuple[Group, int]) -> None:
        group, version = what
        if version != group.version:
            return
        self.bring_up(group, now)
        for job in [job for job, left in group.running.items() if left <= 0]:
            del group.running[job]
            group.rest = 0
            self.worked(job, now)
        if group.running and group.runtime < group.speed and now < (group.boundary or 0):
            group.throttled = True
        self.plan_next(group, now)

    def on_period(self, now: int, group: Group) -> None:
        self.bring_up(group, now)
        group.periods += 1
        group.throttles += group.throttled
        group.throttled = False
        group.runtime = group.quota
        idle = not group.period_used and not group.running
        group.period_used = 0
        group.boundary = None if idle else now + k.PERIOD
        if not idle:
            self.push(now + k.PERIOD, "period", group)
        self.plan_next(group, now)

    # -- requests

    def enter(self, job: Job, now: int) -> None:
        group = self.groups[self.names.index(job.node.service)]
        if group.busy < group.workers:
            group.busy += 1
            self.begin(job, now)
        else:
            group.waiting.append(job)

    def begin(self, job: Job, now: int) -> None:
        if job.phase == len(job.node.phases):
            self.leave(job, now)
            return
        phase = job.node.phases[job.phase]
        s = self.names.index(job.node.service)
        mean = round(phase.ms * k.MS / phase.threads)
        if not mean:
            self.worked(job, now)
            return
        key = job.key if job.phase < 4 else mix(signed(job.key + (job.phase >> 2)))
        draw = (key >> ((job.phase & 3) * k.SHAPE_BITS)) & ((1 << k.SHAPE_BITS) - 1)
        demand = int(self.load.drift[now // k.SECOND, s])
        variation = self.load.application.services[s].variation
        work = max(1, ((mean * demand >> 16) * _SHAPES[variation][draw]) >> 16)
        group = self.groups[s]
        self.bring_up(group, now)
        job.threads = phase.threads
        group.running[job] = work
        group.rest = 0
        if group.boundary is None:
            group.boundary = group.offset + ((now - group.offset) // k.PERIOD + 1) * k.PERIOD
            self.push(group.boundary, "period", group)
        self.plan_next(group, now)

    def worked(self, job: Job, now: int) -> None:
        phase = job.node.phases[job.phase]
        job.pending = len(phase.calls)
        if not phase.calls:
            job.phase += 1
            self.begin(job, now)
            return
        first = int(
            self.plan.phases[int(self.plan.nodes[job.place, k.FIRST_PHASE]) + job.phase, k.FIRST_CALL]
        )
        for c, called in enumerate(phase.calls):
            key = child_key(job.key, first + c)
            self.enter(Job(called, int(self.plan.calls[first + c]), job, key), now)

    def leave(self, job: Job, now: int) -> None:
        group = self.groups[self.names.index(job.node.service)]
        if group.waiting:
            self.begin(group.waiting.popleft(), now)
        else:
            group.busy -= 1
        if job.parent is not None:
            job.parent.pending -= 1
            if job.parent.pending == 0:
                job.parent.phase += 1
                self.begin(job.parent, now)
            return
        assert job.user is not None
        self.latencies.append(now - job.began)
        self.push(now + think(job.key), "user", job.user)

    # -- users

    def on_user(self, now: int, user: int) -> None:
        if user >= self.users:
            self.present.discard(user)
            return
        number = self.numbers[user] = self.numbers.get(user, 0) + 1
        golden = 0x9E3779B97F4A7C15
        key = mix(signed(mix(self.load.seed) + (self.first + user) * golden + mix(number)))
        draw = mix(signed(key + 3)) & 0xFFFFFFFF
        kind = next(i for i, (_, end) in enumerate(self.plan.roots.tolist()) if draw < end)
        root = self.load.application.requests[kind][1]
        self.enter(Job(root, int(self.plan.roots[kind, 0]), None, key, now, user), now)

    def on_second(self, now: int, _: None) -> None:
        second = now // k.SECOND
        if second >= len(self.load.rps):
            return
        wanted = int(self.load.rps[second])
        for user in range(self.users, wanted):
            if user not in self.present:
                self.present.add(user)
                seed = signed(mix(self.load.seed) + (self.first + user) * 0x9E3779B97F4A7C15 + second)
                self.push(now + mix(seed) % k.SECOND, "user", user)
        self.users = wanted
        self.push(now + k.SECOND, "second", None)


def think(key: int) -> int:
    """Think time of a user after a request."""
    draw = mix(signed(key + 7))
    place = draw & (len(_THINKS) - 2)
    low = _THINKS[place]
    return low + (((_THINKS[place + 1] - low) * ((draw >> 40) & 0xFFFF)) >> 16)
