"""The contract of a caching and offloading policy, its driver, and what a run scores."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from evaluators.addresses import compile_with_kernel
from evaluators.base import Contract, Decisions, Method, Policy, PolicyError, Score, without_folders
from evaluators.dex import kernel
from evaluators.dex import layout as k
from evaluators.dex.cell import Cell
from evaluators.dex.world import World, make_world

#: What the simulator calls; ``docs/dex.md`` says when.
CONTRACT = Contract(
    init=("thread", "threads", "cpus", "height"),
    methods=(
        Method(
            "on_miss",
            ("level", "op", "word", "full", "may_offload", "seen"),
            ("int", "int", "int", "bool", "bool", "float[]"),
            "int",
            True,
        ),
        Method("note", ("level", "op", "word", "now"), ("int",) * 4, "int", required=False),
        Method("on_hit", ("level", "op", "word", "now"), ("int",) * 4, "int", required=False),
        Method(
            "score", ("level", "dirty", "word", "now"), ("int", "bool", "int", "int"), "float", required=False
        ),
        Method("looks", (), (), "int", required=False),
        Method("on_done", ("level", "action", "us"), ("int", "int", "float"), "none", required=False),
        Method("publish", ("slot", "central", "now"), ("int", "float[]", "int"), "float", required=False),
    ),
)
#: Faults.
OK, ACTION, WORD, SCORED, LOOKED, PUBLISHED = range(6)
_MOST_WORD = (1 << 32) - 1


def make_driver(
    on_miss: Callable[..., int],
    note: Callable[..., int],
    on_hit: Callable[..., int],
    score: Callable[..., float],
    looks: Callable[..., int],
    on_done: Callable[..., None],
    publish: Callable[..., float],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
    step: Callable[[Any, Any], int],
) -> Callable[..., int]:
    """Build the loop around a policy's methods; ``step`` calls the kernel (and may watch what is asked and answered)."""

    def drive(
        states: Any,
        advance: Any,
        answered: Any,
        table: Any,
        ints: Any,
        floats: Any,
        features: Any,
        central: Any,
        looked: Any,
        scores: Any,
    ) -> int:
        """Answer the kernel's questions until it has finished ``ints[STOP]`` operations; may be called again.

        Args:
            states: A policy a thread.
            advance: The kernel, called with ``table``.
            answered: float64[1], the answer that is at fault.
            table: Where the arrays are.
            ints, floats, features, central, looked, scores: Those of the run's arrays that the loop looks at.

        Returns:
            The fault, 0 for none.
        """
        policies = view(states)
        seen = show(features)
        number = int(looks(policies[0]))
        if number < 2 or number > k.MOST_LOOKS:
            answered[0] = number
            return LOOKED
        ints[k.LOOKS] = number
        while True:
            asked = step(advance, table)
            if asked == k.FINISHED_ALL:
                return OK
            policy = policies[int(ints[k.THREAD])]
            level = int(ints[k.LEVEL])
            op = int(ints[k.KIND])
            now = int(ints[k.NOW])
            if asked == k.ASK_MISS:
                word = int(note(policy, level, op, int(ints[k.WORD]), now))
                if word < 0 or word > _MOST_WORD:
                    answered[0] = word
                    return WORD
                ints[k.WORD] = word
                chosen = int(on_miss(policy, level, op, word, ints[k.FULL] != 0, ints[k.MAY] != 0, seen))
                if chosen < 0 or chosen > k.OFFLOAD or (chosen == k.BYPASS and level > 0):
                    answered[0] = chosen
                    return ACTION
                ints[k.ANSWER] = chosen
            elif asked == k.ASK_HIT:
                word = int(on_hit(policy, level, op, int(ints[k.WORD]), now))
                if word < 0 or word > _MOST_WORD:
                    answered[0] = word
                    return WORD
                ints[k.WORD] = word
            elif asked == k.ASK_SCORE:
                for i in range(int(ints[k.FOUND])):
                    value = float(score(policy, int(looked[i, 0]), looked[i, 1] != 0, int(looked[i, 2]), now))
                    if not math.isfinite(value):
                        answered[0] = value
                        return SCORED
                    scores[i] = value
            elif asked == k.ASK_DONE:
                on_done(policy, level, int(ints[k.ACTION]), float(floats[k.LATENCY]))
            else:
                changed = 0
                server = int(ints[k.SERVER]) * k.CENTRAL_WORDS
                for slot in range(k.CENTRAL_WORDS):
                    value = float(
                        publish(policy, slot, show(central[server : server + k.CENTRAL_WORDS]), now)
                    )
                    if not math.isfinite(value):
                        answered[0] = value
                        return PUBLISHED
                    if value != central[server + slot]:
                        central[server + slot] = value
                        changed += 1
                ints[k.ANSWER] = changed

    return drive


