"""Applications: services, what each kind of request does in them, and the arrays the event loop reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

import numpy as np

from evaluators.autothrottle import layout as k

#: Coefficients of variation that demands may have; each has a table of lognormal quantiles.
VARIATIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5)
#: Worker threads of a service that starts one for each call (Go, asynchronous servers).
UNLIMITED = 1 << 30


@dataclass(frozen=True)
class Service:
    """One control group.

    Attributes:
        name: Its name.
        workers: Calls it serves at once, callers of other services that wait included; more wait in a queue.
        variation: Coefficient of variation of the demand of a phase, one of :data:`VARIATIONS`.
        sweep_ms: Core-milliseconds of one housekeeping run (collecting garbage, compacting, flushing), which delays
            nobody by itself but uses quota.
        sweep_threads: How many threads it runs on at once.
        sweep_every: Mean number of visits between two runs; 0 for none.
    """

    name: str
    workers: int = UNLIMITED
    variation: float = 0.6
    sweep_ms: float = 0.0
    sweep_threads: int = 4
    sweep_every: float = 0.0


@dataclass(frozen=True)
class Phase:
    """CPU work of a visit, and the calls made at once when it is done.

    Attributes:
        ms: Mean core-milliseconds, all threads together.
        threads: Threads that share the work evenly, each on a core of its own.
        calls: Calls whose answers the next phase waits for.
        sends: Messages whose effects nobody waits for.
    """

    ms: float
    threads: int = 1
    calls: tuple[Visit, ...] = ()
    sends: tuple[Visit, ...] = ()


@dataclass(frozen=True)
class Visit:
    """One visit to a service: phases one after the other; it holds a worker from the first to the last."""

    service: str
    phases: tuple[Phase, ...]


def visit(
    service: str, ms: float, *calls: Visit | Sequence[Visit], threads: int = 1, after: float = 0.0
) -> Visit:
    """A visit that works, then makes calls one after the other (a sequence of calls: those at once), then works again.

    Args:
        service: Where.
        ms: Core-milliseconds before the first call.
        calls: What it calls.
        threads: Threads of the first work.
        after: Core-milliseconds after the last call.
    """
    groups = [(c,) if isinstance(c, Visit) else tuple(c) for c in calls]
    phases = [Phase(ms if i == 0 else 0.0, threads if i == 0 else 1, group) for i, group in enumerate(groups)]
    if not groups:
        phases = [Phase(ms, threads)]
    if after:
        phases.append(Phase(after))
    return Visit(service, tuple(phases))


@dataclass(frozen=True)
class Application:
    """Services and the requests that users send.

    Attributes:
        name: Its name.
        services: All control groups.
        requests: Kinds of requests: probability, and the visit of the first service.
        slo_ms: Objective for the 99th percentile of latency.
        scale: What a trace is multiplied by.
        high: Names of the services of the cluster with most of the usage.
        node_cores: The most cores a service can have.
    """

    name: str
    services: tuple[Service, ...]
    requests: tuple[tuple[float, Visit], ...]
    slo_ms: float
    scale: float
    high: tuple[str, ...]
    node_cores: float = 32.0

    @cached_property
    def plan(self) -> Plan:
        """The arrays of :mod:`evaluators.autothrottle.kernel`."""
        return _Planner(self).plan()

    @cached_property
    def demand(self) -> np.ndarray:
        """float64[S]: mean core-seconds that each service spends on one request."""
        places = {s.name: i for i, s in enumerate(self.services)}
        visits = np.zeros(len(self.services))
        total = np.zeros(len(self.services))

        def add(node: Visit, weight: float) -> None:
            s = places[node.service]
            visits[s] += weight
            for phase in node.phases:
                total[s] += weight * phase.ms / 1e3
                for called in (*phase.calls, *phase.sends):
                    add(called, weight)

        whole = sum(p for p, _ in self.requests)
        for p, root in self.requests:
            add(root, p / whole)
        for i, service in enumerate(self.services):
            if service.sweep_every:
                total[i] += visits[i] / service.sweep_every * service.sweep_ms / 1e3
        return total

    @property
    def clusters(self) -> np.ndarray:
        """int64[S]: 1 for services of :attr:`high`, else 0."""
        return np.array([int(s.name in self.high) for s in self.services], dtype=np.int64)


@dataclass(frozen=True)
class Plan:
    """An application as arrays; columns are named in :mod:`evaluators.autothrottle.layout`.

    Attributes:
        nodes: int64[N, 3], phases: int64[P, 6], calls: int64[C] (numbers of nodes), roots: int64[R, 2] (node, and the
            upper end of its share of 2**32); sweeps: int64[S, 2], node and probability in 2**-20.
        shapes: int64[len(VARIATIONS), 2**SHAPE_BITS], multiples of the mean in 2**-16.
        width: The most visits that one request can keep alive at once.
        deep: The most that a message or sweep can.
    """

    nodes: np.ndarray
    phases: np.ndarray
    calls: np.ndarray
    roots: np.ndarray
    sweeps: np.ndarray
    shapes: np.ndarray
    width: int
    deep: int


@dataclass
class _Planner:
    """Numbers an application's visits; equal subtrees share a node."""

    application: Application
    nodes: list[tuple[int, int, int]] = field(default_factory=list)
    phases: list[tuple[int, ...]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    known: dict[Visit, int] = field(default_factory=dict)
    deep: int = 1

    def plan(self) -> Plan:
        app = self.application
        self._places = {s.name: i for i, s in enumerate(app.services)}
        numbers = [(p, self._number(root), self._width(root)) for p, root in app.requests]
        whole = math.fsum(p for p, _ in app.requests)
        upto = np.cumsum([p / whole for p, _, _ in numbers])
        roots = np.array(
            [[node, round(end * 2**32)] for (_, node, _), end in zip(numbers, upto, strict=True)],
            dtype=np.int64,
        )
        roots[-1, 1] = 1 << 32
        sweeps = np.full((len(app.services), 2), -1, dtype=np.int64)
        sweeps[:, 1] = 0
        for s, service in enumerate(app.services):
            if service.sweep_every:
                # Made apart from other visits: a sweep is told by its node.
                node = self._add(Visit(service.name, (Phase(service.sweep_ms, service.sweep_threads),)))
                sweeps[s] = node, min(1 << 20, round((1 << 20) / service.sweep_every))
        return Plan(
            np.array(self.nodes, dtype=np.int64),
            np.array(self.phases, dtype=np.int64),
            np.array(self.calls or [0], dtype=np.int64),
            roots,
            sweeps,
            np.array([lognormal(v) for v in VARIATIONS]),
            max(width for _, _, width in numbers),
            self.deep,
        )

    def _number(self, node: Visit) -> int:
        if node not in self.known:
            self.known[node] = self._add(node)
        return self.known[node]

    def _add(self, node: Visit) -> int:
        s = self._places[node.service]
        shape = VARIATIONS.index(self.application.services[s].variation)
        rows = []
        for phase in node.phases:
            called = [self._number(v) for v in (*phase.calls, *phase.sends)]
            mean = round(phase.ms * k.MS / phase.threads)
            rows.append((mean, phase.threads, shape, len(self.calls), len(phase.calls), len(phase.sends)))
            self.calls += called
            self.deep = max([self.deep, *map(self._width, phase.sends)])
        self.nodes.append((s, len(self.phases), len(rows)))
        self.phases += rows
        return len(self.nodes) - 1

    def _width(self, node: Visit) -> int:
        return 1 + max(
            (sum(map(self._width, (*phase.calls, *phase.sends))) for phase in node.phases), default=0
        )


def lognormal(variation: float) -> np.ndarray:
    """int64[2**SHAPE_BITS]: equally likely values of mean 1 (in 2**-16), lognormal with a coefficient of variation."""
    n = 1 << k.SHAPE_BITS
    sigma = math.sqrt(math.log1p(variation**2))
    normal = NormalDist()
    values = np.array([math.exp(sigma * normal.inv_cdf((i + 0.5) / n)) for i in range(n)])
    return np.asarray(np.round(65536 * values / values.mean()), dtype=np.int64)
