"""Bin packing: golden decisions are the bins of the items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evaluators.base import PolicyError
from evaluators.binpacking.simulator import FIRST_ROOM
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from problems.base import Problem

_DONE, _FULL, _ILLEGAL = range(3)
#: Most items of one workload, so that decisions come from several.
_EACH = 20_000


def _factory(
    choose: Callable[..., int], on_packed: Callable[..., Any], view: Any, show: Any
) -> Callable[..., int]:
    """The simulator's loop (:mod:`evaluators.binpacking.simulator`), which keeps the bin of each item."""

    def drive(state: Any, items: Any, remaining: Any, bins: Any, places: Any, capacity: int) -> int:
        state = view(state)
        seen = show(remaining)
        n_open = places[1]
        for i in range(places[0], len(items)):
            places[0], places[1] = i, n_open
            if n_open == len(remaining):
                return _FULL
            item = int(items[i])
            chosen = int(choose(state, item, seen, n_open))
            opened = chosen == -1
            if opened:
                chosen = n_open
                remaining[chosen] = capacity
                n_open += 1
            elif chosen < 0 or chosen >= n_open or remaining[chosen] < item:
                return _ILLEGAL
            remaining[chosen] -= item
            bins[i] = chosen
            on_packed(state, item, chosen, opened)
        places[1] = n_open
        return _DONE

    return drive


class BinPackingSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("packer", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def facts(self, policy: Known) -> dict[str, Any]:
        """Nothing beyond the policy."""
        return {}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH items of the workloads, each with its bin."""
        from evaluators.binpacking.simulator import _nothing

        loop = policy.bind(_factory, {"on_packed": _nothing})
        cases: list[Case] = []
        for stream in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, loop, stream))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """There is no other mode."""
        return [], ""

    def _record(self, policy: CompiledPolicy, loop: Any, stream: Any) -> Case:
        items = stream.items[:_EACH]
        bins = np.zeros(len(items), dtype=np.int32)
        remaining = np.zeros(FIRST_ROOM, dtype=np.int64)
        places = np.zeros(2, dtype=np.int64)
        state = policy.grow(policy.state(stream.capacity), FIRST_ROOM)
        while (ended := loop(state, items, remaining, bins, places, stream.capacity)) == _FULL:
            remaining = np.concatenate([remaining, np.zeros_like(remaining)])
            state = policy.grow(state, len(remaining))
        if ended == _ILLEGAL:
            raise PolicyError("illegal", f"it names a bin that it may not, at item {places[0]}")
        fields = {
            "name": stream.name,
            "decisions": len(items),
            "capacity": stream.capacity,
            "bins_used": int(places[1]),
        }
        return Case(fields, {"items": items, "bins": bins})


SYSTEM = BinPackingSystem
