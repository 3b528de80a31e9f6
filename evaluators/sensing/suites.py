"""The synthetic scenarios of a search: feedback, validation, hold-out, and scenarios unlike all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators.draws import STREAMS, generator, integer, uniform
from evaluators.sensing.field import Climate, make_field
from evaluators.sensing.scenario import DEFAULT_RADIO, Fault, Hardware, Node, Radio, Scenario, Trouble

_DEFAULT_COUNT = {"feedback": 24, "validation": 16, "holdout": 24}
#: Nodes and days.
_SIZES = {"feedback": (8, 40), "validation": (12, 50), "holdout": (12, 60)}
_FIRST_SHIFT, _SHIFTED_EACH = 3, 2

MARYLAND = Climate()
#: Fewer, heavier storms, and more sun.
PRAIRIE = Climate(storms=0.15, depth=14.0, hours=2.0, annual=13.5, daily=11.0, pet=6.0, latitude=38.2)
#: Small rains, cool.
UPLAND = Climate(storms=0.45, depth=6.0, hours=6.0, mean=8.5, annual=10.0, daily=7.0, pet=4.0, latitude=42.5)


@dataclass(frozen=True)
class Kind:
    """A kind of scenario.

    Attributes:
        climate: Its weather.
        preset: Hardware (:func:`Hardware.preset`).
        daily_j: Joules a day that a primary cell has for the season (range).
        panel: Milliwatts of a panel, for stores of so many joules; none for primary cells.
        radio: Links.
        span: Metres of the square that nodes stand in.
        cover: Of all nodes.
    """

    climate: Climate
    preset: str
    daily_j: tuple[float, float] = (3.4, 6.0)
    panel: tuple[float, float] | None = None
    radio: Radio = DEFAULT_RADIO
    span: float = 160.0
    cover: str = "forest"


KINDS: dict[str, Kind] = {
    "text-wood": Kind(MARYLAND, "text"),
    "fitted-wood": Kind(MARYLAND, "fitted", (5.0, 10.0)),
    "text-solar": Kind(PRAIRIE, "text", panel=(0.35, 1.0), cover="grass"),
    "text-relays": Kind(UPLAND, "text", (3.8, 7.0), span=420.0),
    "fitted-lawn": Kind(PRAIRIE, "fitted", (5.0, 10.0), cover="grass"),
    "text-2.4": Kind(MARYLAND, "text", radio=Radio(band="2.4")),
    "fitted-solar": Kind(UPLAND, "fitted", panel=(0.5, 1.4), cover="grass"),
    "text-lean": Kind(PRAIRIE, "text", (2.9, 3.6), cover="grass"),
}


def synthetic_suite(
    which: str, seed: int, n: int | None = None, hardware: Mapping[str, Any] | None = None
) -> list[Scenario]:
    """The scenarios of a set, named like ``synthetic/feedback/07-text-wood``; the :data:`KINDS` take turns.

    Args:
        which: The set.
        seed: Any non-negative integer.
        n: Number of scenarios; default 24 for feedback and hold-out, 16 for validation.
        hardware: Fields of :class:`Hardware` that all of them are given.

    Raises:
        ValueError: An unknown set, or n below 1.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    count = _DEFAULT_COUNT[which] if n is None else n
    if count < 1:
        raise ValueError(f"a synthetic set needs at least one scenario, not {count}")
    nodes, days = _SIZES[which]
    kinds = list(KINDS)
    return [
        made(
            generator(seed, which, i),
            f"synthetic/{which}/{i:02d}-{kinds[i % len(kinds)]}",
            KINDS[kinds[i % len(kinds)]],
            nodes,
            days,
            hardware=hardware,
        )
        for i in range(count)
    ]


