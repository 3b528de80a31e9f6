"""What a cache policy does when its requests change their nature: figures for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators.base import Policy, PolicyError
from evaluators.cache import store as books
from evaluators.cache.belady import next_access
from evaluators.cache.generators import lognormal_bytes, zipf
from evaluators.cache.simulator import Job
from evaluators.cache.trace import Trace
from problems.figures import Chart, Figure, Line, Shares

#: No set of workloads draws from this stream.
_STREAM = 99
PHASES = (
    "popular objects",
    "a scan among them",
    "without the scan",
    "new popular objects",
    "a loop, too large",
    "the first ones again",
)
#: Requests of a phase and of a point of a line; distinct popular objects, and those of the loop.
_PHASE, _STEP = 10_000, 1000
_POPULAR, _LOOP = 2000, 300
_ROOM = 200
#: A cached object is idle if it is not asked for within so many requests for each object that fits.
_PATIENCE = 10


@dataclass(frozen=True)
class Watched:
    """What was counted after each step.

    Attributes:
        misses: int64[steps], misses of each step.
        idle: float64[steps], percent of the room that idle objects hold at a step's end.
    """

    misses: np.ndarray
    idle: np.ndarray


def changing(seed: int, by_bytes: bool, ghost_budget: float) -> Job:
    """A trace of six phases, drawn for this alone, with room for a tenth of the popular objects.

    Args:
        seed: Of the workloads.
        by_bytes: Whether objects have their sizes.
        ghost_budget: As configured.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    length = len(PHASES) * _PHASE
    keys = zipf(rng, n_objects=_POPULAR, length=length, alpha=0.9).ids.astype(np.int64)
    phase = np.arange(length) // _PHASE
    place = np.arange(length)
    scanned = (phase == 1) & (rng.random(length) < 0.5)
    keys = np.where(phase == 3, keys + _POPULAR, keys)
    keys = np.where(phase == 4, 2 * _POPULAR + place % _LOOP, keys)
    keys = np.where(scanned, 3 * _POPULAR + place, keys)
    trace = Trace.from_keys("changing", keys)
    if not by_bytes:
        return Job(trace, _ROOM, ghost_budget=ghost_budget)
    sizes = lognormal_bytes(rng, trace.n_objects)
    room = int(_ROOM * sizes.mean())
    return Job(Trace("changing", trace.ids, sizes[trace.ids]), room, by_bytes=True, ghost_budget=ghost_budget)


def watched(policy: Policy, loop: Any, job: Job) -> list[Figure]:
    """Let a policy serve :func:`changing`, and show its misses and what it keeps in vain."""
    counted = _serve(policy, loop, job)
    trace = job.trace
    unit = "bytes" if job.by_bytes else "objects"
    room = f"room for {job.capacity:,} {unit}"
    first = np.zeros(len(trace), dtype=bool)
    first[np.unique(trace.ids, return_index=True)[1]] = True
    new = first.reshape(-1, _STEP).sum(axis=1)
    steps = len(counted.misses)
    phases = f"{', '.join(PHASES[:-1])} and {PHASES[-1]}"
    return [
        _chart(
            "Misses as the requests change",
            f"{len(PHASES)} phases of {_PHASE:,} requests, {room}: {phases}. A first request is everybody's miss.",
            "misses, %",
            {"": 100.0 * counted.misses / _STEP, "first requests": 100.0 * new / _STEP},
        ),
        _chart(
            "Room held in vain",
            f"Part of the room that holds objects not asked for within the next {_patience(job):,} requests: all of it where"
            " other objects are asked for soon.",
            "of the room, %",
            {"": counted.idle},
        ),
        Shares(
            "Misses by phase",
            "The same misses added up.",
            "misses, %",
            PHASES,
            {
                "": [
                    float(100.0 * part.mean() / _STEP)
                    for part in counted.misses.reshape(-1, steps // len(PHASES))
                ]
            },
        ),
    ]


def _serve(policy: Policy, loop: Any, job: Job) -> Watched:
    """The request loop in steps; the policy notices nothing of them."""
    trace = job.trace
    n_slots = job.n_slots(policy)
    state = policy.grow(policy.state(job.capacity, n_slots), n_slots)
    sizes = trace.sizes if job.by_bytes else None
    store = books.make_store(trace.ids[:0], sizes, trace.n_objects, n_slots)
    upcoming = next_access(trace.ids, trace.n_objects)
    # The next request for an object that was not asked for yet cannot matter: it is not cached.
    following = np.zeros(trace.n_objects, dtype=np.int64)
    stops = range(_STEP, len(trace) + 1, _STEP)
    misses, idle = [], []
    for stop in stops:
        step = slice(stop - _STEP, stop)
        store = store._replace(ids=trace.ids[step])
        if sizes is not None:
            store = store._replace(sizes=sizes[step])
        if loop(state, store, stop - _STEP, stop, 0, job.capacity):
            raise PolicyError(
                "illegal", f"it evicted what is not cached at request {int(store.counters[books.NOW])}"
            )
        misses.append(int(store.counters[books.MISSES]))
        # Of several requests for one object the last one stays.
        following[store.ids] = upcoming[step]
        held = store.slot_of >= 0
        vain = held & ((following >= stop + _patience(job)) | (following == len(trace)))
        weights = np.ones(trace.n_objects) if sizes is None else _stored(store)
        idle.append(100.0 * float(weights[vain].sum()) / job.capacity)
    return Watched(np.diff(misses, prepend=0), np.array(idle))


def _stored(store: books.Store) -> np.ndarray:
    """Bytes that each object takes in the cache, 0 for those outside."""
    taken = np.zeros(len(store.slot_of))
    held = np.flatnonzero(store.slot_of >= 0)
    taken[held] = store.size_of[store.slot_of[held]]
    return taken


def _patience(job: Job) -> int:
    return _PATIENCE * (_ROOM if job.by_bytes else job.capacity)


def _chart(title: str, caption: str, y: str, lines: dict[str, np.ndarray]) -> Chart:
    """Values at the middle of each step, in thousands of requests."""
    steps = len(next(iter(lines.values())))
    return Chart(
        title,
        caption,
        y,
        "thousand requests",
        _STEP / 2000,
        (steps - 0.5) * _STEP / 1000,
        [Line(name, [float(v) for v in values]) for name, values in lines.items()],
    )