@njit
def _same(policy, level, op, word, now):  # type: ignore[no-untyped-def]
    return word


@njit
def _alike(policy, level, dirty, word, now):  # type: ignore[no-untyped-def]
    return 0.0


@njit
def _two(policy):  # type: ignore[no-untyped-def]
    return 2


@njit
def _deaf(policy, level, action, us):  # type: ignore[no-untyped-def]
    return


@njit
def _as_is(policy, slot, central, now):  # type: ignore[no-untyped-def]
    return central[slot]


@register_jitable
def _step(advance, table):  # type: ignore[no-untyped-def]
    return advance(table)


#: What stands for methods that a policy does not define.
DEFAULTS = {
    "note": _same,
    "on_hit": _same,
    "score": _alike,
    "looks": _two,
    "on_done": _deaf,
    "publish": _as_is,
}


def bind(policy: Policy, step: Callable[[Any, Any], int] = _step) -> Any:
    """The loop around a policy (compiles if the policy is compiled); ``step`` as for :func:`make_driver`."""
    return policy.bind(functools.partial(make_driver, step=step), DEFAULTS)


def configure(world: World, methods: frozenset[str]) -> None:
    """Tell the kernel which questions a policy wants to be asked."""
    for place, method in (
        (k.USES_HIT, "on_hit"),
        (k.USES_NOTE, "note"),
        (k.USES_SCORE, "score"),
        (k.USES_DONE, "on_done"),
        (k.USES_PUBLISH, "publish"),
    ):
        world.ints[place] = method in methods


def simulate(
    policy: Policy, loop: Any, cell: Cell, watch: Callable[[World], None] | None = None, slices: int = 1
) -> Score:
    """Run a cell with fresh policies, one a compute thread.

    Args:
        policy: The policy.
        loop: Its loop, see :func:`bind`.
        cell: What it serves.
        watch: Called after each of ``slices`` equal parts of the operations.
        slices: How many.

    Returns:
        Million operations a second by the slowest server, times the servers. Details: see :func:`score`.

    Raises:
        PolicyError: ``illegal`` (an answer that none can be), ``crash`` (it raised).
    """
    world = make_world(cell)
    configure(world, policy.methods)
    answered = np.zeros(1)
    threads = cell.servers * cell.threads
    began, worked = time.perf_counter(), time.thread_time()
    try:
        init = [(thread, threads, cell.cpus, cell.height) for thread in range(threads)]
        states = [policy.state(*arguments) for arguments in init]
        arrays = [world.arrays[place] for place in (k.INTS, k.FLOATS, k.FEATURES)]
        arrays += [world.arrays[k.CENTRAL].reshape(-1), world.arrays[k.LOOKED], world.arrays[k.SCORES]]
        arguments = (policy.bank(states), kernel.advance(), answered, world.table, *arrays)
        if policy.compiled:
            compile_with_kernel(loop, arguments, 1, kernel.SIGNATURE)
        began, worked = time.perf_counter(), time.thread_time()
        fault = OK
        for part in range(1, slices + 1):
            world.ints[k.STOP] = cell.servers * cell.ops * part // slices
            fault = int(loop(*arguments))
            if fault:
                break
            if watch is not None:
                watch(world)
    except PolicyError as error:
        raise _failed(error.kind, error.message, cell, world) from None
    except MemoryError:
        raise _failed("memory", "it asked for more memory than it may have", cell, world) from None
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        raise _failed("crash", f"{type(error).__name__}: {error}", cell, world) from error
    seconds, cpu = time.perf_counter() - began, time.thread_time() - worked
    if fault:
        method, allowed = _FAULTS[fault]
        level = int(world.ints[k.LEVEL])
        where = f" for a node of level {level}" if fault in (ACTION, WORD) else ""
        raise _failed(
            "illegal", f"{method} returned {answered[0]:g}{where}, it must be {allowed}", cell, world
        )
    if world.ints[k.FAULT]:
        raise _failed(
            "illegal",
            "no frame can be freed: a miss of an inner node is admitted, but nothing is cooled",
            cell,
            world,
        )
    done = int(world.ints[k.FINISHED])
    decisions = Decisions(int(world.ints[k.DECISIONS]), int(world.ints[k.DIGEST]))
    timing = {
        "seconds": seconds,
        "operations_per_s": done / seconds if seconds else 0.0,
        "operations_per_cpu_s": done / cpu if cpu else 0.0,
        "ns_per_decision": 1e9 * seconds / max(1, decisions.count),
    }
    return score(cell, world, timing, decisions)


