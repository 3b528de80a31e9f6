"""The loads on which claims are measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import HOUR, KINDS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.suites import ramped
from evaluators.autothrottle.traces import read_trace

#: A stream of its own: neither the workloads of a search nor the hours that anything was calibrated on.
_STREAM = 221212180
#: Seconds measured in the short form.
_SHORT = 420
#: Hours of the four kinds that are published.
_PUBLISHED = ("diurnal", "noisy")


def hours(config: Mapping[str, Any], quick: bool) -> dict[tuple[str, str], Load]:
    """An hour of each kind for each application, with the authors' ramp before it.

    Args:
        config: Of the problem. With ``hours``, the folder of the published traces (``diurnal.txt`` or ``diurnal``, and
            ``noisy``), these take the place of generated ones.
        quick: Seven minutes instead of an hour, and only the social network.

    Raises:
        WorkloadError: A published trace cannot be read.
    """
    folder = config.get("hours")
    loads = {}
    for number, (name, application) in enumerate(APPLICATIONS.items()):
        if quick and name != "social":
            continue
        for place, (kind, draw) in enumerate(KINDS.items()):
            rng = np.random.default_rng(np.random.SeedSequence(_STREAM, spawn_key=(number, place)))
            label = f"generated/{kind}#{name}"
            if folder is not None and kind in _PUBLISHED:
                file = Path(str(folder)) / kind
                label = str(file if file.is_file() else file.with_suffix(".txt"))
                trace = read_trace(label).astype(np.float64)
                label = f"{label}#{name}"
            else:
                trace = draw(rng, name, HOUR)
            trace = trace[: _SHORT if quick else HOUR]
            loads[name, kind] = ramped(label, application, trace, seed=int(rng.random() * 2**31))
    return loads


def steady(loads: Mapping[tuple[str, str], Load], settle_s: int, length_s: int) -> list[Load]:
    """The constant load of each application, the first ``settle_s`` seconds of ``length_s`` not measured."""
    out = []
    for (_, kind), load in loads.items():
        if kind == "constant":
            level = np.full(length_s, load.rps[-1])
            name = f"{load.name}, {length_s} s"
            out.append(Load(name, load.application, level, load.ramp_s, settle_s - load.ramp_s, load.seed))
    return out
