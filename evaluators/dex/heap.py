"""Threads by the time at which they are free, as a binary heap in an array."""

from __future__ import annotations

from evaluators.dex.memory import compiled


@compiled
def push(heap, clocks, n, thread):  # type: ignore[no-untyped-def]
    """Seat a thread in a heap of n by its clock; among equal ones the lower thread is first."""
    at = n
    while at > 0:
        up = (at - 1) >> 1
        other = heap[up]
        if clocks[other] < clocks[thread] or (clocks[other] == clocks[thread] and other < thread):
            break
        heap[at] = other
        at = up
    heap[at] = thread


@compiled
def pop(heap, clocks, n):  # type: ignore[no-untyped-def]
    """Take the thread with the earliest clock out of a heap of n."""
    first = heap[0]
    last = heap[n - 1]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= n - 1:
            break
        right = down + 1
        if right < n - 1:
            a = heap[right]
            b = heap[down]
            if clocks[a] < clocks[b] or (clocks[a] == clocks[b] and a < b):
                down = right
        other = heap[down]
        if clocks[last] < clocks[other] or (clocks[last] == clocks[other] and last < other):
            break
        heap[at] = other
        at = down
    heap[at] = last
    return first
