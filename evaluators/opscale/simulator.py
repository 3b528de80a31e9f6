"""The contract of a scaling policy, its driver, and what a run scores."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from evaluators.addresses import compile_with_kernel
from evaluators.base import Contract, Decisions, Method, Policy, PolicyError, Score, without_folders
from evaluators.digest import fold
from evaluators.opscale import kernel
from evaluators.opscale import layout as k
from evaluators.opscale.models import GROUPS
from evaluators.opscale.scenario import Scenario
from evaluators.opscale.world import World, make_world, profile

#: What the simulator calls; ``docs/opscale.md`` says when.
CONTRACT = Contract(
    init=("n_groups", "interval", "ttft_slo", "tbt_slo"),
    methods=(
        Method(
            "control", ("t", "glob", "obs", "prof"), ("float", "float[]", "float[]", "float[]"), "none", True
        ),
        Method("replicas", ("group",), ("int",), "int", required=True),
        Method("batch", ("group",), ("int",), "int", required=False),
        Method("share", ("group",), ("int",), "int", required=False),
        Method("pack", ("group",), ("int",), "int", required=False),
        Method("affinity", ("group", "other"), ("int", "int"), "int", required=False),
    ),
)

# Places in the counters.
CHOSEN, GROUP, DIGEST, DECIDED = range(4)
# What the driver returns: whose decision could not be.
OK, REPLICAS, BATCH, SHARE_OF, PACKED, AFFINITY = range(6)
#: Limits of what a policy may return.
MOST_REPLICAS, MOST_BATCH, MOST_KEY, MOST_AFFINITY = 4096, 1 << 20, 1 << 20, 1 << 20

#: Attainment that is demanded. What is missing costs, in units of :func:`scale`, ``MISSED`` at once and as much again for
#: the root of each percentage point: less attainment is always dearer, and never worth the GPUs it saves.
ATTAINMENT, MISSED = 0.99, 0.5
#: Most that the detail ``missed`` says.
MOST_MISSED = 0.05


@register_jitable
def _accept(counters: Any, group: int, chosen: int, legal: bool) -> bool:
    """Note a decision; whether it can be. A function of its own, because a candidate pays for the driver's length."""
    counters[CHOSEN] = chosen
    counters[GROUP] = group
    if legal:
        counters[DIGEST] = fold(counters[DIGEST], chosen)
    return legal


@register_jitable
def _is_share(chosen: int) -> bool:
    return 1 <= chosen <= 8 or chosen == 16 or chosen == 32 or chosen == 64


def make_driver(
    control: Callable[..., Any],
    replicas: Callable[..., int],
    batch: Callable[..., int],
    share: Callable[..., int],
    pack: Callable[..., int],
    affinity: Callable[..., int],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
) -> Callable[..., int]:
    """Build the loop around a policy's methods."""

    def drive(
        state: Any,
        advance: Any,
        counters: Any,
        prof: Any,
        table: Any,
        ints: Any,
        floats: Any,
        act: Any,
        near: Any,
        glob: Any,
        obs: Any,
    ) -> int:
        """Decide and run intervals until ``ints[STEPS]``, or up to the first decision that cannot be.

        What has been run may be run on with a later end; the first observation has been made.

        Args:
            state: The policy.
            advance: The kernel: carries out ``act`` and runs one interval.
            counters: int64[4], updated in place.
            prof: float64[groups * PROF].
            table: What the kernel is called with.
            ints, floats, act, near, glob, obs: Those of the run's arrays that the loop looks at.

        Returns:
            The fault, 0 for none.
        """
        state = view(state)
        seen_glob = show(glob)
        seen_obs = show(obs)
        seen_prof = show(prof)
        groups = len(act)
        while ints[k.STEP] < ints[k.STEPS]:
            control(state, float(floats[k.NOW]), seen_glob, seen_obs, seen_prof)
            for g in range(groups):
                act[g, k.TARGET] = chosen = int(replicas(state, g))
                if not _accept(counters, g, chosen, 0 <= chosen <= MOST_REPLICAS):
                    return REPLICAS
                act[g, k.CAP] = chosen = int(batch(state, g))
                if not _accept(counters, g, chosen, 0 <= chosen <= MOST_BATCH):
                    return BATCH
                act[g, k.SHARE] = chosen = int(share(state, g))
                if not _accept(counters, g, chosen, _is_share(chosen)):
                    return SHARE_OF
                act[g, k.PACK] = chosen = int(pack(state, g))
                if not _accept(counters, g, chosen, -1 <= chosen <= MOST_KEY):
                    return PACKED
                for other in range(groups):
                    near[g, other] = chosen = int(affinity(state, g, other))
                    if not _accept(counters, g, chosen, -MOST_AFFINITY <= chosen <= MOST_AFFINITY):
                        return AFFINITY
            counters[DECIDED] += groups
            advance(table)
        return OK

    return drive


