"""Online bin packing: exact integer arithmetic, open bins only.

An item is packed when it arrives, for good. A policy sees the free space of the bins that are open, in the
order in which they were opened; it never learns how many items are to come.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from evaluators.base import Contract, Decisions, Method, Policy, PolicyError, Score, without_folders
from evaluators.binpacking.stream import Stream
from evaluators.digest import fold

#: What the simulator calls; ``docs/policy-contract.md`` says when.
CONTRACT = Contract(
    init=("capacity",),
    methods=(
        Method("choose", ("item", "remaining", "n_open"), ("int", "int[]", "int"), "int", required=True),
        Method("on_packed", ("item", "bin", "opened"), ("int", "int", "bool"), "none", required=False),
    ),
)

# Places in the counters array and values of counters[FAULT].
NEXT, OPEN, FAULT, CHOSEN, DIGEST = range(5)
OK, NOT_A_BIN, TOO_SMALL, FULL = range(4)

#: Bins there is room for at the start, in the array of free spaces and in a policy's structures; doubled when full.
FIRST_ROOM = 64


def make_driver(
    choose: Callable[..., int],
    on_packed: Callable[..., Any],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
) -> Callable[..., int]:
    """Build the loop around a policy's methods."""

    def drive(state: Any, items: Any, remaining: Any, counters: Any) -> int:
        """Pack items from ``counters[NEXT]`` on until all are packed or ``remaining`` is full.

        Args:
            state: The policy.
            items: int64[n].
            remaining: int64[m], read-only for the policy; free space of open bins.
            counters: int64[5], updated in place.

        Returns:
            0 when all are packed, FULL when there is no room for another bin in ``remaining``, else the fault.
        """
        state = view(state)
        seen = show(remaining)
        n_open = counters[OPEN]
        digest = int(counters[DIGEST])
        for i in range(counters[NEXT], len(items)):
            counters[NEXT] = i
            if n_open == len(remaining):
                counters[OPEN] = n_open
                counters[DIGEST] = digest
                return FULL
            item = int(items[i])
            chosen = int(choose(state, item, seen, n_open))
            opened = chosen == -1
            if opened:
                chosen = n_open
                remaining[chosen] = counters[CHOSEN]
                n_open += 1
            elif chosen < 0 or chosen >= n_open:
                counters[FAULT] = NOT_A_BIN
            elif remaining[chosen] < item:
                counters[FAULT] = TOO_SMALL
            if counters[FAULT] != OK:
                counters[CHOSEN] = chosen
                return int(counters[FAULT])
            remaining[chosen] -= item
            digest = fold(digest, chosen)
            on_packed(state, item, chosen, opened)
        counters[NEXT] = len(items)
        counters[OPEN] = n_open
        counters[DIGEST] = digest
        return OK

    return drive


@njit
def _nothing(state, item, bin, opened):  # type: ignore[no-untyped-def]
    return


def bind(policy: Policy) -> Any:
    """The packing loop around a policy (compiles if the policy is compiled)."""
    return policy.bind(make_driver, {"on_packed": _nothing})


def simulate(policy: Policy, loop: Any, stream: Stream) -> Score:
    """Pack one stream with a fresh policy.

    Returns:
        Excess over the lower bound L1 in percent. Details: ``items``, ``bins``, ``lower_bound``; timing:
        ``seconds`` of the loop alone, ``items_per_s``, ``ns_per_decision``. Decisions are the bins of the items.

    Raises:
        PolicyError: ``illegal`` (no such bin, or no room in it), ``crash`` (it raised).
    """
    items = stream.items
    remaining = np.zeros(FIRST_ROOM, dtype=np.int64)
    counters = np.zeros(5, dtype=np.int64)
    counters[CHOSEN] = stream.capacity
    began = time.perf_counter()
    try:
        state = policy.grow(policy.state(stream.capacity), FIRST_ROOM)
        began = time.perf_counter()
        while loop(state, items, remaining, counters) == FULL:
            remaining = np.concatenate([remaining, np.zeros_like(remaining)])
            state = policy.grow(state, len(remaining))
    except PolicyError as error:
        raise _failed(error.kind, error.message, stream, counters) from None
    except MemoryError:
        raise _failed("memory", "it asked for more memory than it may have", stream, counters) from None
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        raise _failed("crash", f"{type(error).__name__}: {error}", stream, counters) from error
    seconds = time.perf_counter() - began
    if counters[FAULT]:
        item = int(items[counters[NEXT]])
        chosen = int(counters[CHOSEN])
        reason = (
            "which is not an open bin"
            if counters[FAULT] == NOT_A_BIN
            else f"whose free space {remaining[chosen]} is less than the item, {item}"
        )
        raise _failed("illegal", f"choose() returned {chosen}, {reason}", stream, counters)
    n = len(items)
    timing = {
        "seconds": seconds,
        "items_per_s": n / seconds if seconds else 0.0,
        "ns_per_decision": 1e9 * seconds / n,
    }
    decisions = Decisions(n, int(counters[DIGEST]))
    return stream.score(int(counters[OPEN]), timing, decisions)


def _failed(kind: str, message: str, stream: Stream, counters: np.ndarray) -> PolicyError:
    """A failure, with the item at which it happened."""
    item = int(counters[NEXT])
    return PolicyError(kind, f"{message} (at item {item} of {without_folders(stream.name)})", event=item)
