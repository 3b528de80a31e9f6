"""The contract of a node's policy, its driver, and what a run scores."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from evaluators.addresses import compile_with_kernel
from evaluators.base import Contract, Decisions, Method, Policy, PolicyError, Score, without_folders
from evaluators.digest import fold
from evaluators.sensing import kernel
from evaluators.sensing import layout as k
from evaluators.sensing.fixed import best
from evaluators.sensing.scenario import Scenario
from evaluators.sensing.scoring import Outcome, Task, outcome, timing
from evaluators.sensing.world import World

#: What the simulator calls; ``docs/sensing.md`` says when.
CONTRACT = Contract(
    init=("season_days", "store_j", "sleep_w", "probe_j", "co2_j", "session_j", "packet_j", "panel_w"),
    methods=(
        Method("wake", ("tick", "obs"), ("int", "float[]"), "int", required=True),
        Method("co2", (), (), "bool", required=True),
        Method("packets", (), (), "int", required=True),
        Method("listen", (), (), "bool", required=False),
        Method("gateway", ("day", "node", "net"), ("int", "int", "float[]"), "float", required=False),
        Method("forwards", ("node",), ("int",), "bool", required=False),
    ),
)

# Values of counters[FAULT], and places in the counters.
FAULT, CHOSEN, DIGEST, DECIDED = range(4)
OK, SLEPT, PACKED = range(3)
#: Most packets of a session.
MOST_PACKETS = 4096


def make_driver(
    wake: Callable[..., int],
    co2: Callable[..., bool],
    packets: Callable[..., int],
    listen: Callable[..., bool],
    gateway: Callable[..., float],
    forwards: Callable[..., bool],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
) -> Callable[..., int]:
    """Build the loop around a policy's methods."""

    def drive(
        states: Any,
        base: Any,
        advance: Any,
        table: Any,
        counters: Any,
        ints: Any,
        node_ints: Any,
        node_floats: Any,
        act: Any,
        obs: Any,
        net: Any,
    ) -> int:
        """Let nodes and gateway decide until the season is over, or up to the first decision that cannot be.

        Args:
            states: A policy for every node.
            base: The policy at the gateway.
            advance: The kernel, which carries out ``act`` and runs to the next decision.
            table: What the kernel is called with.
            counters: int64[4], updated in place.
            ints, node_ints, node_floats, act, obs, net: Those of the run's arrays that the loop looks at.

        Returns:
            The fault, 0 for none.
        """
        states = view(states)
        base = view(base)
        seen = show(obs)
        known = show(net)
        digest = int(counters[DIGEST])
        decided = 0
        fault = OK
        chosen = 0
        advance(table)
        while ints[k.WAITS] != k.OVER:
            t = int(ints[k.TICK])
            if ints[k.WAITS] == k.AWAKE:
                node = int(ints[k.NODE])
                state = states[node]
                chosen = int(wake(state, t, seen))
                if chosen < 1 or chosen > k.MOST_SLEEP:
                    fault = SLEPT
                    break
                act[k.SLEEP] = chosen
                read = bool(co2(state))
                act[k.CO2] = read
                chosen = int(packets(state))
                if chosen < -MOST_PACKETS or chosen > MOST_PACKETS:
                    fault = PACKED
                    break
                act[k.PACKETS] = chosen
                alert = bool(listen(state))
                act[k.LISTEN] = alert
                digest = fold(digest, node * 8388608 + t)
                digest = fold(digest, ((act[k.SLEEP] * 2 + read) * 2 + alert) * 16384 + chosen)
                decided += 1
            else:
                for node in range(len(node_ints)):
                    order = float(gateway(base, t // 144, node, known))
                    if not abs(order) < 1e9:
                        order = 0.0
                    node_floats[node, k.ORDER] = order
                    node_ints[node, k.FORWARDS] = bool(forwards(base, node))
                    digest = fold(digest, int(order * 1024.0) * 2 + node_ints[node, k.FORWARDS])
            advance(table)
        counters[CHOSEN] = chosen
        counters[DIGEST] = digest
        counters[DECIDED] = decided
        counters[FAULT] = fault
        return fault

    return drive


@njit
def _no(state):  # type: ignore[no-untyped-def]
    return False


@njit
def _silent(state, day, node, net):  # type: ignore[no-untyped-def]
    return 0.0


@njit
def _yes(state, node):  # type: ignore[no-untyped-def]
    return True


#: What stands for methods that a policy does not define.
DEFAULTS: dict[str, Callable[..., Any]] = {"listen": _no, "gateway": _silent, "forwards": _yes}


def bind(policy: Policy) -> Any:
    """The loop around a policy (compiled if the policy is)."""
    return policy.bind(make_driver, DEFAULTS)


class Measured(Task):
    """A task with the best fixed schedule's loss, which values are in units of.

    Attributes:
        schedule: The best fixed schedule.
        par: Its outcome.
    """

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.schedule, self.par = best(self)


def simulate(policy: Policy, loop: Any, task: Measured) -> Score:
    """A season with a fresh policy at every node and one at the gateway.

    Returns:
        The loss in units of the best fixed schedule's (:mod:`evaluators.sensing.fixed`): below 1 is better than any even
        spacing of readings, CO2 readings and sessions at the same battery. Details: see
        :func:`evaluators.sensing.scoring.outcome`, and ``fixed_loss``.

    Raises:
        PolicyError: ``illegal`` (a sleep or a number of packets that cannot be), ``crash`` (it raised).
    """
    score, _, _ = run(policy, loop, task)
    return score


def run(policy: Policy, loop: Any, task: Measured) -> tuple[Score, Outcome, World]:
    """As :func:`simulate`, with what was measured and the arrays of the run."""
    scenario = task.scenario
    world = task.world()
    counters = np.zeros(4, dtype=np.int64)
    began, worked = time.perf_counter(), time.thread_time()
    try:
        kept, arguments = arguments_of(policy, task, world, counters)
        if policy.compiled:
            compile_with_kernel(loop, arguments, 2)
        began, worked = time.perf_counter(), time.thread_time()
        loop(*arguments)
        del kept
    except PolicyError as error:
        raise _failed(error.kind, error.message, scenario, world) from None
    except MemoryError:
        raise _failed("memory", "it asked for more memory than it may have", scenario, world) from None
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        raise _failed("crash", f"{type(error).__name__}: {error}", scenario, world) from error
    if counters[FAULT]:
        method, allowed = _FAULTS[int(counters[FAULT])]
        raise _failed(
            "illegal", f"{method}() returned {int(counters[CHOSEN])}, it must be {allowed}", scenario, world
        )
    found = outcome(task, world)
    seconds, cpu = time.perf_counter() - began, time.thread_time() - worked
    decided = int(counters[DECIDED])
    details = {**found.details, "fixed_loss": task.par.loss}
    score = Score(
        scenario.name,
        found.loss / task.par.loss,
        details,
        timing(seconds, cpu, task, decided),
        Decisions(decided, int(counters[DIGEST])),
    )
    return score, found, world


def init_of(task: Task, store_j: float) -> tuple[float, ...]:
    """What a policy's ``__init__`` is given at a node with such a store."""
    hardware = task.scenario.hardware
    return (
        task.scenario.days,
        store_j,
        hardware.sleep_w,
        hardware.probe_j,
        hardware.co2_j if hardware.co2_sensor else 0.0,
        hardware.session_j,
        hardware.packet_j,
        hardware.panel_w,
    )


def arguments_of(
    policy: Policy, task: Task, world: World, counters: np.ndarray
) -> tuple[list[Any], tuple[Any, ...]]:
    """What the loop is called with: a fresh policy for every node and one for the gateway, and the arrays of a run.

    Returns:
        The nodes' policies, to be kept until the loop has run (it has their addresses only), and the arguments.
    """
    world.ints[k.GATEWAY] = int(bool(policy.methods & {"gateway", "forwards"}))
    kept = [policy.state(*init_of(task, float(store))) for store in task.plan.capacity]
    return kept, (
        policy.bank(kept),
        policy.state(*init_of(task, task.scenario.hardware.store_j)),
        kernel.compiled(),
        world.table,
        counters,
        world.ints,
        world.node_ints,
        world.node_floats,
        world.act,
        world.obs,
        world.net,
    )


_FAULTS = {
    SLEPT: ("wake", f"1 to {k.MOST_SLEEP} ticks of sleep"),
    PACKED: ("packets", f"-{MOST_PACKETS} (newest first) to {MOST_PACKETS}, 0 for no radio"),
}


def _failed(kind: str, message: str, scenario: Scenario, world: World) -> PolicyError:
    """A failure, with the node and the tick at which it happened."""
    node, tick = int(world.ints[k.NODE]), int(world.ints[k.TICK])
    where = f"node {node}, tick {tick} of {without_folders(scenario.name)}"
    return PolicyError(kind, f"{message} ({where})", event=node)
