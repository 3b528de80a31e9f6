"""What a policy does under bursts: series for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluators.base import Policy
from evaluators.opscale import layout as k
from evaluators.opscale import simulator
from evaluators.opscale.bounds import work_seconds
from evaluators.opscale.generators import CODE
from evaluators.opscale.models import GROUP_NAMES, GROUPS
from evaluators.opscale.scenario import Scenario, System
from evaluators.opscale.suites import made
from evaluators.opscale.world import World
from problems.figures import Chart, Figure, Line, Shares

#: No set of workloads draws from this stream.
_STREAM = 99
#: Seconds that one value of a line stands for: of states, and of requests, of which some steps have few.
_STEP, _WINDOW = 6.0, 30.0
_NAMES = {"whole": "whole model", "o_proj": "output projection", "ffn": "FFN", "qkv": "QKV"}


def burst(seed: int, given: Mapping[str, Any]) -> Scenario:
    """A quarter of an hour of bursts, drawn for this alone.

    Args:
        seed: Of the workloads.
        given: Fields of the system that are configured.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    system = replace(System(gpus=64, model_delay=10.0), **given)
    return made(rng, "bursts", system, "bursty", CODE, 30.0)


def watched(policy: Policy, loop: Any, scenario: Scenario) -> list[Figure]:
    """Let a policy serve a scenario, and show GPUs, attainment, replicas and energy."""
    system = scenario.system
    groups = GROUPS * len(system.kinds)
    gpus: list[float] = []
    held: list[np.ndarray] = []
    last: list[World] = []

    def note(world: World) -> None:
        obs = world.obs.reshape(groups, k.OBS)
        gpus.append(float(world.glob[11]))
        held.append(obs[:, 6] + obs[:, 7])
        last[:] = [world]

    simulator.simulate(policy, loop, scenario, note)
    world = last[0]
    each = max(1, round(_STEP / system.interval))
    steps = max(1, int(scenario.arrivals[-1] / (each * system.interval)))
    end = steps * each * system.interval

    def over(values: Sequence[float] | np.ndarray) -> list[float]:
        """Means over steps of time; what comes after the last arrival is left out."""
        kept = np.asarray(values[: steps * each], dtype=np.float64)
        return [float(v) for v in kept.reshape(-1, each).mean(axis=1)]

    about = (
        f"{system.phases.capitalize()} of {system.model} on {system.gpu.upper()}, bursts that no set contains; whole"
        f" models load in {system.model_delay:g} s, operators in {system.operator_delay:g} s."
    )
    step = end / steps
    work = _binned(scenario.arrivals, work_seconds(scenario), step, steps) / step
    charts: list[Figure] = [
        _chart(
            "GPUs over time",
            f"{about} GPUs held (means of {step:g} s) against the least that the arriving requests need.",
            "GPUs",
            end,
            {"": over(gpus), "demand": [float(v) for v in work]},
        ),
        _attainment(scenario, world),
    ]
    replicas = np.array(held)
    for group in range(groups):
        if replicas[:, group].any():
            charts.append(
                _chart(
                    f"Replicas: {_name(group, system)}",
                    "Ready and loading.",
                    "replicas",
                    end,
                    {"": over(replicas[:, group])},
                )
            )
    return [*charts, _energy(scenario, world)]


def _name(group: int, system: System) -> str:
    name = GROUP_NAMES[group % GROUPS]
    phase = ("prefill, ", "decode, ")[group // GROUPS] if len(system.kinds) > 1 else ""
    return phase + _NAMES.get(name, name)


def _binned(times: np.ndarray, weights: np.ndarray, width: float, bins: int) -> np.ndarray:
    places = np.minimum(times / width, bins).astype(np.int64)
    return np.bincount(places, weights, minlength=bins + 1)[:bins]


def _attainment(scenario: Scenario, world: World) -> Chart:
    """Part of the requests within their SLOs by the time of their arrival; unfinished ones are not."""
    system = scenario.system
    good = np.ones(len(scenario.arrivals), dtype=bool)
    for kind, column, slo in ((k.PREFILL, k.TTFT, system.ttft), (k.DECODE, k.TBT, system.tbt)):
        if kind in system.kinds:
            times = world.requests[:, column]
            good &= (times >= 0) & (times <= slo)
    bins = max(1, int(scenario.arrivals[-1] / _WINDOW))
    came = _binned(scenario.arrivals, np.ones(len(good)), _WINDOW, bins)
    met = _binned(scenario.arrivals, good.astype(np.float64), _WINDOW, bins)
    part = 100.0 * np.divide(met, came, out=np.ones(bins), where=came > 0)
    return Chart(
        "SLO attainment over time",
        f"Requests of every {_WINDOW:g} s that meet their SLO. 99 % is asked of all of them together.",
        "within the SLO, %",
        "minute",
        _WINDOW / 120.0,
        (bins - 0.5) * _WINDOW / 60.0,
        [Line("", [float(v) for v in part])],
        ("99 %", 100.0 * simulator.ATTAINMENT),
    )


def _energy(scenario: Scenario, world: World) -> Shares:
    """The parts of ``energy_kept_mj``; all but the last are ``energy_mj``."""
    floats = world.floats
    seconds = float(floats[k.GPU_SECONDS])
    idle, total = float(floats[k.IDLE_W]), scenario.system.gpus * float(floats[k.NOW])
    parts = {}
    for kind, name, busy, power in (
        (k.PREFILL, "computing, prefill", k.BUSY_PREFILL, k.PREFILL_W),
        (k.DECODE, "computing, decode", k.BUSY_DECODE, k.DECODE_W),
    ):
        if kind in scenario.system.kinds:
            parts[name] = float(floats[busy]) * float(floats[power] - idle)
    parts["held GPUs, idle power"] = seconds * idle
    parts["released GPUs, if kept on"] = (total - seconds) * idle
    shown = {name: joules / 1e6 for name, joules in parts.items()}
    return Shares(
        "Energy by cause",
        "Of the same run. With released GPUs switched off, the last part is none.",
        "MJ",
        list(shown),
        {"": list(shown.values())},
    )


def _chart(title: str, caption: str, y: str, seconds: float, lines: Mapping[str, Sequence[float]]) -> Chart:
    made_lines = [Line(name, values) for name, values in lines.items()]
    return Chart(title, caption, y, "minute", 0.0, seconds / 60.0, made_lines)