_FAULTS = {
    ACTION: ("on_miss", "0 (bypass, leaves only), 1 (admit) or 2 (offload)"),
    WORD: ("note or on_hit", f"a word from 0 to {_MOST_WORD}"),
    SCORED: ("score", "a finite number"),
    LOOKED: ("looks", f"2 to {k.MOST_LOOKS}"),
    PUBLISHED: ("publish", "a finite number"),
}


def score(cell: Cell, world: World, timing: dict[str, float], decisions: Decisions | None) -> Score:
    """What a finished run scores.

    Details, of the counted operations: ``mops`` (the value), ``mean_mops`` (sum over servers), ``operations``; an
    operation ``reads``, ``writes``, ``atomics``, ``rpcs``, ``verbs`` (their sum), ``bytes``; ``leaf_hits`` (share of
    operations), ``misses_0`` to ``misses_<height - 2>`` (an operation, by level), ``rejected``, ``admitted``,
    ``write_backs``, ``samples`` (all an operation); ``splits``, ``new_keys``; ``p50_us``, ``p99_us``; ``rpc_us`` (mean);
    ``straggler`` (the slowest server's time over the mean).
    """
    counted = cell.ops - cell.warm
    times = world.times[:, k.ENDED] - world.times[:, k.STARTED]
    servers = world.servers
    operations = counted * cell.servers
    rate = counted / times
    sums = servers.sum(axis=0)
    latencies = np.cumsum(world.arrays[k.LATENCIES])
    details = {
        "mops": float(rate.min() * cell.servers),
        "mean_mops": float(rate.sum()),
        "operations": float(operations),
        "straggler": float(times.max() / times.mean()),
    }
    for name, place in (
        ("reads", k.READS),
        ("writes", k.WRITES),
        ("atomics", k.ATOMICS),
        ("rpcs", k.RPCS),
        ("bytes", k.BYTES),
        ("leaf_hits", k.LEAF_HITS),
        ("rejected", k.REJECTED),
        ("admitted", k.ADMITTED),
        ("write_backs", k.WRITE_BACKS),
        ("samples", k.SAMPLES),
    ):
        details[name] = float(sums[place]) / operations
    details["verbs"] = sum(details[name] for name in ("reads", "writes", "atomics", "rpcs"))
    for level in range(cell.height - 1):
        details[f"misses_{level}"] = float(world.misses[level].sum()) / operations
    details["splits"], details["new_keys"] = float(sums[k.SPLITS]), float(sums[k.NEW_KEYS])
    for name, part in (("p50_us", 0.5), ("p99_us", 0.99)):
        details[name] = float(np.searchsorted(latencies, part * latencies[-1]) + 1) * k.LATENCY_STEP
    rpc_us = float(world.times[:, k.RPC_US].sum())
    details["rpc_us"] = rpc_us / float(sums[k.RPCS]) if sums[k.RPCS] else 0.0
    return Score(cell.name, details["mops"], details, timing, decisions)


def _failed(kind: str, message: str, cell: Cell, world: World) -> PolicyError:
    """A failure, with the operation at which it happened."""
    op = int(world.ints[k.FINISHED])
    return PolicyError(kind, f"{message} (at operation {op} of {without_folders(cell.name)})", event=op)
