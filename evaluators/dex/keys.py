"""Which leaf each operation goes to: Zipf or uniform keys, hashed over the key space, conditioned on each server's range.

As in the paper's benchmark: every server runs the same number of operations, with the global distribution conditioned on
its range; so skew overloads no server, but the server of the hottest key sees a hotter stream.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evaluators.dex.caching import cached
from evaluators.dex.layout import SCAN
from evaluators.dex.memory import compiled
from evaluators.dex.mixing import UNIT, mix

_TERMS = 10_000
_FLOOD_PARTS = 16


@dataclass(frozen=True)
class Streams:
    """Streams of all servers, one after the other; each begins with the operations that fill the cache.

    Attributes:
        leaves: int32, leaf of the server.
        kinds: int8, operation.
    """

    leaves: np.ndarray
    kinds: np.ndarray


def zeta(n: int, theta: float) -> float:
    """The sum of i^-theta for i from 1 to n: exact up to 10,000 terms, Euler-Maclaurin beyond."""
    head = min(n, _TERMS)
    total = float((np.arange(1, head + 1, dtype=np.float64) ** -theta).sum())
    if n > head:
        a, b = float(head), float(n)
        area = math.log(b / a) if theta == 1.0 else (b ** (1 - theta) - a ** (1 - theta)) / (1 - theta)
        total += area + 0.5 * (b**-theta - a**-theta)
    return total


@compiled
def rank_of(u, keys, theta, zetan, alpha, eta):  # type: ignore[no-untyped-def]
    """A Zipf rank from 0 by Gray et al.'s approximation (SIGMOD 1994), as YCSB draws it."""
    uz = u * zetan
    if uz < 1.0:
        return 0
    if uz < 1.0 + 0.5**theta:
        return 1
    return min(keys - 1, int(keys * (eta * u - eta + 1.0) ** alpha))


@cached
def _draw(leaves, kinds, bounds, numbers, zipf, shares, filled):  # type: ignore[no-untyped-def]
    keys, fanout, filling, ops, warm, shifts, seed = numbers
    theta, zetan, alpha, eta, flood = zipf
    servers = len(bounds) - 1
    size = filling + ops
    counted = ops - warm
    part = max(1, ops // _FLOOD_PARTS)
    missing = servers
    draw = seed << 36
    while missing > 0:
        draw += 1
        u = mix(2 * draw) * UNIT
        rank = rank_of(u, keys, theta, zetan, alpha, eta) if theta > 0.0 else int(u * keys)
        # The phase is that of the server's own stream: where the key lies depends on it, so try them in turn.
        for phase in range(shifts + 1):
            key = mix(rank + (phase << 40) + (seed << 48)) % keys
            leaf = key // fanout
            server = 0
            while leaf >= bounds[server + 1]:
                server += 1
            at = filled[server]
            if at == size:
                continue
            op = at - filling
            own = 0 if op < warm else (op - warm) * (shifts + 1) // counted
            if own != phase:
                continue
            v = mix(2 * draw + 1) * UNIT
            kind = 0
            while kind < 3 and v >= shares[kind]:
                v -= shares[kind]
                kind += 1
            leaf -= bounds[server]
            if flood > 0.0 and op >= 0 and (op // part) % 4 == 3:
                w = mix(mix(draw)) * UNIT
                if w < flood:
                    kind = SCAN
                    leaf = int(w / flood * (bounds[server + 1] - bounds[server]))
            leaves[server * size + at] = leaf
            kinds[server * size + at] = kind
            filled[server] = at + 1
            if at + 1 == size:
                missing -= 1
            break


def make_streams(
    keys: int,
    fanout: int,
    servers: int,
    theta: float,
    filling: int,
    ops: int,
    warm: int,
    shifts: int,
    flood: float,
    shares: tuple[float, ...],
    seed: int,
) -> Streams:
    """Draw the streams; arguments as of :class:`evaluators.dex.cell.Cell`."""
    total = -(-keys // fanout)
    bounds = np.array([s * total // servers for s in range(servers + 1)], dtype=np.int64)
    size = filling + ops
    leaves = np.zeros(servers * size, dtype=np.int32)
    kinds = np.zeros(servers * size, dtype=np.int8)
    zetan = alpha = eta = 0.0
    if theta > 0:
        exponent = theta if theta != 1.0 else 1.0 + 1e-9
        zetan = zeta(keys, exponent)
        alpha = 1.0 / (1.0 - exponent)
        eta = (1.0 - (2.0 / keys) ** (1.0 - exponent)) / (1.0 - zeta(2, exponent) / zetan)
    numbers = (keys, fanout, filling, ops, warm, shifts, seed)
    _draw(
        leaves, kinds, bounds, numbers, (theta, zetan, alpha, eta, float(flood)), np.array(shares), np.zeros(servers, np.int64)
    )  # fmt: skip
    return Streams(leaves, kinds)
