"""Scores a cache policy on traces."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators.base import Contract, Decisions, Method, Policy, PolicyError, Score, without_folders
from evaluators.cache import driver as d
from evaluators.cache import store as books
from evaluators.cache.sampling import standard_error
from evaluators.cache.trace import Trace
from metamuse.policykit import hash64
from metamuse.policykit.compiled import hash64 as compiled_hash64

_REQUEST = ("slot", "key", "size", "now")
_INTS = ("int",) * 4

#: What the simulator calls; ``docs/policy-contract.md`` says when.
CONTRACT = Contract(
    init=("capacity", "n_slots"),
    methods=(
        Method("on_hit", _REQUEST, _INTS, "none", required=False),
        Method("admit", _REQUEST, _INTS, "bool", required=False),
        Method("victim", _REQUEST, _INTS, "int", required=True),
        Method("on_evict", _REQUEST, _INTS, "none", required=False),
        Method("on_insert", (*_REQUEST, "remembered"), (*_INTS, "bool"), "none", required=False),
        # Early evictions, as SLRU and LIRS make on hits: called after each request until it returns -1.
        Method("shed", _REQUEST, _INTS, "int", required=False),
        Method("keeps", ("slot",), ("int",), "bool", required=False),
        Method("on_forget", ("slot",), ("int",), "none", required=False),
    ),
)

#: Remembered objects beyond the cached ones, as a multiple of the objects that fit.
GHOST_BUDGET = 2.0


@dataclass(frozen=True)
class Job:
    """One trace at one capacity.

    Attributes:
        trace: The requests.
        capacity: Room, in objects (unit sizes) or bytes.
        by_bytes: Whether objects have their sizes or all count as 1.
        warmup: Requests at the start that are served but not counted.
        ghost_budget: See :data:`GHOST_BUDGET`.
    """

    trace: Trace
    capacity: int
    by_bytes: bool = False
    warmup: int = 0
    ghost_budget: float = GHOST_BUDGET

    @property
    def most_objects(self) -> int:
        """The most objects that can be cached at once."""
        if not self.by_bytes or self.trace.sizes is None:
            return min(self.capacity, self.trace.n_objects)
        return max(1, min(self.trace.n_objects, self.capacity // self.trace.smallest))

    def n_slots(self, policy: Policy) -> int:
        """Slots of cached objects, of remembered ones and of the incoming one.

        A policy that makes no use of memory of evicted objects is given none: its state is what it would be
        in production, and stays in the processor's caches. Use is made by ``keeps``, ``on_forget`` and
        ``admit``, or where insertion or eviction looks at ``remembered`` or compares keys.
        """
        remembers = bool(policy.methods & {"keeps", "on_forget", "admit"}) or any(
            policy.reads(method, parameter)
            for method, parameter in (("on_insert", "remembered"), ("on_insert", "key"), ("victim", "key"))
        )
        ghosts = int(self.most_objects * self.ghost_budget) if remembers else 0
        return self.most_objects + ghosts + 1


def bind(policy: Policy) -> Any:
    """The request loop around a policy (compiles if the policy is compiled)."""
    tools: dict[str, Any] = {"hash64": compiled_hash64, **books.COMPILED}
    if not policy.compiled:
        tools = {"hash64": hash64, **books.INTERPRETED}
    return policy.bind(functools.partial(d.make_driver, **tools), d.DEFAULTS)


def simulate(policy: Policy, loop: Any, job: Job, stop: int | None = None) -> Score:
    """Run one job with a fresh policy.

    Args:
        policy: The policy.
        loop: What :func:`bind` gave for it.
        job: What to run.
        stop: Serve only this many requests (default: all).

    Returns:
        The miss ratio over the counted requests; of a sample, an estimate of that of the whole trace. Details:
        ``requests``, ``misses``, ``capacity``, ``evictions``, by bytes also ``byte_miss_ratio``, of a sample also
        ``standard_error``; timing: ``seconds`` of the loop alone,
        ``requests_per_s``, ``ns_per_decision`` (the loop's time over requests). Decisions are which objects
        were evicted or refused, and at which request.

    Raises:
        PolicyError: ``illegal`` (it named a slot that is not cached), ``crash`` (it raised).
    """
    trace = job.trace
    n = len(trace.ids) if stop is None else min(stop, len(trace.ids))
    n_slots = job.n_slots(policy)
    state = policy.grow(policy.state(job.capacity, n_slots), n_slots)
    by_bytes = job.by_bytes and trace.sizes is not None
    none = trace.ids[:0]  # requests come block by block
    store = books.make_store(
        none, none.astype(np.int64) if by_bytes else None, trace.n_objects, n_slots, trace.sample is not None
    )
    counters = store.counters
    began = time.perf_counter()
    try:
        for block in trace.blocks(n):
            store = store._replace(ids=block.ids)
            if by_bytes and block.sizes is not None:
                store = store._replace(sizes=block.sizes)
            if loop(state, store, block.start, block.stop, min(job.warmup, n), job.capacity):
                break
    except PolicyError as error:
        raise _failed(error.kind, error.message, job, counters) from None
    except MemoryError:
        raise _failed("memory", "it asked for more memory than it may have", job, counters) from None
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        raise _failed("crash", f"{type(error).__name__}: {error}", job, counters) from error
    seconds = time.perf_counter() - began
    if counters[books.FAULT]:
        raise _failed("illegal", _fault(counters, n_slots), job, counters)
    counted = n - min(job.warmup, n)
    details = {
        "requests": float(counted),
        "misses": float(counters[books.MISSES]),
        "capacity": float(job.capacity),
        "evictions": float(counters[books.EVICTIONS]),
    }
    if by_bytes:
        details["byte_miss_ratio"] = float(
            counters[books.MISSED_BYTES] / max(1, counters[books.REQUESTED_BYTES])
        )
    timing = {
        "seconds": seconds,
        "requests_per_s": n / seconds if seconds > 0 else 0.0,
        "ns_per_decision": 1e9 * seconds / n if n else 0.0,
    }
    # Of a sample, requests beyond or short of those expected are taken for hits (see `sampling`).
    expected = counted * trace.expected / len(trace)
    value = min(1.0, float(counters[books.MISSES]) / expected) if counted else 0.0
    if trace.sample is not None:
        whole = expected / trace.sample.rate
        details["standard_error"] = standard_error(store.missed, trace.sample, whole) if counted else 0.0
    decided = int(counters[books.EVICTIONS] + counters[books.REFUSED])
    return Score(trace.name, value, details, timing, Decisions(decided, int(counters[books.DIGEST])))


def _failed(kind: str, message: str, job: Job, counters: np.ndarray) -> PolicyError:
    """A failure, with the request at which it happened."""
    now = int(counters[books.NOW])
    where = f"at request {now} of {without_folders(job.trace.name)}, capacity {job.capacity}"
    return PolicyError(kind, f"{message} ({where})", event=now)


def _fault(counters: np.ndarray, n_slots: int) -> str:
    slot = int(counters[books.FAULT_SLOT])
    reason = {
        books.NOT_A_SLOT: "which is not a slot of any object",
        books.NOT_CACHED: "which is not cached now (evicted or never inserted)",
        books.INCOMING: "which is the incoming object itself",
    }[int(counters[books.FAULT])]
    return f"victim() returned {slot}, {reason}"
