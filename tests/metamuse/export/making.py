"""Exports made in the test's own process, on small workloads."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from evaluators.binpacking.stream import Stream
from metamuse import config
from metamuse.build import make_problem
from metamuse.export import package
from metamuse.export.base import Material, exporters, system_of
from metamuse.export.golden import Case, pack
from metamuse.export.python_module import python_module, translate
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import Problem


@functools.cache
def problem(name: str, sizes: str = "unit") -> Problem:
    extra = [f"problem.sizes={sizes}"] if name == "cache" else []
    return make_problem(config.compose([f"problem={name}", *extra]))


def _init(name: str) -> tuple[Any, ...]:
    return problem(name).init_example()


@functools.cache
def compiled(name: str, source: str, sizes: str = "unit") -> CompiledPolicy:
    own = problem(name, sizes)
    return CompiledPolicy(load(source, own.contract), own.init_example())


@functools.cache
def recorded(name: str, policy: CompiledPolicy) -> list[Case]:
    """A few thousand golden decisions; of a cache in both modes of sizes."""
    if name == "binpacking":
        rng = np.random.default_rng(7)
        bell = np.clip(np.round(45 * rng.weibull(3, 1500)), 1, 100).astype(np.int64)
        streams = [Stream("bell", bell, 100), Stream("wide", rng.integers(1, 150, 700), 150)]
        return system_of(problem(name)).golden(policy, streams)
    if name != "cache":
        return system_of(problem(name)).golden(policy, list(problem(name).probes()))
    cases = []
    for sizes in ("unit", "bytes"):
        own: Any = problem(name, sizes)
        system: Any = system_of(own)
        probes = list(own.probes())
        cases += system.golden(policy, probes)
    return cases


def material(name: str, source: str, cases: list[Case] | None = None) -> Material:
    own, policy = problem(name), compiled(name, source)
    golden = recorded(name, policy) if cases is None else cases
    facts = system_of(own).facts(policy)
    return Material(
        f"{name}_tried", "a test", name, policy.program, policy, own.init_example(), facts, golden, ""
    )


def write(folder: Path, target: str, made: Material) -> Path:
    package._write(folder, exporters()[target].files(made))
    (folder / "golden.gz").write_bytes(pack(made.golden))
    return folder


def module(source: str, problem: str = "cache", name: str = "exported_policy") -> ModuleType:
    """The module that a policy becomes in Python, importable under a name."""
    policy = compiled(problem, source)
    inference, bounds = translate(policy.program, policy, _init(problem))
    out = sys.modules[name] = ModuleType(name)
    exec(compile(python_module(policy.program, inference, bounds, "a test"), f"{name}.py", "exec"), vars(out))
    return out