def made(
    rng: np.random.Generator,
    name: str,
    kind: Kind,
    nodes: int,
    days: int,
    *,
    start: float | None = None,
    hardware: Mapping[str, Any] | None = None,
    trouble: bool = True,
) -> Scenario:
    """Draw a scenario of a kind.

    Args:
        rng: Draws everything.
        name: Of the scenario.
        kind: Of the scenario.
        nodes: Number of nodes.
        days: Length.
        start: Day of the year; drawn between March and October if None.
        hardware: Fields of :class:`Hardware` to set.
        trouble: Whether sensors fail, seals leak and the gateway has outages.
    """
    soil = ("loamy sand", "sandy loam", "loam")[integer(rng, 0, 2)]
    begin = uniform(rng, 70.0, 300.0 - days) if start is None else start
    places = tuple(
        Node(
            f"n{i:03d}",
            *_place(rng, kind.span),
            patch="ABCD"[i % 4],
            soil=soil,
            cover=kind.cover,
            sun=uniform(rng, 0.4, 1.0) if kind.panel else 1.0,
        )
        for i in range(nodes)
    )
    changes: dict[str, Any] = {}
    if kind.panel is None:
        changes["store_j"] = days * uniform(rng, *kind.daily_j)
    else:
        changes["store_j"] = 60.0
        changes["panel_w"] = 1e-3 * uniform(rng, *kind.panel)
    board = Hardware.preset(kind.preset, **{**changes, **(hardware or {})})
    field = make_field(places, kind.climate, days, math.floor(begin), rng)
    return Scenario(
        name,
        places,
        field,
        board,
        kind.radio,
        trouble=drawn_trouble(rng, nodes, days) if trouble else Trouble(),
        seed=integer(rng, 0, (1 << 40) - 1),
    )


def _place(rng: np.random.Generator, span: float) -> tuple[float, float]:
    """A place in a square whose lower side the gateway stands in the middle of."""
    return uniform(rng, -span / 2, span / 2), uniform(rng, 0.0, span)


#: Sizes of faults in moisture: (lowest, highest) by kind.
_FAULT_SIZES = {
    "stuck": (0.0, 0.0),
    "offset": (0.05, 0.15),
    "drift": (0.002, 0.01),
    "noise": (0.03, 0.08),
    "spike": (0.1, 0.3),
    "out_of_range": (0.0, 0.0),
}


def drawn_trouble(rng: np.random.Generator, nodes: int, days: int) -> Trouble:
    """An eighth of the nodes with a fault, now and then a leak, an outage in two of three seasons."""
    faults = []
    kinds = list(_FAULT_SIZES)
    chosen = np.argsort(rng.random(nodes), kind="stable")
    for i in chosen[: max(1, nodes // 8)]:
        kind = kinds[integer(rng, 0, len(kinds) - 1)]
        faults.append(
            Fault(int(i), kind, "moisture", uniform(rng, 0.2, 0.8) * days, uniform(rng, *_FAULT_SIZES[kind]))
        )
    outages = []
    if rng.random() < 2 / 3:
        begin = uniform(rng, 0.1, 0.8) * days
        outages.append((begin, begin + uniform(rng, 1.0, min(10.0, days / 6))))
    leaks = []
    if rng.random() < 0.3:
        begin = uniform(rng, 0.2, 0.6) * days
        leaks.append((int(chosen[-1]), begin, begin + uniform(rng, 0.1, 0.3) * days))
    return Trouble(tuple(faults), tuple(outages), tuple(leaks))


def shifted_suites(seed: int, hardware: Mapping[str, Any] | None = None) -> dict[str, Sequence[Scenario]]:
    """Scenarios on which no search looks, two of a kind, by what is unlike the sets: does a policy carry over?"""
    wood = KINDS["text-wood"]
    kinds: dict[str, tuple[Kind, int, int, float | None]] = {
        "a year": (replace(wood, daily_j=(3.4, 5.0)), 4, 365, 0.0),
        "winter sun": (KINDS["text-solar"], 12, 60, 310.0),
        "a hundred nodes": (replace(KINDS["text-relays"], span=700.0), 100, 14, None),
        "a bad link": (replace(wood, radio=Radio(good_h=10.0, bad_h=20.0)), 12, 60, None),
    }
    suites: dict[str, Sequence[Scenario]] = {}
    for number, (what, (kind, nodes, days, start)) in enumerate(kinds.items(), _FIRST_SHIFT):
        suites[what] = [
            made(
                np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, i))),
                f"synthetic/{what}/{i:02d}",
                kind,
                nodes,
                days,
                start=start,
                hardware=hardware,
            )
            for i in range(_SHIFTED_EACH)
        ]
    return suites
