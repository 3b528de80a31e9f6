"""Means by queueing theory: Erlang C, the greedy plan of operators, and the plan that enumeration finds.

A plan gives every operator of a prefill pass replicas of one size. Each operator is an M/M/c station; the sum of waits,
services and hand-offs must stay within the SLO. GPUs are what the replicas' shares add up to, packed first-fit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.opscale.cost import FULL, OPTIONS, Costs, costs
from evaluators.opscale.models import ATTN, OPERATORS


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c with an offered load below the number of servers."""
    blocked = 1.0
    for i in range(1, servers + 1):
        blocked = load * blocked / (i + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def mean_wait(servers: int, rate: float, service: float) -> float:
    """Mean wait in M/M/c, seconds; infinite if it is overloaded."""
    load = rate * service
    return math.inf if load >= servers else erlang_c(servers, load) * service / (servers - load)


@dataclass(frozen=True)
class Station:
    """One operator: (share of a GPU, seconds a request) of each size its replicas may have."""

    sizes: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Plan:
    """Replicas and the number of the size of each operator, GPUs after packing, and the mean latency."""

    replicas: tuple[int, ...]
    sizes: tuple[int, ...]
    gpus: int
    latency: float


def stations(model: str, gpu: str, length: float, options: Sequence[int] = (FULL,)) -> tuple[Station, ...]:
    """The operators of a prefill of so many tokens, for replicas of the given sizes."""
    cost = costs(model, gpu)
    return tuple(
        Station(tuple((OPTIONS[o][0] * OPTIONS[o][1], seconds(cost, g, length, o)) for o in options))
        for g in OPERATORS
    )


def seconds(cost: Costs, group: int, length: float, option: int) -> float:
    """Seconds of all layers of an operator for a prompt, on a replica of a size."""
    share, tp = OPTIONS[option]
    tokens = np.array([length])
    if group == ATTN:
        layer = cost.prefill_attention(tokens, tp, share)
    else:
        layer = cost.linear(group, tokens, tp, share)
    return cost.model.layers * float(layer[0])


def packed(shares: Sequence[float]) -> int:
    """GPUs that replicas with such shares need, first-fit by falling share."""
    room: list[float] = []
    for share in sorted(shares, reverse=True):
        if share >= 1.0:
            room += [0.0] * math.ceil(share)
            continue
        place = next((i for i, free in enumerate(room) if free >= share - 1e-9), None)
        if place is None:
            room.append(1.0 - share)
        else:
            room[place] -= share
    return len(room)


def _evaluate(
    net: Sequence[Station], rate: float, replicas: Sequence[int], sizes: Sequence[int], hop: float
) -> Plan:
    latency = hop * len(net)
    shares: list[float] = []
    for station, count, size in zip(net, replicas, sizes, strict=True):
        share, service = station.sizes[size]
        latency += service + mean_wait(count, rate, service)
        shares += [share] * count
    return Plan(tuple(replicas), tuple(sizes), packed(shares), latency)


def greedy(net: Sequence[Station], rate: float, slo: float, hop: float = 0.0) -> Plan | None:
    """The plan of small steps: from the least replicas, always the change with most latency for its share of a GPU.

    Every size that all operators may have is tried as the starting point; then, while the SLO allows it, what costs
    most is taken away again. None if the SLO cannot be met.
    """
    best: Plan | None = None
    for start in itertools.product(*(range(len(s.sizes)) for s in net)):
        plan = _grow(net, rate, slo, hop, list(start))
        plan = None if plan is None else _shrink(net, rate, slo, hop, plan)
        if plan is not None and (best is None or (plan.gpus, plan.latency) < (best.gpus, best.latency)):
            best = plan
        if len(net[0].sizes) == 1:
            break
    return best


def _grow(net: Sequence[Station], rate: float, slo: float, hop: float, sizes: list[int]) -> Plan | None:
    counts = [int(rate * s.sizes[size][1] / 0.97) + 1 for s, size in zip(net, sizes, strict=True)]
    plan = _evaluate(net, rate, counts, sizes, hop)
    if hop * len(net) + sum(s.sizes[z][1] for s, z in zip(net, sizes, strict=True)) > slo:
        return None
    while plan.latency > slo:
        tried = []
        for i, station in enumerate(net):
            more = list(plan.replicas)
            more[i] += 1
            other = _evaluate(net, rate, more, sizes, hop)
            tried.append(((plan.latency - other.latency) / station.sizes[sizes[i]][0], i, other))
        gain, _, plan = max(tried, key=lambda one: one[:2])
        if gain <= 0:
            return None
    return plan


def _shrink(net: Sequence[Station], rate: float, slo: float, hop: float, plan: Plan) -> Plan:
    while True:
        tried = []
        for i in range(len(net)):
            if plan.replicas[i] > 1:
                fewer = list(plan.replicas)
                fewer[i] -= 1
                other = _evaluate(net, rate, fewer, plan.sizes, hop)
                if other.latency <= slo:
                    tried.append((other.gpus, other.latency, other))
        if not tried:
            return plan
        plan = min(tried, key=lambda one: one[:2])[2]


def brute_force(
    net: Sequence[Station], rate: float, slo: float, hop: float = 0.0, spare: int = 6
) -> Plan | None:
    """The fewest GPUs of all plans with up to ``spare`` replicas beyond the least of each operator (the oracle)."""
    best: Plan | None = None
    for sizes in itertools.product(*(range(len(s.sizes)) for s in net)):
        least = [int(rate * s.sizes[z][1]) + 1 for s, z in zip(net, sizes, strict=True)]
        for more in itertools.product(range(spare + 1), repeat=len(net)):
            counts = [a + b for a, b in zip(least, more, strict=True)]
            if (
                best is not None
                and sum(c * s.sizes[z][0] for c, s, z in zip(counts, net, sizes, strict=True)) > best.gpus
            ):
                continue
            plan = _evaluate(net, rate, counts, sizes, hop)
            if plan.latency <= slo and (
                best is None or (plan.gpus, plan.latency) < (best.gpus, best.latency)
            ):
                best = plan
    return best


def uniform(net: Sequence[Station], rate: float, slo: float, hop: float = 0.0) -> Plan | None:
    """The uniform tandem: every operator on devices of its own, all with the same number of replicas."""
    counts = max(int(rate * s.sizes[-1][1]) + 1 for s in net)
    last = [len(s.sizes) - 1 for s in net]
    if hop * len(net) + sum(s.sizes[-1][1] for s in net) > slo:
        return None
    while True:
        plan = _evaluate(net, rate, [counts] * len(net), last, hop)
        if plan.latency <= slo:
            return plan
        counts += 1


def time_shared(net: Sequence[Station], rate: float, slo: float) -> Plan | None:
    """Whole replicas that run all operators in turns on one GPU."""
    service = sum(s.sizes[-1][1] for s in net)
    if service > slo:
        return None
    count = int(rate * service) + 1
    while service + mean_wait(count, rate, service) > slo:
        count += 1
    return Plan(
        (count,), (0,), count * math.ceil(net[0].sizes[-1][0]), service + mean_wait(count, rate, service)
    )
