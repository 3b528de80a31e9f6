"""The cache: golden decisions are what became of each request, and which objects were evicted when."""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from evaluators.base import PolicyError
from evaluators.cache import driver as d
from evaluators.cache import simulator
from evaluators.cache import store as books
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policykit.compiled import hash64
from problems.base import Problem

#: Most requests of one workload, so that decisions come from several.
_EACH = 20_000
#: Requests in the other mode of sizes (unit or bytes).
_OTHER = 20_000


def _log_class() -> Any:
    """The simulator's arrays (:class:`evaluators.cache.store.Store`), and what it decides."""
    fields = (*books.Store._fields, "outcome", "evicted", "evicted_at")
    return namedtuple("_Log", fields)  # type: ignore[misc]  # fields known at run time


_Log = _log_class()
_evict, _refuse, _miss = (register_jitable(f) for f in (books.evict, books.refuse, books.miss))


@njit
def _logged_evict(store, slot):  # type: ignore[no-untyped-def]
    n = store.counters[books.EVICTIONS]
    if n < len(store.evicted):
        store.evicted[n] = store.owner[slot]
        store.evicted_at[n] = store.counters[books.NOW]
    return _evict(store, slot)


@njit
def _logged_refuse(store, slot):  # type: ignore[no-untyped-def]
    store.outcome[store.counters[books.NOW]] = 2
    _refuse(store, slot)


@njit
def _logged_miss(store, size, counted):  # type: ignore[no-untyped-def]
    store.outcome[store.counters[books.NOW]] = 1
    _miss(store, size, counted)


class CacheSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("cache_engine", "hashing", "shadow", "cache_shadow", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem: Any = problem  # knows sizes and capacity beyond the protocol

    def facts(self, policy: Known) -> dict[str, Any]:
        """``ghosts`` (remembered objects, as a multiple of the cached ones)."""
        job = simulator.Job(self._example(), 10, ghost_budget=self.problem.ghost_budget)
        asked: Any = policy  # for what its text says only
        remembers = job.n_slots(asked) > job.most_objects + 1
        return {"ghosts": self.problem.ghost_budget if remembers else 0.0}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH requests of the workloads, each with its outcome and the evictions."""
        loop = self._bind(policy)
        cases: list[Case] = []
        for job in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, loop, job, _EACH))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """The same in the other mode of sizes on generated requests; a sentence if the policy fails there."""
        sizes = "bytes" if self.problem.sizes == "unit" else "unit"
        config: dict[str, Any] = dict(self.problem.config) | {"sizes": sizes, "capacity": "0.1"}
        config["workloads"] = {"feedback": "synthetic"}
        problem = type(self.problem)(config)
        try:
            job = problem.workloads("feedback")[0]
            return [self._record(policy, self._bind(policy), job, _OTHER)], ""
        except PolicyError as error:
            return [], f"with sizes={sizes} the policy fails ({error.kind}: {error.message})"

    def _example(self) -> Any:
        return self.problem.probes()[0].trace

    def _bind(self, policy: CompiledPolicy) -> Any:
        tools: dict[str, Any] = {"hash64": hash64, **books.COMPILED}
        tools |= {"evict": _logged_evict, "refuse": _logged_refuse, "miss": _logged_miss}
        return policy.bind(functools.partial(d.make_driver, **tools), d.DEFAULTS)

    def _record(self, policy: CompiledPolicy, loop: Any, job: simulator.Job, most: int) -> Case:
        trace = job.trace
        n = min(most, len(trace.ids))
        n_slots = job.n_slots(policy)
        by_bytes = job.by_bytes and trace.sizes is not None
        state = policy.grow(policy.state(job.capacity, n_slots), n_slots)
        store = books.make_store(trace.ids, trace.sizes if by_bytes else None, trace.n_objects, n_slots)
        log = _Log(*store, np.zeros(n, np.uint8), np.zeros(4 * n, np.int32), np.zeros(4 * n, np.int32))
        fault = loop(state, log, 0, n, 0, job.capacity)
        if fault:
            raise PolicyError("illegal", f"it evicts what it may not, at request {log.counters[books.NOW]}")
        count = int(log.counters[books.EVICTIONS])
        assert count <= len(log.evicted)
        columns = {"ids": trace.ids[:n].astype(np.int32)}
        if by_bytes:
            assert trace.sizes is not None
            columns["sizes"] = trace.sizes[:n].astype(np.int64)
        columns |= {
            "outcome": log.outcome,
            "evicted": log.evicted[:count],
            "evicted_at": log.evicted_at[:count],
        }
        fields: Mapping[str, Any] = {
            "name": trace.name,
            "decisions": n,
            "capacity": job.capacity,
            "max_objects": job.most_objects,
            "misses": int(log.counters[books.MISSES]),
        }
        return Case(fields, columns)


SYSTEM = CacheSystem
