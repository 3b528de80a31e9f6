"""One running simulation: its arrays, and how time passes in it."""

from __future__ import annotations

import numpy as np

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.application import UNLIMITED, Plan
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


def _tables(plan: Plan) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A plan as the event loop reads it, with nodes replaced by their first steps.

    Returns:
        Steps (:data:`evaluators.autothrottle.layout.STEP`), calls (uint32[C]), roots (int64[R, 2]), shapes (int32).
    """
    steps = np.zeros(len(plan.phases), dtype=k.STEP)
    for service, first, n in plan.nodes:
        rows = steps[first : first + n]
        rows["service"] = service
        rows["number"] = np.arange(n)
        rows["more"][:-1] = 1
    steps["mean"], steps["threads"] = plan.phases[:, k.MEAN], plan.phases[:, k.N_THREADS]
    steps["shape"] = plan.phases[:, k.SHAPE] << k.SHAPE_BITS
    steps["first_call"], steps["n_sync"] = plan.phases[:, k.FIRST_CALL], plan.phases[:, k.N_SYNC]
    steps["n_calls"] = plan.phases[:, k.N_SYNC] + plan.phases[:, k.N_ASYNC]
    first_steps = plan.nodes[:, k.FIRST_PHASE]
    roots = np.column_stack([first_steps[plan.roots[:, 0]], plan.roots[:, 1]])
    shapes = plan.shapes.astype(np.int32).reshape(-1)
    return steps, first_steps[plan.calls].astype(np.uint32), np.ascontiguousarray(roots), shapes


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
        items = k.in_lines(first_visit + room, k.ITEM)
        for name in ("next", "parent", "owner"):
            items[name] = -1
        items["time"] = k.NEVER
        items["kind"][:n] = k.REFILL
        items["kind"][n : 2 * n] = k.EXHAUST
        items["kind"][2 * n] = k.NEXT_SECOND
        items["kind"][2 * n + 1 : first_visit] = k.USER if load.closed else k.ARRIVAL
        items["kind"][first_visit:] = k.WORK
        items["next"][first_visit:-1] = np.arange(first_visit + 1, first_visit + room)
        self.items = items
        self.heads = np.full(1 << k.SLOTS_BITS, -1, dtype=np.int32)
        # The first second begins at once.
        items["time"][2 * n] = 0
        self.heads[0] = 2 * n

        control = np.zeros(k.CONTROL, dtype=np.int64)
        control[k.FREE], control[k.N_FREE], control[k.HEAD_ROOM] = first_visit, room, head_room
        control[k.SEED] = mix(load.seed)
        control[k.N_SERVICES] = n
        control[k.MEASURE] = load.ramp_s * k.SECOND
        control[k.CLOSED] = int(load.closed)
        control[k.POS] = RING - 1
        self.control = control

        services = k.in_lines(n, k.SERVICE)
        for name in ("parked", "first_waiting", "last_waiting"):
            services[name] = -1
        quota = round(app.node_cores * k.PERIOD)
        services["quota"] = services["runtime"] = quota
        services["burst"] = round(load.burst * quota)
        services["cores"] = max(1, int(app.node_cores))
        services["workers"] = [min(s.workers, UNLIMITED) for s in app.services]
        services["offset"] = [mix(load.seed + 1000 + s) % k.PERIOD - k.PERIOD for s in range(n)]
        places = np.append(plan.nodes[:, k.FIRST_PHASE], -1)  # of a service without sweeps: -1
        services["sweep_step"], services["sweep_p"] = places[plan.sweeps[:, 0]], plan.sweeps[:, 1]
        self.services = services
        self._steps, self._calls, self._roots, self._shapes = _tables(plan)

        self.limits = np.full(n, app.node_cores)
        self.obs = np.zeros((n, OBS))
        self.obs[:, 6] = app.node_cores
        self.usage = np.zeros((n, RING))
        self.throttled = np.zeros((n, RING))
        self.minute = np.zeros((n, SERVICE))
        self.totals = np.zeros(8)
        self.histograms = np.zeros((2, BINS), dtype=np.int64)
        self.stack = np.zeros(room + 1, dtype=np.uint32)
        self.drift = load.drift

    def run(self, until: int) -> None:
        """Let time pass until a controller's sample, and take it."""
        begun = int(self.control[k.NOW])
        advance(
            self.control,
            self.items,
            self.heads,
            self.services,
            self._steps,
            self._calls,
            self._shapes,
            _THINKS,
            self._roots,
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
        items = self.items
        measured = items["began"] >= self.control[k.MEASURE]
        roots = items[(items["kind"] == k.WORK) & (items["owner"] != k.NOBODY) & measured]
        return np.asarray(self.control[k.NOW] - roots["began"])
