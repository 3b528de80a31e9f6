"""What a policy does over one hour: series for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluators.autothrottle import simulator
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import HOUR, KINDS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.suites import ramped
from evaluators.base import Policy
from problems.figures import Chart, Figure, Line, Shares

#: Seconds that one value of a line stands for, and services that are shown one by one.
_STEP, _SHOWN = 10, 12
_KIND = "bursty"
#: No set of workloads draws from this stream.
_STREAM = 9


def hour(application: str, seed: int) -> Load:
    """An hour of surges on an application, drawn for this alone."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    return ramped(
        f"an hour of {application}", APPLICATIONS[application], KINDS[_KIND](rng, application, HOUR), seed
    )


def watched(policy: Policy, loop: Any, load: Load) -> list[Figure]:
    """Let a policy run over a load, and show allocation, usage, throttling, latency and services."""
    series: dict[str, list[Any]] = {}
    simulator.simulate(policy, loop, load, series)
    app = load.application
    limits, usage, throttled = (np.array(series[name]) for name in ("limits", "usage", "throttled"))
    ran = load.seconds - load.ramp_s
    about = f"One more {_KIND} hour on the application {app.name}, which no set contains."
    minutes = np.array(series["p99"])[load.ramp_s // 60 :]

    def over(values: np.ndarray) -> list[float]:
        """Means over steps of time, from the end of the ramp on."""
        kept = values[load.ramp_s :][: ran // _STEP * _STEP]
        return [float(v) for v in kept.reshape(-1, _STEP).mean(axis=1)]

    charts: list[Figure] = [
        _chart(
            "Cores over an hour",
            f"{about} Allocated cores of all services against those in use (means of {_STEP} s).",
            "cores",
            ran,
            {"": over(limits.sum(axis=1)), "in use": over(usage.sum(axis=1))},
        ),
        _chart(
            "Throttling over the hour",
            "Share of the services' periods of 100 ms that ended throttled.",
            "throttled, %",
            ran,
            {"": over(100.0 * throttled.mean(axis=1))},
        ),
        Chart(
            "P99 of every minute",
            "The objective is about the P99 of the whole hour: some minutes may lie above it.",
            "ms",
            "minute",
            1.0,
            float(len(minutes)),
            # A minute that went wrong would flatten all others.
            [Line("", [float(v) for v in np.minimum(minutes, 3.0 * app.slo_ms)])],
            (f"objective {app.slo_ms:g} ms", app.slo_ms),
        ),
    ]
    mean_limit, mean_usage = (values[load.ramp_s :].mean(axis=0) for values in (limits, usage))
    order = np.argsort(-app.demand, kind="stable")[:_SHOWN]
    charts.append(
        Shares(
            "Cores by service",
            f"Mean over the hour; the {len(order)} services with most of the work.",
            "cores",
            [app.services[s].name for s in order],
            {"": [float(mean_limit[s]) for s in order], "in use": [float(mean_usage[s]) for s in order]},
        )
    )
    return charts


def _chart(title: str, caption: str, y: str, seconds: int, lines: Mapping[str, Sequence[float]]) -> Chart:
    made = [Line(name, values) for name, values in lines.items()]
    return Chart(title, caption, y, "minute", 0.0, seconds / 60.0, made)
