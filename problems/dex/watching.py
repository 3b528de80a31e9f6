"""What a policy does at work: series for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluators.base import Policy
from evaluators.dex import layout as k
from evaluators.dex import simulator
from evaluators.dex.cell import Cell
from evaluators.dex.suites import FULL_KEYS
from evaluators.dex.systems import SYSTEMS, run_system
from evaluators.dex.world import World
from problems.figures import Chart, Figure, Line, Shares

_PARTS = 40
_SCALE = 16
#: Compute servers of 36 threads, and caches in MiB of the full size, by which throughput is drawn.
_SERVERS, _CACHES = (1, 2, 3, 4), (32, 64, 128, 256, 512, 1024)
_OTHERS = ("sherman", "p-sherman", "smart", "p-smart")


def phases(seed: int) -> Cell:
    """A hot set that moves three times, with updates and a small cache; drawn for this alone."""
    return Cell(
        "phases", keys=FULL_KEYS // _SCALE, cache_mb=64 / _SCALE, mix="read-intensive", ops=120_000, warm=40_000, shifts=3,
        seed=seed + (1 << 16),
    )  # fmt: skip


def watched(policy: Policy, loop: object, cell: Cell) -> list[Figure]:
    """Let a policy serve a cell, and show throughput, verbs by type, misses by level."""
    seen: list[tuple[np.ndarray, np.ndarray, float]] = []

    def note(world: World) -> None:
        seen.append((world.servers.copy(), world.misses.copy(), float(world.times[:, k.ENDED].max())))

    score = simulator.simulate(policy, loop, cell, note, _PARTS)
    first = next(i for i, (servers, _, _) in enumerate(seen) if (servers[:, k.DONE_OPS] > cell.warm).all())
    ops = np.array([servers[:, k.DONE_OPS].sum() for servers, _, _ in seen], dtype=float)
    end = np.array([time for _, _, time in seen])

    def each(*places: int) -> list[float]:
        counts = np.array([servers[:, list(places)].sum() for servers, _, _ in seen], dtype=float)
        return [float(x) for x in (np.diff(counts) / np.diff(ops))[first:]]

    rate = [float(x) for x in (np.diff(ops) / np.maximum(1e-9, np.diff(end)))[first:]]
    start = 100.0 * (first + 1.5) / _PARTS

    def chart(title: str, caption: str, y: str, values: Sequence[float]) -> Chart:
        return Chart(title, caption, y, "operations, %", start, 100.0 - 50.0 / _PARTS, [Line("", values)])

    details = score.details
    levels = [f"level {level}" for level in range(cell.height - 1)]
    kinds = ("reads", "writes", "rpcs")
    return [
        chart(
            "Throughput at work",
            "All servers together; the hot set moves three times in the second two thirds.",
            "Mops",
            rate,
        ),
        chart("Remote verbs at work", "One- and two-sided.", "verbs an operation", each(k.READS, k.WRITES, k.RPCS)),
        Shares(
            "Remote verbs by type",
            "Of the same run: page reads, page writes, RPCs.",
            "an operation",
            list(kinds),
            {"": [details[kind] for kind in kinds]},
        ),
        Shares(
            "Misses by level",
            "Of the same run; level 0 are leaves.",
            "an operation",
            levels,
            {"": [details[f"misses_{level}"] for level in range(cell.height - 1)]},
        ),
    ]  # fmt: skip


def compared(policy: Policy, loop: object, cell: Cell) -> list[Figure]:
    """Throughput over threads and over cache sizes, beside the systems that are recipes of verbs (DEX, figures 6 and 11)."""
    steady = replace(cell, shifts=0, ops=cell.ops // 2, warm=cell.ops // 3)

    def chart(title: str, caption: str, x: str, cells: Sequence[Cell], start: float, end: float) -> Chart:
        own = [simulator.simulate(policy, loop, at).value for at in cells]
        lines = [Line("", own)]
        lines += [Line(id, [run_system(SYSTEMS[id], at).value for at in cells]) for id in _OTHERS]
        return Chart(title, caption, "Mops", x, start, end, lines)

    threads = [replace(steady, servers=n, cache_mb=256 / _SCALE) for n in _SERVERS]
    caches = [replace(steady, cache_mb=mb / _SCALE) for mb in _CACHES]
    note = "Read-intensive, on a tree and caches of a sixteenth of the full size."
    return [
        chart("Throughput over threads", note, "compute threads", threads, 36.0, 144.0),
        chart(
            "Throughput over cache sizes",
            note,
            "doublings of 32 MB at full size",
            caches,
            0.0,
            len(caches) - 1.0,
        ),
    ]
