"""Who reaches the gateway through whom, when links are good, and when rain alerts are sent."""

from __future__ import annotations

import math

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached
from evaluators.sensing.noise import uniform
from evaluators.sensing.scenario import DAY, HOUR, Scenario

#: At 2.4 GHz in an hour with rain: how much sooner a good link turns bad, and how much longer it stays so (assumed).
_SOONER, _LONGER = 8.0, 4.0
#: Hourly rain in mm from which a gauge sends an alert, and a link counts as wet.
_ALERT_MM, _WET_MM = 0.5, 0.1


def routes(scenario: Scenario) -> np.ndarray:
    """int64[N, 3]: up to three parents a node, nearest first; -1 is the gateway, -2 nobody.

    A parent is within range and one hop nearer to the gateway, so that no route has a loop. Who is out of everybody's
    range talks to the gateway, over a worse link.
    """
    n = len(scenario.nodes)
    parents = np.full((n, 3), -2, dtype=np.int64)
    places = np.array([(node.x, node.y) for node in scenario.nodes])
    reach = np.hypot(places[:, 0], places[:, 1])
    between = np.hypot(places[:, None, 0] - places[None, :, 0], places[:, None, 1] - places[None, :, 1])
    near = scenario.radio.range_m
    hops = np.where(reach <= near, 1, 0) if scenario.radio.relays else np.ones(n, dtype=np.int64)
    for level in range(1, k.HOPS + 1):
        for i in np.flatnonzero(hops == 0).tolist():
            if np.any((hops == level) & (between[i] <= near)):
                hops[i] = -(level + 1)
        hops = np.abs(hops)
    for i in range(n):
        if hops[i] <= 1:
            parents[i, 0] = -1
            continue
        able = [
            int(j)
            for j in np.argsort(between[i], kind="stable")
            if hops[j] == hops[i] - 1 and between[i, j] <= near
        ]
        parents[i, : len(able[:3])] = able[:3]
    return parents


def links(scenario: Scenario, parents: np.ndarray) -> np.ndarray:
    """uint8[N, hours]: whether a node's link to its parents is good (Gilbert and Elliott's two states)."""
    places = np.array([(node.x, node.y) for node in scenario.nodes])
    far = np.hypot(places[:, 0], places[:, 1])
    for i, parent in enumerate(parents[:, 0].tolist()):
        if parent >= 0:
            far[i] = math.hypot(*(places[i] - places[parent]))
    radio = scenario.radio
    hours = -(-scenario.field.ticks // k.LINK)
    out = np.empty((len(far), hours), dtype=np.uint8)
    wet = _hourly(scenario.field.rain) > _WET_MM if radio.band == "2.4" else np.zeros(hours, dtype=bool)
    _chains(out, radio.good_h, radio.bad_h * (0.5 + far / radio.range_m), wet, scenario.seed)
    return out


@cached
def _chains(out, good, bad, wet, seed):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        up = True
        for h in range(out.shape[1]):
            leave = 1.0 / good
            back = 1.0 / max(1.0, bad[i])
            if wet[h]:
                leave = min(1.0, leave * _SOONER)
                back /= _LONGER
            draw = uniform(seed + 4, i, h)
            up = draw >= leave if up else draw < back
            out[i, h] = up


def _hourly(rain: np.ndarray) -> np.ndarray:
    padded = np.zeros(-(-len(rain) // HOUR) * HOUR)
    padded[: len(rain)] = rain
    return np.asarray(padded.reshape(-1, HOUR).sum(axis=1))


def gateway(scenario: Scenario) -> np.ndarray:
    """uint8[1, hours]: whether the gateway is on."""
    hours = -(-scenario.field.ticks // k.LINK)
    out = np.ones((1, hours), dtype=np.uint8)
    for start, end in scenario.trouble.outages:
        out[0, int(start * 24) : max(0, math.ceil(end * 24))] = 0
    return out


def alerts(scenario: Scenario) -> np.ndarray:
    """int64[T + 2]: the first tick from each one on at which a rain alert is sent; far beyond the season if there is none.

    A gauge sends one after every hour with half a millimetre, and false ones now and then.
    """
    ticks = scenario.field.ticks
    never = 1 << 60
    out = np.full(ticks + 2, never, dtype=np.int64)
    trouble = scenario.trouble
    if not trouble.alerts:
        return out
    sent = (np.flatnonzero(_hourly(scenario.field.rain) >= _ALERT_MM) + 1) * HOUR
    sends = np.zeros(ticks + 1, dtype=bool)
    sends[sent[sent < ticks]] = True
    _false_alerts(sends, trouble.alert_false / DAY, scenario.seed)
    following = never
    for t in range(ticks - 1, -1, -1):
        if sends[t]:
            following = t
        out[t] = following
    return out


@cached
def _false_alerts(sends, chance, seed):  # type: ignore[no-untyped-def]
    for t in range(len(sends)):
        if uniform(seed + 5, 0, t) < chance:
            sends[t] = True
