"""One running simulation: its arrays, and how time passes in it."""

from __future__ import annotations

import numpy as np

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.application import UNLIMITED
from evaluators.autothrottle.contract import OBS, RING, SERVICE
from evaluators.autothrottle.histogram import BINS
from evaluators.autothrottle.kernel import advance, mix
from evaluators.autothrottle.load import Load, think_table
from evaluators.autothrottle.sampling import sample, set_limits

#: Requests that an open loop may have unanswered; more are refused.
_OPEN = 100_000


_THINKS = think_table()


def room_for(load: Load) -> tuple[int, int]:
    """How many visits can be alive at once, and how many places one more arrival may need (open loop)."""
    plan = load.application.plan
    n = len(load.application.services)
    # Messages and sweeps: both are held back once a service has a backlog of them.
    extra = n * (k.BACKLOG + 1) * (plan.deep + 1) + n * k.BACKLOG
    if load.closed:
        return int(load.rps.max()) * plan.width + extra, 0
    return _OPEN + plan.width + extra, _OPEN * (plan.width - 1) // plan.width + plan.width + extra


class World:
    """A simulation of one load.

    Attributes:
        obs: float64[S, OBS], usage and throttled: float64[S, RING]: what local laws see; ``control[POS]`` is the place
            of the newest sample.
        minute: float64[S, SERVICE]: sums over the minute so far.
        limits: float64[S]: limits in cores.
        totals: float64[8], see :mod:`evaluators.autothrottle.sampling`; measured time only.
        histograms: int64[2, BINS]: latencies of the minute so far, of the measured requests.
    """

    def __init__(self, load: Load) -> None:
        app = load.application
        plan = app.plan
        n = len(app.services)
        self.load = load
        self.plan = plan
        users = int(load.rps.max()) if load.closed else 1
        first_visit = 2 * n + 1 + users
        room, head_room = room_for(load)
        items = np.full((first_visit + room, k.ITEM), -1, dtype=np.int64)
        items[:, k.TIME] = k.NEVER
        items[:, k.PHASE] = 0
        items[:n, k.KIND] = k.REFILL
        items[n : 2 * n, k.KIND] = k.EXHAUST
        items[2 * n, k.KIND] = k.NEXT_SECOND
        items[2 * n + 1 : first_visit, k.KIND] = k.USER if load.closed else k.ARRIVAL
        items[first_visit:-1, k.NEXT] = np.arange(first_visit + 1, first_visit + room)
        self.items = items
        self.heads = np.full(1 << k.SLOTS_BITS, -1, dtype=np.int32)
        # The first second begins at once.
        items[2 * n, k.TIME] = 0
        items[2 * n, k.BEFORE] = -1
        self.heads[0] = 2 * n

        control = np.zeros(k.CONTROL, dtype=np.int64)
        control[k.FREE], control[k.N_FREE], control[k.HEAD_ROOM] = first_visit, room, head_room
        control[k.SEED] = mix(load.seed)
        control[k.N_SERVICES] = n
        control[k.MEASURE] = load.ramp_s * k.SECOND
        control[k.CLOSED] = int(load.closed)
        control[k.POS] = RING - 1
        self.control = control

        services = np.zeros((n, k.SERVICE_COLUMNS), dtype=np.int64)
        for column in (k.PARKED, k.FIRST_WAITING, k.LAST_WAITING):
            services[:, column] = -1
        quota = round(app.node_cores * k.PERIOD)
        services[:, k.QUOTA] = services[:, k.RUNTIME] = quota
        services[:, k.BURST] = round(load.burst * quota)
        services[:, k.CORES] = max(1, int(app.node_cores))
        services[:, k.WORKERS] = [min(s.workers, UNLIMITED) for s in app.services]
        services[:, k.OFFSET] = [mix(load.seed + 1000 + s) % k.PERIOD - k.PERIOD for s in range(n)]
        services[:, k.SWEEP_NODE], services[:, k.SWEEP_P] = plan.sweeps[:, 0], plan.sweeps[:, 1]
        self.services = services

        self.limits = np.full(n, app.node_cores)
        self.obs = np.zeros((n, OBS))
        self.obs[:, 6] = app.node_cores
        self.usage = np.zeros((n, RING))
        self.throttled = np.zeros((n, RING))
        self.minute = np.zeros((n, SERVICE))
        self.totals = np.zeros(8)
        self.histograms = np.zeros((2, BINS), dtype=np.int64)
        self.stack = np.zeros(room + 1, dtype=np.int64)
        self.drift = load.drift

    def run(self, until: int) -> None:
        """Let time pass until a controller's sample, and take it."""
        begun = int(self.control[k.NOW])
        plan = self.plan
        advance(
            self.control,
            self.items,
            self.heads,
            self.services,
            plan.nodes,
            plan.phases,
            plan.calls,
            plan.shapes,
            _THINKS,
            plan.roots,
            self.load.rps,
            self.drift,
            self.histograms,
            self.stack,
            until,
        )
        measured = begun >= (self.load.ramp_s + self.load.settle_s) * k.SECOND
        sample(
            self.control,
            self.services,
            self.limits,
            self.obs,
            self.usage,
            self.throttled,
            self.minute,
            self.totals,
            begun,
            measured,
        )

    def write(self, wanted: np.ndarray) -> None:
        """Set the limits that changed (float64[S], cores, checked)."""
        set_limits(self.control, self.items, self.heads, self.services, self.limits, wanted)

    def unanswered(self) -> np.ndarray:
        """int64: ages in ns of the measured requests without an answer."""
        visits = self.items[self.items[:, k.KIND] == k.WORK]
        roots = visits[(visits[:, k.OWNER] != k.NOBODY) & (visits[:, k.BEGAN] >= self.control[k.MEASURE])]
        return np.asarray(self.control[k.NOW] - roots[:, k.BEGAN])