# Called from compiled code only.
_inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_inner
def _no_cap(state, group):  # type: ignore[no-untyped-def]
    return 0


@_inner
def _one_gpu(state, group):  # type: ignore[no-untyped-def]
    return 8


@_inner
def _indifferent(state, group, other):  # type: ignore[no-untyped-def]
    return 0


def bind(policy: Policy) -> Any:
    """The control loop around a policy (compiles if the policy is compiled)."""
    defaults = {"batch": _no_cap, "share": _one_gpu, "pack": _no_cap, "affinity": _indifferent}
    return policy.bind(make_driver, defaults)


def simulate(
    policy: Policy, loop: Any, scenario: Scenario, watch: Callable[[World], None] | None = None
) -> Score:
    """Serve a scenario with a fresh policy.

    Args:
        policy: The policy.
        loop: Its control loop, see :func:`bind`.
        scenario: What it serves.
        watch: Called after every control interval.

    Returns:
        GPU-hours, with the penalty where less than 99 % of the requests meet their SLO. Details: see :func:`score`.

    Raises:
        PolicyError: ``illegal`` (a number that no decision can be), ``crash`` (it raised).
    """
    world = make_world(scenario)
    counters = np.zeros(4, dtype=np.int64)
    system = scenario.system
    began, worked = time.perf_counter(), time.thread_time()
    try:
        state = policy.state(world.groups, system.interval, system.ttft, system.tbt)
        shown = (world.ints, world.floats, world.act, world.affinity, world.glob, world.obs)
        arguments = (state, kernel.compiled(), counters, world.prof, world.table, *shown)
        if policy.compiled:
            compile_with_kernel(loop, arguments, 1)
        began, worked = time.perf_counter(), time.thread_time()
        world.advance()
        fault = OK
        last = int(world.ints[k.STEPS])
        for step in range(1, last + 1) if watch else (last,):
            world.ints[k.STEPS] = step
            fault = loop(*arguments)
            if fault != OK:
                break
            if watch:
                watch(world)
    except PolicyError as error:
        raise _failed(error.kind, error.message, scenario, world) from None
    except MemoryError:
        raise _failed("memory", "it asked for more memory than it may have", scenario, world) from None
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        raise _failed("crash", f"{type(error).__name__}: {error}", scenario, world) from error
    seconds, cpu = time.perf_counter() - began, time.thread_time() - worked
    if fault != OK:
        method, allowed = _FAULTS[fault]
        message = f"{method}({int(counters[GROUP])}) returned {int(counters[CHOSEN])}, it must be {allowed}"
        raise _failed("illegal", message, scenario, world)
    n = len(scenario.arrivals)
    timing = {
        "seconds": seconds,
        "requests_per_s": n / seconds if seconds else 0.0,
        "requests_per_cpu_s": n / cpu if cpu else 0.0,
        "ns_per_decision": 1e9 * seconds / max(1, int(counters[DECIDED])),
    }
    return score(scenario, world, timing, Decisions(int(counters[DECIDED]), int(counters[DIGEST])))


_FAULTS = {
    REPLICAS: ("replicas", f"0 to {MOST_REPLICAS}"),
    BATCH: ("batch", f"0 (no cap) to {MOST_BATCH}"),
    SHARE_OF: ("share", "1 to 8 eighths of a GPU, or 16, 32 or 64 for 2, 4 or 8 GPUs"),
    PACKED: ("pack", f"-1 (no company) to {MOST_KEY}"),
    AFFINITY: ("affinity", f"between -{MOST_AFFINITY} and {MOST_AFFINITY}"),
}


def score(scenario: Scenario, world: World, timing: dict[str, float], decisions: Decisions | None) -> Score:
    """What a finished run scores.

    Details: ``gpu_hours``; ``attainment`` (part of all requests, unfinished ones included, that met every SLO);
    ``requests``; ``finished``; ``ttft_p95``/``tbt_p95`` in seconds (of those that got so far); ``peak_gpus``,
    ``mean_gpus``; ``energy_mj`` (released GPUs are off), ``energy_kept_mj`` (all GPUs of the cluster stay on);
    ``busy_gpu_hours``; ``replicas_loaded``; ``denied``; ``failures`` (replicas that died); ``missed`` (1 - attainment, at
    most 5 %: for figures in which policies that fail altogether would hide the others).
    """
    ints, floats = world.ints, world.floats
    n = len(scenario.arrivals)
    seconds = float(floats[k.NOW])
    gpu_hours = float(floats[k.GPU_SECONDS]) / 3600
    attained = int(ints[k.GOOD]) / n
    active = float(floats[k.BUSY_PREFILL]) * float(floats[k.PREFILL_W] - floats[k.IDLE_W])
    active += float(floats[k.BUSY_DECODE]) * float(floats[k.DECODE_W] - floats[k.IDLE_W])
    idle = float(floats[k.GPU_SECONDS]) * float(floats[k.IDLE_W])
    kept = scenario.system.gpus * seconds * float(floats[k.IDLE_W])
    details = {
        "gpu_hours": gpu_hours,
        "attainment": attained,
        "requests": float(n),
        "finished": float(ints[k.DONE]),
        "mean_gpus": float(floats[k.GPU_SECONDS]) / seconds,
        "peak_gpus": float(floats[k.MAX_GPUS]),
        "energy_mj": (idle + active) / 1e6,
        "energy_kept_mj": (kept + active) / 1e6,
        "busy_gpu_hours": float(floats[k.BUSY_PREFILL] + floats[k.BUSY_DECODE]) / 3600,
        "replicas_loaded": float(ints[k.STARTED]),
        "denied": float(ints[k.DENIED]),
        "failures": float(ints[k.FAILED]),
        "missed": min(MOST_MISSED, 1.0 - attained),
    }
    for name, column in (("ttft", k.TTFT), ("tbt", k.TBT)):
        measured = world.requests[:, column]
        measured = np.sort(measured[measured >= 0])
        if len(measured):
            details[f"{name}_p95"] = float(measured[int(0.95 * (len(measured) - 1))])
    value = gpu_hours
    if attained < ATTAINMENT:
        value += MISSED * (1.0 + math.sqrt(100 * (ATTAINMENT - attained))) * scale(scenario)
    return Score(scenario.name, value, details, timing, decisions)


def scale(scenario: Scenario) -> float:
    """GPU-hours that missed attainment is measured in: what a static plan for the peak would hold.

    It depends on the requests alone: the busiest 10 s, served by whole replicas without queueing, at least one.
    """
    prof = profile(scenario)
    hours = scenario.span / 3600
    total = 0.0
    peak = max(1e-9, scenario.past.peak)
    prompt, output = float(np.mean(scenario.prompts)), float(np.mean(scenario.outputs))
    for p, kind in enumerate(scenario.system.kinds):
        row = prof[p * GROUPS * k.PROF :][: k.PROF]
        load = peak * (
            prompt * row[0] + row[2] * float(np.mean(np.square(scenario.prompts.astype(np.float64))))
        )
        if kind == k.DECODE:
            active = peak * output * scenario.system.tbt
            load = (
                active * (row[0] + row[2] * (prompt + output / 2)) / max(1e-3, scenario.system.tbt - row[1])
            )
        total += max(1.0, load) * row[8]
    return total * hours


def _failed(kind: str, message: str, scenario: Scenario, world: World) -> PolicyError:
    """A failure, with the time at which it happened."""
    now = float(world.floats[k.NOW])
    name = without_folders(scenario.name)
    return PolicyError(kind, f"{message} (at {now:.0f} s of {name})", event=max(0, int(world.ints[k.STEP])))
